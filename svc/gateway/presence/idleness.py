"""Pure: whose time of doing nothing is over, found without looking at everybody.

Each one waits in the bucket of the second in which it may become idle, and is looked at when that comes: then it is
idle, or has done something meanwhile and waits anew. So each is looked at about once in `idle_s`, and a bucket holds
what is due at once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Sitter = TypeVar("Sitter", bound=Hashable)

BUCKETS = 1_800
"""Buckets in the time after which one is idle: with the usual half hour, one a second."""


class Idleness(Generic[Sitter]):
    """Those who are not idle, by when they may be. One entry each, and nothing of those who left."""

    def __init__(self, idle_s: float, active_at: Callable[[Sitter], float], now: float) -> None:
        """Call idle whoever did nothing for `idle_s` seconds, or up to an 1,800th of that more, by `active_at`."""
        self._idle_s = idle_s
        self._width_s = idle_s / BUCKETS
        self._active_at = active_at
        self._buckets: dict[int, set[Sitter]] = {}
        self._bucket_of: dict[Sitter, int] = {}
        self._next = self._number(now)

    def __len__(self) -> int:
        return len(self._bucket_of)

    def enter(self, sitter: Sitter) -> None:
        """Watch somebody who is not idle, from when it was last active; harmless for who is watched already."""
        if sitter not in self._bucket_of:
            # The bucket after the one it falls into: whoever is looked at is due.
            number = max(self._next, self._number(self._active_at(sitter) + self._idle_s) + 1)
            self._bucket_of[sitter] = number
            self._buckets.setdefault(number, set()).add(sitter)

    def leave(self, sitter: Sitter) -> None:
        """Watch somebody no longer; harmless for who is not watched."""
        number = self._bucket_of.pop(sitter, None)
        if number is not None:
            bucket = self._buckets[number]
            bucket.discard(sitter)
            if not bucket:
                del self._buckets[number]

    def due(self, now: float) -> list[Sitter]:
        """Return who has become idle, and watch them no longer."""
        idle: list[Sitter] = []
        last = self._number(now)
        for number in self._due_numbers(last):
            for sitter in self._buckets.pop(number):
                del self._bucket_of[sitter]
                if now - self._active_at(sitter) >= self._idle_s:
                    idle.append(sitter)
                else:
                    self.enter(sitter)
        self._next = max(self._next, last + 1)
        return idle

    def _due_numbers(self, last: int) -> list[int]:
        """Return the buckets up to `last` that hold somebody; after a long pause that is looked up from their side."""
        if last - self._next < len(self._buckets):
            return [number for number in range(self._next, last + 1) if number in self._buckets]
        return [number for number in self._buckets if number <= last]

    def _number(self, at: float) -> int:
        return int(at / self._width_s)
