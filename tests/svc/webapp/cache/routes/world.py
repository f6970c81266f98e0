"""Nodes in memory, the truth behind them, and processes that read, load, fill and write at random."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from svc.kit.clock import ManualClock
from svc.webapp.cache.routes.route import Found, Route
from tests.svc.webapp.cache.routes.pools import MemoryPool, MemoryPools
from tests.svc.webapp.cache.twin import Twin

POOLS = ("a", "b", "c")
KEYS = ("m1:1", "m1:2", "h1:1", "h1:2")
OLDEST = 1
LOAD_TURNS_MAX = 6
STEPS = 40


@dataclass
class World:
    """Nodes, the truth, and what has been acked of it."""

    rng: Random
    turns_max: int = 3
    clock: ManualClock = field(default_factory=ManualClock)
    truth: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KEYS, OLDEST))
    acked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KEYS, OLDEST))
    nodes: list[Twin] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the nodes of three pools: of two, of one, and of one that takes over from another."""
        self.nodes = [Twin(f"node{number}:1", self.clock, self.rng, self.turns_max) for number in range(5)]

    def pools(self, *, is_behind: bool) -> MemoryPools:
        """Return the pools as a process sees them: one that is behind does not know yet that a seat's node changed."""
        one, two, three, cold, warm = self.nodes
        taken_over = MemoryPool("c", {"1": cold}, warm={"1": warm})
        if is_behind:
            taken_over = MemoryPool("c", {"1": warm}, coming={"1": cold})
        return MemoryPools(MemoryPool("a", {"1": one, "2": two}), MemoryPool("b", {"1": three}), taken_over)

    def fill_warm(self) -> None:
        """Put everything where others fetch it from: pools a and c."""
        for pool in self.pools(is_behind=True).pools.values():
            for key in KEYS if pool.name != "b" else ():
                seat = pool.reader(key)
                assert seat
                assert isinstance(seat[1], Twin)
                seat[1].put(key, str(OLDEST).encode())

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
