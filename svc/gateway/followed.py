"""Pure: one channel that connections of this gateway follow."""

from __future__ import annotations

from svc.feed.follower import Follower
from svc.gateway.crowd import Crowd
from svc.gateway.members import Member
from svc.gateway.prefetch.audience import Audience


class Channel:
    """Who follows it: those who are level with it, and each of the others with a follower of its own."""

    __slots__ = ("audience", "id", "members", "position", "waiting")

    def __init__(self, channel_id: str, position: int) -> None:
        self.id = channel_id  # the one string that all who follow it have
        self.position = position  # offset up to which events went through this hub
        self.members: Crowd[Member] = Crowd()
        self.waiting: dict[Member, Follower] | None = None
        self.audience: Audience | None = None

    def add(self, member: Member) -> None:
        """Let a connection be an ordinary member, which gets events as they come."""
        self.members.add(member)
        if member.met is not None:
            self.audience = self.audience or Audience()
            self.audience.add(member)

    def discard(self, member: Member) -> None:
        """Let it be one no longer."""
        self.members.discard(member)
        if self.audience is not None:
            self.audience.members.discard(member)
            if not self.audience.members:
                self.audience = None
