"""Gets: those of one turn of the loop are asked together, and their answers taken apart again.

That costs half of what it costs to ask for each alone, and the webapp asks for one key at a time, a hundred at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TypeAlias, cast

from svc.webapp.cache.memcached import wire
from svc.webapp.cache.memcached.connection import Connection, Exchange
from svc.webapp.cache.memcached.counts import NodeCounts
from svc.webapp.cache.memcached.lease import NodeLease
from svc.webapp.cache.routes.route import Found

__all__ = ["Reads"]

_Finds: TypeAlias = "list[Found | None]"


class Reads(Exchange):
    """Keys of any number of calls, each with a future of its own."""

    __slots__ = ("_connection", "_counts", "_keys", "_refresh_s", "_waits", "lease_s")

    def __init__(self, connection: Connection, lease_s: int, refresh_s: int, counts: NodeCounts) -> None:
        super().__init__(0)
        self._connection = connection
        self._counts = counts
        self._refresh_s = refresh_s
        self._keys: list[str] = []
        self._waits: list[tuple[asyncio.Future[_Finds | None], int]] = []
        self.lease_s = lease_s

    def add(self, keys: Sequence[str]) -> asyncio.Future[_Finds | None]:
        """Ask for keys as well; return what will hold what is found, or None."""
        connection, count = self._connection, len(keys)
        future: asyncio.Future[_Finds | None] = connection.loop.create_future()
        self._keys += keys
        self._waits.append((future, count))
        self.count += count
        connection.in_flight += count
        return future

    def request(self) -> bytes:
        if not wire.are_keys(self._keys):
            self._leave_out_bad_keys()
        self._counts.gets += self.count
        return wire.get(self._keys, self.number, self.lease_s, self._refresh_s)

    def answered(self) -> bool:
        # What is special is made out in place; all others are what they are to be.
        found = cast(_Finds, self.answers)
        for place in self.special:
            found[place] = self._found(self._keys[place], self.answers[place])
        is_in_time, at = False, 0
        for future, count in self._waits:
            if future.done():
                _give_back(found[at : at + count])
            else:
                future.set_result(found[at : at + count])
                is_in_time = True
            at += count
        return is_in_time

    def expire(self) -> None:
        for future, _ in self._waits:
            if not future.done():
                future.set_result(None)

    lost = expire

    def _found(self, key: str, answer: wire.Answer) -> Found | None:
        """Return what an answer means, with the lease that came with it."""
        if isinstance(answer, Found):
            self._counts.misses += answer.value is None
            return answer
        if not isinstance(answer, wire.Won):
            self._counts.unanswered += 1
            return None
        self._counts.misses += answer.found.value is None
        lease = NodeLease(self._connection, key, answer, self._counts)
        if self.lease_s <= 0:
            # A stale value comes with a lease, asked for or not.
            lease.give_back()
            return answer.found
        self._counts.leases_won += 1
        return answer.found._replace(lease=lease)

    def _leave_out_bad_keys(self) -> None:
        """Ask nothing for the calls that have a key which memcached does not take; they get None, and ask again."""
        keys, waits, at = self._keys, self._waits, 0
        self._keys, self._waits = [], []
        for future, count in waits:
            part = keys[at : at + count]
            at += count
            if wire.are_keys(part):
                self._keys += part
                self._waits.append((future, count))
            elif not future.done():
                future.set_result(None)
        self._connection.in_flight -= self.count - len(self._keys)
        self.count = len(self._keys)


def _give_back(found: _Finds) -> None:
    """Give back leases that came when the caller had left: nobody would ever use them."""
    for each in found:
        if each is not None and each.lease is not None:
            each.lease.give_back()
