"""Who may use one of a keyspace's connections: so many at once, a bounded line behind them, a bounded wait in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from svc.kit.errors import ResourceExhaustedError, UnavailableError

__all__ = ["Admission"]


class Admission:
    """The line before one keyspace's connections."""

    def __init__(self, keyspace: str, slots_max: int, waiting_max: int, acquire_s: float) -> None:
        """`waiting_max` callers may wait for one of `slots_max` slots, each for `acquire_s`."""
        self._keyspace = keyspace
        self._slots_max = slots_max
        self._waiting_max = waiting_max
        self._acquire_s = acquire_s
        self._slots = asyncio.Semaphore(slots_max)
        self._waiting = 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a slot for the block.

        Raises ResourceExhaustedError (too many wait), UnavailableError (none came free in time); nothing was done then.
        """
        await self._acquire()
        try:
            yield
        finally:
            self._slots.release()

    async def _acquire(self) -> None:
        if self._slots.locked() and self._waiting >= self._waiting_max:
            raise ResourceExhaustedError(
                f"{self._keyspace} keyspace: too many wait for a connection",
                subject=self._keyspace,
                limit=self._waiting_max,
                actual=self._waiting,
                retry_after_s=1.0,
            )
        self._waiting += 1
        try:
            async with asyncio.timeout(self._acquire_s):
                await self._slots.acquire()
        except TimeoutError as error:
            raise UnavailableError(
                f"{self._keyspace} keyspace: no connection in {self._acquire_s:g} s",
                subject=self._keyspace,
                limit=self._slots_max,
                actual=self._waiting,
            ) from error
        finally:
            self._waiting -= 1
