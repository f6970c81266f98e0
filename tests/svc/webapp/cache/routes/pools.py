"""Pools of twins: seats in a dictionary, keys placed over them by rendezvous hashing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from svc.kit.clock import ManualClock
from svc.webapp.cache.routes.route import Route
from svc.webapp.cache.routes.warm_up import WarmUp
from tests.svc.webapp.cache.twin import Twin


class MemoryPool:
    """A PoolView.

    `warm`: sources of seats that warm up; `coming`: nodes that will take seats over; `incoming`: get all deletions.
    """

    def __init__(
        self,
        name: str,
        seats: Mapping[str, Route],
        *,
        warm: Mapping[str, Route] | None = None,
        coming: Mapping[str, Route] | None = None,
    ) -> None:
        self.name = name
        self.generation = 1
        self.seats = dict(seats)
        self.warm = dict(warm or {})
        self.coming = dict(coming or {})
        self.incoming: list[Route] = []
        self.warms_up = True
        self._readers: dict[str, WarmUp] = {}

    def reader(self, key: str) -> tuple[str, Route] | None:
        """See PoolView."""
        if not self.seats:
            return None
        seat = self._seat(key)
        if seat in self.warm and self.warms_up:
            if seat not in self._readers:
                self._readers[seat] = WarmUp(self.seats[seat], self.warm[seat])
            return seat, self._readers[seat]
        return seat, self.seats[seat]

    def holders(self, key: str) -> Sequence[Route]:
        """See PoolView."""
        if not self.seats:
            return self.incoming
        seat = self._seat(key)
        # Whoever is fetched from comes first, by this view or the next.
        way = (self.warm.get(seat), self.seats[seat], self.coming.get(seat))
        return (*self.incoming, *(node for node in way if node is not None))

    def _seat(self, key: str) -> str:
        return max(self.seats, key=lambda seat: blake2b(key.encode(), digest_size=8, key=seat.encode()).digest())


class MemoryPools:
    """Pools by name, all known."""

    def __init__(self, *pools: MemoryPool) -> None:
        self.pools = {pool.name: pool for pool in pools}
        self.followed: list[tuple[str, ...]] = []

    async def follow(self, names: Iterable[str]) -> None:
        """See Pools."""
        self.followed.append(tuple(names))

    def view(self, name: str, *, warm_up: bool) -> MemoryPool:
        """See Pools."""
        pool = self.pools[name]
        pool.warms_up = warm_up
        return pool


def twins(*names: str, clock: ManualClock | None = None) -> list[Twin]:
    """Return nodes of these addresses, at once reachable."""
    clock = clock or ManualClock()
    return [Twin(name, clock) for name in names]


def pool_of(name: str, *nodes: Twin) -> MemoryPool:
    """Return a pool with a seat for each node."""
    return MemoryPool(name, {str(number): node for number, node in enumerate(nodes, start=1)})
