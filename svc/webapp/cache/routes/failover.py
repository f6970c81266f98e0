"""`failover`: while a key's node cannot be asked, the gutter stands in for it, with values that do not live long.

A dead node's load must not fall on the database, and must not fall on the other nodes of its pool either: a hot key
could take them down one after the other. Source: Nishtala et al. (NSDI 2013), 3.3 "Handling Failures".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from svc.webapp.cache.routes.asking import delete_everywhere
from svc.webapp.cache.routes.route import Explained, Found, Lease, Route, Step, Sum, Undelivered

__all__ = ["Failover"]


class Failover:
    """Gets from the child, and where it cannot be asked, from the gutter; deletions go to both, always."""

    __slots__ = ("_child", "_gutter", "_ttl_s")

    def __init__(self, child: Route, gutter: Route, ttl_s: int) -> None:
        """`ttl_s`: the longest that a value lives in the gutter."""
        self._child = child
        self._gutter = _ShortLived(gutter, ttl_s)
        self._ttl_s = ttl_s

    async def get(self, keys: Sequence[str], lease_s: int) -> list[Found | None]:
        """See `Route.get`."""
        found = await self._child.get(keys, lease_s)
        if None not in found:
            return found
        places = [place for place, each in enumerate(found) if each is None]
        others = await self._gutter.get([keys[place] for place in places], lease_s)
        found = list(found)
        for place, other in zip(places, others, strict=True):
            found[place] = other
        return found

    async def delete(self, keys: Sequence[str], stale_s: int) -> Undelivered:
        """See `Route.delete`. The gutter hears of every key: another process may think the child dead."""
        return await delete_everywhere((self._child, self._gutter), keys, stale_s)

    async def add(self, key: str, step: Step) -> Sum | None:
        """See `Route.add`. In the gutter the number begins anew."""
        found = await self._child.add(key, step)
        return await self._gutter.add(key, step) if found is None else found

    def explain(self, key: str) -> Explained:
        """See `Route.explain`."""
        note = f"the first; while it cannot be asked the second, for {self._ttl_s} s at most"
        return Explained("failover", note, (self._child.explain(key), self._gutter.explain(key)))


class _ShortLived:
    """A route whose values end soon, whatever they are given, and stale ones as well."""

    __slots__ = ("_route", "_ttl_s")

    def __init__(self, route: Route, ttl_s: int) -> None:
        self._route = route
        self._ttl_s = ttl_s

    async def get(self, keys: Sequence[str], lease_s: int) -> list[Found | None]:
        """See `Route.get`."""
        return [self._shortened(found) for found in await self._route.get(keys, lease_s)]

    async def delete(self, keys: Sequence[str], stale_s: int) -> Undelivered:
        """See `Route.delete`."""
        return await self._route.delete(keys, min(stale_s, self._ttl_s))

    async def add(self, key: str, step: Step) -> Sum | None:
        """See `Route.add`."""
        return await self._route.add(key, step._replace(ttl_s=min(step.ttl_s, self._ttl_s)))

    def explain(self, key: str) -> Explained:
        """See `Route.explain`."""
        return self._route.explain(key)

    def _shortened(self, found: Found | None) -> Found | None:
        if found is None or found.lease is None:
            return found
        return found._replace(lease=_ShortLease(found.lease, self._ttl_s))


@dataclass(frozen=True, slots=True)
class _ShortLease:
    """See `Lease`."""

    lease: Lease
    ttl_s: int

    def fill(self, value: bytes, ttl_s: int, load_ms: int) -> None:
        """See `Lease.fill`."""
        self.lease.fill(value, min(ttl_s, self.ttl_s), load_ms)

    def give_back(self) -> None:
        """See `Lease.give_back`."""
        self.lease.give_back()
