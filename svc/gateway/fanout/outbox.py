"""The outbox of a gateway: everything that was pushed in a turn of the loop leaves at its end.

A burst in one channel holds back another by a bounded time. What a turn takes in is a batch of each channel server, of
at most 1,024 events or a mebibyte (`FanoutLimits` there); what it writes is FLUSHED_MAX lines. Lines are written in the
order in which they got something, each once, with all that waits for it joined: so an event of another channel waits
for one write at the most to each socket that had something before it, 5 us each, however long the burst is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from svc.gateway.fanout import lines

if TYPE_CHECKING:
    from svc.gateway.fanout.lines import Line, Lines
else:
    try:
        from svc.gateway.fanout._fanout import Line, Lines
    except ImportError:
        from svc.gateway.fanout.lines import Line, Lines

__all__ = ["IS_NATIVE", "Line", "Outbox"]

FLUSHED_MAX = 1_024
"""Lines written without a break: at 5 us each the loop reads sockets, and another channel gets its turn, after 5 ms."""

IS_NATIVE = Lines is not lines.Lines
"""Whether the loop is the one in C."""


class Outbox:
    """The lines of all connections; flushed once a turn of the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, bytes_max: int) -> None:
        """Allow `bytes_max` unwritten bytes a connection."""
        self._loop = loop
        self._lines = Lines(lambda: loop.call_soon(self._lines.flush, FLUSHED_MAX), bytes_max)
        self.bytes_max = bytes_max
        self.slow_consumers = 0
        self._bytes_by_owners = 0
        self._writes_by_owners = 0
        # The hot path: a call of C, and nothing around it.
        self.push: Callable[[Line, bytes], None] = self._lines.push
        self.push_all: Callable[[Iterable[object], bytes, object], int] = self._lines.push_all
        self.wake: Callable[[Line], None] = self._lines.wake

    @property
    def bytes_out(self) -> int:
        """Bytes written since the start."""
        return self._lines.bytes_out + self._bytes_by_owners

    @property
    def writes(self) -> int:
        """Writes made since the start."""
        return self._lines.writes + self._writes_by_owners

    def wrote(self, size: int) -> None:
        """Count what a connection wrote by itself."""
        self._bytes_by_owners += size
        self._writes_by_owners += 1

    def call_later(self, seconds: float, callback: Callable[[], object]) -> None:
        """Run a callback later."""
        self._loop.call_later(seconds, callback)
