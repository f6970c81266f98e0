"""Whatever tree is configured, a deletion reaches whatever a get may find.

Random trees over nodes in memory, several processes that read, load, fill and write at random, nodes that go away and
come back, answers that take turns of the loop as a seed says. The truth is a number a key that only rises.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from svc.kit.clock import ManualClock
from svc.kit.lifecycle import Tasks
from svc.webapp.cache.routes.build import build
from svc.webapp.cache.routes.route import Found, Route
from svc.webapp.cache.routes.spec import (
    AllSyncSpec,
    FailoverSpec,
    MissFailoverSpec,
    NullSpec,
    OperationsSpec,
    PoolSpec,
    PrefixesSpec,
    ShadowSpec,
    Spec,
    WarmUpSpec,
    may_hold,
    reaches,
)
from tests.svc.webapp.cache.routes.pools import MemoryPool, MemoryPools
from tests.svc.webapp.cache.twin import Twin

POOLS = ("a", "b", "c")
KEYS = ("m1:1", "m1:2", "h1:1", "h1:2")
LOAD_TURNS_MAX = 6
STEPS = 40
PROCESSES = 3


def compound(inner: st.SearchStrategy[Spec]) -> st.SearchStrategy[Spec]:
    """Return handles over handles."""
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(FailoverSpec, inner, inner, st.just(10)),
        st.builds(WarmUpSpec, inner, inner),
        st.builds(AllSyncSpec, several),
        st.builds(MissFailoverSpec, several),
        st.builds(ShadowSpec, inner, inner, st.sampled_from([0.0, 0.5, 1.0])),
        st.builds(OperationsSpec, inner, inner).filter(lambda spec: may_hold(spec.get) <= reaches(spec.delete)),
        st.builds(PrefixesSpec, inner, st.dictionaries(st.sampled_from(["m1:", "h1:"]), inner)),
    )


SPECS = st.recursive(st.sampled_from([*map(PoolSpec, POOLS), NullSpec()]), compound, max_leaves=6)


@dataclass
class World:
    """Nodes, the truth, and what has been acked of it."""

    rng: Random
    turns_max: int = 3
    clock: ManualClock = field(default_factory=ManualClock)
    truth: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KEYS, 1))
    acked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KEYS, 1))
    nodes: list[Twin] = field(default_factory=list)

    def pools(self) -> MemoryPools:
        """Return three pools: of two nodes, of one, and of one that takes over from another."""
        self.nodes = [Twin(f"node{number}:1", self.clock, self.rng, self.turns_max) for number in range(5)]
        one, two, three, cold, warm = self.nodes
        return MemoryPools(
            MemoryPool("a", {"1": one, "2": two}),
            MemoryPool("b", {"1": three}),
            MemoryPool("c", {"1": cold}, warm={"1": warm}),
        )

    async def turns(self, most: int) -> None:
        """Let others go first."""
        for _ in range(self.rng.randint(0, most)):
            await asyncio.sleep(0)

    async def read(self, route: Route, keys: Sequence[str]) -> None:
        """Read keys as a cache would: what is not there is loaded, and filled with what was loaded."""
        floors = [self.acked[key] for key in keys]
        for key, floor, found in zip(keys, floors, await route.get(keys, 10), strict=True):
            if found is not None and found.value is not None and not found.is_stale:
                assert int(found.value) >= floor, f"{key} is {found.value!r} at {found.node}, not {floor}"
            if found is not None and found.lease is not None:
                await self.fill(key, found)

    async def fill(self, key: str, found: Found) -> None:
        """Load from the truth and use the lease, or give it back."""
        assert found.lease is not None
        loaded = self.truth[key]
        await self.turns(LOAD_TURNS_MAX)
        if self.rng.random() < 0.2:
            found.lease.give_back()
        else:
            found.lease.fill(str(loaded).encode(), 60, 1)

    async def write(self, route: Route, keys: Sequence[str]) -> None:
        """Change the truth, then delete; what every node has heard of is acked."""
        for key in keys:
            self.truth[key] += 1
        written = [self.truth[key] for key in keys]
        await route.delete(keys, self.rng.choice([0, 20]))
        for key, version in zip(keys, written, strict=True):
            self.acked[key] = max(self.acked[key], version)

    async def process(self, route: Route) -> None:
        """Do this and that."""
        for _ in range(STEPS):
            keys = self.rng.sample(KEYS, self.rng.randint(1, len(KEYS)))
            await (self.write if self.rng.random() < 0.3 else self.read)(route, keys)
            await self.turns(2)

    async def trouble(self) -> None:
        """Take nodes away and bring them back, never in the midst of a message."""
        for _ in range(STEPS):
            await self.turns(4)
            node = self.rng.choice(self.nodes)
            node.is_away = not node.is_away and self.rng.random() < 0.3
        for node in self.nodes:
            node.is_away = False


async def play(spec: Spec, seed: int, *, trouble: bool) -> World:
    """Run the processes over a tree of each their own, and wait until nothing is under way."""
    world = World(Random(seed))
    pools = world.pools()
    async with Tasks("shadows", 64) as tasks, asyncio.TaskGroup() as group:
        routes = [build(spec, pools, tasks) for _ in range(PROCESSES)]
        running = [group.create_task(world.process(route)) for route in routes]
        if trouble:
            running.append(group.create_task(world.trouble()))
        await asyncio.wait(running)
        for route in routes:
            await world.read(route, KEYS)
        while len(tasks):
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        for route in routes:
            await world.read(route, KEYS)
    return world


def check_nodes(world: World, spec: Spec) -> None:
    """Check that what the nodes of a tree hold is the truth."""
    for name, nodes in zip(POOLS, (world.nodes[:2], world.nodes[2:3], world.nodes[3:]), strict=True):
        for node in nodes if name in may_hold(spec) else ():
            for key in KEYS:
                value = node.value(key)
                assert value is None or int(value) == world.truth[key], f"{key} is {value!r} at {node.address}"


@settings(max_examples=200, deadline=None)
@given(SPECS, st.integers(0, 1 << 32))
async def test_no_get_finds_what_was_deleted_before_it(spec: Spec, seed: int) -> None:
    """By any process. In the end no node that is read, or a shadow, holds anything but the truth."""
    check_nodes(await play(spec, seed, trouble=False), spec)


@settings(max_examples=200, deadline=None)
@given(SPECS, st.integers(0, 1 << 32))
async def test_nor_while_nodes_go_away_and_come_back(spec: Spec, seed: int) -> None:
    """What did not get through is made up for before the node is read again: that is the node's part of it."""
    check_nodes(await play(spec, seed, trouble=True), spec)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from([PoolSpec("c"), WarmUpSpec(PoolSpec("b"), PoolSpec("a"))]), st.integers(0, 1 << 32))
async def test_warming_up_overwrites_nothing_newer(spec: Spec, seed: int) -> None:
    """The two ways to warm up, a seat's and a pool's, with nothing else around them."""
    check_nodes(await play(spec, seed, trouble=False), spec)
