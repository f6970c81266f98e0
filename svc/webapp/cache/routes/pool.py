"""`pool`: a key lives on one seat of a pool; a deletion goes to every node that may hold it."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Protocol

from svc.webapp.cache.routes.asking import NOTHING_UNDELIVERED, delete_parts, get_parts, joined
from svc.webapp.cache.routes.route import Explained, Found, Route, Step, Sum, Undelivered

__all__ = ["Pool", "PoolView", "Pools"]


class PoolView(Protocol):
    """A pool as it is now: whoever follows the pool keeps it in step, all at once between two requests."""

    @property
    def name(self) -> str:
        """The pool's name, as in its tag."""
        ...

    @property
    def generation(self) -> int:
        """Rises with every change of what `reader` or `holders` say."""
        ...

    def reader(self, key: str) -> tuple[str, Route] | None:
        """Return the seat that has a key and whom to ask there (its node; a WarmUp while it warms up).

        None when the pool has no seats. Takes 1 us at most: it runs for every key of every read.
        """
        ...

    def holders(self, key: str) -> Sequence[Route]:
        """Return the nodes that may hold a key, each once: whom `reader` names, whom it may name soon, and whom it, or
        another process's view, named until a moment ago. The last hears of a deletion when all others have: whoever
        may fetch a key comes after whoever it may be fetched from.
        """
        ...


class Pools(Protocol):
    """Where the pools of a configuration come from."""

    async def follow(self, names: Iterable[str]) -> None:
        """Follow these pools from now on; return when their nodes are known, or after at most 2 s without them."""
        ...

    def view(self, name: str, *, warm_up: bool) -> PoolView:
        """Return the view of a pool that is followed; without `warm_up`, its seats' bare nodes are the readers."""
        ...


class Pool:
    """A handle over a pool. A pool without seats is one that cannot be asked."""

    __slots__ = ("_view",)

    def __init__(self, view: PoolView) -> None:
        self._view = view

    def get(self, keys: Sequence[str], lease_s: int) -> Coroutine[Any, Any, list[Found | None]]:
        """See `Route.get`. One key costs no more than finding its seat: its node is asked directly."""
        if len(keys) == 1:
            seat = self._view.reader(keys[0])
            if seat is not None:
                return seat[1].get(keys, lease_s)
        parts: dict[Route, list[int]] = {}
        for place, key in enumerate(keys):
            seat = self._view.reader(key)
            if seat is not None:
                parts.setdefault(seat[1], []).append(place)
        return get_parts(parts, keys, lease_s)

    async def delete(self, keys: Sequence[str], stale_s: int) -> Undelivered:
        """See `Route.delete`.

        Nodes from which others may fetch come first: one that still had the value could hand it to one that has just
        deleted it.
        """
        sources: dict[Route, list[str]] = {}
        readers: dict[Route, list[str]] = {}
        for key in keys:
            holders = self._view.holders(key)
            for holder in holders[:-1]:
                sources.setdefault(holder, []).append(key)
            for holder in holders[-1:]:
                readers.setdefault(holder, []).append(key)
        undelivered = await delete_parts(sources, stale_s) if sources else NOTHING_UNDELIVERED
        return joined(undelivered, await delete_parts(readers, stale_s))

    async def add(self, key: str, step: Step) -> Sum | None:
        """See `Route.add`."""
        seat = self._view.reader(key)
        return None if seat is None else await seat[1].add(key, step)

    def explain(self, key: str) -> Explained:
        """See `Route.explain`."""
        view, seat = self._view, self._view.reader(key)
        others = max(0, len(view.holders(key)) - 1)
        deletions = f"; deletions go to {others} more" if others else ""
        where = "no seats" if seat is None else f"seat {seat[0]}"
        note = f"{view.name}, {where} (generation {view.generation}{deletions})"
        return Explained("pool", note, () if seat is None else (seat[1].explain(key),))
