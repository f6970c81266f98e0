"""The fan-out loop in Python: what _fanout.c does where no compiler was, and the text to read it by.

Frames are put on lines, a line is one socket's output, and everything that has something on it is written once a turn
of the loop. The plain case is a line that may be written to directly, with no more on it than may wait: its frames are
joined and sent by one send(2). Every other case is the connection's: its `flush` takes what is pending and does what is
right, or makes the line a plain one again and leaves it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from typing import Protocol

log = logging.getLogger(__name__)


class Owner(Protocol):
    """A connection. Neither may raise; whatever is raised is logged, and the other lines are flushed all the same."""

    def flush(self) -> None:
        """Write what is pending on a line that is not plain; or make it plain, and it is sent in the same turn."""
        ...

    def write_rest(self, rest: bytes) -> None:
        """Write what the socket did not take, before anything else. The line is not direct any more."""
        ...


class Line:
    """One socket's output: the frames that are pending, and whether they may be sent without asking the owner."""

    __slots__ = ("_fd", "_is_dirty", "_owner", "_pending", "is_direct", "is_open", "pending_bytes")

    def __init__(self, owner: Owner) -> None:
        """Be open, and not direct."""
        self._owner: Owner | None = owner
        self._pending: list[bytes] = []
        self._fd = -1
        self._is_dirty = False
        self.is_direct = False
        self.is_open = True
        self.pending_bytes = 0

    def take(self) -> list[bytes]:
        """Return what is pending, and hold it no longer."""
        pending, self._pending = self._pending, []
        self.pending_bytes = 0
        return pending

    def open_to(self, fd: int) -> None:
        """Let this descriptor be written to from now on, which does not block; below 0: only the owner writes.

        It must be called off, by `close` or `ended`, before the descriptor is closed: the number would be somebody
        else's then.
        """
        self._fd = fd
        self.is_direct = fd >= 0

    def close(self) -> None:
        """Drop what is pending, and take nothing any more."""
        self.is_open = self.is_direct = False
        self._fd = -1
        self.take()

    def ended(self) -> None:
        """Close, and forget the owner."""
        self.close()
        self._owner = None


class Lines:
    """The lines that have something to be written."""

    def __init__(self, schedule: Callable[[], object], bytes_max: int) -> None:
        """`schedule` is called when there is something to flush; a line with more than `bytes_max` is its owner's."""
        self._schedule = schedule
        self._dirty: list[Line] = []
        self.bytes_max = bytes_max
        self.bytes_out = 0
        self.writes = 0

    def push(self, line: Line, frame: bytes) -> None:
        """Put a frame on a line; nothing happens when it is closed."""
        if line.is_open:
            line._pending.append(frame)
            line.pending_bytes += len(frame)
            self._mark(line)

    def push_all(self, members: Iterable[object], frame: bytes, but: object) -> int:
        """Put a frame on the `line` of each member except one; return how many took it."""
        pushed = 0
        for member in members:
            line: Line = member.line  # type: ignore[attr-defined]
            if member is not but and line.is_open:
                self.push(line, frame)
                pushed += 1
        return pushed

    def wake(self, line: Line) -> None:
        """Flush a line though nothing was put on it."""
        if line.is_open:
            self._mark(line)

    def flush(self, limit: int) -> None:
        """Write what is pending on at most `limit` lines (0: all), the longest waiting first; schedule the rest."""
        dirty, self._dirty = self._dirty, []
        now = dirty[: limit or None]
        for line in now:
            line._is_dirty = False
            if line.is_open and not self._is_plain(line):
                _ask(line, lambda owner: owner.flush())
        for line in now:
            if line.is_open and line._pending and self._is_plain(line):
                self._send(line)
        rest = dirty[len(now) :]
        if rest:
            if not self._dirty:
                self._schedule()
            self._dirty = rest + self._dirty

    def _is_plain(self, line: Line) -> bool:
        return line.is_direct and line.pending_bytes <= self.bytes_max

    def _mark(self, line: Line) -> None:
        if not line._is_dirty:
            line._is_dirty = True
            self._dirty.append(line)
            if len(self._dirty) == 1:
                self._schedule()

    def _send(self, line: Line) -> None:
        joined = b"".join(line.take())
        sent = _send(line._fd, joined)
        self.writes += 1
        self.bytes_out += sent
        if sent < len(joined):
            line.is_direct = False
            _ask(line, lambda owner: owner.write_rest(joined[sent:]))


def _send(fd: int, content: bytes) -> int:
    """Return how many bytes the socket took. Of an error nothing is said: the transport meets the same one."""
    try:
        return os.write(fd, content)
    except OSError:
        return 0


def _ask(line: Line, request: Callable[[Owner], None]) -> None:
    if line._owner is None:
        return
    try:
        request(line._owner)
    except Exception:
        log.exception("a connection could not be written to")
