"""The judge of what an app heard, of scheduled messages, and of who is in a conversation: of runs that went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ops.chaos.judge import Wrong, judge
from ops.chaos.record import App, Change, Entry, Heard, Outcome, Record, Scheduled, Shown, Standing, Told
from tests.ops.chaos.runs import CHANNEL, LENGTH, entries, record, stream, ts

EVERY = range(1, LENGTH + 1)
REACTION: Mapping[str, Any] = {
    "type": "reaction_added",
    "user": "UBOB",
    "reaction": "tada",
    "item": {"type": "message", "channel": CHANNEL, "ts": ts(1)},
    "event_ts": ts(5),
}
POSTS = tuple({"type": "message", "ts": ts(offset), "text": f"chaos k{offset}"} for offset in EVERY)
SUBJECTS = (*(f"message {ts(offset)}" for offset in EVERY), f"added {ts(1)} tada UBOB {ts(5)}")
HEARD = tuple(Heard(f"Ev{number}", CHANNEL, subject, 1) for number, subject in enumerate(SUBJECTS))
SHOWN = tuple(Shown(ts(offset), f"chaos k{offset}", (("tada", ("UBOB",)),) if offset == 1 else ()) for offset in EVERY)


def wrongs(run: Record) -> dict[Wrong, int]:
    """Return how often each kind of violation was found."""
    verdict = judge(run)
    return {wrong: count for wrong in Wrong if (count := verdict.count(wrong))}


def heard(*those: Heard) -> Record:
    """Return a run whose app heard this."""
    app = App("app", frozenset({CHANNEL}), those)
    return record(stream(*EVERY), payloads={CHANNEL: (*POSTS, REACTION)}, shown={CHANNEL: SHOWN}, apps=(app,))


def test_an_app_that_heard_everything_is_content() -> None:
    """Also when some of it came again as the same, on another connection, behind what is newer."""
    assert wrongs(heard(*HEARD)) == {}
    assert wrongs(heard(*HEARD[:3], replace(HEARD[1], session=2), *HEARD[2:])) == {}


@pytest.mark.parametrize(
    ("those", "wrong"),
    [
        (HEARD[:-1], {Wrong.LOST: 1}),
        (HEARD[1:], {Wrong.LOST: 1}),
        ((*HEARD, replace(HEARD[0], event_id="Ev99")), {Wrong.DUPLICATED: 1}),
        ((HEARD[1], HEARD[0], *HEARD[2:]), {Wrong.REORDERED: 1}),
        ((*HEARD, replace(HEARD[0], subject="message 5.5")), {Wrong.INVENTED: 1}),
        ((*HEARD, replace(HEARD[0], channel_id="C9")), {Wrong.LEAKED: 1}),
    ],
)
def test_what_an_app_misses_or_hears_otherwise_is_found(those: tuple[Heard, ...], wrong: dict[Wrong, int]) -> None:
    """Each way by itself."""
    assert wrongs(heard(*those)) == wrong


def scheduled(**changes: Any) -> Record:
    """Return a run with a message that was scheduled for the time at which it is there."""
    log = (*entries(*EVERY), Entry(5, "1700000009.000000", "later-1"))
    told = tuple(Told(ts(offset), f"k{offset}") for offset in EVERY)
    later = replace(Scheduled("later-1", CHANNEL, 1_700_000_009, Outcome.ACKED), **changes)
    told = (*told, Told("1700000009.000000", "later-1"))
    return record(stream(*EVERY), base={CHANNEL: 5}, log={CHANNEL: log}, history={CHANNEL: told}, scheduled=(later,))


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, {}),
        ({"post_at": 1_700_000_010}, {Wrong.INVENTED: 1}),
        ({"key": "later-2"}, {Wrong.LOST: 1}),
        ({"key": "later-2", "outcome": Outcome.UNKNOWN}, {}),
        ({"is_wanted": False}, {Wrong.INVENTED: 1}),
        ({"key": "later-2", "is_wanted": False}, {}),
    ],
)
def test_a_scheduled_message_is_posted_in_time_and_one_taken_back_is_not(
    changes: dict[str, Any], wrong: dict[Wrong, int]
) -> None:
    """Of one whose scheduling nobody answered nothing is known."""
    assert wrongs(scheduled(**changes)) == wrong


def moved(standing: Standing, *claims: str, twice: bool = False) -> Record:
    """Return a run in which somebody came, and the conversation got a topic and a name."""
    came = {"type": "member_joined_channel", "user": "UANN"}
    notices = (
        {"type": "message", "subtype": "channel_topic", "ts": "1700000010.000000", "text": "t", "topic": "tea"},
        {"type": "message", "subtype": "channel_name", "ts": "1700000011.000000", "text": "n", "name": "room"},
    )
    payloads = (*POSTS, came, *notices, *([came] if twice else []))
    shown = tuple(Shown(each["ts"], each["text"]) for each in (*POSTS, *notices))
    changes = tuple(Change(CHANNEL, claim, 20.0, 20.1, Outcome.ACKED) for claim in claims)
    return record(
        stream(*EVERY),
        payloads={CHANNEL: payloads},
        shown={CHANNEL: shown},
        changes=changes,
        standing={CHANNEL: standing},
    )


def test_who_is_in_a_conversation_and_what_it_is_called_is_what_was_told() -> None:
    """And whatever was acknowledged was told, once."""
    true = Standing(frozenset({"UANN"}), "tea", "room")
    assert wrongs(moved(true, "joined UANN", "topic tea", "name room", "")) == {}
    assert wrongs(moved(replace(true, members=frozenset()))) == {Wrong.DIVERGED: 1}
    assert wrongs(moved(replace(true, topic="coffee"))) == {Wrong.DIVERGED: 1}
    assert wrongs(moved(replace(true, name="hall"))) == {Wrong.DIVERGED: 1}
    assert wrongs(moved(true, "left UANN", "topic coffee", "name hall")) == {Wrong.LOST: 3}
    assert wrongs(moved(true, twice=True)) == {Wrong.DIVERGED: 1}
