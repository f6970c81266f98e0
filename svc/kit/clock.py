"""Time as a value that is passed in, so that tests can own it.

Durations come from `now()`, which never goes backwards; `wall_us()` is for what people and other machines see.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from typing import Protocol


class Clock(Protocol):
    """What a component may know of time."""

    def now(self) -> float:
        """Return monotonic seconds; only differences mean anything."""
        ...

    def wall_us(self) -> int:
        """Return microseconds since the Unix epoch; may jump."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; zero and less give way to other tasks once."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        return time.monotonic()

    def wall_us(self) -> int:
        return time.time_ns() // 1000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class ManualClock:
    """A clock that moves only when told to; sleepers wake in order of their time."""

    def __init__(self, now: float = 1000.0, wall_us: int = 1_700_000_000_000_000) -> None:
        self._start = now
        self._now = now
        self._wall_us = wall_us
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> float:
        return self._now

    def wall_us(self) -> int:
        return self._wall_us + round((self._now - self._start) * 1_000_000)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        self._count += 1
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, self._count, woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Move time on by `seconds`, letting each sleeper run at its own moment on the way."""
        target = self._now + seconds
        while self._sleepers and self._sleepers[0][0] <= target:
            self._now, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
            # A woken task may sleep again within this advance: let it get that far.
            for _ in range(5):
                await asyncio.sleep(0)
        self._now = target
        await asyncio.sleep(0)
