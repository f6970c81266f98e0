"""One read of a batch of keys of one class: what the nodes know, whom to wait for, what to load and what to store.

The order is what makes a thousand misses one query. Who has a lease loads; who finds a key leased looks again after a
few milliseconds, up to WAITS_S; then a stale value is good enough where the class says so, and else he loads by
himself, without storing. Without leases (the plain mode of the benchmark) everybody who misses loads at once.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Generic, TypeVar

from opentelemetry import metrics

from svc.kit.clock import Clock
from svc.kit.errors import ParleyError, ResourceExhaustedError
from svc.kit.lifecycle import Tasks
from svc.kit.tally import Tally
from svc.webapp.cache.codec import Codec
from svc.webapp.cache.policy import Earliness, Policy, ttl_of
from svc.webapp.cache.routes.route import Found, Lease, Route
from svc.webapp.cache.routes.spec import Switches

__all__ = ["LoadMany", "Means", "Reading"]

log = logging.getLogger(__name__)

LEASE_S = 10
"""How long the holder of a lease has to load; twice a statement's deadline in MySQL."""
WAITS_S = (0.005, 0.015, 0.030)
"""How long the others wait for the holder, longest; each is halved to full by jitter. A load takes 1 to 5 ms."""
VALUE_BYTES_MAX = 512 * 1024
"""Larger values are not stored: half of memcached's limit of an item, and 4 ms of a gigabit line."""
_ABSENT = b"-"
"""What stands for "there is none"; no codec writes it."""

_Value = TypeVar("_Value")
LoadMany = Callable[[Sequence[str]], Awaitable[Mapping[str, _Value]]]
"""Values by key; those that do not exist are left out."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a read works with."""

    route: Route
    clock: Clock
    rng: Random
    tasks: Tasks
    """For refreshes in the background, bounded."""
    switches: Callable[[], Switches]
    """What the routes' configuration says now."""
    earliness: Earliness
    """Told how long loads take."""
    reads: Tally
    loads: metrics.Histogram


