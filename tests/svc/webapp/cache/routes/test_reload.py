"""Another configuration takes the place of the one in force while requests go on."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from discovery.consul import ConsulClient
from discovery.front import Discovery
from discovery.kv import KvEntry
from svc.kit.clock import ManualClock, SystemClock
from svc.kit.lifecycle import Tasks
from svc.webapp.cache.routes.build import Tree
from svc.webapp.cache.routes.config import parse
from svc.webapp.cache.routes.explain import lines
from svc.webapp.cache.routes.reload import LINGERING_MAX, ROUTES_KEY, Routes, run_routes
from svc.webapp.cache.routes.spec import Switches
from tests.discovery.agents import Agent, settings, until
from tests.svc.webapp.cache.routes.pools import MemoryPools, pool_of
from tests.svc.webapp.cache.twin import Twin

SETTLE_S, LINGER_S = 2.0, 100.0


def config(default: Any, **more: Any) -> bytes:
    """Return a configuration over pools a and b."""
    return json.dumps({"pools": ["a", "b"], "routes": {"default": default}, **more}).encode()


class World:
    """Routes over two pools of one node each, and a clock."""

    def __init__(self, tasks: Tasks) -> None:
        self.clock = ManualClock()
        self.a, self.b = Twin("a:1", self.clock), Twin("b:1", self.clock)
        self.pools = MemoryPools(pool_of("a", self.a), pool_of("b", self.b))
        tree = Tree(parse(config("a")), self.pools, tasks)
        self.routes = Routes(tree, self.pools, tasks, self.clock, settle_s=SETTLE_S, linger_s=LINGER_S)

    async def change(self, value: bytes | None, seconds: float = SETTLE_S) -> None:
        """Take a configuration, and let it settle."""
        taking = asyncio.ensure_future(self.routes.take(KvEntry(value)))
        await asyncio.sleep(0)
        await self.clock.advance(seconds)
        await taking

    async def read(self, key: str = "k") -> str:
        """Return the node that answers."""
        (found,) = await self.routes.get([key], 0)
        return found.node if found else ""

    async def deleted_at(self, key: str = "k") -> str:
        """Return the pools that a deletion reaches."""
        for node in (self.a, self.b):
            node.asked.clear()
        await self.routes.delete([key], 0)
        return "".join(node.address[0] for node in (self.a, self.b) if node.asked)


@asynccontextmanager
async def running() -> AsyncIterator[World]:
    """Yield a world that reads from pool a."""
    async with Tasks("test", 64) as tasks:
        yield World(tasks)


async def test_a_change_is_deleted_from_first_and_read_when_it_has_settled() -> None:
    """And the former tree gets deletions until what was left there has ended."""
    async with running() as world:
        assert (await world.read(), await world.deleted_at()) == ("a:1", "a")
        taking = asyncio.ensure_future(world.routes.take(KvEntry(config("b", leases=False))))
        await asyncio.sleep(0)
        await world.clock.advance(SETTLE_S - 0.1)
        assert (await world.read(), await world.deleted_at()) == ("a:1", "ab")
        assert world.routes.switches == Switches()
        await world.clock.advance(0.1)
        await taking
        assert (await world.read(), await world.deleted_at()) == ("b:1", "ab")
        assert world.routes.switches == Switches(leases=False)
        assert world.pools.followed == [("a", "b")]
        await world.clock.advance(LINGER_S - 0.1)
        assert await world.deleted_at() == "ab"
        await world.clock.advance(0.1)
        assert await world.deleted_at() == "b"


async def test_a_request_under_way_ends_on_the_tree_that_it_began_on() -> None:
    """Its lease, too, is of the node that gave it."""
    async with running() as world:
        (found,) = await world.routes.get(["k"], 10)
        await world.change(config("b"))
        assert found
        assert found.lease
        found.lease.fill(b"v", 60, 1)
        assert (world.a.value("k"), world.b.value("k")) == (b"v", None)


async def test_a_deletion_is_not_sent_twice_where_one_tree_reaches_both() -> None:
    """Only prefixes whose pools changed cost more while trees linger."""
    async with running() as world:
        await world.change(
            json.dumps({"pools": ["a", "b"], "routes": {"prefixes": {"h1:": "b"}, "default": "a"}}).encode()
        )
        assert await world.deleted_at("h1:x") == "ab"
        assert await world.deleted_at("m1:x") == "a"
        assert world.a.asked == [("delete", ("m1:x",))]
        world.a.asked.clear()
        await world.routes.delete(["m1:x", "h1:x"], 0)
        assert sorted(world.a.asked) == [("delete", ("h1:x",)), ("delete", ("m1:x",))]


async def test_what_did_not_get_through_by_any_tree_is_told() -> None:
    """The former one's nodes count as well."""
    async with running() as world:
        await world.change(config("b"))
        world.a.is_away = world.b.is_away = True
        assert await world.routes.delete(["k"], 0) == {"a:1": ("k",), "b:1": ("k",)}


