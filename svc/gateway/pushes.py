"""Pure: what an event is to those whom the hub pushes it to otherwise than as it stands."""

from __future__ import annotations

from collections.abc import Container, Iterable

from parley.event.v1 import event_pb2 as event_pb
from svc.gateway import frames
from svc.gateway.followed import Channel
from svc.gateway.members import Member, PushAll
from svc.gateway.resume import position_frame
from svc.gateway.returning import Returning


def position_of(event: event_pb.Event) -> bytes:
    """Return the frame that says that an event was passed which has nothing for clients."""
    return position_frame(event.channel_id, event.offset)


def push_position(event: event_pb.Event, members: Iterable[Member]) -> None:
    """Tell those who keep positions of an event that has nothing for clients."""
    frame = position_of(event)
    for member in members:
        if member.is_aware:
            member.push(frame)


def push_transient(event: event_pb.Event, channel: Channel, returning: Container[Member], push_all: PushAll) -> int:
    """Push an event that is never stored; return to how many. Who is `returning` may not be welcome."""
    frame, pushed = frames.text_frame(event.payload), 0
    for members in (channel.members, channel.waiting or ()):
        # A typist's own devices have nothing to show.
        others = [member for member in members if member.user_id != event.sender_id]
        if returning:
            others = [member for member in others if member not in returning]
        pushed += push_all(others, frame, None)
    return pushed


def push_returning(event: event_pb.Event, member: Member, returning: Returning) -> None:
    """Apply an event of the own channel of a session that returns, and tell it if its client lacks it."""
    if event.HasField("revocation"):
        member.revoke(event.revocation.token_prefixes)
    if event.HasField("subscription_change"):
        for frame in returning.change(event.offset, event.subscription_change):
            member.push(frame)
    if event.offset > returning.own:
        member.push(frames.text_frame(event.payload) if event.payload else position_of(event))
