"""However the configuration changes, and whoever hears of it first, nobody reads what was deleted before.

Three processes follow random configurations, each hears of a change up to nearly SETTLE_S later than another, while
they read, load, fill and write; see `test_random_trees` for the rest of the world.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from discovery.kv import KvEntry
from svc.kit.lifecycle import Tasks
from svc.webapp.cache.routes.build import Tree
from svc.webapp.cache.routes.config import RoutesError, parse
from svc.webapp.cache.routes.reload import SETTLE_S, Routes
from tests.svc.webapp.cache.routes.world import KEYS, POOLS, World

PROCESSES = 3
LATE_S = 0.75 * SETTLE_S
"""How much later than the first a process hears; what is on its way then must arrive within the rest."""
TICK_S = 0.05
TURNS_A_TICK = 10
"""A message takes 6 turns at most: 50 ms."""


def written(handle: Any) -> bytes:
    """Return a whole configuration."""
    return json.dumps({"pools": POOLS, "routes": {"default": handle}}).encode()


def is_good(handle: Any) -> bool:
    """Whether a configuration with this is taken."""
    try:
        parse(written(handle))
    except RoutesError:
        return False
    return True


def compound(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return handles over handles, as they are written."""
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda child, gutter: {"type": "failover", "child": child, "gutter": gutter}, inner, inner),
        st.builds(lambda cold, warm: {"type": "warm_up", "cold": cold, "warm": warm}, inner, inner),
        st.builds(lambda children: {"type": "all_sync", "children": children}, several),
        st.builds(lambda children: {"type": "miss_failover", "children": children}, several),
        st.builds(lambda child, other: {"type": "shadow", "child": child, "shadow": other, "rate": 1}, inner, inner),
        st.builds(lambda default, h1: {"type": "prefixes", "default": default, "prefixes": {"h1:": h1}}, inner, inner),
    )


HANDLES = st.recursive(st.sampled_from(POOLS), compound, max_leaves=3).filter(is_good)


class Process:
    """One webapp's routes, and what it does with them."""

    def __init__(self, world: World, tasks: Tasks, config: bytes) -> None:
        pools = world.pools(is_behind=False)
        self.world = world
        self.routes = Routes(Tree(parse(config), pools, tasks), pools, tasks, world.clock)

    async def follow(self, configs: Sequence[bytes], until_s: Sequence[float]) -> None:
        """Take each configuration a little after it was written."""
        clock, rng = self.world.clock, self.world.rng
        for config, at in zip(configs, until_s, strict=True):
            await clock.sleep(at + rng.uniform(0, LATE_S) - clock.now())
            await self.routes.take(KvEntry(config))

    async def work(self, ends_at: float) -> None:
        """Read and write until the end."""
        world = self.world
        while world.clock.now() < ends_at:
            keys = world.rng.sample(KEYS, world.rng.randint(1, len(KEYS)))
            await (world.write if world.rng.random() < 0.3 else world.read)(self.routes, keys)
            await world.turns(40)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(HANDLES, min_size=2, max_size=4).map(lambda handles: list(map(written, handles))), st.integers(0, 1 << 32)
)
@example([written({"type": "shadow", "child": "c", "shadow": "a", "rate": 1}), written("a"), written("a")], 0)
async def test_a_change_of_routes_brings_nothing_deleted_back(configs: list[bytes], seed: int) -> None:
    """Reads by any process are at least as new as any write that was acked before they began."""
    world = World(Random(seed))
    starts = [world.clock.now() + 1.0 + number * 2.5 * SETTLE_S for number in range(len(configs) - 1)]
    ends_at = starts[-1] + 2.5 * SETTLE_S
    async with Tasks("shadows", 64) as tasks, asyncio.TaskGroup() as group:
        for _ in range(PROCESSES):
            process = Process(world, tasks, configs[0])
            group.create_task(process.follow(configs[1:], starts))
            group.create_task(process.work(ends_at))
        while world.clock.now() < ends_at + SETTLE_S:
            for _ in range(TURNS_A_TICK):
                await asyncio.sleep(0)
            await world.clock.advance(TICK_S)
