"""Sessions: what a client's frames mean, told as a table, and that nothing a client sends breaks anything."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.gateway.answers import posted, refused
from svc.gateway.close_codes import CloseCode
from svc.gateway.session import (
    Action,
    Close,
    Post,
    PresenceQuery,
    PresenceSub,
    Send,
    Session,
    SessionLimits,
    Typing,
)

C = "C0000000001"


def body(frame: bytes) -> Any:
    """Return the JSON in a text frame."""
    skip = {126: 4, 127: 10}.get(frame[1], 2)
    return orjson.loads(frame[skip:])


def answers(actions: list[Action]) -> list[Any]:
    return [body(action.frame) for action in actions if isinstance(action, Send)]


def said(frame: Any, limits: SessionLimits | None = None) -> list[Action]:
    payload = frame if isinstance(frame, bytes) else orjson.dumps(frame)
    return Session(limits or SessionLimits(), 0.0).text(payload, 0.0)


@pytest.mark.parametrize(
    ("frame", "action"),
    [
        ({"id": 1, "type": "message", "channel": C, "text": "hi"}, Post(1, C, "hi", "", False, "")),
        ({"type": "message", "channel": C, "text": "hi"}, Post(None, C, "hi", "", False, "")),
        ({"id": 0, "type": "message", "channel": C, "text": "hi"}, Post(0, C, "hi", "", False, "")),
        (
            {"id": 2, "type": "message", "channel": C, "text": "t", "thread_ts": "1.000001", "reply_broadcast": "true"},
            Post(2, C, "t", "1.000001", True, ""),
        ),
        (
            {"id": 3, "type": "message", "channel": C, "text": "t", "client_msg_id": "k", "as_user": True},
            Post(3, C, "t", "", False, "k"),
        ),
        ({"id": 4, "type": "typing", "channel": C}, Typing(C, "")),
        ({"id": 5, "type": "presence_sub", "ids": ["U0000000001", "nobody", 7]}, PresenceSub(("U0000000001",))),
        ({"type": "presence_sub", "ids": []}, PresenceSub(())),
        ({"type": "presence_query", "ids": ["U0000000001"]}, PresenceQuery(("U0000000001",))),
    ],
)
def test_a_frame_becomes_an_action(frame: dict[str, Any], action: Action) -> None:
    """The frames that clients are known to send."""
    assert said(frame) == [action]


@pytest.mark.parametrize(
    ("frame", "code", "message"),
    [
        ({"id": 9, "type": "dance"}, 5, "unknown type"),
        ({"id": 9}, 5, "unknown type"),
        ({"id": 9, "type": ["message"]}, 5, "unknown type"),
        ({"id": 9, "type": "message", "channel": C, "text": ""}, 2, "no_text"),
        ({"id": 9, "type": "message", "channel": C}, 2, "no_text"),
        ({"id": 9, "type": "message", "channel": "general", "text": "x"}, 4, "channel_not_found"),
        ({"id": 9, "type": "message", "text": "x"}, 4, "channel_not_found"),
        ({"id": 9, "type": "message", "channel": C, "text": "x" * 4001}, 3, "msg_too_long"),
        ({"id": 9, "type": "message", "channel": C, "text": "x", "pad": "y" * 30_000}, 3, "msg_too_long"),
        ({"id": 9, "type": "message", "channel": C, "text": "x", "thread_ts": 17.1}, 9, "invalid_arguments"),
        ({"id": 9, "type": "presence_sub", "ids": "U1"}, 9, "invalid_arguments"),
        (
            {"id": 9, "type": "presence_query", "ids": [f"U00000{number:05}" for number in range(501)]},
            9,
            "invalid_arguments",
        ),
    ],
)
def test_a_wrong_frame_is_answered_with_an_error_object(frame: dict[str, Any], code: int, message: str) -> None:
    """The connection stays open, and reply_to is the same number."""
    assert answers(said(frame)) == [{"ok": False, "reply_to": 9, "error": {"code": code, "msg": message}}]


@pytest.mark.parametrize("payload", [b"{", b"", b"[1]", b'"hi"', b"nul", b'{"id":1,}', b"NaN"])
def test_broken_json_is_answered_without_reply_to(payload: bytes) -> None:
    """Nobody knows which frame it was."""
    assert answers(said(payload)) == [{"ok": False, "error": {"code": 5, "msg": "invalid json"}}]


def test_text_that_is_not_utf8_and_binary_messages_close_the_connection() -> None:
    """As RFC 6455 asks, and because everything here is JSON."""
    assert [action.code for action in said(b"\xff\xfe") if isinstance(action, Close)] == [CloseCode.INVALID_TEXT]
    closed = Session(SessionLimits(), 0.0).binary()
    assert [action.code for action in closed if isinstance(action, Close)] == [CloseCode.UNSUPPORTED_DATA]


@pytest.mark.parametrize(
    ("ping", "pong"),
    [
        ({"id": 7, "type": "ping"}, {"type": "pong", "reply_to": 7}),
        (
            {"id": 8, "type": "ping", "timestamp": 1700000000, "nested": {"a": [1, None]}},
            {"type": "pong", "reply_to": 8, "timestamp": 1700000000, "nested": {"a": [1, None]}},
        ),
        ({"type": "ping", "time": 1.5}, {"type": "pong", "time": 1.5}),
        ({"id": 1.5, "type": "ping", "reply_to": 99}, {"type": "pong", "reply_to": 1.5}),
    ],
)
def test_a_json_ping_is_answered_with_every_extra_field(ping: dict[str, Any], pong: dict[str, Any]) -> None:
    """Clients parse and time what comes back."""
    assert answers(said(ping)) == [pong]


def test_a_protocol_ping_is_answered_byte_for_byte() -> None:
    """slack_sdk puts a UUID and a time into it."""
    payload = b"5f0c:1700000000.25"
    assert Session(SessionLimits(), 0.0).ping(payload, 0.0) == [Send(b"\x8a" + bytes([len(payload)]) + payload)]


def test_a_tickle_is_activity_and_nothing_else() -> None:
    """No answer is expected."""
    assert said({"type": "tickle"}) == []


def test_frames_beyond_the_rate_are_refused_and_the_bucket_fills_again() -> None:
    """A burst is tolerated; persistent excess ends the connection."""
    session = Session(SessionLimits(frames_per_s=1.0, frames_burst=2, refusals_max=3), 0.0)
    typing = orjson.dumps({"id": 1, "type": "typing", "channel": C})
    assert session.text(typing, 0.0) == session.text(typing, 0.0) == [Typing(C, "")]
    limited = {"ok": False, "reply_to": 1, "error": {"code": 6, "msg": "ratelimited"}}
    assert answers(session.text(typing, 0.0)) == [limited]
    assert session.text(typing, 1.0) == [Typing(C, "")]
    for _ in range(3):
        assert answers(session.text(typing, 1.0)) == [limited]
    assert [action.code for action in session.text(typing, 1.0) if isinstance(action, Close)] == [CloseCode.POLICY]


def test_who_looks_at_others_by_the_thousand_has_to_wait() -> None:
    """By users, whatever the frames: each costs presence as much as a small frame does."""
    session = Session(SessionLimits(presence_ids_per_s=10.0, presence_ids_burst=20), 0.0)
    ids = [f"U00000{number:05}" for number in range(15)]
    look, ask = (orjson.dumps({"id": 1, "type": f"presence_{what}", "ids": ids}) for what in ("sub", "query"))
    assert session.text(look, 0.0) == [PresenceSub(tuple(ids))]
    limited = {"ok": False, "reply_to": 1, "error": {"code": 6, "msg": "ratelimited", "retry_after": 1.0}}
    assert answers(session.text(ask, 0.0)) == [limited]
    assert session.text(ask, 1.0) == [PresenceQuery(tuple(ids))]
    assert session.text(orjson.dumps({"type": "presence_sub", "ids": []}), 1.0) == [PresenceSub(())]


def test_protocol_pings_beyond_the_rate_go_unanswered() -> None:
    """A flood of pings must not become a flood of pongs."""
    session = Session(SessionLimits(frames_per_s=1.0, frames_burst=1), 0.0)
    assert session.ping(b"a", 0.0) != []
    assert session.ping(b"a", 0.0) == []


def test_acknowledgements_say_where_the_message_is() -> None:
    """`reply_to` only when the client sent an id; refusals carry code and msg."""
    assert body(posted(1, "1.000001", "hi", f"{C}:5")) == {
        "ok": True,
        "reply_to": 1,
        "ts": "1.000001",
        "text": "hi",
        "position": f"{C}:5",
    }
    assert "reply_to" not in body(posted(None, "1.000001", "hi", f"{C}:5"))
    assert body(refused(2, "not_in_channel"))["error"] == {"code": 8, "msg": "not_in_channel"}
    assert body(refused(2, "msg_too_long"))["error"] == {"code": 3, "msg": "msg_too_long"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
KEYS = st.sampled_from(["id", "type", "channel", "text", "ids", "thread_ts", "client_msg_id", "reply_broadcast", "x"])
TYPES = st.sampled_from(["message", "ping", "typing", "presence_sub", "presence_query", "tickle", "?"])


@given(st.dictionaries(KEYS, JSON, max_size=8), TYPES | JSON)
def test_any_json_object_gives_actions_and_encodable_answers(frame: dict[str, Any], kind: Any) -> None:
    """Fuzzing: whatever the fields hold, the session answers, acts or closes; it never raises."""
    try:
        payload = orjson.dumps(frame | {"type": kind})
    except TypeError:
        return  # not JSON (a number too large for it)
    for action in said(payload):
        if isinstance(action, Send):
            assert isinstance(body(action.frame), dict)


@given(st.binary(max_size=200))
def test_any_bytes_give_actions(payload: bytes) -> None:
    """Fuzzing: whatever arrives as text is answered or closes the connection."""
    assert said(payload)
