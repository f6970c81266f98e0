"""Who may use a keyspace's connections now, who waits, and who is told to come back later.

The number of statements at once follows how the store answers (svc.kit.limiter), between a quarter of its connections
and all of them; the order of those who wait is svc.kit.line's, by the class of the request (svc.webapp.priority). Who
is shed had nothing done for him: ResourceExhaustedError, with a time after which to try again that grows with the time
for which there has been too much, spread so that those who were shed together do not come back together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from random import Random
from types import TracebackType

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from svc.kit.clock import Clock, SystemClock
from svc.kit.errors import ResourceExhaustedError
from svc.kit.limiter import GradientLimit, LimitRules
from svc.kit.line import ClassRules, Line, Shed, Why
from svc.webapp.priority import Priority, Turn, current

__all__ = ["RANKS", "Admission", "Slot", "observe", "rank_of", "retry_after_s"]

CLASSES: dict[Priority, ClassRules] = {
    # Long enough to ride out a hiccup, short enough that a post which needs three statements ends within the 3.5 s that
    # a gateway gives it.
    Priority.POST: ClassRules(share=1.0, waiting_share=1.0, calm_s=2.0, pressed_s=1.0),
    # One connection of eight is always soon free for a post.
    Priority.READ: ClassRules(share=0.9, waiting_share=0.5, calm_s=1.0, pressed_s=0.25),
    Priority.BOOT: ClassRules(share=0.65, waiting_share=0.25, calm_s=0.5, pressed_s=0.1),
    Priority.TRANSIENT: ClassRules(share=0.5, waiting_share=0.125, calm_s=0.2, pressed_s=0.05),
    # A statement a second is a thousandth of what a store does, and enough to keep up with what grows.
    Priority.BACKGROUND: ClassRules(share=0.25, waiting_share=1 / 64, calm_s=30.0, pressed_s=30.0, trickle_s=1.0),
}
"""How each class waits for a connection. Shares are of the connections that are allowed at the time."""

RANKS = tuple(
    rules
    for _, each in sorted(CLASSES.items())
    # What was begun before what is new: a request that is shed half-way was work for nothing, and with three uses of a
    # store to a request, shedding at random lets one in twenty-seven through when one in three fits.
    for rules in (replace(each, pressed_s=each.calm_s), each)
)
"""The ranks of the line: for each class, those of whom a store has done something already, and those who are new."""

RETRY_AFTER_MAX_S: dict[Priority, float] = {
    # Node's client holds everything back for as long as it is told for one call.
    Priority.POST: 5.0,
    Priority.READ: 5.0,
    Priority.BOOT: 30.0,
    Priority.TRANSIENT: 30.0,
    Priority.BACKGROUND: 30.0,
}


SLOW_SHARE = 0.75
"""Of the connections: the limit goes below it when a store has been slower than it used to be for some windows."""


def retry_after_s(priority: Priority, pressed_s: float, rng: Random) -> float:
    """Return when to try again what was shed after `pressed_s` of too much: in half to one and a half of that time."""
    return min(RETRY_AFTER_MAX_S[priority], rng.uniform(1.0, 2.0) + rng.uniform(0.5, 1.5) * pressed_s)


def rank_of(priority: Priority, has_begun: bool) -> int:
    """Return the place in RANKS."""
    return 2 * priority + (0 if has_begun else 1)


class _Waiter:
    """Somebody in the line. His future becomes None with the slot, or why he was shed."""

    __slots__ = ("future", "rank", "turn")

    def __init__(self, turn: Turn, rank: int) -> None:
        self.turn = turn
        self.rank = rank
        self.future: asyncio.Future[Why | None] = asyncio.get_running_loop().create_future()


class Admission:
    """The line before one keyspace's connections."""

    def __init__(
        self,
        keyspace: str,
        slots_max: int,
        waiting_max: int,
        acquire_s: float,
        clock: Clock | None = None,
        rng: Random | None = None,
    ) -> None:
        """At most `slots_max` uses at once; `waiting_max` may wait, `acquire_s` at most (BACKGROUND: as long as it is
        told to).
        """
        self.keyspace = keyspace
        self.clock = clock or SystemClock()
        self._rng = rng or Random()
        self._slots_max = slots_max
        self._limiter = GradientLimit(LimitRules(floor=min(slots_max, max(2, slots_max // 4)), ceiling=slots_max))
        self._ranks = [_within(rules, acquire_s) for rules in RANKS]
        self._line: Line[_Waiter] = Line(self._ranks, waiting_max)
        meter = metrics.get_meter(__name__)
        self._shed_count = meter.create_counter(
            "parley.webapp.store.shed", description="uses of a store refused, by keyspace, class and why"
        )
        self._wait_ms = meter.create_histogram(
            "parley.webapp.store.wait", unit="ms", description="wait of those who had to wait and got a connection"
        )

    @property
    def limit(self) -> int:
        """Uses allowed at once, now."""
        return self._limiter.limit

    @property
    def is_slow(self) -> bool:
        """Whether answers are so slow that a good part of the connections is not used: a quarter of them."""
        return self._limiter.is_slow and self._limiter.limit < SLOW_SHARE * self._slots_max

    @property
    def in_use(self) -> int:
        """Uses under way."""
        return self._line.in_use

    def waiting(self, priority: Priority) -> int:
        """Return how many of a class wait."""
        return sum(self._line.waiting(rank_of(priority, has_begun)) for has_begun in (False, True))

    def slot(self, *, is_measured: bool = True) -> Slot:
        """Return what holds a slot for a block: `async with admission.slot(): ...`.

        Entering raises ResourceExhaustedError. A block whose length is its caller's doing, such as a transaction, is
        not measured: it says nothing of the store.
        """
        return Slot(self, is_measured)

    async def acquire(self) -> None:
        """Take a slot, waiting for it. See `slot`."""
        turn, now = current(), self.clock.now()
        rank = rank_of(turn.priority, turn.has_begun)
        if not self._line.enter(rank, self._limiter.limit, now):
            await self._wait(_Waiter(turn, rank), now)
        turn.has_begun = True

    def release(self) -> None:
        """Give a slot back."""
        self._line.release()
        self._settle(self.clock.now())

    def learn(self, took_s: float, *, was_cut: bool) -> None:
        """Learn how long one use took; call before its `release`."""
        self._limiter.sample(took_s, self._line.in_use, self.clock.now(), was_cut=was_cut)

    async def _wait(self, waiter: _Waiter, now: float) -> None:
        priority = waiter.turn.priority
        try:
            displaced = self._line.join(waiter, waiter.rank, now)
        except Shed as shed:
            raise self._shed(priority, shed.why) from None
        if displaced is not None:
            _tell(displaced, Why.DISPLACED)
        self._settle(now)
        try:
            # The line sheds when something happens in it; this is for when nothing does.
            async with asyncio.timeout(self._ranks[waiter.rank].calm_s):
                why = await waiter.future
        except TimeoutError:
            self._forget(waiter)
            raise self._shed(priority, Why.WAITED) from None
        except BaseException:
            self._forget(waiter)
            raise
        if why is not None:
            raise self._shed(priority, why)
        self._wait_ms.record((self.clock.now() - now) * 1000, self._labels(priority))

    def _forget(self, waiter: _Waiter) -> None:
        """Take a waiter out who will not come; if he got a slot in the same moment, it goes to the next."""
        future = waiter.future
        was_waiting = self._line.leave(waiter, waiter.rank)
        if not was_waiting and future.done() and not future.cancelled() and future.result() is None:
            self.release()

    def _settle(self, now: float) -> None:
        settled = self._line.settle(self._limiter.limit, now, _is_gone)
        for waiter in settled.granted:
            _tell(waiter, None)
        for waiter, why in settled.shed:
            _tell(waiter, why)

    def _shed(self, priority: Priority, why: Why) -> ResourceExhaustedError:
        self._shed_count.add(1, {**self._labels(priority), "why": why.value})
        rank = rank_of(priority, has_begun=False)
        return ResourceExhaustedError(
            f"{self.keyspace} keyspace: overloaded, no connection for a {priority.name.lower()} ({why.value})",
            subject=f"{self.keyspace}.connections",
            limit=self._limiter.limit,
            actual=self._line.in_use + len(self._line),
            retry_after_s=retry_after_s(priority, self._line.pressed_s(rank, self.clock.now()), self._rng),
        )

    def _labels(self, priority: Priority) -> dict[str, str]:
        return {"keyspace": self.keyspace, "class": priority.name.lower()}


class Slot:
    """Holds a slot for a block, and has it measured unless told otherwise."""

    __slots__ = ("_admission", "_began", "is_measured")

    def __init__(self, admission: Admission, is_measured: bool) -> None:
        self._admission = admission
        self._began = 0.0
        self.is_measured = is_measured
        """May be set within the block, when it does something else than usual."""

    async def __aenter__(self) -> Slot:
        await self._admission.acquire()
        self._began = self._admission.clock.now()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        was_cut = isinstance(error, asyncio.CancelledError | TimeoutError)
        # Any other error came at once, or says that something else is wrong.
        if self.is_measured and (error is None or was_cut):
            self._admission.learn(self._admission.clock.now() - self._began, was_cut=was_cut)
        self._admission.release()


def observe(admissions: Sequence[Admission]) -> None:
    """Publish limits, uses and lines as OpenTelemetry gauges; once a process."""

    def reading(read: Callable[[Admission], int]) -> Callable[[CallbackOptions], Iterable[Observation]]:
        return lambda _: [Observation(read(a), {"keyspace": a.keyspace}) for a in admissions]

    def waiting(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(a.waiting(p), a._labels(p)) for a in admissions for p in Priority]

    meter = metrics.get_meter(__name__)
    meter.create_observable_gauge(
        "parley.webapp.store.limit", [reading(lambda a: a.limit)], description="uses of a store allowed at once, now"
    )
    meter.create_observable_gauge(
        "parley.webapp.store.in_use", [reading(lambda a: a.in_use)], description="uses of a store under way"
    )
    meter.create_observable_gauge(
        "parley.webapp.store.waiting", [waiting], description="who wait for a connection, by class"
    )


def _within(rules: ClassRules, acquire_s: float) -> ClassRules:
    if rules.trickle_s:
        return rules
    return replace(rules, calm_s=min(rules.calm_s, acquire_s), pressed_s=min(rules.pressed_s, acquire_s))


def _is_gone(waiter: _Waiter) -> bool:
    """Tell whether a slot would be wasted on him; if so he is told, for the sake of whoever awaits it all the same."""
    if waiter.future.done():
        return True
    if waiter.turn.is_gone():
        _tell(waiter, Why.WAITED)
        return True
    return False


def _tell(waiter: _Waiter, result: Why | None) -> None:
    if not waiter.future.done():
        waiter.future.set_result(result)
