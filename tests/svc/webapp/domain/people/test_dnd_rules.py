"""When somebody is not to be disturbed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

from svc.webapp.domain.people.dnd_rules import Dnd, dnd_of, kept, session, status

ZONE = "Europe/London"


def at(text: str) -> int:
    """Unix seconds of a local time."""
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).timestamp())


NIGHTS = Dnd(is_daily=True)


def test_the_session_that_runs_or_comes_next_is_told() -> None:
    """Over midnight, and within a day; in the user's own zone, also when its clocks change."""
    night = (at("2024-06-10T22:00"), at("2024-06-11T08:00"))
    for now in ("2024-06-10T12:00", "2024-06-10T23:00", "2024-06-11T07:59"):
        assert session(NIGHTS, ZONE, at(now)) == night
    assert session(NIGHTS, ZONE, at("2024-06-11T08:00"))[0] == at("2024-06-11T22:00")
    noon = Dnd(is_daily=True, start_minute=720, end_minute=780)
    assert session(noon, ZONE, at("2024-06-10T12:30")) == (at("2024-06-10T12:00"), at("2024-06-10T13:00"))
    assert session(noon, ZONE, at("2024-06-10T13:00"))[0] == at("2024-06-11T12:00")
    spring = session(NIGHTS, ZONE, at("2024-03-30T23:00"))
    assert spring[1] - spring[0] == 9 * 3600
    assert session(Dnd(), ZONE, at("2024-06-10T12:00")) == (1, 1)


def test_a_session_that_was_ended_gives_way_to_the_next_day_s() -> None:
    """Until its end nothing runs."""
    now_s = at("2024-06-10T23:00")
    ended = replace(NIGHTS, ended_until_s=session(NIGHTS, ZONE, now_s)[1])
    assert session(ended, ZONE, now_s) == (at("2024-06-11T22:00"), at("2024-06-12T08:00"))


def test_snoozing_is_told_to_oneself_and_looks_like_a_session_to_others() -> None:
    """How long it still takes is nobody else's business."""
    now_s = at("2024-06-10T12:00")
    dnd = Dnd(snooze_until_s=now_s + 600)
    own = status(dnd, ZONE, now_s, is_own=True)
    assert own["snooze_enabled"]
    assert own["snooze_endtime"] == now_s + 600
    assert own["snooze_remaining"] == 600
    assert own["dnd_enabled"] is False
    assert status(dnd, ZONE, now_s, is_own=False) == {
        "dnd_enabled": True,
        "next_dnd_start_ts": now_s,
        "next_dnd_end_ts": now_s + 600,
    }
    assert status(dnd, ZONE, now_s + 600, is_own=True)["snooze_enabled"] is False


def test_preferences_are_read_whatever_is_in_them() -> None:
    """A client may store anything under a name."""
    dnd = Dnd(True, 23 * 60, 6 * 60 + 30, 5, 7)
    prefs = {"dnd_enabled": True, "dnd_start_hour": "23:00", "dnd_end_hour": "6:30", "dnd": kept(dnd)}
    assert dnd_of(prefs) == dnd
    odd = {"dnd_enabled": "1", "dnd_start_hour": 7, "dnd_end_hour": "25:99", "dnd": {"snooze_until": "x"}}
    assert dnd_of(odd) == Dnd(is_daily=True)
    assert dnd_of({"dnd_enabled": True, "dnd_start_hour": "8:00", "dnd_end_hour": "8:00"}).is_daily is False
    assert dnd_of({}) == Dnd()
    assert session(Dnd(True), "No/Where", 0) == (22 * 3600, 32 * 3600)
