"""A stream whose requests are answered in any order: where its reader and its writer meet, on one event loop.

At most `window` requests are without an answer; beyond that the reader waits, the stream is not read, and gRPC's flow
control slows the sender down. So a sender is limited by what it has under way and by nothing else.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from svc.kit.errors import ParleyError

R = TypeVar("R")


class Replies(Generic[R]):
    """Answers on their way: the reader calls `begin` and `room`, who settles calls `answer`, the writer iterates."""

    def __init__(self, window: int) -> None:
        """Allow `window` requests (1 or more) to be unanswered at a time."""
        self._window = window
        self._open = 0
        self._answers: deque[R] = deque()
        self._bell = asyncio.Event()
        self._room = asyncio.Event()
        self._is_over = False
        self._failure: ParleyError | None = None

    def begin(self) -> None:
        """Count a request that will be answered."""
        self._open += 1

    def answer(self, response: R) -> None:
        """Send a request's answer; exactly one each."""
        self._open -= 1
        self._answers.append(response)
        self._bell.set()
        self._room.set()

    async def room(self) -> None:
        """Wait until another request may begin."""
        while self._open >= self._window:
            self._room.clear()
            await self._room.wait()

    def finish(self, failure: ParleyError | None = None) -> None:
        """Let the iteration end once all that began is answered, or raise `failure` after what is answered already."""
        self._is_over = True
        self._failure = failure
        self._bell.set()

    async def __aiter__(self) -> AsyncIterator[R]:
        while True:
            self._bell.clear()
            while self._answers:
                yield self._answers.popleft()
            if self._failure is not None:
                raise self._failure
            if self._is_over and not self._open:
                return
            await self._bell.wait()
