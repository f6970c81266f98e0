"""Pure: how far conversations have come: head and newest message by channel, as events tell it, the idlest forgotten.

A table of columns: 33 bytes a conversation, and its place by id (100 bytes, the id's text shared with the feed). A
conversation is forgotten by the clock rule (second chance): a hand goes round the table, past those that were asked for
since it came by last. That is nearly the least recently used one, without a list to keep in order.
"""

from __future__ import annotations

from array import array
from typing import NamedTuple


class Far(NamedTuple):
    """How far a conversation has come."""

    head: int
    """Its highest offset; 0 before the first event."""
    latest_us: int
    """ts of the newest message that its readers have to read, in microseconds; 0 for none."""


class Conversations:
    """At most `limit` conversations."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._places: dict[str, int] = {}
        self._ids: list[str | None] = []
        self._heads = array("Q")
        self._latest = array("q")
        self._read_at = array("d")
        self._asked = bytearray()
        self._free: list[int] = []
        self._hand = 0
        self.evicted = 0
        """Conversations forgotten for want of room."""

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, channel_id: str) -> bool:
        return channel_id in self._places

    def asked(self, channel_id: str) -> tuple[Far, float] | None:
        """Return how far a conversation has come and when it was read last, and keep it longer; None: not held."""
        place = self._places.get(channel_id)
        if place is None:
            return None
        self._asked[place] = 1
        return Far(self._heads[place], self._latest[place]), self._read_at[place]

    def read(self, channel_id: str, far: Far, began_at: float) -> str | None:
        """Take what a read found that began at `began_at` (monotonic seconds); events may have told more meanwhile.

        Returns the id of the conversation that had to be forgotten for this one, if any.
        """
        place, gone = self._places.get(channel_id), None
        if place is None:
            place, gone = self._room()
            self._places[channel_id] = place
            self._ids[place] = channel_id
            self._asked[place] = 1
            self._heads[place] = self._latest[place] = 0
        if far.head >= self._heads[place]:
            self._heads[place], self._latest[place] = far
        self._read_at[place] = began_at
        return gone

    def take(self, channel_id: str, offset: int, message_us: int, left_us: int | None = None) -> bool:
        """Take an event; `message_us` is 0 for one that adds no message, `left_us` the newest message that one leaves
        which takes the newest away. False when events before it are missing.
        """
        place = self._places.get(channel_id)
        if place is None or offset <= self._heads[place]:
            return True
        if offset > self._heads[place] + 1:
            return False
        self._heads[place] = offset
        if left_us is not None:
            self._latest[place] = left_us
        if message_us > self._latest[place]:
            self._latest[place] = message_us
        return True

    def head(self, channel_id: str) -> int | None:
        """Return the highest offset known of a conversation; None when it is not held."""
        place = self._places.get(channel_id)
        return None if place is None else self._heads[place]

    def forget(self, channel_id: str) -> bool:
        """Forget a conversation; return whether it was held."""
        place = self._places.pop(channel_id, None)
        if place is None:
            return False
        self._ids[place] = None
        self._free.append(place)
        return True

    def _room(self) -> tuple[int, str | None]:
        """Return a free place, and who had to leave for it."""
        if self._free:
            return self._free.pop(), None
        if len(self._ids) < self._limit:
            self._ids.append(None)
            self._heads.append(0)
            self._latest.append(0)
            self._read_at.append(0.0)
            self._asked.append(0)
            return len(self._ids) - 1, None
        while self._asked[self._hand]:
            self._asked[self._hand] = 0
            self._hand = (self._hand + 1) % self._limit
        place = self._hand
        self._hand = (place + 1) % self._limit
        gone = self._ids[place]
        assert gone is not None, "a place is free or held"
        del self._places[gone]
        self.evicted += 1
        return place, gone
