"""The judge of what is left: against runs in which a change was lost, invented, undone, or shown otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ops.chaos.judge import Wrong, judge
from ops.chaos.record import Change, Outcome, Record, Shown
from tests.ops.chaos.runs import CHANNEL, LENGTH, record, stream, ts

Payload = Mapping[str, Any]
EDITED = "chaos k1 edited 1"
POSTS: tuple[Payload, ...] = tuple(
    {"type": "message", "ts": ts(offset), "text": f"chaos k{offset}", "event_ts": ts(offset)}
    for offset in range(1, LENGTH + 1)
)
EDIT: Payload = {"type": "message", "subtype": "message_changed", "message": {"ts": ts(1), "text": EDITED}}


def reaction(kind: str, offset: int, name: str, user: str, at: int) -> Payload:
    """Return the event of a reaction to the message at an offset."""
    item = {"type": "message", "channel": CHANNEL, "ts": ts(offset)}
    return {"type": f"reaction_{kind}", "user": user, "reaction": name, "item": item, "event_ts": ts(at)}


CHANGED = (
    *POSTS,
    EDIT,
    reaction("added", 2, "tada", "UBOB", 6),
    reaction("added", 2, "eyes", "UANN", 7),
    reaction("added", 2, "tada", "UANN", 8),
    reaction("removed", 2, "eyes", "UANN", 9),
    {"type": "message", "subtype": "message_deleted", "deleted_ts": ts(3)},
    {},
)
SHOWN = (
    Shown(ts(4), "chaos k4"),
    Shown(ts(2), "chaos k2", (("tada", ("UBOB", "UANN")),)),
    Shown(ts(1), EDITED),
    Shown(ts(2), "chaos k2", (("tada", ("UBOB", "UANN")),)),
)


def change(claim: str, outcome: Outcome = Outcome.ACKED) -> Change:
    """Return a change that somebody made."""
    return Change(CHANNEL, claim, 20.0, 20.1, outcome)


CLAIMS = (
    change(f"edit {ts(1)} {EDITED}"),
    change(f"added {ts(2)} tada UBOB"),
    change(f"removed {ts(2)} eyes UANN"),
    change(f"removed {ts(3)}"),
)


def made(payloads: tuple[Payload, ...] = CHANGED, shown: tuple[Shown, ...] = SHOWN, *changes: Change) -> Record:
    """Return a run in which everybody received everything."""
    return record(stream(1, 2, 3, 4), changes=changes, payloads={CHANNEL: payloads}, shown={CHANNEL: shown})


def wrongs(run: Record) -> dict[Wrong, int]:
    """Return how often each kind of violation was found."""
    verdict = judge(run)
    return {wrong: count for wrong in Wrong if (count := verdict.count(wrong))}


def test_a_run_in_which_everything_is_as_it_was_told_is_clean() -> None:
    """The judge must be able to say yes; what was removed need not be in history."""
    assert wrongs(made(CHANGED, SHOWN, *CLAIMS)) == {}
    told = record().history[CHANNEL]
    without = {CHANNEL: tuple(each for each in told if each.ts != ts(3))}
    run = record(stream(1, 2, 3, 4), history=without, payloads={CHANNEL: CHANGED}, shown={CHANNEL: SHOWN})
    assert wrongs(run) == {}
    assert wrongs(record(stream(1, 2, 3, 4), history=without)) == {Wrong.LOST: 1}


def test_a_change_that_was_refused_or_given_up_may_be_nowhere() -> None:
    """Only what was acknowledged was promised."""
    for outcome in (Outcome.REFUSED, Outcome.UNKNOWN):
        assert wrongs(made(CHANGED, SHOWN, change("edit 1.0 other", outcome))) == {}
    assert wrongs(made(CHANGED, SHOWN, change("edit 1.0 other"))) == {Wrong.LOST: 1}


@pytest.mark.parametrize(
    ("shown", "count"),
    [
        ((*SHOWN[:2], Shown(ts(1), "chaos k1")), 1),
        ((*SHOWN, Shown(ts(3), "chaos k3")), 1),
        (SHOWN[1:], 1),
        ((SHOWN[0], Shown(ts(2), "chaos k2"), SHOWN[2]), 1),
        ((SHOWN[0], Shown(ts(2), "chaos k2", (("tada", ("UANN", "UBOB")),)), SHOWN[2]), 1),
        ((SHOWN[0], Shown(ts(2), "chaos k2", (("tada", ("UBOB", "UANN")), ("eyes", ("UANN",)))), SHOWN[2]), 1),
    ],
    ids=["an old text", "a removed one", "one is missing", "no reactions", "in another order", "one too many"],
)
def test_what_is_shown_otherwise_than_it_was_told_is_found(shown: tuple[Shown, ...], count: int) -> None:
    """Of messages as of what is on them."""
    assert wrongs(made(CHANGED, shown)) == {Wrong.DIVERGED: count}


@pytest.mark.parametrize(
    "more",
    [
        reaction("added", 2, "tada", "UANN", 10),
        reaction("removed", 2, "eyes", "UANN", 10),
        reaction("added", 3, "tada", "UANN", 10),
        {"type": "message", "subtype": "message_deleted", "deleted_ts": ts(3)},
        {"type": "message", "subtype": "message_changed", "message": {"ts": ts(3), "text": "late"}},
        POSTS[0],
    ],
    ids=["twice", "twice taken back", "on what is removed", "removed twice", "edited when removed", "posted twice"],
)
def test_a_log_that_contradicts_itself_is_found(more: Payload) -> None:
    """A guard that did not hold."""
    assert wrongs(made((*CHANGED, more))) == {Wrong.DIVERGED: 1}
