"""`all_sync`: what is deleted is deleted on every child; the first one answers."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any

from svc.webapp.cache.routes.asking import delete_everywhere
from svc.webapp.cache.routes.route import Explained, Found, Route, Step, Sum, Undelivered

__all__ = ["AllSync"]


class AllSync:
    """For pools whose copies are read elsewhere, by other installations or after a change to come."""

    __slots__ = ("_children",)

    def __init__(self, children: Sequence[Route]) -> None:
        """One child at least."""
        self._children = tuple(children)

    def get(self, keys: Sequence[str], lease_s: int) -> Coroutine[Any, Any, list[Found | None]]:
        """See `Route.get`."""
        return self._children[0].get(keys, lease_s)

    def delete(self, keys: Sequence[str], stale_s: int) -> Coroutine[Any, Any, Undelivered]:
        """See `Route.delete`."""
        return delete_everywhere(self._children, keys, stale_s)

    def add(self, key: str, step: Step) -> Coroutine[Any, Any, Sum | None]:
        """See `Route.add`. The others know nothing of numbers."""
        return self._children[0].add(key, step)

    def explain(self, key: str) -> Explained:
        """See `Route.explain`."""
        children = [child.explain(key) for child in self._children]
        return Explained("all_sync", f"gets from the first, deletes on {len(children)}", children)
