"""Work that may wait, done in bites: no more of it in a turn of the loop than those who cannot wait hardly notice.

A request passes the loop a dozen times, for each thing that it asks of others. When a read that a hundred beginnings
shared comes back, all of them go on in the same turn, and everybody else waits for the whole of it, a dozen times. So
the coroutines of such work are driven here: each of their steps, from one wait to the next, runs at once while there
is time for it in this turn, and else in a later one, in the order in which they could have gone on. A step is never
cut; nothing is delayed while the loop has nothing else to do, but for the turns themselves.

A coroutine that is driven stays in its task: context variables, timeouts and cancellation are as without.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

__all__ = ["Bites"]

_T = TypeVar("_T")

TURN_S = 0.001
"""Of a turn of the loop, for such work: a post, with its dozen turns, waits for it some 20 ms in all."""

MEMORY = 0.05
"""How much of what is known of the length of a step is from the last one."""


class Bites:
    """Work of one loop that may wait. Bounded by its callers: each that waits is a task of theirs."""

    def __init__(
        self, turn_s: float = TURN_S, now: Callable[[], float] = time.perf_counter, one_turn_in: int = 1
    ) -> None:
        """`turn_s`: what it may take of a turn, in seconds; at least one step goes on in it. Of `one_turn_in` turns one
        is for such work, and the others are short.
        """
        self._turn_s = turn_s
        self._one_turn_in = one_turn_in
        self._rests = 0
        self._now = now
        self._line: deque[asyncio.Future[None]] = deque()
        self._is_counting = False
        self._spent_s = 0.0
        self._step_s = turn_s / 10

    def __len__(self) -> int:
        """Return how many could go on and wait."""
        return len(self._line)

    @coroutine
    def take(self, work: Coroutine[Any, Any, _T]) -> Generator[Any, Any, _T]:
        """Return what `work` returns, driving it in bites."""
        error: BaseException | None = None
        while True:
            if error is None and not self._may_go_on():
                error = yield from self._wait()
            began = self._now()
            try:
                awaited = work.send(None) if error is None else work.throw(error)
            except StopIteration as end:
                result: _T = end.value
                return result
            finally:
                self._spend(self._now() - began)
            error = None
            try:
                yield awaited
            except BaseException as thrown:
                # Whoever cancels does not wait in the line.
                error = thrown

    def _may_go_on(self) -> bool:
        if not self._is_counting:
            self._is_counting, self._spent_s = True, 0.0
            asyncio.get_running_loop().call_soon(self._turn)
        return not self._line and self._spent_s < self._turn_s

    def _wait(self) -> Generator[Any, None, BaseException | None]:
        """Wait in the line; return what was thrown meanwhile."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(place)
        try:
            yield from place
        except BaseException as thrown:
            return thrown
        return None

    def _turn(self) -> None:
        """Let those go on, in the turn that begins, for whom there is time."""
        self._rests += 1
        if self._rests < self._one_turn_in:
            asyncio.get_running_loop().call_soon(self._turn)
            return
        self._rests = 0
        self._spent_s = 0.0
        left_s = self._turn_s
        while self._line and left_s > 0.0:
            place = self._line.popleft()
            if not place.done():
                place.set_result(None)
                left_s -= self._step_s
        self._is_counting = left_s < self._turn_s
        if self._is_counting:
            asyncio.get_running_loop().call_soon(self._turn)

    def _spend(self, took_s: float) -> None:
        self._spent_s += took_s
        self._step_s += MEMORY * (took_s - self._step_s)
