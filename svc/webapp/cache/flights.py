"""Reads of one process that are shared: one at a time a key, and nobody takes part in a read that began before he came.

Why not simply join what is under way: it may have read its row just before a write that was acked since, through this
webapp or another, and whoever came after that ack must see the write. memcached's lease only decides what is stored.
So whoever comes during a read waits for its end, and then shares the next one with all others who waited: two reads
however many come, the second of which finds what the first one stored. A key that a thousand callers miss at once is
one query and two gets in each process. A key that a hundred callers read over and over costs a fifth more processor
time than if they joined what is under way (7.2 against 5.8 us a read), and twice the wait, 0.2 ms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from svc.kit.errors import ResourceExhaustedError

__all__ = ["Flights"]

_Value = TypeVar("_Value")


class _LeaderLeft(Exception):
    """Whoever made the read for all was cancelled."""


class _Flight:
    """One read, and those who wait for it. Waiters have a future each: cancelling one must not touch the others."""

    __slots__ = ("_waiting", "is_over", "outcome")

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []
        self.outcome: Any = None
        self.is_over = False

    async def ended(self) -> None:
        """Return when it is over. Raises what it failed with: an error is never out of date."""
        if not self.is_over:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter
        if isinstance(self.outcome, Exception):
            raise self.outcome

    def end(self, outcome: Any) -> None:
        """Say what became of it: a value, or an Exception."""
        self.outcome = outcome
        self.is_over = True
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)


class Flights:
    """The reads under way, by key. Bounded by the callers: each key here has one that waits for it."""

    def __init__(self) -> None:
        self._flying: dict[str, _Flight] = {}

    async def share(self, key: str, read: Callable[[], Awaitable[_Value]]) -> _Value:
        """Return what `read`, begun now or later by whoever, found. Raises what it raised."""
        is_ours = False  # whether what flies took off after we came
        while (flying := self._flying.get(key)) is not None:
            try:
                await flying.ended()
            except _LeaderLeft:
                pass  # somebody else's turn to lead
            except ResourceExhaustedError:
                # The leader was shed for what he is; we may matter more.
                return await read()
            else:
                if is_ours:
                    shared: _Value = flying.outcome
                    return shared
            is_ours = True
        return await self._lead(key, read)

    def forget(self, key: str) -> None:
        """Let who comes from now on begin anew at once, instead of waiting for a read that began before a change."""
        self._flying.pop(key, None)

    async def _lead(self, key: str, read: Callable[[], Awaitable[_Value]]) -> _Value:
        flight = self._flying[key] = _Flight()
        try:
            value = await read()
        except BaseException as error:
            flight.end(error if isinstance(error, Exception) else _LeaderLeft())
            raise
        else:
            flight.end(value)
            return value
        finally:
            if self._flying.get(key) is flight:
                del self._flying[key]
