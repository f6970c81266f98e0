"""A client's rules, as tables: what each frame means for what the client has."""

from __future__ import annotations

from typing import Any

import pytest

from parley_client import tokens
from parley_client.actions import Action, Answer, Event, Leave, ResumeFailed, Say, Step
from parley_client.session import HELD_MAX, Return, Session

A, B, ME = "C0000000001", "C0000000002", "U0000000001"


def positions(**at: int) -> dict[str, Any]:
    return {"type": "positions", "token": tokens.encode({{"a": A, "b": B, "me": ME}[name]: at[name] for name in at})}


def message(offset: int, channel: str = A) -> dict[str, Any]:
    return {"type": "message", "channel": channel, "text": str(offset), "position": f"{channel}:{offset}"}


def begun(**at: int) -> Session:
    """Return a session whose connection delivers from these positions on."""
    session = Session()
    session.connecting()
    session.take({"type": "hello"})
    session.take(positions(**at))
    return session


def ready(session: Session) -> bool:
    return session.is_ready


def told(actions: list[Action]) -> list[int]:
    """Return the offsets of the events handed on."""
    return [action.event.offset for action in actions if isinstance(action, Step) and isinstance(action.event, Event)]


def leaves(actions: list[Action]) -> bool:
    return any(isinstance(action, Leave) for action in actions)


def test_a_first_connection_asks_for_positions_and_delivers_from_them() -> None:
    """Not ready before they are known; then each event once, with what is had after it."""
    session = Session()
    assert session.connecting() == {"resume_aware": 1}
    assert session.take({"type": "hello"}) == []
    assert not ready(session)
    assert session.take(positions(a=4)) == [Step(None, ((A, 4),))]
    assert ready(session)
    assert session.take(message(4)) == []
    assert session.take(message(5)) == [Step(Event("message", message(5), A, 5), ((A, 5),))]
    assert session.take(message(5)) == []
    assert session.duplicates == 2


def test_a_later_connection_says_what_is_had() -> None:
    """By a token in the frame after hello; it delivers once the gateway has answered."""
    session = begun(a=4, me=0)
    session.take(message(5))
    assert session.connecting() == {"resume_aware": 1, "resume": 1}
    [said] = session.take({"type": "hello"})
    assert isinstance(said, Say)
    assert tokens.decode(said.frame["token"]) == {A: 5, ME: 0}
    assert not ready(session)
    session.take({"type": "resumed", "channels": 2})
    assert ready(session)


def test_a_connection_without_a_token_that_is_not_the_first_is_a_reconnect() -> None:
    """It comes before those that boot from nothing."""
    session = Session()
    session.connecting()
    assert session.connecting() == {"resume_aware": 1, "reconnect": 1}


def test_a_hole_ends_the_connection_and_nothing_above_it_is_handed_on() -> None:
    """Resuming brings it."""
    session = begun(a=4)
    assert leaves(session.take(message(6)))
    assert session.positions[A] == 4
    assert session.holes == 1


def test_events_that_are_nothing_for_clients_leave_no_hole() -> None:
    """Their position is told instead."""
    session = begun(a=4)
    assert session.take({"type": "position", "position": f"{A}:5"}) == [Step(None, ((A, 5),))]
    assert told(session.take(message(6))) == [6]


def test_transient_events_are_handed_on_as_they_come() -> None:
    """They have no place, and may be lost."""
    typing = {"type": "user_typing", "channel": A, "user": ME}
    assert begun(a=4).take(typing) == [Step(Event("user_typing", typing))]


def test_an_acknowledged_post_takes_the_place_of_its_event() -> None:
    """The answer may come before the events below it, and after those above it."""
    session = begun(a=4)
    session.posting(1, A)
    ack = {"ok": True, "reply_to": 1, "ts": "1.000006", "position": f"{A}:6"}
    assert session.take(ack) == [Answer(1, ack)]
    assert session.positions[A] == 4
    assert told(session.take(message(5))) == [5]
    assert session.positions[A] == 6
    session.posting(2, A)
    assert session.take(message(8)) == [], "held: the answer is outstanding"
    answered = session.take({"ok": True, "reply_to": 2, "position": f"{A}:7"})
    assert told(answered) == [8]
    assert session.positions[A] == 8


