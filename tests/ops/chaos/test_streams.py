"""What readers note of frames, and the figures made of it."""

from __future__ import annotations

from typing import Any

import pytest

from ops.chaos.faults import Action, Cut, Fault, Struck
from ops.chaos.record import Kind
from ops.chaos.report import markdown, report
from ops.chaos.streams import MARK, Place, StreamLog, place_of
from tests.ops.chaos.runs import record, stream


@pytest.mark.parametrize(
    ("frame", "place"),
    [
        ({"type": "hello"}, None),
        ({"ok": True, "reply_to": 3, "ts": "1.2", "position": "C1:9"}, None),
        ({"type": "user_typing", "channel": "C1"}, None),
        ({"type": "message", "text": MARK + "k", "ts": "1.2", "position": "C1:9"}, Place("C1", 9, "1.2", "k")),
        ({"type": "message", "text": "hi", "ts": "1.2", "position": "D1:1"}, Place("D1", 1, "1.2", "")),
        ({"type": "reaction_added", "event_ts": "1.3", "position": "C1:2"}, Place("C1", 2, "1.3", "")),
        ({"type": "message", "position": "C1:x"}, None),
    ],
)
def test_a_frame_has_a_place_when_it_is_a_persisted_event(frame: dict[str, Any], place: Place | None) -> None:
    """An acknowledgement carries a position too, and is no delivery."""
    assert place_of(frame) == place


def test_a_log_numbers_connections_and_knows_which_one_brought_what() -> None:
    """From hello to the end; a second end of the same connection changes nothing."""
    log = StreamLog("r", "U1", Kind.PLAIN)
    log.ended()
    log.greeted()
    log.arrived({"type": "message", "ts": "1.1", "position": "C1:1"})
    log.ended()
    log.ended()
    log.greeted()
    log.arrived({"type": "message", "ts": "1.2", "position": "C1:2"})
    made = log.stream()
    assert [arrival.session for arrival in made.arrivals] == [0, 1]
    assert [session.ended_at is None for session in made.sessions] == [False, True]
    assert made.sessions[0].ended_at is not None
    assert made.sessions[0].hello_at <= made.sessions[0].ended_at <= made.sessions[1].hello_at
    assert log.heads == {"C1": 2}


def test_the_report_has_every_figure_and_the_first_violations() -> None:
    """As programs read it."""
    struck = (Struck(Fault(3.0, Action.KILL, "channel-az1-1"), since=12.5),)
    figures = report("kill-channel", 7, record(stream(1, 2, 4)), struck).as_json()
    assert {key: figures[key] for key in ("scenario", "seed", "posts_acked", "posts_failed", "faults")} == {
        "scenario": "kill-channel",
        "seed": 7,
        "posts_acked": 4,
        "posts_failed": 0,
        "faults": 1,
    }
    assert (figures["expected"], figures["delivered"], figures["lost"], figures["unexplained_gaps"]) == (4, 3, 1, 1)
    assert (figures["duplicated"], figures["reordered"]) == (0, 0)
    assert figures["recovery_ms_p50"] == figures["recovery_ms_max"] == 2500
    assert [violation["offset"] for violation in figures["violations"]] == [3, 3]
    assert "| `kill-channel` | 1 | 4 |" in markdown([figures])


def test_a_fault_says_what_it_does_and_whether_it_takes_the_only_way() -> None:
    """Recovery from a wall is counted from its end."""
    cut = Fault(1.0, Action.CUT, "channel-az1-1", 3.0, "admin", Cut.RESET)
    assert cut.describe() == "cut channel-az1-1 off from admin, reset, 3.0 s"
    assert cut.is_wall
    assert not Fault(1.0, Action.CUT, "channel-az1-1", 3.0, "consul").is_wall
    assert Fault(1.0, Action.KILL, "mariadb").is_wall
    assert not Fault(1.0, Action.KILL, "gateway-az1-1").is_wall
