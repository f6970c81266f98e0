"""One memcached node: a pipelined connection, kept up in the background, that never makes a caller wait for long.

While there is no connection every get is a miss at once. A node that lets `failures_max` deadlines pass in a row is
left alone, and asked for a sign of life until it gives one. Deletions that did not get through are remembered and come
before anything else on the next connection.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from random import Random

from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.webapp.cache.memcached import wire
from svc.webapp.cache.memcached.connection import Connection

__all__ = ["Node", "NodeLimits"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NodeLimits:
    """Bounds of one node."""

    deadline_s: float = 0.05
    """An answer comes in 0.2 ms; later than this, asking MySQL is the faster way."""
    connect_s: float = 0.5
    in_flight_max: int = 2048
    """Requests that are not answered; the next is a miss."""
    failures_max: int = 3
    """Deadlines passed in a row until the node counts as dead: at most 150 ms lost, once."""
    probe_cap_s: float = 1.0
    """Longest pause between signs of life asked for, jittered."""
    undeleted_max: int = 10_000
    """Deletions remembered while the node is away; beyond it, it is emptied when it comes back."""


class Node:
    """One memcached. Losing it loses nothing but time."""

    def __init__(self, address: str, clock: Clock, rng: Random, limits: NodeLimits) -> None:
        """`address`: host:port. Connects in `run`."""
        self.address = address
        self._clock = clock
        self._backoff = Backoff(0.02, limits.probe_cap_s, rng)
        self._limits = limits
        self._connection: Connection | None = None
        self._failures = 0
        self._undeleted: dict[str, None] = {}
        self._flush = False

    @property
    def alive(self) -> bool:
        """Whether requests are sent to it now."""
        return self._connection is not None

    async def ask(self, request: bytes) -> wire.Answer | None:
        """Return the answer; None when there is none by the deadline, or the node is away or too busy."""
        connection = self._connection
        if connection is None or len(connection) >= self._limits.in_flight_max:
            return None
        loop = asyncio.get_running_loop()
        future = connection.send(request)
        # After a stall of this process answers may lie unread beside a deadline that has passed: two turns of the loop
        # later they have been read, and the node is not blamed for us.
        timer = loop.call_later(
            self._limits.deadline_s, loop.call_soon, loop.call_soon, self._missed, connection, future
        )
        try:
            answer = await future
        except OSError:
            return None
        finally:
            timer.cancel()
        self._failures = 0
        return answer

    def tell(self, request: bytes) -> None:
        """Send a request whose answer does not matter."""
        connection = self._connection
        if connection is not None and len(connection) < self._limits.in_flight_max:
            connection.send(request)

    async def delete(self, key: str) -> None:
        """Delete a key; when that is not sure, again before the node is next used by this process."""
        if await self.ask(wire.delete(key)) is not None:
            return
        if len(self._undeleted) >= self._limits.undeleted_max:
            self._undeleted.clear()
            self._flush = True
        if not self._flush:
            self._undeleted[key] = None
        if self._connection is not None:
            # A node that may still hold what is wrong is not asked before that is settled.
            self._connection.close()
            self._connection = None

    async def run(self) -> None:
        """Keep a connection up, for ever."""
        try:
            while True:
                connection = await self._connect()
                if connection is not None:
                    self._failures = 0
                    self._connection = connection
                    await connection.lost
                    self._connection = None
                    log.warning("memcached %s is away", self.address)
                await self._clock.sleep(self._backoff.next_s())
        finally:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    async def _connect(self) -> Connection | None:
        """Return a connection that has given a sign of life, with old deletions done; None when that fails."""
        host, _, port = self.address.rpartition(":")
        connection: Connection | None = None
        try:
            async with asyncio.timeout(self._limits.connect_s):
                loop = asyncio.get_running_loop()
                _, connection = await loop.create_connection(Connection, host.strip("[]"), int(port))
                await connection.send(wire.noop())
                await self._settle(connection)
        except OSError as error:
            log.debug("memcached %s: %s", self.address, error)
            if connection is not None:
                connection.close()
            return None
        self._backoff.reset()
        return connection

    async def _settle(self, connection: Connection) -> None:
        """Do the deletions that were missed. Deleting twice harms nobody, so they stay noted until all are done."""
        if self._flush:
            await connection.send(wire.flush())
        keys = list(self._undeleted)
        for future in [connection.send(wire.delete(key)) for key in keys]:
            await future
        self._flush = False
        for key in keys:
            del self._undeleted[key]

    def _missed(self, connection: Connection, future: asyncio.Future[wire.Answer]) -> None:
        """End the wait for an answer, and count it; too many in a row end the connection."""
        if future.done():
            return
        future.set_exception(TimeoutError(f"memcached {self.address} did not answer"))
        self._failures += 1
        if self._failures >= self._limits.failures_max and self._connection is connection:
            log.warning("memcached %s did not answer %d times in a row", self.address, self._failures)
            connection.close()
            self._connection = None
