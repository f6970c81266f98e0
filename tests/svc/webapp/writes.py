"""Writes that tests make."""

from __future__ import annotations

from parley.event.v1 import event_pb2
from svc.webapp.commit.log import Draft, Json, MessageDraft, Place, Write

CHANNEL = "C0000000001"
TEAM = "T0000000001"
ALICE = "U0000000001"
BOB = "U0000000002"


def note(text: str = "note") -> Draft:
    """Return a draft of an event that is not a message."""
    return Draft(event_pb2.EVENT_KIND_CHANNEL, lambda place: {"type": "note", "text": text})


def message(text: str, user_id: str = ALICE, thread_ts_us: int = 0, *, broadcast: bool = False) -> Draft:
    """Return a draft of a message."""

    def payload(place: Place) -> Json:
        return {"type": "message", "channel": place.channel_id, "user": user_id, "text": text}

    row = MessageDraft(user_id, text, thread_ts_us=thread_ts_us, reply_broadcast=broadcast)
    return Draft(event_pb2.EVENT_KIND_MESSAGE, payload, user_id, message=row)


def post(channel_id: str, text: str, request_id: str = "", user_id: str = ALICE) -> Write:
    """Return a write of one message."""
    return Write(channel_id, (message(text, user_id),), request_id)
