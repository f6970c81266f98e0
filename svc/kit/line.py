"""Pure: who comes next when not all can be served, and who is told at once that he will not be.

Slots, and a line before them. Classes are ranks from 0, the most important, and:

- a class may fill the slots up to its share and leaves the rest to those above it, so that what matters most does not
  wait behind a wall of what matters less;
- a slot that comes free goes to the highest class that may take it. Within a class the first comes first, as long as
  its line was empty at some moment of the last `standing_s`. After that the class is *pressed*: the newest comes first,
  and whoever has waited longer than `pressed_s` is shed. Most who wait long have left; serving them in order serves
  nobody in time (adaptive LIFO and controlled delay: Maurer, "Fail at Scale", ACM Queue 13(8), 2015; after Nichols and
  Jacobson, "Controlling Queue Delay", 2012);
- while a class is pressed, those who come in a class below it are shed at once: they could only be served after it;
- when the line is full, who comes takes the place of one in the lowest class below his own, else is shed.

A class with `trickle_s` gets a slot after that time, whatever waits above it, and is never shed for those above it: for
work of our own that must go on. The others may wait for ever only while what is above them fills the store for ever,
and never wait in silence: they are told within `calm_s`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class Why(Enum):
    """Why somebody is shed."""

    FULL = "full"
    """The line has no room for his class."""
    BEHIND = "behind"
    """A class above his is pressed."""
    WAITED = "waited"
    """He has waited for as long as his class may."""
    DISPLACED = "displaced"
    """The line is full, and one of a higher class took his place."""


class Shed(Exception):
    """He may not even wait."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class ClassRules:
    """How one class is treated."""

    share: float
    """Of the slots, how many may be in use when one of this class enters; at least one."""
    waiting_share: float
    """Of the line, how many places it may take; at least one."""
    calm_s: float
    """Longest wait, as long as the class's line empties now and then."""
    pressed_s: float
    """Longest wait when it does not."""
    trickle_s: float = 0.0
    """It gets a slot after this time; 0: only when its turn comes."""


@dataclass(frozen=True, slots=True)
class Settled(Generic[T]):
    """What a change brought about."""

    granted: Sequence[T]
    """They have a slot now."""
    shed: Sequence[tuple[T, Why]]


class Line(Generic[T]):
    """Slots and the line before them. Items are hashable, each in the line once at most."""

    def __init__(self, classes: Sequence[ClassRules], waiting_max: int, standing_s: float = 0.1) -> None:
        """`classes` by rank; `waiting_max` bounds the whole line; `standing_s`: see the module."""
        self._classes = tuple(classes)
        self._waiting_max = waiting_max
        self._standing_s = standing_s
        # By rank, in the order of arrival; a dict so that whoever leaves from the middle costs nothing.
        self._lines: list[dict[T, float]] = [{} for _ in classes]
        self._clear_at = [0.0 for _ in classes]
        self._granted_at = [0.0 for _ in classes]
        self.in_use = 0

    def __len__(self) -> int:
        return sum(map(len, self._lines))

    def waiting(self, rank: int) -> int:
        """Return how many of a class wait."""
        return len(self._lines[rank])

    def is_pressed(self, rank: int, now: float) -> bool:
        """Tell whether somebody of the class waited at every moment of the last `standing_s`."""
        return bool(self._lines[rank]) and now - self._clear_at[rank] >= self._standing_s

    def pressed_s(self, rank: int, now: float) -> float:
        """Return for how long the class, or one above it, has been pressed; 0 when none is."""
        return max(
            (now - self._clear_at[above] for above in range(rank + 1) if self.is_pressed(above, now)), default=0.0
        )

    def enter(self, rank: int, limit: int, now: float) -> bool:
        """Take a slot of `limit`, if one is there for the class; False: `join`."""
        if self._lines[rank] or self.in_use >= self._slots(rank, limit):
            return False
        self.in_use += 1
        self._granted_at[rank] = now
        return True

    def join(self, item: T, rank: int, now: float) -> T | None:
        """Let `item` wait; returns whose place he took, if the line was full. Raises Shed. Then call `settle`."""
        line, rules = self._lines[rank], self._classes[rank]
        if not rules.trickle_s and any(self.is_pressed(above, now) for above in range(rank)):
            raise Shed(Why.BEHIND)
        if len(line) >= max(1, int(self._waiting_max * rules.waiting_share)):
            raise Shed(Why.FULL)
        displaced = None
        if len(self) >= self._waiting_max:
            below = next((r for r in range(len(self._lines) - 1, rank, -1) if self._lines[r]), None)
            if below is None:
                raise Shed(Why.FULL)
            displaced = next(iter(self._lines[below]))
            del self._lines[below][displaced]
        if not line:
            self._clear_at[rank] = now
        line[item] = now
        return displaced

    def leave(self, item: T, rank: int) -> bool:
        """Take `item` out of the line; False when he is no longer in it."""
        return self._lines[rank].pop(item, None) is not None

    def release(self) -> None:
        """Give a slot back. Then call `settle`."""
        self.in_use -= 1

    def settle(self, limit: int, now: float, is_gone: Callable[[T], bool]) -> Settled[T]:
        """Shed who has waited too long, give free slots away, and forget those of whom `is_gone` is true by then."""
        if not any(self._lines):
            return Settled((), ())
        shed = [(item, Why.WAITED) for rank in range(len(self._lines)) for item in self._overdue(rank, now)]
        granted = []
        while (rank := self._next_rank(limit, now)) is not None:
            item = self._take(rank, now)
            if is_gone(item):
                continue
            self.in_use += 1
            self._granted_at[rank] = now
            granted.append(item)
        return Settled(granted, shed)

    def _slots(self, rank: int, limit: int) -> int:
        return max(1, int(limit * self._classes[rank].share))

    def _overdue(self, rank: int, now: float) -> Iterator[T]:
        line, rules = self._lines[rank], self._classes[rank]
        patience_s = rules.pressed_s if self.is_pressed(rank, now) else rules.calm_s
        while line:
            item = next(iter(line))
            if now - line[item] <= patience_s:
                return
            del line[item]
            yield item

    def _next_rank(self, limit: int, now: float) -> int | None:
        if self.in_use >= limit:
            return None
        for rank, (line, rules) in enumerate(zip(self._lines, self._classes, strict=True)):
            if line and rules.trickle_s and now - self._granted_at[rank] >= rules.trickle_s:
                return rank
        for rank, line in enumerate(self._lines):
            if line and self.in_use < self._slots(rank, limit):
                return rank
        return None

    def _take(self, rank: int, now: float) -> T:
        line = self._lines[rank]
        if self.is_pressed(rank, now):
            return line.popitem()[0]
        item = next(iter(line))
        del line[item]
        return item
