"""Webapps that read, fill and delete by tables that may be two seconds old, in the world of `world`."""

from __future__ import annotations

import random
from collections import defaultdict

from svc.webapp.cache.pools.placement import Place, Placement, slot
from svc.webapp.cache.pools.table import KEPT_S, SETTLE_S
from tests.svc.webapp.cache.pools.world import World

WRITES = 0.01
"""Share of writes: few enough that most values outlive a change of the pool, which is when it goes wrong."""


class Webapps:
    """Readers and writers of a few keys, whose truth is a version number each."""

    def __init__(self, world: World, rng: random.Random, keys: int = 30) -> None:
        """Use `world`'s nodes and tables."""
        self._world = world
        self._rng = rng
        self._truth = dict.fromkeys((f"k{number}" for number in range(keys)), 0)
        self._undelivered: dict[str, set[str]] = defaultdict(set)
        self._placements: dict[int, Placement] = {}
        self._newest: Placement | None = None
        self.hits = 0
        self.carried = 0

    def act(self, times: int = 60) -> None:
        """Read mostly, write sometimes, each by a table of up to SETTLE_S ago."""
        for _ in range(times):
            key = self._rng.choice(list(self._truth))
            place = self._placement().place(slot(key))
            assert place is not None
            if self._rng.random() < WRITES:
                self._truth[key] += 1
                self._delete(key, place)
            else:
                self._read(key, place)

    def _placement(self) -> Placement:
        seen_at = self._world.now - self._rng.uniform(0, SETTLE_S * 0.99)
        tables = [table for when, table in self._world.history if when <= seen_at]
        table = tables[-1] if tables else self._world.history[0][1]
        if table.version not in self._placements:
            self._placements[table.version] = self._newest = Placement(table, self._newest)
        return self._placements[table.version]

    def _delete(self, key: str, place: Place) -> None:
        for node in place.holders:
            if node in self._world.answering:
                self._held(node).pop(key, None)
            else:
                self._undelivered[node].add(key)

    def _read(self, key: str, place: Place) -> None:
        if place.node not in self._world.answering:
            return
        held = self._held(place.node)
        found = self._value(place.node, key)
        if found is None and place.warm in self._world.answering:
            found = self._value(place.warm, key)
            if found is not None:
                held[key] = found
                self.carried += 1
        if found is None:
            held[key] = (self._truth[key], self._world.now + self._rng.uniform(10, KEPT_S - SETTLE_S - 1))
            return
        self.hits += 1
        assert found[0] == self._truth[key], (key, place, self._world.said)

    def _value(self, node: str, key: str) -> tuple[int, float] | None:
        found = self._held(node).get(key)
        return found if found is not None and found[1] > self._world.now else None

    def _held(self, node: str) -> dict[str, tuple[int, float]]:
        held = self._world.held.setdefault(node, {})
        # Deletions that did not get through are done before anybody reads from the node again.
        for key in self._undelivered.pop(node, ()):
            held.pop(key, None)
        return held
