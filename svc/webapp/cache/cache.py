"""Read-through over a route: a hot key that goes missing costs the database one query, not a thousand.

Whoever misses first gets the lease and loads, the others wait a moment (`reading`); concurrent reads of a key in one
process are one (`flights`). A delete voids the lease, so a value read before a write is never stored after it, and what
a node did not confirm to have deleted is told to the other processes before the write is acked (`relay`).
After Nishtala et al., "Scaling Memcache at Facebook" (NSDI 2013).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Protocol, TypeVar

from opentelemetry import metrics

from svc.kit.clock import Clock
from svc.kit.lifecycle import Tasks
from svc.kit.tally import Tally
from svc.webapp.cache.codec import Codec
from svc.webapp.cache.flights import Flights
from svc.webapp.cache.policy import Earliness, policy_of
from svc.webapp.cache.reading import LoadMany, Means, Reading
from svc.webapp.cache.routes.route import Route, Undelivered
from svc.webapp.cache.routes.spec import Switches

__all__ = ["Cache", "Relay", "run_cache"]

REFRESHES_MAX = 64
"""Values refreshed in the background at once; beyond it they are left to expire."""

_Value = TypeVar("_Value")
Load = Callable[[], Awaitable[_Value | None]]


class Relay(Protocol):
    """The way to the caches of other processes."""

    async def tell(self, undelivered: Undelivered) -> None:
        """Tell the other processes which nodes may still hold what is deleted. Never raises, bounded in time."""
        ...


class Cache:
    """Values by key. No method raises an error of memcached's; what a load raises passes through."""

    def __init__(self, means: Means, relay: Relay | None) -> None:
        """See `run_cache`."""
        self._means = means
        self._relay = relay
        self._flights = Flights()
        meter = metrics.get_meter(__name__)
        self._undelivered = meter.create_counter(
            "parley.webapp.cache.undelivered", description="deletions that a node did not confirm"
        )

    async def get_or_load(self, key: str, load: Load[_Value], codec: Codec[_Value]) -> _Value | None:
        """Return the value of `key`, by `load` when it is not there, and keep it as its class says.

        Callers share the value, so nobody may change it. Who comes after a write of it was acked, by any process, sees
        that write; the front page of this package has the exceptions.
        """

        async def load_one(_: Sequence[str]) -> Mapping[str, _Value]:
            value = await load()
            return {} if value is None else {key: value}

        async def read() -> _Value | None:
            return (await self._read((key,), load_one, codec)).get(key)

        return await (self._flights.share(key, read) if self._means.switches().leases else read())

    async def get_or_load_many(
        self, keys: Sequence[str], load: LoadMany[_Value], codec: Codec[_Value]
    ) -> dict[str, _Value]:
        """Return the values of keys of one class, without those that do not exist. What is missing is loaded together.

        As `get_or_load` otherwise; such reads are not joined in the process, but leases keep each key's load single.
        """
        return await self._read(tuple(dict.fromkeys(keys)), load, codec) if keys else {}

    async def invalidate(self, keys: Iterable[str]) -> None:
        """Forget keys after their rows changed and before anybody is told so. Never fails; see the rules.

        Takes a node's deadline at most (twice, when some of them may be stale and others not), and when a node did not
        confirm, the time to tell the other processes.
        """
        may_be_stale = self._means.switches().stale
        by_stale_s: dict[int, dict[str, None]] = {}
        for key in keys:
            self._flights.forget(key)
            stale_s = policy_of(key).stale_s if may_be_stale else 0
            by_stale_s.setdefault(stale_s, {})[key] = None
        undelivered: dict[str, dict[str, None]] = {}
        for stale_s, group in by_stale_s.items():
            for address, missed in (await self._means.route.delete(tuple(group), stale_s)).items():
                undelivered.setdefault(address, {}).update(dict.fromkeys(missed))
        if undelivered:
            self._undelivered.add(sum(map(len, undelivered.values())))
            if self._relay is not None:
                await self._relay.tell({address: tuple(missed) for address, missed in undelivered.items()})
                # Who had not heard yet may have carried a value from where it still is to where it was deleted already.
                again = {key: None for missed in undelivered.values() for key in missed}
                await self._means.route.delete(tuple(again), 0)

    def forget_reads(self, keys: Iterable[str]) -> None:
        """Let nobody wait any more for reads of these keys: another process says that they changed."""
        for key in keys:
            self._flights.forget(key)

    async def _read(self, keys: Sequence[str], load: LoadMany[_Value], codec: Codec[_Value]) -> dict[str, _Value]:
        return await Reading(self._means, policy_of(keys[0]), load, codec).run(keys)


@asynccontextmanager
async def run_cache(
    route: Route,
    clock: Clock,
    rng: Random,
    *,
    relay: Relay | None = None,
    switches: Callable[[], Switches] = Switches,
    earliness: Earliness | None = None,
) -> AsyncIterator[Cache]:
    """Yield a cache whose refreshes in the background end with the block; `route`'s lifetime is the caller's.

    `relay`: None where no other process reads through the same nodes. `switches` says what the configuration of the
    routes says now; without leases everybody who misses loads: the plain mode that benchmarks compare with.
    `earliness` is told how long loads take; it may be what the nodes below go by.
    """
    meter = metrics.get_meter(__name__)
    reads = Tally(
        meter,
        "parley.webapp.cache.reads",
        ("class", "result"),
        "by class and result: hit, miss, wait, away, stale, refresh…",
    )
    loads = meter.create_histogram("parley.webapp.cache.load_ms", unit="ms", description="loading by class")
    async with Tasks("refresh cache", REFRESHES_MAX) as tasks:
        yield Cache(Means(route, clock, rng, tasks, switches, earliness or Earliness(rng), reads, loads), relay)
