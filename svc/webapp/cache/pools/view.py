"""From a table to routes: whom a key is read from, and who hears of its deletion. Worked out once a slot and table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from svc.webapp.cache.pools.placement import SLOTS, Place, Placement, slot
from svc.webapp.cache.pools.table import Table
from svc.webapp.cache.routes.asking import delete_parts, joined
from svc.webapp.cache.routes.route import Explained, Found, Route, Step, Sum, Undelivered
from svc.webapp.cache.routes.warm_up import WarmUp

__all__ = ["PoolRoutes", "PoolRoutesView"]


class InTurn:
    """Deletions in stages, all of one done before the next begins. Asked for a key, it has nothing to say."""

    __slots__ = ("_stages",)

    def __init__(self, stages: Sequence[Sequence[Route]]) -> None:
        self._stages = stages

    async def get(self, keys: Sequence[str], lease_s: int) -> list[Found | None]:
        """See `Route.get`."""
        return [None] * len(keys)

    async def delete(self, keys: Sequence[str], stale_s: int) -> Undelivered:
        """See `Route.delete`. Takes a deadline a stage at most."""
        undelivered: Undelivered = {}
        for stage in self._stages:
            undelivered = joined(undelivered, await delete_parts(dict.fromkeys(stage, keys), stale_s))
        return undelivered

    async def add(self, key: str, step: Step) -> Sum | None:
        """See `Route.add`."""
        return None

    def explain(self, key: str) -> Explained:
        """See `Route.explain`."""
        return Explained("in turn", "", tuple(route.explain(key) for stage in self._stages for route in stage))


class PoolRoutesView:
    """What a `pool` handle asks; see `routes.pool.PoolView`. Holds two answers a slot."""

    __slots__ = ("_holders", "_readers", "_routes", "_warm_up")

    def __init__(self, routes: PoolRoutes, warm_up: bool) -> None:
        self._routes = routes
        self._warm_up = warm_up
        self.forget()

    @property
    def name(self) -> str:
        """The pool's name."""
        return self._routes.name

    @property
    def generation(self) -> int:
        """Rises with every change."""
        return self._routes.generation

    def reader(self, key: str) -> tuple[str, Route] | None:
        """Return the seat that has a key and whom to ask there. Takes 0.6 us."""
        number = slot(key)
        return self._readers[number] or self._find_reader(number)

    def holders(self, key: str) -> Sequence[Route]:
        """Return who must hear of a deletion of a key, the last of them after all others."""
        number = slot(key)
        found = self._holders[number]
        if found is None:
            found = self._holders[number] = self._routes.holders(number)
        return found

    def forget(self) -> None:
        """Work everything out anew."""
        self._readers: list[tuple[str, Route] | None] = [None] * SLOTS
        self._holders: list[Sequence[Route] | None] = [None] * SLOTS

    def _find_reader(self, number: int) -> tuple[str, Route] | None:
        found = self._readers[number] = self._routes.reader(number, warm_up=self._warm_up)
        return found


class PoolRoutes:
    """The routes of one pool by its newest table. Starts without seats."""

    def __init__(self, name: str) -> None:
        """Start with nobody to ask."""
        self.name = name
        self.generation = 0
        self._placement = Placement(Table())
        self._nodes: Mapping[str, Route] = {}
        self._joint: dict[object, Route] = {}
        self._views = {warm_up: PoolRoutesView(self, warm_up) for warm_up in (False, True)}

    def view(self, *, warm_up: bool) -> PoolRoutesView:
        """Return what stays in step with this; with `warm_up`, nodes that are cold have the warm ones behind them."""
        return self._views[warm_up]

    def update(self, table: Table, nodes: Mapping[str, Route]) -> None:
        """Go by another table from now on; `nodes` has all its addresses."""
        self._placement = Placement(table, self._placement)
        self._nodes = nodes
        self._joint = {}
        self.generation += 1
        for view in self._views.values():
            view.forget()

    def reader(self, number: int, *, warm_up: bool) -> tuple[str, Route] | None:
        """Return the seat and the route of a slot."""
        place = self._placement.place(number)
        if place is None:
            return None
        node = self._nodes[place.node]
        if not (warm_up and place.warm):
            return place.seat, node
        # One object for all keys that take this way, so that they are asked for together.
        key = place.node, place.warm
        if key not in self._joint:
            self._joint[key] = WarmUp(node, self._nodes[place.warm])
        return place.seat, self._joint[key]

    def holders(self, number: int) -> Sequence[Route]:
        """Return who hears of deletions in a slot."""
        place = self._placement.place(number)
        if place is None:
            return ()
        *before, last = place.stages
        if len(before) > 1:
            return (self._in_turn(before), self._at_once(last))
        return (*(self._nodes[address] for stage in before for address in stage), *self._apart(place, last))

    def _apart(self, place: Place, last: tuple[str, ...]) -> Sequence[Route]:
        """Return the last stage: as it is when it is the only one, else as one, since only the last holder waits."""
        is_only = len(place.stages) == 1
        return [self._nodes[address] for address in last] if is_only else [self._at_once(last)]

    def _at_once(self, stage: tuple[str, ...]) -> Route:
        return self._nodes[stage[0]] if len(stage) == 1 else self._in_turn([stage])

    def _in_turn(self, stages: Sequence[tuple[str, ...]]) -> Route:
        key = tuple(stages)
        if key not in self._joint:
            self._joint[key] = InTurn([[self._nodes[address] for address in stage] for stage in stages])
        return self._joint[key]
