"""Registrations and watches against a real Consul: seen, lost, restarted with and without its data."""

import logging
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from discovery.front import Discovery
from discovery.watcher import ServiceWatcher
from svc.kit.clock import SystemClock
from svc.kit.rpc import RpcServer
from tests.discovery.agents import Agent, Fleet, settings, until

pytestmark = pytest.mark.mesh

CLOCK = SystemClock()
log = logging.getLogger(__name__)  # the times measured: `pytest --log-cli-level=info` shows them


def seen(watcher: ServiceWatcher) -> set[str]:
    """Return the ids in a watcher's view."""
    return {instance.id for instance in watcher.snapshot.instances}


@asynccontextmanager
async def watching(agent: Agent) -> AsyncIterator[tuple[Discovery, ServiceWatcher]]:
    """Watch the channel tier."""
    async with Discovery(settings(agent.address), CLOCK) as disco:
        watcher = await disco.watch("channel")
        await watcher.ready(5)
        yield disco, watcher


async def test_an_instance_is_seen_when_it_registers_and_gone_when_it_is_killed(agent: Agent, tmp_path: Path) -> None:
    """The life of an instance, as its peers see it, with its address and zone."""
    async with watching(agent) as (disco, watcher), Fleet(agent, tmp_path) as fleet:
        ring = await disco.ring("channel")
        one, two = await fleet.add("channel-1", "az1"), await fleet.add("channel-2", "az2")
        await until(lambda: seen(watcher) == {"channel-1", "channel-2"})
        assert {each.id: each.zone for each in watcher.snapshot.instances} == {"channel-1": "az1", "channel-2": "az2"}
        assert ring.owner("C1").id in {"channel-1", "channel-2"}
        one.kill_nowait()
        took_s = await until(lambda: seen(watcher) == {"channel-2"})
        log.info(f"kill -9, one of two: gone after {took_s * 1000:.0f} ms")
        assert took_s < 3.0  # 0.4 to 1.0 s, but 2.1 s in the first seconds of an agent's life
        assert ring.owner("C1").id == "channel-2"
        two.kill_nowait()
        took_s = await until(lambda: seen(watcher) == set())
        log.info(f"kill -9, the last one: gone after {took_s * 1000:.0f} ms")
        assert took_s < 3.0


async def test_a_hung_instance_is_taken_out(agent: Agent, tmp_path: Path) -> None:
    """SIGSTOP: the port still accepts connections, but nobody answers; the last one of a tier as well."""
    async with watching(agent) as (_, watcher), Fleet(agent, tmp_path) as fleet:
        hung = await fleet.add("channel-1")
        await until(lambda: seen(watcher) == {"channel-1"})
        hung.signal(signal.SIGSTOP)
        took_s = await until(lambda: seen(watcher) == set())
        log.info(f"SIGSTOP: gone after {took_s * 1000:.0f} ms")
        hung.signal(signal.SIGCONT)
        await until(lambda: seen(watcher) == {"channel-1"})


async def test_leaving_is_seen_within_100_ms(agent: Agent, server: RpcServer) -> None:
    """A planned stop deregisters first; peers must not wait for a health check."""
    async with watching(agent) as (disco, watcher), AsyncExitStack() as others:
        for name in ("the last one", "one of two"):
            async with disco.registered("channel", "leaver", server, {}) as mine:
                await until(lambda: "leaver" in seen(watcher))
                began = time.monotonic()
                await mine.leave()
                await until(lambda: "leaver" not in seen(watcher))
                took_s = time.monotonic() - began
            log.info(f"{name} deregistered: seen after {took_s * 1000:.1f} ms")
            assert took_s < 0.1
            await server.set_serving(True)  # who leaves stops serving, and "other" shares the server
            await others.enter_async_context(disco.registered("channel", "other", server.address, {}))
            await until(lambda: "other" in seen(watcher))


