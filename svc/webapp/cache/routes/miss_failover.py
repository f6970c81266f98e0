"""`miss_failover`: what one child does not have, the next one is asked for."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any

from svc.webapp.cache.routes.asking import delete_everywhere
from svc.webapp.cache.routes.route import Explained, Found, Route, Step, Sum, Undelivered

__all__ = ["MissFailover"]


class MissFailover:
    """A value comes from the first child that has it, and is filled into the first that could be asked."""

    __slots__ = ("_children",)

    def __init__(self, children: Sequence[Route]) -> None:
        """One child at least; each one more makes a miss slower."""
        self._children = tuple(children)

    async def get(self, keys: Sequence[str], lease_s: int) -> list[Found | None]:
        """See `Route.get`. Of all children at most one grants the lease of a key."""
        found = list(await self._children[0].get(keys, lease_s))
        for child in self._children[1:]:
            unasked = [place for place, each in enumerate(found) if each is None]
            missed = [place for place, each in enumerate(found) if each is not None and _is_miss(each)]
            # Those that nobody answered for yet may still get a lease, the others have been decided upon.
            for places, granted_s in ((unasked, lease_s), (missed, 0)):
                if places:
                    others = await child.get([keys[place] for place in places], granted_s)
                    for place, other in zip(places, others, strict=True):
                        found[place] = _better(found[place], other)
        return found

    def delete(self, keys: Sequence[str], stale_s: int) -> Coroutine[Any, Any, Undelivered]:
        """See `Route.delete`."""
        return delete_everywhere(self._children, keys, stale_s)

    def add(self, key: str, step: Step) -> Coroutine[Any, Any, Sum | None]:
        """See `Route.add`. The others know nothing of numbers."""
        return self._children[0].add(key, step)

    def explain(self, key: str) -> Explained:
        """See `Route.explain`."""
        children = [child.explain(key) for child in self._children]
        return Explained("miss_failover", "the first; what it lacks from the next", children)


def _is_miss(found: Found) -> bool:
    return found.value is None or found.is_stale


def _better(found: Found | None, other: Found | None) -> Found | None:
    """Return the better answer; the lease stays with the miss that it came with, or goes back."""
    if found is None or other is None:
        return found or other
    if other.value is None or (other.is_stale and found.value is not None):
        return found
    if other.is_stale:
        return other._replace(lease=found.lease, is_leased=found.is_leased)
    if found.lease is not None:
        found.lease.give_back()
    return other
