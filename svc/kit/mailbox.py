"""A bounded queue between two tasks, with a stated policy for what happens when it is full.

Unlike asyncio.Queue it is bounded in bytes as well, and a taker gets everything that is pending at once: batches form
by themselves under load and nothing waits for company when idle.
"""

from __future__ import annotations

import asyncio
from collections import deque
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class Overflow(Enum):
    """What `put` does when there is no room."""

    REJECT = "reject"
    """Return False and change nothing: the caller decides."""
    DROP_OLDEST = "drop-oldest"
    """Make room by forgetting the oldest items."""


class MailboxClosed(Exception):
    """Nothing more will come out, or may go in."""


class Mailbox(Generic[T]):
    """Items in order, at most `items_max` of them and `bytes_max` bytes as declared by `put`."""

    def __init__(self, items_max: int, bytes_max: int = 1 << 62, overflow: Overflow = Overflow.REJECT) -> None:
        if items_max < 1 or bytes_max < 1:
            raise ValueError("a mailbox holds at least one item and one byte")
        self._queue: deque[tuple[T, int]] = deque()
        self._items_max = items_max
        self._bytes_max = bytes_max
        self._overflow = overflow
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False
        self.bytes = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def closed(self) -> bool:
        """Whether `close` was called; pending items may still be taken."""
        return self._closed

    def put(self, item: T, size: int = 0) -> bool:
        """Add `item`, which counts `size` bytes. False when it was not taken. Raises MailboxClosed."""
        if self._closed:
            raise MailboxClosed
        if size > self._bytes_max:
            self.dropped += 1
            return False
        while self._queue and (len(self._queue) >= self._items_max or self.bytes + size > self._bytes_max):
            self.dropped += 1
            if self._overflow is Overflow.REJECT:
                return False
            self.bytes -= self._queue.popleft()[1]
        self._queue.append((item, size))
        self.bytes += size
        self._wake()
        return True

    async def take(self, items_max: int = 1 << 30, bytes_max: int = 1 << 62) -> list[T]:
        """Wait for at least one item and return all pending ones up to the limits given (the first always fits).

        One taker at a time. Raises MailboxClosed once it is closed and empty.
        """
        while not self._queue:
            if self._closed:
                raise MailboxClosed
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self.take_nowait(items_max, bytes_max)

    def take_nowait(self, items_max: int = 1 << 30, bytes_max: int = 1 << 62) -> list[T]:
        """Return what is pending, possibly nothing, up to the limits given (the first always fits)."""
        taken: list[T] = []
        total = 0
        while self._queue and len(taken) < items_max:
            item, size = self._queue[0]
            if taken and total + size > bytes_max:
                break
            self._queue.popleft()
            self.bytes -= size
            total += size
            taken.append(item)
        return taken

    def close(self) -> None:
        """Refuse further items; what is pending may still be taken."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
