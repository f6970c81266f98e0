"""Who in an edge follows what: several parts of it may follow one channel, and the feed follows it once.

Each part begins at an offset of its own and is given every persisted event after it, in order. It may be given events
that it has: when another part begins lower, the feed goes back. It is given events of channels that others follow, too.
Both cost it one look into its own table; nothing is kept here for a channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from parley.event.v1 import event_pb2 as event_pb


class Feed(Protocol):
    """What is used of svc.feed: the persisted events of a followed channel, each once and in order."""

    def follow(self, channel_id: str, after: int) -> None:
        """Have every event of a channel after offset `after` delivered, or count one more interest."""
        ...

    def unfollow(self, channel_id: str) -> None:
        """Count one interest less; after the last one, have no more of them."""
        ...

    def rewind(self, channel_id: str, after: int) -> None:
        """Have events after `after` delivered again."""
        ...

    def position(self, channel_id: str) -> int | None:
        """Return the offset up to which a channel was handed on; None when it is not followed."""
        ...


class Part(Protocol):
    """A part of the edge that follows channels. Must not wait, and must not raise."""

    def deliver(self, events: Sequence[event_pb.Event]) -> None:
        """Take persisted events, each channel's in order. Those of other channels, and known ones, are passed over."""
        ...

    def lost(self, channel_id: str, last: int) -> None:
        """Learn that events of a channel up to offset `last`, not delivered yet, can never be had."""
        ...


class Following:
    """The consumer of an edge's feed, and what its parts follow channels by."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._parts: list[Part] = []
        self.rewinds = 0
        """Times that a part began below what others had been given."""

    def add(self, part: Part) -> None:
        """Have events given to `part` as well, from now on."""
        self._parts.append(part)

    def follow(self, channel_id: str, after: int) -> None:
        """Follow a channel from offset `after` (exclusive): once for each part that does, `unfollow` must match."""
        position = self._feed.position(channel_id)
        self._feed.follow(channel_id, after)
        if position is not None and position > after:
            self.rewinds += 1
            self._feed.rewind(channel_id, after)

    def unfollow(self, channel_id: str) -> None:
        """Follow a channel no longer, for one part."""
        self._feed.unfollow(channel_id)

    def deliver(self, events: Sequence[event_pb.Event]) -> None:
        """See uplinks.Consumer. Transient events end here."""
        persisted = [event for event in events if event.offset]
        for part in self._parts:
            part.deliver(persisted)

    def lost(self, channel_id: str, last: int) -> None:
        """See uplinks.Consumer."""
        for part in self._parts:
            part.lost(channel_id, last)
