"""Events as the bytes that are sent: encoded once, then joined into the batches of every subscriber.

An event in a protobuf message is its tag, its length and its own encoding, and a message is its fields one after the
other. So a batch is the join of ready pieces, in C, however many subscribers it goes to, and a tail holds plain bytes
(a parsed event would keep the whole batch that it came in alive). A test compares with protobuf's own encoder.
Source: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import NamedTuple, TypeVar

from parley.channel.v1 import channel_service_pb2 as channel_pb2
from parley.event.v1 import event_pb2
from svc.channel.rows import Rows
from svc.channel.rows.plain import Heading
from svc.kit.errors import InvalidArgumentError

A = TypeVar("A")

PAYLOAD_BYTES_MAX = 512 * 1024
"""The contract's limit on an event's payload."""

EVENTS_MAX = 1_024
"""The contract's limit on the events of one frame."""

POSITIONS_MAX = 4_096
"""The contract's limit on the positions of one subscribe."""

CHANNEL_ID_CHARS_MAX = 64
"""Ids are a letter and ten characters; anything much longer is a mistake, and would cost memory for each."""

_LENGTH_DELIMITED = 2
_BATCH_TAG = bytes([channel_pb2.AttachResponse.BATCH_FIELD_NUMBER << 3 | _LENGTH_DELIMITED])
_SUBSCRIBED_TAG = bytes([channel_pb2.AttachResponse.SUBSCRIBED_FIELD_NUMBER << 3 | _LENGTH_DELIMITED])
_PACKED_TAGS = {
    bytes([channel_pb2.AttachRequest.SUBSCRIBE_FIELD_NUMBER << 3 | _LENGTH_DELIMITED]): "subscribe",
    bytes([channel_pb2.AttachRequest.UNSUBSCRIBE_FIELD_NUMBER << 3 | _LENGTH_DELIMITED]): "unsubscribe",
}
_NUMBER_TAG = bytes([channel_pb2.Batch.BATCH_NUMBER_FIELD_NUMBER << 3])
_EVENT_TAG = bytes([channel_pb2.Batch.EVENTS_FIELD_NUMBER << 3 | _LENGTH_DELIMITED])


def encode_event(event: event_pb2.Event) -> bytes:
    """Return `event` as one element of `Batch.events`."""
    body = event.SerializeToString()
    return _event_head(len(body)) + body


def encode_batch(number: int, events: Iterable[bytes]) -> bytes:
    """Return an AttachResponse with a Batch of events from `encode_event`."""
    body = b"".join((_NUMBER_TAG, varint(number), *events))
    return b"".join((_BATCH_TAG, varint(len(body)), body))


def encode_subscribed(answer: channel_pb2.Subscribed, more: bytes) -> bytes:
    """Return an AttachResponse with this answer, and with fields of it that are encoded already."""
    body = answer.SerializeToString() + more
    return b"".join((_SUBSCRIBED_TAG, varint(len(body)), body))


class Packed(NamedTuple):
    """A frame with many channels, as it came: the rows read it where it is."""

    kind: str
    """subscribe or unsubscribe."""
    data: bytes


def parse_request(data: bytes) -> Packed | channel_pb2.AttachRequest:
    """Return the frame that a subscriber sent, parsed unless it has many channels. Raises what protobuf does."""
    kind = _PACKED_TAGS.get(data[:1])
    if kind is not None:
        start, length, shift = 1, 0, 0
        while start < len(data) and shift < 35:
            byte = data[start]
            length |= (byte & 0x7F) << shift
            start, shift = start + 1, shift + 7
            if byte < 0x80:
                break
        if start + length == len(data):
            return Packed(kind, data[start:])
    return channel_pb2.AttachRequest.FromString(data)


def packed(request: Packed | channel_pb2.AttachRequest) -> Packed | None:
    """Return a subscribe or an unsubscribe as it is on the wire, however it came; None for all other frames."""
    if isinstance(request, Packed):
        return request
    kind = request.WhichOneof("frame")
    if kind == "subscribe":
        return Packed(kind, request.subscribe.SerializeToString())
    if kind == "unsubscribe":
        return Packed(kind, request.unsubscribe.SerializeToString())
    return None


def serialize_response(frame: bytes | channel_pb2.AttachResponse) -> bytes:
    """Return what goes onto the wire: ready bytes as they are."""
    return frame if isinstance(frame, bytes) else frame.SerializeToString()


# Sizes repeat: 8,192 cover nearly all events, at 0.1 instead of 0.5 us each.
@lru_cache(maxsize=8_192)
def _event_head(size: int) -> bytes:
    return _EVENT_TAG + varint(size)


def varint(number: int) -> bytes:
    """Return a number as protobuf writes it."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def event_fault(event: event_pb2.Event) -> InvalidArgumentError | None:
    """Return what is wrong with an event, by the contract; None when nothing is."""
    if not 0 < len(event.channel_id) <= CHANNEL_ID_CHARS_MAX:
        return _limit("channel_id", CHANNEL_ID_CHARS_MAX, len(event.channel_id))
    if len(event.payload) > PAYLOAD_BYTES_MAX:
        return _limit("payload", PAYLOAD_BYTES_MAX, len(event.payload))
    return None


def check_transients(events: Collection[event_pb2.Event]) -> None:
    """Raise InvalidArgumentError unless these are transient events as the contract has them."""
    if len(events) > EVENTS_MAX:
        raise _limit("transient.events", EVENTS_MAX, len(events))
    for event in events:
        fault = event_fault(event)
        if fault is not None:
            raise fault
        if event.offset:
            raise _limit("transient.events.offset", 0, event.offset)


def check_heading(rows: Rows[A], data: bytes) -> Heading:
    """Return what an encoded Subscribe says beside its positions.

    Raises InvalidArgumentError when it is none, has too many positions, or ids that cannot be ids.
    """
    try:
        heading = Heading(*rows.heading(data))
    except ValueError as error:
        raise InvalidArgumentError(f"subscribe: {error}", subject="subscribe") from error
    if heading.positions > POSITIONS_MAX:
        raise _limit("subscribe.positions", POSITIONS_MAX, heading.positions)
    if heading.longest > CHANNEL_ID_CHARS_MAX or heading.shortest < 1:
        actual = heading.longest if heading.shortest else 0
        raise _limit("subscribe.positions.channel_id", CHANNEL_ID_CHARS_MAX, actual)
    return heading


def _limit(subject: str, limit: int, actual: int) -> InvalidArgumentError:
    return InvalidArgumentError(f"{subject}: {actual} is not allowed", subject=subject, limit=limit, actual=actual)
