"""What follows a commit in its own process, in order: caches forget what changed, events go out, writers are told.

Publishing waits for the caches, so whoever hears of a change by an event and then reads finds it, and so the outbox's
rows are still there when this process dies in between: another webapp's sweeper then forgets for it and goes on.
Batches that are committed while the caches are being told are told together: one round trip for all of them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from parley.event.v1 import event_pb2
from svc.webapp.commit.log import Committed, Write

__all__ = ["Aftermath", "Batch", "Forget", "Publish"]

BATCHES_MAX = 32
"""Committed batches that wait; at it the lane waits as well. Forgetting is bounded in time, see `cache`."""

Forget = Callable[[Sequence[Write]], Awaitable[None]]
"""Makes the caches forget what writes changed. Never fails."""
Publish = Callable[[Sequence[event_pb2.Event]], None]
"""Where committed events go, in the order of their commit; must not block or raise."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One committed transaction."""

    writes: Sequence[Write]
    results: Sequence[Committed | Exception]
    tell: Callable[[Sequence[Committed | Exception] | None], None]
    """Gives the writers their results; None when this process stops before it got there."""


class Aftermath:
    """One lane's commits on their way out."""

    def __init__(self, publish: Publish, *, has_caches: bool) -> None:
        """Without caches nothing waits, and nobody has to `run` it."""
        self._publish = publish
        self._has_caches = has_caches
        self._batches: deque[Batch] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def follow(self, batch: Batch) -> None:
        """Take a batch that was just committed; returns at once unless BATCHES_MAX are waiting."""
        if not self._has_caches:
            self._let_go(batch)
            return
        self._batches.append(batch)
        self._arrived.set()
        if len(self._batches) >= BATCHES_MAX:
            self._room.clear()
            await self._room.wait()

    async def run(self, forget: Forget) -> None:
        """Finish what is committed, for ever."""
        while True:
            await self._arrived.wait()
            count = len(self._batches)
            await forget([write for batch in self._batches for write in _changing(batch)])
            for _ in range(count):
                self._let_go(self._batches.popleft())
            if not self._batches:
                self._arrived.clear()
            self._room.set()

    def abandon(self) -> None:
        """Let go of the writers; called when nothing runs any more. Sweepers of other webapps do the rest."""
        while self._batches:
            self._batches.popleft().tell(None)

    def _let_go(self, batch: Batch) -> None:
        events = [event for result in batch.results if isinstance(result, Committed) for event in result.events]
        if events:
            self._publish(events)
        batch.tell(batch.results)


def _changing(batch: Batch) -> list[Write]:
    """Return the writes that are true. A duplicate's first write may be of a process that died before it forgot."""
    return [
        write
        for write, result in zip(batch.writes, batch.results, strict=True)
        if isinstance(result, Committed) and not result.refused
    ]
