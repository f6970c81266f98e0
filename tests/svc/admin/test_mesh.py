"""Admin and two channel servers as real processes, found through a real Consul, with a server that dies or leaves."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from discovery.front import Discovery
from discovery.ring_watcher import RingWatcher
from ops.local.process import Command, Process, spawn
from parley.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from parley.channel.v1.channel_service_pb2_grpc import ChannelServiceStub
from svc.kit.clock import SystemClock
from tests.discovery.agents import SECRET, Agent, settings, until
from tests.svc.admin.test_servicer import Webapp
from tests.svc.channel.lines import Subscriber
from tests.svc.channel.world import event

pytestmark = pytest.mark.mesh

CHANNELS = [f"C{number:010d}" for number in range(32)]
log = logging.getLogger(__name__)  # the times measured: `pytest --log-cli-level=info` shows them


class Mesh:
    """The processes, and this test's own view of them."""

    def __init__(self, ring: RingWatcher, disco: Discovery, processes: dict[str, Process]) -> None:
        self.ring = ring
        self.disco = disco
        self.processes = processes
        self.offset = 0

    def channel_stub(self, server_id: str) -> Any:
        """A stub of a channel server."""
        instance = self.ring.instance(server_id)
        assert instance is not None
        return self.disco.pools.stub(ChannelServiceStub, instance)

    async def in_step(self, server_id: str) -> None:
        """Wait until a channel server goes by the same ring: it hears of the other by itself."""
        async with asyncio.timeout(20):
            while True:
                early = Subscriber(self.channel_stub(server_id), "early")
                seen = (await early.hello()).ring_fingerprint
                early.call.cancel()
                if seen == self.ring.fingerprint:
                    return
                await asyncio.sleep(0.05)

    def webapp(self) -> Webapp:
        """A publish stream to admin."""
        return Webapp(self.disco.pools.stub(AdminServiceStub, self.disco.pools.pick("admin")))

    async def publish(self, webapp: Webapp) -> float:
        """Publish the next event of every channel; return the seconds until all are delivered."""
        self.offset += 1
        began = asyncio.get_running_loop().time()
        await webapp.send(self.offset, *(event(channel, self.offset) for channel in CHANNELS))
        assert await webapp.answer() == (self.offset, [])
        return asyncio.get_running_loop().time() - began


@asynccontextmanager
async def mesh(agent: Agent, folder: Path) -> AsyncIterator[Mesh]:
    """Start one admin and two channel servers; wait until they see each other."""
    async with AsyncExitStack() as up:
        processes: dict[str, Process] = {}
        for name, tier in (("channel-a", "channel"), ("channel-b", "channel"), ("admin", "admin")):
            env = {"PARLEY_SECRET": SECRET, "PARLEY_CONSUL_ADDR": agent.address, "PARLEY_INSTANCE_NAME": name}
            command = Command(name, (sys.executable, "-m", f"svc.{tier}.main"), Path.cwd(), folder / f"{name}.log", env)
            processes[name] = await spawn(command)
            up.push_async_callback(processes[name].kill)
        disco = await up.enter_async_context(Discovery(settings(agent.address), SystemClock()))
        ring = await disco.ring("channel")
        admins = await disco.watch("admin")
        await until(lambda: len(ring.ring.members) == 2 and len(admins.snapshot.instances) == 1, 20)
        yield Mesh(ring, disco, processes)


async def test_publishes_reach_the_owners_and_their_followers(agent: Agent, tmp_path: Path) -> None:
    """Each channel is followed at its owner; every event arrives there and nowhere else."""
    async with mesh(agent, tmp_path) as parts:
        followers: dict[str, Subscriber] = {}
        for server_id in parts.ring.ring.members:
            await parts.in_step(server_id)
            followers[server_id] = Subscriber(parts.channel_stub(server_id), "gateway-1")
            welcome = await followers[server_id].hello()
            assert (welcome.server_id, welcome.ring_fingerprint) == (server_id, parts.ring.fingerprint)
        for channel in CHANNELS:
            await followers[parts.ring.owner(channel).id].follow(**{channel: 0})
        publishing = asyncio.create_task(parts.publish(parts.webapp()))
        for server_id, follower in followers.items():
            wanted = {(channel, 1) for channel in CHANNELS if parts.ring.owner(channel).id == server_id}
            got: list[tuple[str, int]] = []
            while len(got) < len(wanted):
                got += await follower.batch()
            assert set(got) == wanted
        await publishing


async def test_a_killed_owner_costs_no_publish_and_less_than_three_seconds(agent: Agent, tmp_path: Path) -> None:
    """kill -9: what it had not acknowledged goes to the other one as soon as Consul notices."""
    async with mesh(agent, tmp_path) as parts:
        webapp = parts.webapp()
        await parts.publish(webapp)
        parts.processes["channel-a"].kill_nowait()
        took_s = await parts.publish(webapp)
        log.info(f"kill -9 of an owner: all channels publish again after {took_s * 1000:.0f} ms")
        assert took_s < 3.0
        assert await parts.publish(webapp) < 1.0


async def test_an_owner_that_leaves_hands_over_within_a_second(agent: Agent, tmp_path: Path) -> None:
    """SIGTERM under load: every publish is answered, the followers are told, the process ends by itself."""
    async with mesh(agent, tmp_path) as parts:
        webapp = parts.webapp()
        await parts.publish(webapp)
        (leaver,) = [each for each in parts.ring.ring.members if each.startswith("channel-a")]
        follower = Subscriber(parts.channel_stub(leaver), "gateway-1")
        await follower.hello()
        parts.processes["channel-a"].signal(signal.SIGTERM)
        slowest_s = 0.0
        while leaver in parts.ring.ring.members or slowest_s == 0.0:
            slowest_s = max(slowest_s, await parts.publish(webapp))
        log.info(f"SIGTERM of an owner: slowest publish {slowest_s * 1000:.0f} ms")
        assert slowest_s < 1.0
        assert (await follower.next()).draining.server_id == leaver
        assert await follower.ended() is None
        assert await parts.processes["channel-a"].wait() == 0
