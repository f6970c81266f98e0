"""Which of our apps follow which channel: the feed follows each once, and all of them are told."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import orjson

from parley.event.v1 import event_pb2 as event_pb
from svc.kit.ids import ts_from_us

__all__ = ["Audience", "FollowedFeed", "Follower", "Told"]


class FollowedFeed(Protocol):
    """What is used of svc.feed."""

    def follow(self, channel_id: str, after: int) -> None:
        """Have every event of a channel after offset `after` delivered."""
        ...

    def unfollow(self, channel_id: str) -> None:
        """Have no more of them."""
        ...

    def position(self, channel_id: str) -> int | None:
        """Return the offset up to which a channel was handed on; None when it is not followed."""
        ...


class Told:
    """An event, read once for all apps that are told of it."""

    def __init__(self, event: event_pb.Event) -> None:
        self.event = event

    @cached_property
    def json(self) -> dict[str, Any]:
        """What clients get, with an `event_ts` in any case; empty when that is nothing."""
        if not self.event.payload:
            return {}
        try:
            found = orjson.loads(self.event.payload)
        except orjson.JSONDecodeError:
            return {}
        if not isinstance(found, dict):
            return {}
        found.setdefault("event_ts", found.get("ts") or ts_from_us(self.event.commit_unix_us))
        return found


class Follower(Protocol):
    """An app that follows channels. Must not wait, and must not raise."""

    def hear(self, told: Told) -> None:
        """Take a persisted event of a channel that it follows; it may have had it."""
        ...

    def reaches(self, channel_id: str, offset: int) -> None:
        """Learn that a channel that it follows has come so far, of which it was not told everything."""
        ...


class Audience:
    """The followers by channel. Consumer of the feed (see svc.feed.uplinks)."""

    def __init__(self, feed: FollowedFeed) -> None:
        self._feed = feed
        self._followers: dict[str, dict[Follower, None]] = {}
        self.events = 0
        """Persisted events that came."""

    def follow(self, follower: Follower, channel_id: str, head: int) -> None:
        """Tell `follower` of every event of a channel above `head`, and perhaps of some below."""
        followers = self._followers.get(channel_id)
        if followers is None:
            self._followers[channel_id] = {follower: None}
            self._feed.follow(channel_id, head)
            return
        followers[follower] = None
        follower.reaches(channel_id, self._feed.position(channel_id) or 0)

    def unfollow(self, follower: Follower, channel_id: str) -> None:
        """Tell `follower` no more of a channel; harmless when it does not follow it."""
        followers = self._followers.get(channel_id)
        if followers is None or followers.pop(follower, 0) == 0:
            return
        if not followers:
            del self._followers[channel_id]
            self._feed.unfollow(channel_id)

    def deliver(self, events: Sequence[event_pb.Event]) -> None:
        """See uplinks.Consumer. Transient events are not for apps."""
        for event in events:
            if not event.offset:
                continue
            self.events += 1
            told = Told(event)
            for follower in tuple(self._followers.get(event.channel_id, ())):
                follower.hear(told)

    def lost(self, channel_id: str, last: int) -> None:
        """See uplinks.Consumer. Each follower finds out by itself what the log still has."""
        for follower in self._followers.get(channel_id, ()):
            follower.reaches(channel_id, last)