async def test_a_bad_configuration_is_refused_and_the_last_good_one_stays(caplog: pytest.LogCaptureFixture) -> None:
    """With all its mistakes in one line of the log, once; the next good one is taken."""
    async with running() as world:
        await world.change(config("b"))
        bad = config("c", stale="x")
        with caplog.at_level(logging.ERROR):
            await world.change(bad)
            await world.change(bad)
        assert len(caplog.records) == 1
        assert 'no pool is named "c"' in caplog.text
        assert "stale: 'x'" in caplog.text
        assert await world.read() == "b:1"
        assert len(world.routes.mistakes) == 2
        assert "a newer configuration is refused: stale: 'x'" in world.routes.explain("k").note
        await world.change(config("a"))
        assert await world.read() == "a:1"
        assert not world.routes.mistakes


async def test_the_same_again_changes_nothing_and_none_is_the_default() -> None:
    """A key deleted from KV is a way back."""
    async with running() as world:
        await world.routes.take(KvEntry(config("a")))
        await world.routes.take(KvEntry(None))
        assert world.pools.followed == []
        await world.change(config("b"))
        await world.change(None)
        assert await world.read() == "a:1"


async def test_former_trees_are_bounded() -> None:
    """Somebody plays with the configuration."""
    async with running() as world:
        for number in range(2 * LINGERING_MAX):
            await world.change(config("ab"[number % 2], leases=bool(number % 3)))
        assert await world.deleted_at() == "ab"
        assert len(world.routes._beside) <= LINGERING_MAX


async def test_a_way_is_explained_with_the_trees_beside() -> None:
    """And with the switches."""
    async with running() as world:
        await world.change(config("b", early_refresh=False))
        assert list(lines(world.routes.explain("k"))) == [
            "routes: with leases, stale; deletions go to 1 other trees as well, next in this list",
            "  prefixes: the default",
            "    pool: b, seat 1 (generation 1)",
            "      node: b:1, alive",
            "  prefixes: the default",
            "    pool: a, seat 1 (generation 1)",
            "      node: a:1, alive",
        ]


async def test_readers_and_writers_in_two_processes_never_see_what_is_deleted_while_both_change() -> None:
    """One hears of the change late, within the settle time: what it deletes by the old tree, the other cannot read."""
    async with running() as one, Tasks("test", 64) as tasks:
        two = World(tasks)
        two.clock, two.pools = one.clock, one.pools
        tree = Tree(parse(config("a")), one.pools, tasks)
        two.routes = Routes(tree, one.pools, tasks, one.clock, settle_s=SETTLE_S, linger_s=LINGER_S)
        truth, acked = 0, 0

        async def tick() -> None:
            """One step of time: each process writes, then each reads."""
            nonlocal truth, acked
            for routes in (one.routes, two.routes):
                truth += 1
                await routes.delete(["k"], 0)
                acked = truth
                for reader in (one.routes, two.routes):
                    (found,) = await reader.get(["k"], 10)
                    assert found
                    if found.value is not None:
                        assert int(found.value) >= acked
                    if found.lease:
                        found.lease.fill(str(truth).encode(), 60, 1)
            await one.clock.advance(0.25)

        for default in ("b", "a"):
            changes = [asyncio.ensure_future(one.routes.take(KvEntry(config(default))))]
            for _ in range(6):
                await tick()
            changes.append(asyncio.ensure_future(two.routes.take(KvEntry(config(default)))))
            for _ in range(12):
                await tick()
            await asyncio.gather(*changes)


@pytest.mark.mesh
async def test_what_is_written_to_consul_is_in_force_soon(agent: Agent) -> None:
    """From the start on, after changes, through a mistake, and after a deletion."""
    node_clock = ManualClock()
    pools = MemoryPools(pool_of("a", Twin("a:1", node_clock)), pool_of("b", Twin("b:1", node_clock)))
    clock, default = SystemClock(), parse(config("a"))
    async with Discovery(settings(agent.address), clock) as disco, ConsulClient(agent.address) as client:
        await client.put(ROUTES_KEY, config("b"))
        watcher = await disco.kv(ROUTES_KEY)
        async with run_routes(watcher, default, pools, clock, settle_s=0.05) as routes:
            assert routes.config == parse(config("b"))
            await client.put(ROUTES_KEY, config("a", leases=False))
            assert await until(lambda: not routes.switches.leases) < 1.0
            await client.put(ROUTES_KEY, b"{")
            await until(lambda: routes.mistakes)
            assert not routes.switches.leases
            await client.delete(ROUTES_KEY)
            await until(lambda: routes.config == default and not routes.mistakes)
        await client.put(ROUTES_KEY, b"nonsense")
        await until(lambda: watcher.entry.value == b"nonsense")
        async with run_routes(watcher, default, pools, clock, settle_s=0.05) as routes:
            assert (routes.config, len(routes.mistakes)) == (default, 1)
