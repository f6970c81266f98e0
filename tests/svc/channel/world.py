"""A channel table in a world of its own: clock and fence set by hand, subscribers that write down what they get."""

from __future__ import annotations

import dataclasses
from itertools import islice
from typing import Any

from discovery.ring import Member, Ring
from parley.channel.v1 import channel_service_pb2 as channel_pb2
from parley.event.v1 import event_pb2
from svc.channel.config import FanoutLimits, PublishLimits, TailLimits
from svc.channel.fanout import Attachment, Ticket
from svc.channel.ownership import Ownership
from svc.channel.table import ChannelTable

ME = "channel-1"
FENCE_S = 1.0
LATER_US = 10**18


def event(channel_id: str, offset: int, **fields: Any) -> event_pb2.Event:
    """An event whose payload tells its place, committed long after everything else unless told otherwise."""
    fields.setdefault("payload", f"{channel_id}/{offset}".encode())
    fields.setdefault("commit_unix_us", LATER_US if offset else 0)
    return event_pb2.Event(channel_id=channel_id, offset=offset, **fields)


def ring_of(*member_ids: str) -> Ring:
    """A ring of members of equal weight."""
    return Ring(Member(member_id) for member_id in member_ids)


class HandFence:
    """A fence that is shut by hand."""

    def __init__(self) -> None:
        self.shut = False

    def is_fenced(self, now: float) -> bool:
        """Whether it is shut."""
        return self.shut


@dataclasses.dataclass
class Answer:
    """What became of a publish batch."""

    ticket: Ticket
    refusals: dict[int, str] | None = None
    """None while it has no answer."""


class World:
    """A table, its clock, its subscribers, and the publishes made so far."""

    def __init__(
        self,
        *members: str,
        tail: TailLimits | None = None,
        fanout: FanoutLimits | None = None,
        publish: PublishLimits | None = None,
    ) -> None:
        self.now = 100.0
        self.fence = HandFence()
        self.ownership = Ownership(ME, FENCE_S, lambda: round(self.now * 1_000_000), self.fence)
        self.table = ChannelTable(
            self.ownership, tail or TailLimits(), fanout or FanoutLimits(), publish or PublishLimits()
        )
        self.fanout = fanout or FanoutLimits()
        self.ring = ring_of(*(members or (ME,)))
        self.table.move(self.ring, self.now)
        self.subscribers: dict[str, Attachment] = {}
        self.answers: dict[int, Answer] = {}

    def publish(self, *events: event_pb2.Event, fingerprint: int | None = None) -> Answer:
        """Publish a batch, quoting this server's ring unless told otherwise."""
        number = len(self.answers) + 1

        def settled(ticket: Ticket) -> None:
            self.table.settled(ticket)
            self.answers[number].refusals = {
                index: channel_pb2.RefusalReason.Name(reason).removeprefix("REFUSAL_REASON_")
                for index, reason in ticket.refusals.items()
            }

        answer = self.answers[number] = Answer(Ticket(number, self.now, settled))
        quoted = self.ring.fingerprint if fingerprint is None else fingerprint
        self.table.publish(answer.ticket, events, quoted, self.now)
        return answer

    def attach(self, name: str) -> Attachment:
        """Attach a subscriber."""
        attachment = Attachment(name, "az1", self.fanout, lambda: None)
        self.table.attach(attachment)
        self.subscribers[name] = attachment
        return attachment

    def subscribe(self, name: str, *positions: tuple[str, int], fingerprint: int | None = None) -> None:
        """Subscribe one of them from (channel, offset) positions."""
        self.table.subscribe(
            self.subscribers[name],
            channel_pb2.Subscribe(
                request_number=1,
                ring_fingerprint=self.ring.fingerprint if fingerprint is None else fingerprint,
                positions=[event_pb2.ChannelPosition(channel_id=channel, offset=after) for channel, after in positions],
            ).SerializeToString(),
            self.now,
        )

    def unsubscribe(self, name: str, *channels: str) -> None:
        """Let one of them leave channels."""
        frame = channel_pb2.Unsubscribe(channel_ids=channels)
        self.table.unsubscribe(self.subscribers[name], frame.SerializeToString(), self.now)

    def following(self, name: str, *channels: str) -> Attachment:
        """Attach a subscriber that follows channels, with the answer to its subscribe read."""
        attachment = self.attach(name)
        self.subscribe(name, *((channel, 0) for channel in channels))
        self.frames(name)
        return attachment

    def frames(self, name: str) -> list[channel_pb2.AttachResponse]:
        """Take everything that its writer would send now."""
        frames = []
        while (frame := self.subscribers[name].take(self.now)) is not None:
            frames.append(
                channel_pb2.AttachResponse.FromString(frame if isinstance(frame, bytes) else frame.SerializeToString())
            )
        return frames

    def events(self, name: str) -> list[tuple[str, int]]:
        """Take the events that its writer would send now, as (channel, offset)."""
        return [(each.channel_id, each.offset) for frame in self.frames(name) for each in frame.batch.events]

    def ack(self, name: str, number: int) -> None:
        """Acknowledge batches up to a number."""
        self.subscribers[name].tracker.ack(number, self.now)

    def ack_all(self, name: str) -> None:
        """Acknowledge everything sent so far."""
        tracker = self.subscribers[name].tracker
        self.ack(name, tracker.last_batch)

    def pass_time(self, seconds: float, step_s: float = 0.05) -> None:
        """Let time pass, with a tick each `step_s`."""
        end = self.now + seconds
        while self.now < end - 1e-9:
            self.now = min(end, self.now + step_s)
            self.table.tick(self.now)

    def move(self, *members: str) -> None:
        """Change the ring."""
        self.ring = ring_of(*members)
        self.table.move(self.ring, self.now)


def owned_by(member_id: str, ring: Ring, count: int = 1, prefix: str = "C") -> list[str]:
    """Some channel ids that a member owns."""
    found = (f"{prefix}{number:010d}" for number in range(1_000_000))
    return list(islice((channel for channel in found if ring.owner(channel) == member_id), count))
