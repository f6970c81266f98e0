"""Pure: what there are many of, kept small: the members of a channel, and the channels of a member.

A set of twenty has room for 128 and takes 2 KB; each of twenty thousand connections has such a set of channels and
stands in twenty sets of members. A list in order takes 8 bytes each; to be found costs a microsecond, and to come or go
a move of what lies above: 20 us in a channel of 50,000.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import Protocol, TypeVar

_ID = attrgetter("id")


class Named(Protocol):
    """What there is one of by its id."""

    @property
    def id(self) -> str:
        """Unique among its like."""
        ...


Each = TypeVar("Each", bound=Named)


class Crowd(list[Each]):
    """Each at most once, in the order of their ids. To be changed by `add` and `discard` alone."""

    __slots__ = ()

    def add(self, each: Each) -> None:
        """Take one in; harmless when it is there."""
        place = self._place(each)
        if place == len(self) or self[place].id != each.id:
            self.insert(place, each)

    def discard(self, each: Each) -> None:
        """Leave one out; harmless when it is not there."""
        place = self._place(each)
        if place < len(self) and self[place] is each:
            del self[place]

    def _place(self, each: Each) -> int:
        # Whoever comes last has mostly the highest number.
        if not self or self[-1].id < each.id:
            return len(self)
        return bisect_left(self, each.id, key=_ID)


class Ids(list[str]):
    """Ids, each at most once, in order. To be changed by `add` and `discard` alone."""

    __slots__ = ()

    def __contains__(self, each: object) -> bool:
        if not isinstance(each, str):
            return False
        place = bisect_left(self, each)
        return place < len(self) and self[place] == each

    def add(self, each: str) -> None:
        """Take one in; harmless when it is there."""
        place = bisect_left(self, each)
        if place == len(self) or self[place] != each:
            self.insert(place, each)

    def discard(self, each: str) -> None:
        """Leave one out; harmless when it is not there."""
        place = bisect_left(self, each)
        if place < len(self) and self[place] == each:
            del self[place]