class Reading(Generic[_Value]):
    """A read under way. `values` has what is known; a key that is nowhere in the end does not exist."""

    def __init__(self, means: Means, policy: Policy, load: LoadMany[_Value], codec: Codec[_Value]) -> None:
        """`load` is called with the keys that have to be loaded; what it raises passes through."""
        self._means = means
        self._switches = means.switches()
        self._policy = policy
        self._load = load
        self._codec = codec
        self.values: dict[str, _Value] = {}
        self._stale: dict[str, _Value] = {}
        self._leases: dict[str, Lease] = {}
        self._bare: dict[str, None] = {}
        self._waiting: dict[str, None] = {}
        self._unreadable: dict[str, None] = {}
        self._results: Counter[str] = Counter()

    async def run(self, keys: Sequence[str]) -> dict[str, _Value]:
        """Return the values of `keys`."""
        await self._ask(keys)
        if self._unreadable:
            await self._clear()
        await self._fill()
        if self._waiting:
            await self._wait()
        return self.values

    async def _ask(self, keys: Sequence[str]) -> None:
        for key, found in zip(keys, await self._means.route.get(keys, LEASE_S), strict=True):
            self._take(key, found)
        # A counter takes longer than what it counts: once for all keys of which the same is true.
        for result, times in self._results.items():
            self._count(result, times)
        self._results.clear()

    def _take(self, key: str, found: Found | None) -> None:
        """Decide what becomes of a key by what is known of it."""
        if found is None:
            self._bare[key] = None
            self._results["away"] += 1
            return
        is_good = found.value is not None and self._decode(key, found.value, is_stale=found.is_stale)
        if is_good and not found.is_stale:
            self._results["hit"] += 1
            if found.lease is not None and self._switches.early_refresh:
                self._refresh(key, found.lease)
        elif found.lease is not None:
            self._leases[key] = found.lease
            self._results["miss"] += 1
        elif found.is_leased and self._switches.leases:
            self._waiting[key] = None
        elif found.value is not None and not found.is_stale:
            self._unreadable[key] = None
        else:
            self._bare[key] = None
            self._results["miss"] += 1

    def _decode(self, key: str, data: bytes, *, is_stale: bool) -> bool:
        """Note the value; False when it cannot be read."""
        try:
            if data == _ABSENT:
                return not is_stale  # that there was none is no better than knowing nothing
            (self._stale if is_stale else self.values)[key] = self._codec.load(data)
        except (ValueError, TypeError) as error:
            log.warning("cached %s is unreadable: %r", key, error)
            self._count("unreadable")
            return False
        return True

    async def _clear(self) -> None:
        """Delete what nobody can read, and ask again: this time it is a miss, with a lease for somebody."""
        keys, self._unreadable = tuple(self._unreadable), {}
        await self._means.route.delete(keys, 0)
        await self._ask(keys)

    async def _fill(self) -> None:
        """Load what is ours to load, and store what there is a lease for."""
        # What is unreadable twice is only loaded.
        leases, bare = self._leases, self._bare | self._unreadable
        self._leases, self._bare, self._unreadable = {}, {}, {}
        if not leases and not bare:
            return
        try:
            await self._load_into(leases, bare)
        except BaseException as error:
            keys = (*leases, *bare)
            if isinstance(error, ParleyError) and all(key in self._stale for key in keys):
                # The leases are kept: until the stale values end, nobody asks a database that is in trouble.
                log.info("%s: stale for want of better: %s", self._policy.name, error)
                self._settle_for_stale(keys)
                return
            for lease in leases.values():
                lease.give_back()
            raise

    async def _load_into(self, leases: Mapping[str, Lease], bare: Mapping[str, None]) -> None:
        means = self._means
        began = means.clock.now()
        loaded = await self._load((*leases, *bare))
        took_s = means.clock.now() - began
        means.earliness.note(took_s)
        load_ms = round(took_s * 1000)
        means.loads.record(load_ms, {"class": self._policy.name})
        self.values.update(loaded)
        for key, lease in leases.items():
            data = self._codec.dump(loaded[key]) if key in loaded else _ABSENT
            if len(data) > VALUE_BYTES_MAX:
                lease.give_back()
            else:
                lease.fill(data, ttl_of(self._policy, means.rng, is_none=key not in loaded), load_ms)

    async def _wait(self) -> None:
        """Give the holders of the leases a moment, then do without them."""
        means = self._means
        for longest_s in WAITS_S:
            await means.clock.sleep(means.rng.uniform(longest_s / 2, longest_s))
            keys, self._waiting = tuple(self._waiting), {}
            self._count("wait", len(keys))
            await self._ask(keys)
            await self._fill()
            if not self._waiting:
                return
        stale = [key for key in self._waiting if key in self._stale]
        self._settle_for_stale(stale)
        self._bare = {key: None for key in self._waiting if key not in self._stale}
        self._waiting = {}
        await self._fill()

    def _settle_for_stale(self, keys: Sequence[str]) -> None:
        self.values.update((key, self._stale[key]) for key in keys)
        self._count("stale", len(keys))

    def _refresh(self, key: str, lease: Lease) -> None:
        """Load a value anew in the background, before it expires: this caller and all others have it already."""
        try:
            self._means.tasks.spawn(self._refreshed(key, lease), name="refresh cache")
        except ResourceExhaustedError:
            self._count("left to expire")

    async def _refreshed(self, key: str, lease: Lease) -> None:
        self._count("refresh")
        try:
            # A read of its own: this one's values belong to its caller.
            await Reading(self._means, self._policy, self._load, self._codec)._load_into({key: lease}, {})
        except ParleyError as error:
            # The value lives on until its end. The lease is not given back, for that would delete it now.
            log.debug("%s was not refreshed: %s", key, error)

    def _count(self, result: str, times: int = 1) -> None:
        if times:
            self._means.reads.add(times, self._policy.name, result)
