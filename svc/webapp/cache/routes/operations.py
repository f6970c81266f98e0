"""`operations`: gets go one way, deletions another (a way that reaches at least as far; `spec` sees to that)."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any

from svc.webapp.cache.routes.route import Explained, Found, Route, Step, Sum, Undelivered

__all__ = ["Operations"]


class Operations:
    """One child a kind of operation."""

    __slots__ = ("_deleter", "_getter")

    def __init__(self, getter: Route, deleter: Route) -> None:
        self._getter = getter
        self._deleter = deleter

    def get(self, keys: Sequence[str], lease_s: int) -> Coroutine[Any, Any, list[Found | None]]:
        """See `Route.get`."""
        return self._getter.get(keys, lease_s)

    def delete(self, keys: Sequence[str], stale_s: int) -> Coroutine[Any, Any, Undelivered]:
        """See `Route.delete`."""
        return self._deleter.delete(keys, stale_s)

    def add(self, key: str, step: Step) -> Coroutine[Any, Any, Sum | None]:
        """See `Route.add`."""
        return self._getter.add(key, step)

    def explain(self, key: str) -> Explained:
        """See `Route.explain`."""
        children = self._getter.explain(key), self._deleter.explain(key)
        return Explained("operations", "gets from the first, deletes on the second", children)
