"""Which rows of the log were read, and how far back a look at it has to go. Pure.

A commit becomes visible a moment after the time that it bears, so what lies back is looked at again. Rows of the log
never change, and go only after days: where there are as many as were read, there is none that was not. So what lies
back further than a moment is counted, and read again only where the number is another one.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from svc.webapp.store.feed_reads import LogPlace

__all__ = ["Looks", "Seen", "Span"]

NEAR_S = 0.3
"""How far each look reads again; a commit takes a few milliseconds from the time that it bears."""
GLANCE_S = 3.0
"""How far most looks count."""
WHOLE_LOOK_S = 2.0
"""Between two looks that count all of the overlap."""
SEEN_MIN = 1_000
"""Places that are remembered whatever their age: to forget them is not free either."""


class Span(NamedTuple):
    """Commit times from one up to, and without, another."""

    since_us: int
    until_us: int


class Looks:
    """Says how far back to look."""

    def __init__(self, overlap_s: float) -> None:
        """`overlap_s`: how late something may be committed, at most."""
        self._overlap_s = overlap_s
        self._whole_at = float("-inf")
        self.is_whole = False
        """Whether the look under way counts all of the overlap."""

    def begin(self, fed_until_us: int, now: float) -> Span:
        """Return what to count; its end is where reading begins if the number is right, else its beginning."""
        self.is_whole = now - self._whole_at >= WHOLE_LOOK_S
        if self.is_whole:
            self._whole_at = now
        back_s = self._overlap_s if self.is_whole else min(GLANCE_S, self._overlap_s)
        near_us = fed_until_us - int(min(NEAR_S, back_s) * 1e6)
        return Span(fed_until_us - int(back_s * 1e6), near_us)

    def forget(self) -> None:
        """Let the next look be a whole one."""
        self._whole_at = float("-inf")


class Seen:
    """Places that were read, as far back as looks go."""

    def __init__(self) -> None:
        self._places: set[LogPlace] = set()
        self._times: list[int] = []
        """Their commit times, ascending."""

    def __len__(self) -> int:
        return len(self._places)

    def fresh(self, page: Iterable[LogPlace]) -> list[LogPlace]:
        """Return those that were not read."""
        return [each for each in page if each not in self._places]

    def add(self, places: Sequence[LogPlace]) -> None:
        """Remember places that are fresh."""
        self._places.update(places)
        for each in places:
            insort(self._times, each.commit_us)

    def count(self, span: Span) -> int:
        """Return how many are of this time."""
        return bisect_left(self._times, span.until_us) - bisect_left(self._times, span.since_us)

    def forget_before(self, oldest_us: int) -> None:
        """Forget what is older, where it is worth it."""
        if len(self._places) > SEEN_MIN:
            self._places = {each for each in self._places if each.commit_us >= oldest_us}
            del self._times[: bisect_left(self._times, oldest_us)]

    def clear(self) -> None:
        """Forget all."""
        self._places.clear()
        self._times.clear()
