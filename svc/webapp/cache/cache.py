"""Read-through with leases: a hot key that goes missing costs the database one query, not a thousand.

Whoever misses first gets the lease and loads; the others wait a moment for the value, then load by themselves without
storing it. Deleting a key voids its lease, so a value read before a write can never be stored after it. Concurrent
reads of a key in one process are one read. After Nishtala et al., "Scaling Memcache at Facebook" (NSDI 2013).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, TypeVar

from opentelemetry import metrics

from svc.kit.clock import Clock
from svc.webapp.cache.codec import Codec
from svc.webapp.cache.memcached import wire
from svc.webapp.cache.memcached.node import Node
from svc.webapp.cache.pool import Pool

__all__ = ["NEGATIVE_TTL_S", "Cache"]

log = logging.getLogger(__name__)

NEGATIVE_TTL_S = 5
"""How long "there is none" is kept: it saves the database from a client that goes on asking."""
LEASE_S = 10
"""How long the holder of a lease has to load; several times a statement's deadline in MySQL."""
REFRESH_S = 2
"""With less than this left to live, one caller refreshes a value while the others go on using it."""
WAITS_S = (0.005, 0.015, 0.030)
"""How long the others wait for the holder, longest; each is halved to full by jitter. A load takes 1 to 5 ms."""
_ABSENT = b"-"
"""What stands for None; no codec writes it."""

_Value = TypeVar("_Value")
Load = Callable[[], Awaitable[_Value | None]]


class _LeaderLeft(Exception):
    """The read that others joined was cancelled."""


class Cache:
    """Values by key. No method raises an error of memcached's; what `load` raises passes through."""

    def __init__(self, pool: Pool, clock: Clock, rng: Random) -> None:
        """`pool`: lifetime is the caller's."""
        self._pool = pool
        self._clock = clock
        self._rng = rng
        self._flights: dict[str, asyncio.Future[Any]] = {}
        meter = metrics.get_meter(__name__)
        self._reads = meter.create_counter("parley.webapp.cache.reads", description="by result: hit, miss, away, wait")

    async def get_or_load(self, key: str, ttl_s: float, load: Load[_Value], codec: Codec[_Value]) -> _Value | None:
        """Return the value of `key`, by `load` when it is not there, and keep it for `ttl_s` (None: NEGATIVE_TTL_S).

        Never older than an `invalidate` of the key that this process awaited before, unless its node was unreachable.
        """
        while key in self._flights:
            try:
                joined: _Value | None = await asyncio.shield(self._flights[key])
                return joined
            except _LeaderLeft:
                continue
        flight: asyncio.Future[_Value | None] = asyncio.get_running_loop().create_future()
        self._flights[key] = flight
        try:
            value = await self._read(key, ttl_s, load, codec)
        except BaseException as error:
            flight.set_exception(error if isinstance(error, Exception) else _LeaderLeft())
            flight.exception()  # nobody may have joined
            raise
        else:
            flight.set_result(value)
            return value
        finally:
            if self._flights.get(key) is flight:
                del self._flights[key]

    async def invalidate(self, *keys: str) -> None:
        """Forget keys after their rows changed. Takes at most a node's deadline; never fails (see the rules)."""
        for key in keys:
            # Who asks from now on must not join a read that began before the change.
            self._flights.pop(key, None)
        await self._pool.delete(keys)

    async def _read(self, key: str, ttl_s: float, load: Load[_Value], codec: Codec[_Value]) -> _Value | None:
        node = self._pool.node(key) if wire.is_key(key) else None
        answer = await node.ask(_get(key)) if node is not None else None
        if node is None or answer is None:
            self._reads.add(1, {"result": "away"})
            return await load()
        if answer.lost and not answer.value:
            self._reads.add(1, {"result": "wait"})
            answer = await self._wait(node, key, answer)
        if answer.value and not answer.won:
            try:
                value = _decode(answer.value, codec)
            except (ValueError, TypeError) as error:
                log.warning("cached %s is unreadable: %r", key, error)
                return await self._fill(node, key, ttl_s, answer.cas, load, codec)
            self._reads.add(1, {"result": "hit"})
            return value
        self._reads.add(1, {"result": "miss"})
        return await self._fill(node, key, ttl_s, answer.cas if answer.won else 0, load, codec)

    async def _wait(self, node: Node, key: str, answer: wire.Answer) -> wire.Answer:
        """Give the holder of the lease a moment, and return what is there then."""
        for longest_s in WAITS_S:
            await self._clock.sleep(self._rng.uniform(longest_s / 2, longest_s))
            again = await node.ask(_get(key))
            if again is None:
                return answer
            answer = again
            if answer.value or answer.won:
                return answer
        return answer

    async def _fill(
        self, node: Node, key: str, ttl_s: float, cas: int, load: Load[_Value], codec: Codec[_Value]
    ) -> _Value | None:
        """Load, and store what came if `cas`, the lease, is still good; without one, only load."""
        try:
            value = await load()
        except BaseException:
            if cas:
                # The lease goes back, so that the next one may try at once.
                node.tell(wire.delete(key, cas))
            raise
        if cas:
            data, keep_s = (_ABSENT, min(NEGATIVE_TTL_S, ttl_s)) if value is None else (codec.dump(value), ttl_s)
            node.tell(wire.store(key, data, max(1, int(keep_s)), cas))
        return value


def _get(key: str) -> bytes:
    return wire.get(key, LEASE_S, REFRESH_S)


def _decode(data: bytes, codec: Codec[_Value]) -> _Value | None:
    return None if data == _ABSENT else codec.load(data)
