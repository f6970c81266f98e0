"""Webapps that read, fill and delete by tables that may be two seconds old, in the world of `world`.

Each read and each write is a row of single requests to nodes, and the requests of many of them are mixed.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator

from svc.webapp.cache.pools.placement import Place, Placement, slot
from svc.webapp.cache.pools.table import KEPT_S, SETTLE_S
from tests.svc.webapp.cache.pools.world import World

WRITES = 0.01
"""Share of writes: few enough that most values outlive a change of the pool, which is when it goes wrong."""


class Webapps:
    """Readers and writers of a few keys, whose truth is a version number each."""

    def __init__(self, world: World, rng: random.Random, keys: int = 30, writes: float = WRITES) -> None:
        """Use `world`'s nodes and tables."""
        self._world = world
        self._rng = rng
        self._writes = writes
        self._truth = dict.fromkeys((f"k{number}" for number in range(keys)), 0)
        self._acked = dict(self._truth)
        self._undelivered: dict[str, set[str]] = defaultdict(set)
        self._leases: dict[tuple[str, str], object] = {}
        self._newest: Placement | None = None
        self._placements: dict[int, Placement] = {}
        self.hits = 0
        self.carried = 0

    def act(self, times: int = 60) -> None:
        """Read mostly, write sometimes, eight at once, each by a table of up to SETTLE_S ago."""
        going: list[Iterator[None]] = []
        for _ in range(times):
            key = self._rng.choice(list(self._truth))
            place = self._placement().place(slot(key))
            assert place is not None
            going.append(self._write(key, place) if self._rng.random() < self._writes else self._read(key, place))
            while len(going) > 8:
                self._advance(going)
        while going:
            self._advance(going)

    def _advance(self, going: list[Iterator[None]]) -> None:
        one = self._rng.choice(going)
        if next(one, True):
            going.remove(one)

    def _placement(self) -> Placement:
        seen_at = self._world.now - self._rng.uniform(0, SETTLE_S * 0.99)
        tables = [table for when, table in self._world.history if when <= seen_at]
        table = tables[-1] if tables else self._world.history[0][1]
        if table.version not in self._placements:
            self._placements[table.version] = self._newest = Placement(table, self._newest)
        return self._placements[table.version]

    def _write(self, key: str, place: Place) -> Iterator[None]:
        self._truth[key] += 1
        version = self._truth[key]
        for stage in place.stages:
            for node in self._rng.sample(stage, len(stage)):
                yield None
                if node in self._world.answering:
                    self._delete(node, key)
                else:
                    self._undelivered[node].add(key)
        self._acked[key] = max(version, self._acked[key])

    def _delete(self, node: str, key: str) -> None:
        self._held(node).pop(key, None)
        self._leases.pop((node, key), None)

    def _read(self, key: str, place: Place) -> Iterator[None]:
        acked = self._acked[key]
        if place.node not in self._world.answering:
            return
        found = self._value(place.node, key)
        if found is None:
            lease = self._leases[place.node, key] = object()
            yield None
            if place.warm in self._world.answering:
                found = self._value(place.warm, key)
                self.carried += found is not None
            yield None
            filled = found or (self._truth[key], self._world.now + self._rng.uniform(10, KEPT_S - SETTLE_S - 1))
            yield None
            if self._leases.get((place.node, key)) is lease and place.node in self._world.answering:
                self._held(place.node)[key] = filled
        else:
            self.hits += 1
        assert found is None or found[0] >= acked, (key, place, self._world.said)

    def _value(self, node: str, key: str) -> tuple[int, float] | None:
        found = self._held(node).get(key)
        return found if found is not None and found[1] > self._world.now else None

    def _held(self, node: str) -> dict[str, tuple[int, float]]:
        held = self._world.held.setdefault(node, {})
        # Deletions that did not get through are done before anybody reads from the node again.
        for key in self._undelivered.pop(node, ()):
            held.pop(key, None)
        return held
