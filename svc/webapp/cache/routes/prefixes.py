"""`prefixes`: the longest prefix of a key that is listed says who has it; else the default."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Generic, TypeVar

from svc.webapp.cache.routes.asking import delete_parts, get_parts
from svc.webapp.cache.routes.route import Explained, Found, Route, Step, Sum, Undelivered

__all__ = ["LongestPrefix", "Prefixes"]

T = TypeVar("T")


class LongestPrefix(Generic[T]):
    """Something by the longest prefix: one look-up for each length that any prefix has."""

    __slots__ = ("_by_prefix", "_lengths", "default")

    def __init__(self, by_prefix: Mapping[str, T], default: T) -> None:
        self._by_prefix = dict(by_prefix)
        self._lengths = sorted({len(prefix) for prefix in by_prefix}, reverse=True)
        self.default = default

    def find(self, key: str) -> T:
        """Return what belongs to a key."""
        for length in self._lengths:
            prefix = key[:length]
            if prefix in self._by_prefix:
                return self._by_prefix[prefix]
        return self.default

    def prefix(self, key: str) -> str | None:
        """Return the prefix that decides; None for the default."""
        return next((key[:length] for length in self._lengths if key[:length] in self._by_prefix), None)


class Prefixes:
    """A handle for each prefix."""

    __slots__ = ("_routes",)

    def __init__(self, by_prefix: Mapping[str, Route], default: Route) -> None:
        self._routes = LongestPrefix(by_prefix, default)

    def get(self, keys: Sequence[str], lease_s: int) -> Coroutine[Any, Any, list[Found | None]]:
        """See `Route.get`."""
        find = self._routes.find
        if len(keys) == 1:
            return find(keys[0]).get(keys, lease_s)
        parts: dict[Route, list[int]] = {}
        for place, key in enumerate(keys):
            parts.setdefault(find(key), []).append(place)
        return get_parts(parts, keys, lease_s)

    def delete(self, keys: Sequence[str], stale_s: int) -> Coroutine[Any, Any, Undelivered]:
        """See `Route.delete`."""
        find = self._routes.find
        if len(keys) == 1:
            return find(keys[0]).delete(keys, stale_s)
        parts: dict[Route, list[str]] = {}
        for key in keys:
            parts.setdefault(find(key), []).append(key)
        return delete_parts(parts, stale_s)

    def add(self, key: str, step: Step) -> Coroutine[Any, Any, Sum | None]:
        """See `Route.add`."""
        return self._routes.find(key).add(key, step)

    def explain(self, key: str) -> Explained:
        """See `Route.explain`."""
        prefix = self._routes.prefix(key)
        note = "the default" if prefix is None else f'prefix "{prefix}"'
        return Explained("prefixes", note, (self._routes.find(key).explain(key),))
