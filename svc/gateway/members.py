"""Pure: what the hub knows of those around it: the connections above, and the feed below."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from parley.event.v1 import event_pb2 as event_pb
from svc.gateway.crowd import Ids
from svc.gateway.prefetch.memory import HeldOutput, Met


class Member(Protocol):
    """What the hub needs to know of a connection."""

    @property
    def id(self) -> str:
        """Unique over all gateways and starts; events name it as their origin."""
        ...

    @property
    def user_id(self) -> str:
        """Whose it is."""
        ...

    @property
    def is_aware(self) -> bool:
        """Whether it keeps positions, and is told of them."""
        ...

    @property
    def team_id(self) -> str:
        """Its user's workspace."""
        ...

    @property
    def met(self) -> Met | None:
        """The users whom it has; None when it does not want them before they appear."""
        ...

    @property
    def channels(self) -> Ids:
        """The channels that it follows; kept by the hub."""
        ...

    def push(self, frame: bytes) -> None:
        """Write an encoded frame soon. Must not raise."""
        ...

    def revoke(self, token_prefixes: Iterable[bytes]) -> None:
        """End soon if it was begun with one of these tokens, by the first bytes of their hashes. Must not raise."""
        ...

    def hold(self) -> HeldOutput:
        """Write nothing from here on until `release`; the same again while it is held."""
        ...

    def release(self, held: HeldOutput) -> None:
        """Write what was held. Harmless when it is over already."""
        ...


PushAll = Callable[[Iterable[Member], bytes, Member | None], int]
"""Pushes a frame to all of these but one; returns to how many. The way of every event, so a gateway has it in C."""


def push_each(members: Iterable[Member], frame: bytes, but: Member | None) -> int:
    """Be a PushAll, one after the other."""
    others = [member for member in members if member is not but]
    for member in others:
        member.push(frame)
    return len(others)


class Onlooker(Protocol):
    """Who hears of events as they pass, before the connections do. Must not raise."""

    def introduce(self, event: event_pb.Event, user_ids: Iterable[str], members: Iterable[Member]) -> bool:
        """Push these users to those of the members who lack them; return whether all have them then."""
        ...

    def passed(self, event: event_pb.Event) -> None:
        """Learn from an event of a followed channel; each once, and in order."""
        ...

    def unfollowed(self, channel_id: str) -> None:
        """Hear no more of a channel, or of events that are gone."""
        ...

    def moved(self, member: Member) -> None:
        """Learn that what a connection follows has changed."""
        ...


class Follows(Protocol):
    """The feed below (see feed.Feed)."""

    def follow(self, channel_id: str, after: int) -> None:
        """Follow a channel from `after`."""
        ...

    def unfollow(self, channel_id: str) -> None:
        """Follow it no longer."""
        ...

    def is_level(self, channel_id: str) -> bool:
        """Tell whether all that its owner has of a followed channel was handed on (see Feed.is_level)."""
        ...
