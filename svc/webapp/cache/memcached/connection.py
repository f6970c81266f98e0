"""One TCP connection to a memcached node: batches of requests and their answers, in order.

What is asked in one turn of the event loop leaves in one write, and one timer watches over all deadlines.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import abstractmethod
from itertools import cycle
from typing import cast

from svc.webapp.cache.memcached import wire
from svc.webapp.cache.memcached.health import Health, NodeLimits

__all__ = ["Connection", "Exchange"]

log = logging.getLogger(__name__)

NUMBERS = tuple(b"O%d" % number for number in range(10_000))
"""Of batches, over and over: answers that are out of thread are so by a few batches, not by ten thousand."""
EARLY_S = 0.001
"""A deadline that ends this soon ends now: event loops count time in milliseconds."""


class Exchange(wire.Batch):
    """A batch, and what becomes of its answers. Calls come in order: request; expire or not; answered or lost."""

    __slots__ = ("request_bytes", "written_at")

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.request_bytes = 0
        self.written_at = float("inf")

    @abstractmethod
    def request(self) -> bytes:
        """Return what to send, with the number that the batch was given; empty if `count` has become 0."""

    @abstractmethod
    def answered(self) -> bool:
        """Take the complete answers; return whether anybody still waited for them."""

    @abstractmethod
    def expire(self) -> None:
        """Let nobody wait any longer; answers may come all the same."""

    @abstractmethod
    def lost(self) -> None:
        """The connection ended: there will be no answers, and nobody knows what the node has done."""


class Connection(asyncio.Protocol):
    """Requests and answers in order. Refuses nothing: look at `is_full` before asking."""

    def __init__(self, node: str, limits: NodeLimits, health: Health) -> None:
        """`health`: told of answers in time, of deadlines missed, and of the end."""
        self._node = node
        self._limits = limits
        self._health = health
        self.loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser: wire.Parser[Exchange] = wire.Parser(node)
        self._numbers = cycle(NUMBERS)
        self._turn: list[Exchange] = []
        self._timer: asyncio.TimerHandle | None = None
        self.in_flight = 0
        """Keys whose answers are owed. An exchange that grows after `send` adds to it."""
        self.in_flight_bytes = 0
        """Of their requests, once they are written."""
        self.is_closed = False
        self.lost: asyncio.Future[None] = self.loop.create_future()

    @property
    def is_full(self) -> bool:
        """Whether more would not be answered in time, or nothing can be sent at all."""
        limits = self._limits
        return (
            self.in_flight >= limits.in_flight_max
            or self.in_flight_bytes >= limits.in_flight_bytes_max
            or self.is_closed
        )

    @property
    def newest(self) -> Exchange | None:
        """The last exchange of this turn; it may still grow."""
        return self._turn[-1] if self._turn else None

    def send(self, exchange: Exchange) -> None:
        """Write the exchange's request at the end of this turn of the loop, after all sent before."""
        if self.is_closed:
            exchange.lost()
            return
        if not self._turn:
            self.loop.call_soon(self._write)
        self._turn.append(exchange)
        self.in_flight += exchange.count

    def close(self) -> None:
        """End it now, and everything in flight with it."""
        if self.is_closed:
            return
        self.is_closed = True
        self._health.lost()
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()
        ended = [*self._parser.expected, *self._turn]
        self._parser.expected.clear()
        self._turn.clear()
        for exchange in ended:
            exchange.lost()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are asyncio.Transport by what they do, not by class.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.close()
        if not self.lost.done():
            self.lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        try:
            complete = self._parser.feed(data)
        except wire.ProtocolViolation as error:
            log.warning("memcached %s: %s", self._node, error)
            self.close()
            return
        is_in_time = False
        for exchange in complete:
            self.in_flight -= exchange.count
            self.in_flight_bytes -= exchange.request_bytes
            is_in_time = exchange.answered() or is_in_time
        if is_in_time:
            self._health.answered()

    def _write(self) -> None:
        """Send what was asked in this turn."""
        if self.is_closed or self._transport is None:
            return
        requests, now = [], time.monotonic()
        for exchange in self._turn:
            exchange.number = next(self._numbers)
            request = exchange.request()
            if exchange.count:
                exchange.request_bytes = len(request)
                exchange.written_at = now
                self.in_flight_bytes += len(request)
                self._parser.expected.append(exchange)
                requests.append(request)
        self._turn.clear()
        self._transport.write(b"".join(requests))
        if self._timer is None:
            self._timer = self.loop.call_later(self._limits.deadline_s, self._look_soon)

    def _look_soon(self) -> None:
        """Look after deadlines, two turns of the loop later.

        After a stall of this process answers may lie unread beside deadlines that have passed. Two turns later they
        have been read, and the node is not blamed for us.
        """
        self.loop.call_soon(self.loop.call_soon, self._end_waits, time.monotonic())

    def _end_waits(self, now: float) -> None:
        """End the waits whose deadlines had passed at `now`, and look again when the next one does."""
        self._timer = None
        if self.is_closed:
            return
        is_dead = False
        for exchange in self._parser.expected:
            left_s = exchange.written_at + self._limits.deadline_s - now
            if left_s > EARLY_S:
                self._timer = self.loop.call_later(left_s, self._look_soon)
                break
            exchange.expire()
            is_dead = self._health.missed(exchange.written_at, now)
        if is_dead:
            log.warning("memcached %s did not answer %d times in a row", self._node, self._limits.failures_max)
            self.close()
