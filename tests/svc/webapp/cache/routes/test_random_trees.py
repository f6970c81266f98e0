"""Whatever tree is configured, a deletion reaches whatever a get may find.

Random trees over nodes in memory, several processes that read, load, fill and write at random, nodes that go away and
come back, answers that take turns of the loop as a seed says. The truth is a number a key that only rises.
"""

from __future__ import annotations

import asyncio
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from svc.kit.lifecycle import Tasks
from svc.webapp.cache.routes.build import build
from svc.webapp.cache.routes.reach import conflicts, may_hold, reaches
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
)
from tests.svc.webapp.cache.routes.world import KEYS, OLDEST, POOLS, World

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


def is_sound(spec: Spec) -> bool:
    """Whether a configuration may have it."""
    return not list(conflicts(spec))


LEAVES: list[Spec] = [*map(PoolSpec, POOLS), NullSpec()]
SPECS = st.recursive(st.sampled_from(LEAVES), compound, max_leaves=6).filter(is_sound)


async def play(spec: Spec, seed: int, *, trouble: bool = False) -> World:
    """Run the processes over a tree of each their own, and wait until nothing is under way."""
    world = World(Random(seed))
    world.fill_warm()
    async with Tasks("shadows", 64) as tasks, asyncio.TaskGroup() as group:
        routes = [build(spec, world.pools(is_behind=number == 0), tasks) for number in range(PROCESSES)]
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
                # What was there before is still there if the tree has nothing to do with it.
                assert value is None or int(value) in (world.truth[key], OLDEST), f"{key}: {value!r} at {node.address}"


@settings(max_examples=200, deadline=None)
@given(SPECS, st.integers(0, 1 << 32))
async def test_no_get_finds_what_was_deleted_before_it(spec: Spec, seed: int) -> None:
    """By any process. In the end no node that is read, or a shadow, holds anything but the truth."""
    check_nodes(await play(spec, seed), spec)


@settings(max_examples=200, deadline=None)
@given(SPECS, st.integers(0, 1 << 32))
async def test_nor_while_nodes_go_away_and_come_back(spec: Spec, seed: int) -> None:
    """What did not get through is made up for before the node is read again: that is the node's part of it."""
    check_nodes(await play(spec, seed, trouble=True), spec)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([PoolSpec("c"), WarmUpSpec(PoolSpec("b"), PoolSpec("a"))]), st.integers(0, 1 << 32))
async def test_warming_up_overwrites_nothing_newer(spec: Spec, seed: int) -> None:
    """The two ways to warm up, a seat's and a pool's, with nothing else around them."""
    check_nodes(await play(spec, seed), spec)
