"""A route whose nodes are a dictionary: what memcached would say, without memcached. Several caches may share one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from svc.kit.clock import Clock
from svc.webapp.cache.routes.route import Explained, Found, Step, Sum, Undelivered

REFRESH_S = 2
"""With less than this left to live, a value comes with the lease to one caller."""
ADDRESS = "memory:1"


@dataclass(frozen=True)
class Item:
    """One key's item; `value` None: only the lease is there."""

    cas: int
    ends: float
    value: bytes | None = None
    load_ms: int = 0
    is_stale: bool = False
    is_leased: bool = False


@dataclass
class SharedMemory:
    """A Route. `is_away`: gets find nobody. `loses`: deletions do not get through."""

    clock: Clock
    is_away: bool = False
    loses: bool = False
    items: dict[str, Item] = field(default_factory=dict)
    gets: int = 0
    deletes: list[tuple[str, int]] = field(default_factory=list)
    _cas: int = 0

    async def get(self, keys: Sequence[str], lease_s: int) -> list[Found | None]:
        """See Route."""
        self.gets += 1
        await self.clock.sleep(0)
        return [None if self.is_away else self._get(key, lease_s) for key in keys]

    async def delete(self, keys: Sequence[str], stale_s: int) -> Undelivered:
        """See Route."""
        self.deletes += [(key, stale_s) for key in keys]
        await self.clock.sleep(0)
        if self.loses:
            return {ADDRESS: tuple(keys)}
        for key in keys:
            item = self._item(key)
            if item is not None and item.value is not None and stale_s:
                ends = self.clock.now() + stale_s
                self.items[key] = replace(item, cas=self._next(), ends=ends, is_stale=True, is_leased=False)
            else:
                self.items.pop(key, None)
        return {}

    async def add(self, key: str, step: Step) -> Sum | None:
        """See Route. There are no numbers here."""
        return None

    def explain(self, key: str) -> Explained:
        """See Route."""
        return Explained("memory")

    def put(self, key: str, value: bytes, ttl_s: float = 60, *, load_ms: int = 0) -> None:
        """Store without asking."""
        self.items[key] = Item(self._next(), self.clock.now() + ttl_s, value, load_ms)

    def _get(self, key: str, lease_s: int) -> Found:
        item = self._item(key)
        if item is None:
            if not lease_s:
                return Found(node=ADDRESS)
            item = self.items[key] = Item(self._next(), self.clock.now() + lease_s, is_leased=True)
            return Found(lease=_Lease(self, key, item.cas), node=ADDRESS)
        left_s = item.ends - self.clock.now()
        is_due = item.value is None or item.is_stale or left_s < REFRESH_S
        lease = None
        if lease_s and is_due and not item.is_leased:
            self.items[key] = replace(item, is_leased=True)
            lease = _Lease(self, key, item.cas)
        is_leased = lease is None and item.is_leased
        return Found(item.value, int(left_s), item.load_ms, item.is_stale, lease, is_leased, ADDRESS)

    def _item(self, key: str) -> Item | None:
        item = self.items.get(key)
        return item if item is not None and item.ends > self.clock.now() else None

    def _next(self) -> int:
        self._cas += 1
        return self._cas


@dataclass(frozen=True)
class _Lease:
    """See Lease."""

    memory: SharedMemory
    key: str
    cas: int

    def fill(self, value: bytes, ttl_s: int, load_ms: int) -> None:
        """See Lease."""
        if self._is_good():
            self.memory.put(self.key, value, ttl_s, load_ms=load_ms)

    def give_back(self) -> None:
        """See Lease."""
        if self._is_good():
            del self.memory.items[self.key]

    def _is_good(self) -> bool:
        item = self.memory._item(self.key)
        return item is not None and item.cas == self.cas


class Told:
    """A Relay that remembers, and may hand on to another cache."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, Sequence[str]]] = []

    async def tell(self, undelivered: Undelivered) -> None:
        """See Relay."""
        self.told.append(undelivered)