def test_an_answer_may_come_before_the_word_that_its_channel_is_followed() -> None:
    """A user who joins and posts at once: the event is left out for us, so the answer must not be forgotten."""
    session = begun(me=0)
    session.posting(1, A)
    assert session.take({"ok": True, "reply_to": 1, "position": f"{A}:6"})[1:] == []
    assert session.take(positions(a=4)) == [Step(None, ((A, 4),))]
    assert told(session.take(message(5))) == [5]
    assert session.positions[A] == 6
    assert told(session.take(message(7))) == [7]


def test_an_answer_outlives_that_its_channel_was_left_and_joined_again() -> None:
    """A slow reader's answer is ahead of the news that it left and came back: the event is left out all the same."""
    session = begun(a=4, me=0)
    session.posting(1, A)
    session.take({"ok": True, "reply_to": 1, "position": f"{A}:9"})
    session.take({"type": "positions_dropped", "channels": [A]})
    session.take(positions(a=7))
    assert told(session.take(message(8))) == [8]
    assert session.positions[A] == 9


def test_an_answer_below_the_start_of_its_channel_is_history() -> None:
    """Where a channel begins above an acknowledged post, nothing is passed over."""
    session = begun(me=0)
    session.posting(1, A)
    session.take({"ok": True, "reply_to": 1, "position": f"{A}:3"})
    session.take(positions(a=4))
    assert told(session.take(message(5))) == [5]


def test_an_acknowledged_post_does_not_come_again_after_a_resume() -> None:
    """It was above what was had, so it is replayed, and dropped."""
    session = begun(a=4)
    session.posting(1, A)
    session.take({"ok": True, "reply_to": 1, "position": f"{A}:6"})
    session.connecting()
    session.take({"type": "hello"})
    assert told(session.take(message(5)) + session.take(message(6)) + session.take(message(7))) == [5, 7]


def test_an_answer_that_says_nothing_certain_ends_the_connection() -> None:
    """The post may be stored, with its event left out on this connection: the next one gets it."""
    session = begun(a=4)
    session.posting(1, A)
    unknown = {"ok": False, "reply_to": 1, "error": {"code": 7, "msg": "service_unavailable"}}
    assert leaves(session.take(unknown))
    session.posting(2, A)
    refused = {"ok": False, "reply_to": 2, "error": {"code": 8, "msg": "not_in_channel"}}
    assert session.take(refused) == [Answer(2, refused)]


@pytest.mark.parametrize("how", ["refused", "nobody waits"])
def test_what_is_held_is_doubted_once_no_answer_is_outstanding(how: str) -> None:
    """The hole below it will not be closed by an answer."""
    session = begun(a=4)
    session.posting(1, A)
    assert session.take(message(6)) == []
    answer = {"ok": False, "reply_to": 1, "error": {"code": 8, "msg": "no"}}
    assert leaves(session.take(answer) if how == "refused" else session.gave_up(1))


def test_what_is_held_has_a_bound() -> None:
    """Leaving is cheaper than holding a flood."""
    session = begun(a=4)
    session.posting(1, A)
    for offset in range(6, 6 + HELD_MAX):
        assert session.take(message(offset)) == []
    assert leaves(session.take(message(6 + HELD_MAX)))


def test_a_joined_channel_begins_where_the_gateway_says() -> None:
    """Its events before that are history."""
    session = begun(me=1)
    session.take(positions(b=7))
    assert told(session.take(message(7, B)) + session.take(message(8, B))) == [8]


def test_what_a_connection_that_begins_anew_does_not_follow_was_left() -> None:
    """Without a token nobody says what was left meanwhile; of several frames the last one says that they are all."""
    session = begun(a=4, b=2, me=1)
    session.closed(4004)
    session.connecting()
    assert session.take(positions(a=4)) == []
    assert session.take(positions(me=1) | {"complete": True}) == [Step(None, ((B, None),))]
    assert session.positions == {A: 4, ME: 1}
    assert session.take(positions(b=7) | {"complete": True}) == [Step(None, ((B, 7),))]
    assert session.positions == {A: 4, ME: 1, B: 7}


