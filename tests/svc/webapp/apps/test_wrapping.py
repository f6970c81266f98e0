"""What an app is sent."""

from __future__ import annotations

import base64
import re
import uuid

import orjson

from svc.webapp.apps.hearing import Heard
from svc.webapp.apps.wrapping import Sender, envelope, envelope_id, event_callback, event_id

SENDER = Sender("A0000000001", "T0000000001", "U0000000B07", "vt")
HEARD = Heard("message", {"type": "message", "text": "hi"}, "C0000000001")


def test_an_event_is_wrapped_as_slack_wraps_it() -> None:
    """All that frameworks read: the event, its id and time, and on whose behalf it is heard."""
    callback = event_callback(SENDER, HEARD, "C0000000001", 17, 1_700_000_000_123_456)
    assert callback["event"] == HEARD.event
    assert (callback["type"], callback["token"], callback["event_time"]) == ("event_callback", "vt", 1_700_000_000)
    assert (callback["team_id"], callback["api_app_id"]) == ("T0000000001", "A0000000001")
    assert callback["authorizations"] == [
        {
            "enterprise_id": None,
            "team_id": "T0000000001",
            "user_id": "U0000000B07",
            "is_bot": True,
            "is_enterprise_install": False,
        }
    ]
    assert callback["is_ext_shared_channel"] is False
    number, _, context = callback["event_context"].partition("-")
    told = orjson.loads(base64.urlsafe_b64decode(context + "=" * (-len(context) % 4)))
    assert (number, told["et"], told["cid"]) == ("4", "message", "C0000000001")


def test_ids_are_functions_of_the_place() -> None:
    """The same for whoever makes them, another for another app, place or type."""
    place = ("A0000000001", "C0000000001", 17, "message")
    others = [("A0000000002", *place[1:]), (*place[:2], 18, "message"), (*place[:3], "app_mention")]
    assert event_id(*place) == event_id(*place)
    assert re.fullmatch(r"Ev[A-Z0-9]{16}", event_id(*place))
    assert len({event_id(*each) for each in [place, *others]}) == 4
    assert len({envelope_id(*each) for each in [place, *others]}) == 4
    assert str(uuid.UUID(envelope_id(*place))) == envelope_id(*place)


def test_an_envelope_has_every_field_without_which_clients_drop_it() -> None:
    """The payload is put in as it was encoded."""
    frame = envelope("events_api", "id", b'{"a":1}', accepts_payload=False, attempt=1, reason="timeout")
    assert orjson.loads(frame) == {
        "envelope_id": "id",
        "type": "events_api",
        "accepts_response_payload": False,
        "payload": {"a": 1},
        "retry_attempt": 1,
        "retry_reason": "timeout",
    }
