"""The lease of one key on one node: as good as the connection that it came over, and the version that it names.

A node that was restarted counts versions from 1 again, so a lease must never reach it over another connection.
"""

from __future__ import annotations

from svc.webapp.cache.memcached import wire
from svc.webapp.cache.memcached.commands import Command
from svc.webapp.cache.memcached.connection import Connection
from svc.webapp.cache.memcached.counts import NodeCounts

__all__ = ["NodeLease"]

TTL_S_MAX = 30 * 24 * 3600
"""Above it memcached takes a number for a date."""
LOAD_MS_MAX = (1 << 32) - 1
"""Of the client flags that carry it."""
ITEM_OVERHEAD_BYTES = 512
"""What an item takes beside its value: a key of at most 250 bytes, and a header."""


class NodeLease:
    """See `Lease`. Void, too, when the connection has ended."""

    __slots__ = ("_connection", "_counts", "_found", "_key", "_version")

    def __init__(self, connection: Connection, key: str, won: wire.Won, counts: NodeCounts) -> None:
        self._connection = connection
        self._key = key
        self._version = won.version
        self._found = won.found
        self._counts = counts

    def fill(self, value: bytes, ttl_s: int, load_ms: int) -> None:
        """See `Lease.fill`. A value too large for memcached is not sent, and the lease given back."""
        connection = self._connection
        if connection.is_full:
            self._counts.fills_dropped += 1
            return
        if len(value) > wire.VALUE_BYTES_MAX - ITEM_OVERHEAD_BYTES:
            self._counts.fills_dropped += 1
            self.give_back()
            return
        key, version = self._key, self._version
        ttl_s, load_ms = min(max(1, ttl_s), TTL_S_MAX), min(max(1, load_ms), LOAD_MS_MAX)
        connection.send(Command(lambda number: wire.store(key, number, value, ttl_s, load_ms, version)))

    def give_back(self) -> None:
        """See `Lease.give_back`. A value that is still good stays, and stays ours to refresh until it expires."""
        key, version, found = self._key, self._version, self._found
        if self._connection.is_full:
            return
        if found.value is None:
            self._connection.send(Command(lambda number: wire.delete_version(key, number, version)))
        elif found.is_stale:
            ttl_s = max(1, found.ttl_s)
            self._connection.send(Command(lambda number: wire.stale_again(key, number, version, ttl_s)))