@pytest.mark.parametrize("wipe", [False, True], ids=["with its data", "without its data"])
async def test_a_restarted_consul_empties_no_view_and_gets_its_registrations_back(
    agent: Agent, tmp_path: Path, wipe: bool
) -> None:
    """Traffic goes on through the restart, and the catalog heals by itself, with nothing of ours restarted."""
    async with watching(agent) as (disco, watcher), Fleet(agent, tmp_path) as fleet:
        ring = await disco.ring("channel")
        names = {f"channel-{n}" for n in range(3)}
        for name in sorted(names):
            await fleet.add(name)
        await until(lambda: seen(watcher) == names)
        fingerprint, views = ring.fingerprint, []
        watcher.subscribe(lambda snapshot: views.append({each.id for each in snapshot.instances}))
        await agent.kill(wipe=wipe)
        await until(lambda: watcher.is_failing)
        assert seen(watcher) == names
        await agent.start()
        began = time.monotonic()

        async def registered() -> bool:
            answer = await disco.consul.health.passing("parley-channel")
            return {each.id for each in answer.instances} == names

        while not await registered():
            assert time.monotonic() - began < 10
        log.info(f"restarted, wiped={wipe}: all registered again after {time.monotonic() - began:.2f} s")
        await until(lambda: not watcher.is_failing)
        assert all(view == names for view in views)
        assert ring.fingerprint == fingerprint
        # The view is not frozen: an instance that dies now still leaves it. Usually in 1 s, but an agent whose sync
        # failed early in its life (a busy machine, no leader yet) tries it again only after 15 s.
        fleet.processes["channel-0"].kill_nowait()
        await until(lambda: seen(watcher) == names - {"channel-0"}, 40)


async def test_an_instance_that_dies_while_consul_is_wiped_leaves_the_view(agent: Agent, tmp_path: Path) -> None:
    """Doubt keeps the living, not the dead."""
    async with watching(agent) as (_, watcher), Fleet(agent, tmp_path) as fleet:
        for name in ("channel-1", "channel-2"):
            await fleet.add(name)
        await until(lambda: seen(watcher) == {"channel-1", "channel-2"})
        await agent.kill(wipe=True)
        await until(lambda: watcher.is_failing)
        fleet.processes["channel-1"].kill_nowait()
        await agent.start()
        await until(lambda: seen(watcher) == {"channel-2"})


async def test_a_lost_registration_is_back_within_two_seconds_and_peers_never_noticed(
    agent: Agent, server: RpcServer
) -> None:
    """Somebody deregisters the last one by mistake: it still answers, so it is held until its registrar is back."""
    async with (
        watching(agent) as (disco, watcher),
        disco.registered("channel", "channel-1", server, {}) as mine,
    ):
        await until(lambda: seen(watcher) == {"channel-1"})
        views = [seen(watcher)]
        watcher.subscribe(lambda snapshot: views.append({each.id for each in snapshot.instances}))
        await disco.consul.deregister("channel-1")
        began = time.monotonic()
        while not await disco.consul.holds(mine.registration):
            assert time.monotonic() - began < 2.5
            await CLOCK.sleep(0.01)
        log.info(f"registered again after {time.monotonic() - began:.2f} s")
        assert all(view == {"channel-1"} for view in views)
        await mine.leave()
        await until(lambda: not seen(watcher))


async def test_consul_gone_neither_stops_a_start_nor_a_shutdown(agent: Agent, server: RpcServer) -> None:
    """Without Consul an instance runs, says that nobody confirms it, and leaves at once."""
    await agent.kill()
    began = time.monotonic()
    async with Discovery(settings(agent.address), CLOCK) as disco:
        watcher = await disco.watch("channel")
        async with disco.registered("channel", "channel-1", server, {}) as mine:
            assert mine.fence.is_fenced(CLOCK.now())
            assert not watcher.snapshot.instances
            await agent.start()
            await until(lambda: seen(watcher) == {"channel-1"})
            await until(lambda: not mine.fence.is_fenced(CLOCK.now()))
            await agent.kill()
            began = time.monotonic()
    assert time.monotonic() - began < 2.0


async def test_keys_and_consul_sessions_work_on_a_real_agent(agent: Agent) -> None:
    """What leader locks and weights will use."""
    async with Discovery(settings(agent.address), CLOCK) as disco:
        consul = disco.consul
        assert await consul.get("parley/a") == (None, 0)
        assert await consul.put("parley/a", b"1", if_index=0)
        assert not await consul.put("parley/a", b"2", if_index=0)
        value, index = await consul.get("parley/a", consistent=True)
        assert value == b"1"
        assert await consul.put("parley/a", b"", if_index=index)
        assert await consul.list_keys("parley/") == {"parley/a": b""}
        session_id = await consul.create_session("lock", 10, delete_keys=True)
        assert await consul.put("parley/lock", b"me", session_id=session_id)
        assert await consul.renew_session(session_id)
        await consul.destroy_session(session_id)
        assert not await consul.renew_session(session_id)
        assert (await consul.get("parley/lock"))[0] is None
        await consul.delete("parley/", recurse=True)
        assert await consul.list_keys("parley/") == {}
        assert await consul.leader()
        await consul.deregister("nobody knows it")