def test_positions_in_a_resumed_connection_are_never_all() -> None:
    """It says by itself what was left; a frame that calls itself complete does not undo that."""
    session = begun(a=4, me=1)
    session.connecting()
    session.take({"type": "resumed", "channels": 2})
    session.take(positions(b=2) | {"complete": True})
    assert session.positions == {A: 4, ME: 1, B: 2}


def test_a_left_channel_is_not_in_the_token_and_repeats_nothing_when_it_is_joined_again() -> None:
    """Word of a leave may come late, after the user is back, and is then followed by the start told once more."""
    session = begun(a=4, b=4)
    session.take(message(5, B))
    assert session.take({"type": "positions_dropped", "channels": [B, "C9"]}) == [Step(None, ((B, None),))]
    assert dict(session.positions) == {A: 4}
    session.take(positions(b=3))
    assert told(session.take(message(4, B)) + session.take(message(5, B)) + session.take(message(6, B))) == [6]


def test_a_failed_resume_is_told_with_the_new_starts() -> None:
    """Explicit, once for each channel; what follows begins there, lower than before if the server lost its data."""
    session = begun(a=40, b=40, me=1)
    session.connecting()
    session.take({"type": "hello"})
    assert session.take({"type": "resume_failed", "channels": [A, B]}) == []
    [step] = session.take(positions(a=90, b=10))
    assert step == Step(ResumeFailed({A: 90, B: 10}), ((A, 90), (B, 10)))
    assert told(session.take(message(91)) + session.take(message(11, B))) == [91, 11]


def test_a_start_above_what_is_had_is_a_failure_even_if_nobody_says_so() -> None:
    """After a session that had to begin anew; where nothing happened meanwhile nothing is missing."""
    session = begun(a=4, b=4)
    assert session.closed(4004) is Return.AT_ONCE
    assert "resume" not in session.connecting()
    session.take({"type": "hello"})
    [step] = session.take(positions(a=4, b=9))
    assert step == Step(ResumeFailed({B: 9}), ((B, 9),))
    assert session.connecting()["resume"] == 1


@pytest.mark.parametrize(
    ("code", "what"),
    [
        (None, Return.AT_ONCE),
        (1001, Return.AT_ONCE),
        (1006, Return.AT_ONCE),
        (1012, Return.AT_ONCE),
        (4000, Return.AT_ONCE),
        (4001, Return.AT_ONCE),
        (4002, Return.AT_ONCE),
        (4003, Return.LATER),
        (1008, Return.LATER),
        (4100, Return.NEVER),
    ],
)
def test_the_close_code_says_whether_to_come_back(code: int | None, what: Return) -> None:
    """By the ranges that the gateway documents."""
    assert begun(a=4).closed(code) is what


def test_a_token_that_is_too_large_is_not_sent_again() -> None:
    """Begin anew, and say what that cost."""
    session = begun(a=4)
    session.connecting()
    session.closed(1009)
    assert "resume" not in session.connecting()


@pytest.mark.parametrize(
    ("frame", "is_end"),
    [
        ({"type": "goodbye"}, True),
        ({"type": "error", "error": {"code": 1, "msg": "Socket URL has expired"}}, True),
        ({"type": "positions", "token": "?"}, True),
        ({"type": "pong", "reply_to": 7}, False),
        ({"ok": False, "error": {"code": 5, "msg": "invalid json"}}, False),
        ({"reply_to": None, "ok": True}, False),
        ({"type": "position"}, False),
        ({"type": 5}, False),
        ({}, False),
    ],
)
def test_frames_that_end_the_connection_and_frames_that_mean_little(frame: dict[str, Any], is_end: bool) -> None:
    """Nothing that a gateway sends breaks a client."""
    assert leaves(begun(a=4).take(frame)) is is_end
