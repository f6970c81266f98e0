"""A memcached node in memory, as `Route`: items with versions, leases and ends; it may be away, and slow at random.

What takes time on the way to a real node takes turns of the event loop here, as many as `rng` says, so that a test with
a seed plays the same interleaving of deletions, reads and fills again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from svc.kit.clock import Clock
from svc.webapp.cache.routes.route import Explained, Found, Step, Sum, Undelivered

REFRESH_S = 2
"""With less than this left to live, a value comes with the lease to one caller."""


@dataclass(frozen=True)
class Item:
    """What is under a key; without a value, only somebody's lease."""

    version: int
    ends: float
    value: bytes | None = None
    load_ms: int = 0
    is_stale: bool = False
    is_won: bool = False


class Twin:
    """A node. While `is_away` nobody gets an answer; deletions are made up for before it answers again."""

    def __init__(self, address: str, clock: Clock, rng: Random | None = None, turns_max: int = 0) -> None:
        """Each message to it, and each answer, takes up to `turns_max` turns of the event loop."""
        self.address = address
        self.items: dict[str, Item] = {}
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        """The batches that came, in order: (get or delete, keys)."""
        self._clock = clock
        self._rng = rng
        self._turns_max = turns_max
        self._is_away = False
        self._backlog: dict[str, None] = {}
        self._version = 0

    @property
    def is_away(self) -> bool:
        """Whether it can be asked."""
        return self._is_away

    @is_away.setter
    def is_away(self, is_away: bool) -> None:
        if not is_away:
            for key in self._backlog:
                self.items.pop(key, None)
            self._backlog.clear()
        self._is_away = is_away

    async def get(self, keys: Sequence[str], lease_s: int) -> list[Found | None]:
        """See `Route.get`."""
        self.asked.append(("get", tuple(keys)))
        await self._travel()
        found = [None if self._is_away else self._get(key, lease_s) for key in keys]
        await self._travel()
        return found

    async def delete(self, keys: Sequence[str], stale_s: int) -> Undelivered:
        """See `Route.delete`."""
        self.asked.append(("delete", tuple(keys)))
        await self._travel()
        if self._is_away:
            self._backlog.update(dict.fromkeys(keys))
            return {self.address: tuple(keys)}
        for key in keys:
            self._delete(key, stale_s)
        await self._travel()
        return {}

    async def add(self, key: str, step: Step) -> Sum | None:
        """See `Route.add`."""
        self.asked.append(("add", (key,)))
        await self._travel()
        if self._is_away:
            return None
        held = self._item(key)
        value = step.start if held is None or held.value is None else int(held.value) + step.by
        item = self.items[key] = Item(self._next(), self._clock.now() + step.ttl_s, b"%d" % value)
        await self._travel()
        return _Sum(self, key, step, value, item.version)

    def explain(self, key: str) -> Explained:
        """See `Route.explain`."""
        return Explained("node", f"{self.address}, {'away' if self._is_away else 'alive'}")

    def put(self, key: str, value: bytes, ttl_s: float = 60, *, load_ms: int = 0, is_stale: bool = False) -> None:
        """Store without asking."""
        self.items[key] = Item(self._next(), self._clock.now() + ttl_s, value, load_ms, is_stale)

    def value(self, key: str) -> bytes | None:
        """Return the value that a get would find, unless it is stale."""
        item = self._item(key)
        return None if item is None or item.is_stale else item.value

    def arrive(self, apply: Callable[[], None]) -> None:
        """Apply what nobody waits for, once it has travelled."""
        self._later(self._turns(), apply)

    def change(self, key: str, version: int, item: Callable[[Item], Item | None]) -> None:
        """Replace an item (None: remove it), if it is still at this version and the node is there."""
        held = self._item(key)
        if self._is_away or held is None or held.version != version:
            return
        changed = item(held)
        if changed is None:
            del self.items[key]
        else:
            self.items[key] = replace(changed, version=self._next())

    def _get(self, key: str, lease_s: int) -> Found:
        item = self._item(key)
        if item is None:
            if lease_s <= 0:
                return Found(node=self.address)
            item = self.items[key] = Item(self._next(), self._clock.now() + lease_s, is_won=True)
            return Found(lease=_Lease(self, key, item), node=self.address)
        left_s = item.ends - self._clock.now()
        wants_load = item.value is None or item.is_stale or left_s < REFRESH_S
        lease = None
        if lease_s > 0 and wants_load and not item.is_won:
            item = self.items[key] = replace(item, is_won=True)
            lease = _Lease(self, key, item)
        is_leased = wants_load and lease is None and item.is_won
        ttl_s = -1 if item.value is None else int(left_s)
        return Found(item.value, ttl_s, item.load_ms, item.is_stale, lease, is_leased, self.address)

    def _delete(self, key: str, stale_s: int) -> None:
        item = self._item(key)
        if stale_s <= 0 or item is None or item.value is None:
            self.items.pop(key, None)
        else:
            self.items[key] = Item(self._next(), self._clock.now() + stale_s, item.value, item.load_ms, is_stale=True)

    def _item(self, key: str) -> Item | None:
        item = self.items.get(key)
        return item if item is not None and item.ends > self._clock.now() else None

    def _next(self) -> int:
        self._version += 1
        return self._version

    def _turns(self) -> int:
        return self._rng.randint(0, self._turns_max) if self._rng and self._turns_max else 0

    async def _travel(self) -> None:
        for _ in range(self._turns()):
            await asyncio.sleep(0)

    def _later(self, turns: int, apply: Callable[[], None]) -> None:
        if turns == 0:
            apply()
        else:
            asyncio.get_running_loop().call_soon(self._later, turns - 1, apply)


@dataclass(frozen=True)
class _Sum:
    """See `Sum`."""

    node: Twin
    key: str
    step: Step
    value: int
    version: int

    def take_back(self) -> None:
        """See `Sum.take_back`."""

        def subtract() -> None:
            held = self.node._item(self.key)
            if held is not None and held.value is not None and not self.node.is_away:
                left = b"%d" % max(0, int(held.value) - self.step.by)
                self.node.items[self.key] = replace(held, value=left, version=self.node._next())

        self.node.arrive(subtract)

    def replace(self, value: int) -> None:
        """See `Sum.replace`."""
        ends = self.node._clock.now() + self.step.ttl_s
        item = Item(0, ends, b"%d" % value, 1)
        self.node.arrive(lambda: self.node.change(self.key, self.version, lambda _: item))


@dataclass(frozen=True)
class _Lease:
    """See `Lease`."""

    node: Twin
    key: str
    item: Item

    def fill(self, value: bytes, ttl_s: int, load_ms: int) -> None:
        """See `Lease.fill`."""
        assert value
        assert ttl_s > 0, "memcached takes 0 for a life without end"
        ends = self.node._clock.now() + ttl_s
        filled = Item(0, ends, value, load_ms)
        self.node.arrive(lambda: self.node.change(self.key, self.item.version, lambda _: filled))

    def give_back(self) -> None:
        """See `Lease.give_back`. A value that is still good stays, and stays ours to refresh."""
        if self.item.value is None:
            self.node.arrive(lambda: self.node.change(self.key, self.item.version, lambda _: None))
        elif self.item.is_stale:
            self.node.arrive(
                lambda: self.node.change(self.key, self.item.version, lambda item: replace(item, is_won=False))
            )
