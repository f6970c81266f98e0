"""Pins: messages that a conversation keeps at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parley.event.v1 import event_pb2
from svc.kit.clock import Clock
from svc.kit.telemetry import inject_traceparent
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import NOTHING_TO_READ, Annotation, AnnotationKind, Draft, Guard, Json, Write
from svc.webapp.domain import shapes
from svc.webapp.domain.conversations.directory import Directory, Sight
from svc.webapp.domain.messages.reading import PINS_COUNTED_MAX, Reading
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import Message

__all__ = ["Pinned", "Pins"]

_PIN = AnnotationKind.PIN


@dataclass(frozen=True, slots=True)
class Pinned:
    """A message that is pinned."""

    channel_id: str
    message: Json
    """As history shows it."""
    row: Message
    created_s: int
    created_by: str


class Pins:
    """The rules of pins. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self, directory: Directory, channels: ChannelStore, reading: Reading, writes: Writes, clock: Clock
    ) -> None:
        self._directory = directory
        self._channels = channels
        self._reading = reading
        self._writes = writes
        self._clock = clock

    async def add(self, caller: Caller, channel_id: str, ts_us: int) -> None:
        """Pin a message.

        Refused `channel_not_found`, `not_in_channel`, `is_archived`, `message_not_found`, `not_pinnable` (what is left
        of a removed one, and who came and went), `already_pinned`, `too_many_pins`.
        """
        sight, row = await self._open(caller, channel_id, ts_us)
        if row.subtype in NOTHING_TO_READ:
            raise Refused("not_pinnable")
        pins = await self._channels.count_annotated(channel_id, _PIN, PINS_COUNTED_MAX)
        there = (await self._channels.annotations(channel_id, [ts_us])).get(ts_us, ())
        if any(each.kind is _PIN for each in there):
            raise Refused("already_pinned")
        if pins >= PINS_COUNTED_MAX:
            raise Refused("too_many_pins")
        shape = await self._reading.one(sight.conversation, row)
        pinned = {**shapes.slim(shape), "pinned_to": [channel_id]}
        now_s = self._clock.wall_us() // 1_000_000
        info = {"channel": channel_id, "pinned_by": caller.user_id, "pinned_ts": now_s}
        event = {"type": "pin_added", **_told(caller, row, pinned, now_s), "pin_count": pins + 1, "pinned_info": info}
        annotation = Annotation(ts_us, _PIN, by_id=caller.user_id)
        await self._commit(_write(caller, channel_id, event, annotated=(annotation,)), "already_pinned")

    async def remove(self, caller: Caller, channel_id: str, ts_us: int) -> None:
        """Take a pin off a message. Refused as `add`, and `no_pin`."""
        sight, row = await self._open(caller, channel_id, ts_us)
        pins = await self._channels.count_annotated(channel_id, _PIN, PINS_COUNTED_MAX)
        there = (await self._channels.annotations(channel_id, [ts_us])).get(ts_us, ())
        pin = next((each for each in there if each.kind is _PIN), None)
        if pin is None:
            raise Refused("no_pin")
        shape = shapes.slim(await self._reading.one(sight.conversation, row))
        shape.pop("pinned_to", None)
        told = _told(caller, row, shape, pin.at_us // 1_000_000) | {"pin_count": pins - 1, "has_pins": pins > 1}
        told["item"] = {**told["item"], "created_by": pin.by_id}
        event = {"type": "pin_removed", **told}
        await self._commit(_write(caller, channel_id, event, unannotated=(Annotation(ts_us, _PIN),)), "no_pin")

    async def listed(self, caller: Caller, channel_id: str) -> Sequence[Pinned]:
        """Return what is pinned in a conversation, what was pinned last first. Refused `channel_not_found`,
        `not_in_channel`.
        """
        sight = await self._directory.see(caller, channel_id)
        sight.check_readable(caller)
        pins = await self._channels.annotated_by(channel_id, _PIN, PINS_COUNTED_MAX)
        rows = await self._channels.messages_at(channel_id, [pin.ts_us for pin in pins])
        shown = await self._reading.shown(sight.conversation, rows)
        found = {row.ts_us: (row, shape) for row, shape in zip(rows, shown, strict=True)}
        return [
            Pinned(channel_id, found[pin.ts_us][1], found[pin.ts_us][0], pin.at_us // 1_000_000, pin.by_id)
            for pin in reversed(pins)
            if pin.ts_us in found
        ]

    async def _open(self, caller: Caller, channel_id: str, ts_us: int) -> tuple[Sight, Message]:
        sight = await self._directory.see(caller, channel_id)
        sight.check_writable()
        row = await self._channels.message(channel_id, ts_us)
        if row is None:
            raise Refused("message_not_found")
        return sight, row

    async def _commit(self, write: Write, code: str) -> None:
        committed = await self._writes.commit(write)
        if committed.refused:
            raise Refused(_CODES.get(committed.refused_by or Guard.ANNOTATION, code))


_CODES = {Guard.MEMBER: "not_in_channel", Guard.ARCHIVED: "is_archived", Guard.MESSAGE: "message_not_found"}


def _told(caller: Caller, row: Message, shape: Json, created_s: int) -> Json:
    item = {"type": "message", "channel": row.channel_id, "message": shape, "created": created_s}
    return {
        "user": caller.user_id,
        "channel_id": row.channel_id,
        "item": item | {"created_by": caller.user_id},
        "item_user": row.user_id,
    }


def _write(
    caller: Caller,
    channel_id: str,
    event: Json,
    *,
    annotated: tuple[Annotation, ...] = (),
    unannotated: tuple[Annotation, ...] = (),
) -> Write:
    draft = Draft(
        event_pb2.EVENT_KIND_MESSAGE,
        lambda _: dict(event),
        sender_id=caller.user_id,
        traceparent=inject_traceparent(),
    )
    return Write(
        channel_id,
        (draft,),
        if_member=caller.user_id,
        unless_archived=True,
        annotated=annotated,
        unannotated=unannotated,
    )
