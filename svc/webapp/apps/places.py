"""Pure: how far an app has come in each channel that it follows: what was read, and what was delivered.

What is read is in the app's hands only when it says so, and what comes later may be there sooner. So the durable place
of a channel is below its first event that is still under way. What it lacks is delivered again after a death.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from parley.gateway.v1 import resume_pb2

__all__ = ["Places", "pack", "unpack"]


def pack(positions: Iterable[tuple[str, int]]) -> bytes:
    """Return positions as they are kept: a resume token's, without its armour. 100,000 are some 1.5 MB."""
    told = list(positions)
    message = resume_pb2.Positions(channel_ids=[each for each, _ in told], offsets=[offset for _, offset in told])
    return zlib.compress(message.SerializeToString(), 1)


def unpack(place: bytes) -> dict[str, int]:
    """Return what `pack` was given."""
    message = resume_pb2.Positions.FromString(zlib.decompress(place))
    return dict(zip(message.channel_ids, message.offsets, strict=True))


class _Place:
    """One channel."""

    __slots__ = ("head", "read", "under_way")

    def __init__(self, after: int) -> None:
        self.read = after
        self.head = after
        self.under_way: dict[int, int] = {}
        """How much is still under way of each event, by offset, in order."""


class Places:
    """The channels of one app. Some 200 bytes each."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._behind: dict[str, None] = {}
        self.is_changed = False
        """Whether `positions` has changed since this was last set to False."""

    def __contains__(self, channel_id: str) -> bool:
        return channel_id in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._places))

    def __len__(self) -> int:
        return len(self._places)

    def start(self, channel_id: str, after: int, head: int = 0) -> None:
        """Follow a channel from offset `after` (exclusive); everything up to `head` is in the log already."""
        self._places[channel_id] = _Place(after)
        self._behind.pop(channel_id, None)
        self.is_changed = True
        self.reaches(channel_id, head)

    def stop(self, channel_id: str) -> None:
        """Follow a channel no longer; what is under way of it does not count any more."""
        self.is_changed |= self._places.pop(channel_id, None) is not None
        self._behind.pop(channel_id, None)

    def read(self, channel_id: str) -> int:
        """Return the offset up to which a followed channel was read."""
        return self._places[channel_id].read

    def reaches(self, channel_id: str, offset: int) -> None:
        """Note that a channel has an event at this offset."""
        place = self._places.get(channel_id)
        if place is not None and offset > place.head:
            place.head = offset
            self._behind[channel_id] = None

    def level(self, channel_id: str) -> None:
        """There is no more of a channel than was read, whatever was said."""
        place = self._places.get(channel_id)
        if place is not None:
            place.head = place.read
            self._behind.pop(channel_id, None)

    def is_next(self, channel_id: str, offset: int) -> bool:
        """Tell whether an event is the one to read now."""
        place = self._places.get(channel_id)
        return place is not None and offset == place.read + 1

    def is_read(self, channel_id: str, offset: int) -> bool:
        """Tell whether an event is of no more interest."""
        place = self._places.get(channel_id)
        return place is None or offset <= place.read

    def take(self, channel_id: str, offset: int, parts: int) -> None:
        """Read a channel up to this offset; `parts` things are to be delivered of its event there, perhaps none."""
        place = self._places[channel_id]
        place.read = offset
        place.head = max(place.head, offset)
        if place.head == offset:
            self._behind.pop(channel_id, None)
        if parts:
            place.under_way[offset] = parts
        self.is_changed = True

    def done(self, channel_id: str, offset: int) -> None:
        """One thing of an event was delivered, or given up."""
        place = self._places.get(channel_id)
        if place is None or offset not in place.under_way:
            return
        place.under_way[offset] -= 1
        if not place.under_way[offset]:
            del place.under_way[offset]
            self.is_changed = True

    def behind(self, limit: int) -> dict[str, int]:
        """Return at most `limit` channels that have more than was read, each with what was; who waited comes first."""
        found = {each: self._places[each].read for each, _ in zip(self._behind, range(limit), strict=False)}
        for channel_id in found:
            self._behind[channel_id] = self._behind.pop(channel_id)
        return found

    @property
    def is_behind(self) -> bool:
        """Whether a channel has more than was read."""
        return bool(self._behind)

    def positions(self) -> Iterator[tuple[str, int]]:
        """Yield each channel with the offset up to which everything of it was delivered."""
        for channel_id, place in self._places.items():
            first = next(iter(place.under_way), None)
            yield channel_id, place.read if first is None else first - 1
