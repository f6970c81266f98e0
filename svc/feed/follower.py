"""One reader of one channel: what it has, what it holds above a hole, and when to read the log. Pure; time is told.

Offsets of a channel are dense, so every doubt is settled by arithmetic:

    offset <= last      seen before: dropped
    offset == last + 1  handed on
    offset >  last + 1  held, and the hole below it is read from the log

The log has every persisted event before anyone is told of it, so an event that cannot be held (a limit) is not lost:
its offset is remembered, and the log is read up to it. Only retention can lose events; then the reader is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parley.event.v1 import event_pb2 as event_pb

HOLE_PATIENCE_S = 0.1
"""Seconds to wait for a missing event before reading the log: two streams of a moving channel race by milliseconds."""

READ_BACKOFF_S = (0.1, 0.2, 0.4, 0.8, 1.0)
"""Seconds between reads of a log that brought nothing new, by try; the last one repeats."""

IDLE_READS_MAX = 12
"""Reads without progress after which a hole is declared lost: 10 s. What is committed is in the log: a defect."""


class HoldBudget:
    """How much may be held above holes, over all followers that share it."""

    __slots__ = ("bytes", "bytes_max", "events_max")

    def __init__(self, events_max: int = 256, bytes_max: int = 32 * 1024 * 1024) -> None:
        """Hold at most `events_max` events a channel and `bytes_max` payload bytes over all of them."""
        self.events_max = events_max
        self.bytes_max = bytes_max
        self.bytes = 0


@dataclass(frozen=True, slots=True)
class Handed:
    """What a log read made deliverable: events in order, and whether some before them can never be had."""

    events: Sequence[event_pb.Event]
    is_loss: bool = False


class _Gap:
    """What is missing from one channel, and when to read for it."""

    __slots__ = ("due_at", "head", "held", "idle_reads", "is_reading")

    def __init__(self, due_at: float) -> None:
        self.due_at = due_at
        self.head = 0  # highest offset known to exist
        self.held: dict[int, event_pb.Event] = {}
        self.idle_reads = 0
        self.is_reading = False


class Follower:
    """One reader of one channel: hands on each persisted event once, in offset order, from `after` on."""

    __slots__ = ("_budget", "_gap", "last")

    def __init__(self, after: int, budget: HoldBudget) -> None:
        """Begin after offset `after`: everything up to it is had."""
        self.last = after
        self._budget = budget
        self._gap: _Gap | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is known to be missing."""
        return self._gap is None

    @property
    def due_at(self) -> float | None:
        """When to read the log after `last`; None when nothing is missing or a read is under way."""
        return None if self._gap is None or self._gap.is_reading else self._gap.due_at

    def take(self, event: event_pb.Event, now: float) -> Sequence[event_pb.Event]:
        """Return what may be handed on now that the persisted `event` has come: often just it, or nothing."""
        offset = event.offset
        if offset <= self.last:
            return ()
        if offset > self.last + 1:
            self._hold(event, now)
            return ()
        self.last = offset
        if self._gap is None:
            return (event,)
        return [event, *self._release()]

    def miss(self, head: int, due_at: float) -> None:
        """Learn that events up to `head` exist; if any is missing, it is to be read from the log at `due_at`."""
        if head > self.last:
            gap = self._open(due_at)
            gap.head = max(gap.head, head)
            gap.due_at = min(gap.due_at, due_at)

    def reading(self) -> int:
        """Note that the log is being read after `last`, which is returned; `read` or `failed` must follow."""
        if self._gap is not None:
            self._gap.is_reading = True
        return self.last

    def read(self, log: Sequence[event_pb.Event], head: int, is_truncated: bool, now: float) -> Handed:
        """Return what a log read makes deliverable; `log` is in offset order, `head` the highest offset it knows.

        A loss (`is_truncated`, or a hole that the log never fills) moves `last` over what is gone.
        """
        before = self.last
        is_loss = is_truncated and self._skip_to(log[0].offset if log else head + 1)
        handed: list[event_pb.Event] = []
        for event in log:
            if event.offset == self.last + 1:
                self.last = event.offset
                handed.append(event)
        gap = self._gap
        if gap is not None or head > self.last:
            gap = gap or self._open(now)
            gap.head = max(gap.head, head)
            gap.is_reading = False
            self._forget_below(self.last + 1)
            handed.extend(self._release())
            is_loss = self._schedule(gap, now, self.last > before, handed) or is_loss
        return Handed(handed, is_loss)

    def failed(self, now: float) -> None:
        """Note that the log could not be read; try again later, for as long as it takes."""
        if self._gap is not None:
            self._gap.is_reading = False
            self._gap.due_at = now + READ_BACKOFF_S[-1] / 2

    def close(self) -> None:
        """Give back what is held."""
        if self._gap is not None:
            self._budget.bytes -= sum(len(event.payload) for event in self._gap.held.values())
            self._gap = None

    def _open(self, due_at: float) -> _Gap:
        if self._gap is None:
            self._gap = _Gap(due_at)
        return self._gap

    def _hold(self, event: event_pb.Event, now: float) -> None:
        gap = self._open(now + HOLE_PATIENCE_S)
        gap.head = max(gap.head, event.offset)
        size, budget = len(event.payload), self._budget
        if event.offset in gap.held or len(gap.held) >= budget.events_max or budget.bytes + size > budget.bytes_max:
            return
        gap.held[event.offset] = event
        budget.bytes += size

    def _release(self) -> list[event_pb.Event]:
        """Return the held events that follow `last` without a hole; close the gap when nothing more is known."""
        gap = self._gap
        if gap is None:
            return []
        run: list[event_pb.Event] = []
        while gap.held and (event := gap.held.pop(self.last + 1, None)) is not None:
            self._budget.bytes -= len(event.payload)
            self.last = event.offset
            run.append(event)
        if self.last >= gap.head:
            self.close()
        return run

    def _skip_to(self, first: int) -> bool:
        """Give up what lies below offset `first`; return whether anything did."""
        if first <= self.last + 1:
            return False
        self.last = first - 1
        self._forget_below(first)
        return True

    def _forget_below(self, first: int) -> None:
        held = self._gap.held if self._gap is not None else {}
        for offset in [offset for offset in held if offset < first]:
            self._budget.bytes -= len(held.pop(offset).payload)

    def _schedule(self, gap: _Gap, now: float, is_progress: bool, handed: list[event_pb.Event]) -> bool:
        """Decide when to read again; return whether the hole had to be given up."""
        if self._gap is None:
            return False
        gap.idle_reads = 0 if is_progress else gap.idle_reads + 1
        if gap.idle_reads <= IDLE_READS_MAX:
            step = min(gap.idle_reads, len(READ_BACKOFF_S))
            gap.due_at = now if is_progress else now + READ_BACKOFF_S[step - 1]
            return False
        self._skip_to(min(gap.held, default=gap.head + 1))
        handed.extend(self._release())
        return True
