"""One memcached node: a leaf of the route tree, kept connected in the background, that never makes a caller wait long.

Everything goes over one connection, because its order is what keeps reads right: a read that is sent after a deletion
is answered after it, whether or not the deletion's own answer came in time. A deletion that was in flight on a
connection that ended, or could not be sent at all, waits in the backlog, which comes first on the next connection. (Two
connections were no faster: a node answers faster than one Python process asks.)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from random import Random

from svc.kit.clock import Clock
from svc.webapp.cache.memcached import wire
from svc.webapp.cache.memcached.backlog import Backlog
from svc.webapp.cache.memcached.commands import Command, Deletions
from svc.webapp.cache.memcached.connection import Connection
from svc.webapp.cache.memcached.counts import NodeCounts
from svc.webapp.cache.memcached.health import Health, NodeLimits, NodeState
from svc.webapp.cache.memcached.reads import Reads
from svc.webapp.cache.memcached.sums import Addition
from svc.webapp.cache.routes.route import Explained, Found, Step, Sum, Undelivered

__all__ = ["Node", "NodeLimits"]

log = logging.getLogger(__name__)

ALL_DELIVERED: Undelivered = {}
CATCH_UP_KEYS = 500
"""Deletions sent at once to a node that is back: they take 1 ms, far within the deadline."""
READS_MAX = 256
"""Keys asked for together by calls that know nothing of each other: none waits for more than these, 0.3 ms."""
OVERFULL = 4
"""How many times the limit of reads in flight deletions may reach, until the connection is given up."""


class Node:
    """A `Route`. Losing it loses nothing but time; what this process must still tell it is lost with the process."""

    def __init__(
        self,
        address: str,
        clock: Clock,
        rng: Random,
        limits: NodeLimits | None = None,
        counts: NodeCounts | None = None,
        early_s: Callable[[], int] | None = None,
    ) -> None:
        """`address`: host:port. Connects in `run`. `counts` may be shared by many nodes.

        `early_s` says, each time anew, with how much left to live a value is refreshed; None: `limits.refresh_s`.
        """
        self.address = address
        self.counts = counts or NodeCounts()
        self._clock = clock
        self._limits = limits = limits or NodeLimits()
        self._early_s = early_s or (lambda: limits.refresh_s)
        self._health = Health(limits, rng)
        self._backlog = Backlog(limits.undeleted_max)
        self._connection: Connection | None = None

    @property
    def state(self) -> NodeState:
        """What it is to this process now."""
        return self._health.state

    @property
    def alive(self) -> bool:
        """Whether it is asked now."""
        return self._health.state is NodeState.ALIVE

    @property
    def owed(self) -> int:
        """Keys asked about that it has not answered, whether anybody still waits or not."""
        return 0 if self._connection is None else self._connection.in_flight

    async def get(self, keys: Sequence[str], lease_s: int) -> list[Found | None]:
        """See `Route.get`. Takes the deadline at most."""
        connection = self._connection
        if self._health.state is NodeState.ALIVE and connection is not None and keys and not connection.is_full:
            reads = connection.newest
            # Reads never join those before a deletion: they come after it.
            if type(reads) is not Reads or reads.lease_s != lease_s or reads.count >= READS_MAX:
                reads = Reads(connection, lease_s, self._early_s(), self.counts)
                connection.send(reads)
            found = await reads.add(keys)
            if found is not None:
                return found
            if not wire.are_keys(keys):
                return await self._get_allowed(keys, lease_s)
        self.counts.unanswered += len(keys)
        return [None] * len(keys)

    async def delete(self, keys: Sequence[str], stale_s: int = 0) -> Undelivered:
        """See `Route.delete`. Takes the deadline at most."""
        keys = _allowed(keys)
        if not keys:
            return ALL_DELIVERED
        deletions = self._send_deletions(keys, stale_s)
        if deletions is not None:
            deletions.future = asyncio.get_running_loop().create_future()
            if await deletions.future:
                return ALL_DELIVERED
        self.counts.undelivered += len(keys)
        return {self.address: keys}

    async def add(self, key: str, step: Step) -> Sum | None:
        """See `Route.add`. Takes the deadline at most."""
        connection = self._connection
        is_askable = self._health.state is NodeState.ALIVE and connection is not None and not connection.is_full
        if is_askable and connection is not None and wire.are_keys((key,)):
            addition = Addition(connection, key, step, self.counts)
            connection.send(addition)
            return await addition.future
        self.counts.unanswered += 1
        return None

    def undelivered(self, keys: Sequence[str]) -> None:
        """Take deletions that another process could not deliver: no read that begins after this sees what was before.

        They are sent now, or come first when the node is back. Does not wait.
        """
        if keys := _allowed(keys):
            self._send_deletions(keys, 0)

    def explain(self, key: str) -> Explained:
        """See `Route.explain`."""
        return Explained("node", f"{self.address}, {self.state.value}")

    async def run(self) -> None:
        """Keep a connection up, for ever."""
        try:
            while True:
                connection = await self._connect()
                if connection is not None:
                    log.info("memcached %s is here", self.address)
                    await connection.lost
                    self.counts.knockouts += 1
                    log.warning("memcached %s is away", self.address)
                await self._clock.sleep(self._health.next_probe_s())
        finally:
            if self._connection is not None:
                self._connection.close()

    async def _get_allowed(self, keys: Sequence[str], lease_s: int) -> list[Found | None]:
        """Ask for the keys that memcached takes, and return None for the others."""
        found: dict[str, Found | None] = dict.fromkeys(keys)
        allowed = _allowed(keys)
        found.update(zip(allowed, await self.get(allowed, lease_s), strict=True))
        return [found[key] for key in keys]

    def _send_deletions(self, keys: Sequence[str], stale_s: int) -> Deletions | None:
        """Send deletions so that every later read comes after them; None when that must wait for a connection."""
        self.counts.deletes += len(keys)
        connection = self._connection
        if connection is not None and connection.in_flight >= OVERFULL * self._limits.in_flight_max:
            # Deletions are sent when reads are not any more, but not without end.
            connection.close()
        if connection is None or connection.is_closed:
            self._backlog.add(keys)
            return None
        deletions = Deletions(connection, self._backlog, keys, stale_s)
        connection.send(deletions)
        return deletions

    async def _connect(self) -> Connection | None:
        """Return a connection to a node that answers, and has done the deletions it missed; None when that fails."""
        host, _, port = self.address.rpartition(":")
        connection: Connection | None = None
        try:
            async with asyncio.timeout(self._limits.connect_s):
                loop = asyncio.get_running_loop()
                _, connection = await loop.create_connection(self._protocol, host.strip("[]"), int(port))
                if await self._is_done(connection, Command(lambda _: wire.noop())):
                    # From here on deletions go over it; reads begin when those from before are done.
                    self._connection = connection
                    if await self._catch_up(connection):
                        self._health.revived()
                        return connection
        except OSError as error:
            log.debug("memcached %s: %s", self.address, error)
        finally:
            if self._health.state is not NodeState.ALIVE:
                self._health.lost()
                if connection is not None:
                    connection.close()
        return None

    def _protocol(self) -> Connection:
        return Connection(self.address, self._limits, self._health)

    async def _catch_up(self, connection: Connection) -> bool:
        """Tell the node what it missed; return whether it has done all of it. Deleting twice harms nobody."""
        if self._backlog.take_flush():
            if not await self._is_done(connection, Command(lambda _: wire.flush())):
                self._backlog.add_all()
                return False
            self.counts.flushes += 1
        while keys := self._backlog.take(CATCH_UP_KEYS):
            if not await self._is_done(connection, Deletions(connection, self._backlog, keys)):
                return False
        return not connection.is_closed

    async def _is_done(self, connection: Connection, told: Command | Deletions) -> bool:
        """Send it; return whether it was done within the deadline."""
        told.future = asyncio.get_running_loop().create_future()
        connection.send(told)
        return await told.future


def _allowed(keys: Sequence[str]) -> Sequence[str]:
    """Return the keys that memcached takes; of others it holds nothing."""
    return keys if wire.are_keys(keys) else [key for key in keys if wire.are_keys((key,))]
