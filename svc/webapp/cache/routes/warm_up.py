"""`warm_up`: a new, empty node takes over from an old one that still has everything.

A miss on the new node is answered by the old one, and carried over through the lease of that miss: what was deleted or
filled on the new node meanwhile voids the lease, so that nothing newer is ever overwritten. Source: Nishtala et al.
(NSDI 2013), 4.3 "Cold Cluster Warmup", which holds deleted keys back for 2 s instead.
"""

from __future__ import annotations

from collections.abc import Sequence

from svc.webapp.cache.routes.asking import joined
from svc.webapp.cache.routes.route import Explained, Found, Route, Step, Sum, Undelivered

__all__ = ["WarmUp"]

ENDLESS_TTL_S = 10
"""What a value without a known end is given to live on the new node; ours all have one."""


class WarmUp:
    """Gets from the cold one, then from the warm one; deletions go to both."""

    __slots__ = ("_cold", "_warm")

    def __init__(self, cold: Route, warm: Route) -> None:
        self._cold = cold
        self._warm = warm

    async def get(self, keys: Sequence[str], lease_s: int) -> list[Found | None]:
        """See `Route.get`. Leases are the cold one's; what it does not have costs one question more."""
        found = await self._cold.get(keys, lease_s)
        missed = [place for place, each in enumerate(found) if each is None or each.value is None]
        if not missed:
            return found
        warm = await self._warm.get([keys[place] for place in missed], 0)
        found = list(found)
        for place, other in zip(missed, warm, strict=True):
            found[place] = _better(found[place], other)
        return found

    async def delete(self, keys: Sequence[str], stale_s: int) -> Undelivered:
        """See `Route.delete`. Takes twice as long as one: the warm one first.

        The other way around, somebody could miss on the cold one, after its deletion, and carry over to it what the
        warm one still has.
        """
        undelivered = await self._warm.delete(keys, stale_s)
        return joined(undelivered, await self._cold.delete(keys, stale_s))

    async def add(self, key: str, step: Step) -> Sum | None:
        """See `Route.add`. The number begins anew: the warm one is on its way out."""
        return await self._cold.add(key, step)

    def explain(self, key: str) -> Explained:
        """See `Route.explain`."""
        children = self._cold.explain(key), self._warm.explain(key)
        return Explained("warm_up", "the first; what it lacks is fetched from the second", children)


def _better(cold: Found | None, warm: Found | None) -> Found | None:
    """Return the better answer, having filled the cold one if the lease is ours and the warm one has the value."""
    if warm is None or warm.value is None:
        return cold
    lease, is_leased = (None, False) if cold is None else (cold.lease, cold.is_leased)
    if warm.is_stale:
        return warm._replace(lease=lease, is_leased=is_leased)
    if warm.ttl_s == 0:
        # It ends within the second: carried over, it would live longer than it was given.
        return cold
    if lease is not None:
        lease.fill(warm.value, ENDLESS_TTL_S if warm.ttl_s < 0 else warm.ttl_s, warm.load_ms)
    return warm._replace(lease=None, is_leased=False)
