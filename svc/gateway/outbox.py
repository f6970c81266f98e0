"""What waits to be written: every connection that was pushed something is flushed once a turn of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol


class Flushes(Protocol):
    """A connection that has something to write."""

    def flush(self) -> None:
        """Write everything that is pending at once. Must not raise."""
        ...


class Outbox:
    """The connections that have something to write; flushed once a turn of the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, bytes_max: int) -> None:
        """Allow `bytes_max` unwritten bytes a connection."""
        self._loop = loop
        self._waiting: list[Flushes] = []
        self.bytes_max = bytes_max
        self.bytes_out = 0
        self.writes = 0
        self.slow_consumers = 0

    def add(self, connection: Flushes) -> None:
        """Flush `connection` at the end of this turn; called once for it until then."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(connection)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> None:
        """Run a callback later."""
        self._loop.call_later(seconds, callback)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for connection in waiting:
            connection.flush()
