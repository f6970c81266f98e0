"""One channel at its owner: which offsets were delivered, the recent ones of them, and those that came too early. Pure.

What is known of a channel is one run of offsets without a hole, `low` to `head`, all of which were delivered by this
owner. An event is judged by where it falls:

    offset      < low       not delivered here, though later ones were: delivered, subscribers sort it in
    low ..      <= head     a duplicate
    head + 1                the next one: delivered, and after it whatever was held for it
    beyond                  held until the missing ones come, `hole_wait_s` at most; then delivered with the hole

A hole that is given up starts a new run behind it, so nothing that was never delivered is ever called a duplicate. The
first event that an owner sees of a channel starts the first run: a new owner needs no history. But that event may be a
late one, behind others that the owner before took. So a state vouches for its head only from the first event on that
was committed after the channel was adopted: whatever is newer than that one came here too. All of it is gone with the
process, and rebuilt by what is published next; the log in the database is the truth.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from svc.channel.config import TailLimits
from svc.channel.rows.plain import Run


class Accepted(NamedTuple):
    """What becomes of an event: the encoded events to deliver now, in order; or why there are none."""

    deliver: Sequence[bytes]
    duplicate: bool = False
    held: bool = False


_DUPLICATE = Accepted((), duplicate=True)
_HELD = Accepted((), held=True)


class ChannelState:
    """Offsets, tail and early events of one channel. Made when an event arrives; an idle channel has none.

    `slot` and `born` (the ownership generation it was made in) belong to the table, which keeps them here.
    Tail: at most `tail_events_max` events and `tail_channel_bytes_max` bytes; early ones: `held_events_max`.
    """

    __slots__ = ("_early", "_limits", "_tail", "_vouch_us", "born", "head", "low", "slot", "tail_bytes")

    def __init__(
        self, limits: TailLimits, first_offset: int, slot: int = 0, born: int = 0, adopted_us: int = 0
    ) -> None:
        """Begin just before `first_offset`, the offset of the first event that will be accepted.

        `adopted_us`: events committed at that time (Unix microseconds) or later can have gone to no owner before.
        """
        self._limits = limits
        self._vouch_us = adopted_us
        self._tail: deque[bytes] = deque()
        self._early: dict[int, tuple[bytes, float]] | None = None
        self.low = first_offset
        self.head = first_offset - 1
        self.tail_bytes = 0
        self.slot = slot
        self.born = born

    @classmethod
    def resumed(cls, limits: TailLimits, run: Run, slot: int, adopted_us: int) -> ChannelState:
        """Go on with a run that was at rest: its tail is gone, all else is as it was."""
        state = cls(limits, run.head + 1, slot, run.born, 0 if run.is_vouched else adopted_us)
        state.low = run.low
        return state

    @property
    def held_count(self) -> int:
        """How many events wait for earlier ones."""
        return len(self._early) if self._early else 0

    @property
    def is_vouched(self) -> bool:
        """Whether the head is known to be the highest offset that was published: a young event came here."""
        return not self._vouch_us

    def accept(self, offset: int, data: bytes, now: float, commit_us: int = 0) -> Accepted:
        """Take a persisted event of `offset` >= 1, as it will be sent, at `now` (monotonic seconds)."""
        if offset == self.head + 1:
            self._append(data)
            if commit_us >= self._vouch_us:
                self._vouch_us = 0
            return Accepted((data,) if not self._early else (data, *self._ready()))
        if offset > self.head:
            return self._hold(offset, data, now)
        if offset >= self.low:
            return _DUPLICATE
        if offset == self.low - 1:
            self._prepend(data)
        return Accepted((data,))

    def due_at(self) -> float | None:
        """When the oldest early event has waited long enough; None when none waits."""
        if not self._early:
            return None
        return min(arrived for _, arrived in self._early.values()) + self._limits.hole_wait_s

    def due(self, now: float) -> list[bytes]:
        """Give up the holes before events that have waited `hole_wait_s`; return what is to be delivered, in order."""
        released: list[bytes] = []
        while (due_at := self.due_at()) is not None and due_at <= now:
            released.extend(self._leap())
        return released

    def replay(self, after: int) -> tuple[list[bytes], bool]:
        """Return the events after offset `after`, and whether they are proven to be all that was delivered after it.

        Nothing is returned when it is not proven: the tail does not reach back that far, the head is not vouched for,
        or the subscriber is ahead of this owner. It then has to compare with the log.
        """
        skip = after - (self.head - len(self._tail))
        if skip < 0 or after > self.head or self._vouch_us:
            return [], False
        return list(islice(self._tail, skip, None)), True

    def _hold(self, offset: int, data: bytes, now: float) -> Accepted:
        if self._early is None:
            self._early = {}
        self._early.setdefault(offset, (data, now))
        if len(self._early) <= self._limits.held_events_max:
            return _HELD
        # Too many to go on waiting: the first hole is given up early.
        released = self._leap()
        return Accepted(released, held=offset > self.head)

    def _leap(self) -> list[bytes]:
        """Start a new run at the first early event."""
        assert self._early
        self.low = min(self._early)
        self.head = self.low - 1
        self._tail.clear()
        self.tail_bytes = 0
        return self._ready()

    def _ready(self) -> list[bytes]:
        """Take the early events that continue the run."""
        ready: list[bytes] = []
        while self._early and (early := self._early.pop(self.head + 1, None)) is not None:
            self._append(early[0])
            ready.append(early[0])
        if not self._early:
            self._early = None
        return ready

    def _append(self, data: bytes) -> None:
        self.head += 1
        self._tail.append(data)
        self.tail_bytes += len(data)
        if len(self._tail) > self._limits.tail_events_max or self.tail_bytes > self._limits.tail_channel_bytes_max:
            self._trim()

    def _trim(self) -> None:
        limits = self._limits
        while self._tail and (
            len(self._tail) > limits.tail_events_max or self.tail_bytes > limits.tail_channel_bytes_max
        ):
            self.tail_bytes -= len(self._tail.popleft())

    def _prepend(self, data: bytes) -> None:
        """Extend the run downwards; the tail as well when it still begins where the run does and has room."""
        limits = self._limits
        has_room = (
            len(self._tail) < limits.tail_events_max and self.tail_bytes + len(data) <= limits.tail_channel_bytes_max
        )
        if len(self._tail) == self.head - self.low + 1 and has_room:
            self._tail.appendleft(data)
            self.tail_bytes += len(data)
        self.low -= 1
