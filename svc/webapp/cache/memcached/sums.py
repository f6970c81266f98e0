"""Additions to numbers that many processes share: one request each, answered with the number."""

from __future__ import annotations

import asyncio

from svc.webapp.cache.memcached import wire
from svc.webapp.cache.memcached.commands import Command
from svc.webapp.cache.memcached.connection import Connection, Exchange
from svc.webapp.cache.memcached.counts import NodeCounts
from svc.webapp.cache.routes.route import Step

__all__ = ["Addition", "NodeSum"]


class NodeSum:
    """See `Sum`. Of no effect any more when the connection has ended."""

    __slots__ = ("_connection", "_key", "_step", "_version", "value")

    def __init__(self, connection: Connection, key: str, step: Step, added: wire.Added) -> None:
        self._connection = connection
        self._key = key
        self._step = step
        self._version = added.version
        self.value = added.value

    def take_back(self) -> None:
        """See `Sum.take_back`."""
        if not self._connection.is_full:
            key, by = self._key, self._step.by
            self._connection.send(Command(lambda number: wire.subtract(key, number, by)))

    def replace(self, value: int) -> None:
        """See `Sum.replace`."""
        if not self._connection.is_full:
            key, ttl_s, version = self._key, self._step.ttl_s, self._version
            self._connection.send(Command(lambda number: wire.store(key, number, b"%d" % value, ttl_s, 1, version)))


class Addition(Exchange):
    """One addition under way."""

    __slots__ = ("_connection", "_counts", "_key", "_step", "future")

    def __init__(self, connection: Connection, key: str, step: Step, counts: NodeCounts) -> None:
        super().__init__(1)
        self._connection = connection
        self._counts = counts
        self._key = key
        self._step = step
        self.future: asyncio.Future[NodeSum | None] = connection.loop.create_future()
        """What came of it; None when there was no answer in time."""

    def request(self) -> bytes:
        self._counts.additions += 1
        return wire.add(self._key, self.number, self._step.by, self._step.start, self._step.ttl_s)

    def answered(self) -> bool:
        if self.future.done():
            return False
        (answer,) = self.answers
        if isinstance(answer, wire.Added):
            self.future.set_result(NodeSum(self._connection, self._key, self._step, answer))
        else:
            self.expire()
        return True

    def expire(self) -> None:
        if not self.future.done():
            self._counts.unanswered += 1
            self.future.set_result(None)

    lost = expire
