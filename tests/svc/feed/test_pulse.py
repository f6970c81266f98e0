"""A pulse never takes a line for more level than it is, by the reader's own clock."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from svc.feed.pulse import PINGS_MAX, Pulse


def test_a_pong_proves_the_time_of_its_ping() -> None:
    """Not the time at which it is read: a line may have stood still meanwhile."""
    pulse = Pulse(0.2)
    assert pulse.level_at == -math.inf
    number = pulse.due(10.0)
    assert number is not None
    pulse.answered(number, is_proof=True)
    assert pulse.level_at == 10.0


def test_pings_are_sent_as_often_as_wanted_and_no_oftener() -> None:
    """However often the line is asked what to send."""
    pulse = Pulse(0.2)
    sent = [pulse.due(step / 100) for step in range(100)]
    assert [number for number in sent if number is not None] == [1, 2, 3, 4, 5]


def test_a_silent_server_is_not_asked_without_end() -> None:
    """The age of the last pong says enough; a line that comes back answers them all."""
    pulse = Pulse(0.2)
    sent = [number for step in range(100) if (number := pulse.due(float(step))) is not None]
    assert len(sent) == PINGS_MAX
    pulse.answered(sent[-1], is_proof=True)
    assert pulse.level_at == PINGS_MAX - 1
    assert pulse.due(100.0) is not None


def test_an_answer_by_another_ring_proves_nothing() -> None:
    """One of the two is behind: who of them is not known; the last proof goes on ageing."""
    pulse = Pulse(0.2)
    pulse.answered(pulse.due(1.0) or 0, is_proof=True)
    pulse.answered(pulse.due(2.0) or 0, is_proof=False)
    assert pulse.level_at == 1.0


def test_a_line_that_breaks_proves_nothing_more() -> None:
    """A late pong of it, if there were one, is not taken for the next line's."""
    pulse = Pulse(0.2)
    old = pulse.due(1.0)
    assert old is not None
    pulse.stop()
    assert pulse.due(1.1) == old + 1
    pulse.answered(old, is_proof=True)
    assert pulse.level_at == -math.inf


@given(st.lists(st.tuples(st.sampled_from(["ping", "answer", "refuse", "stop"]), st.floats(0.0, 1.0)), max_size=60))
def test_level_is_never_later_than_a_ping_that_was_answered(steps: list[tuple[str, float]]) -> None:
    """Against a line that keeps what was sent in a list."""
    pulse, line, now, truth = Pulse(0.2), list[tuple[int, float]](), 0.0, -math.inf
    for what, pause_s in steps:
        now += pause_s
        if what == "ping" and (number := pulse.due(now)) is not None:
            line.append((number, now))
        elif what == "stop":
            pulse.stop()
            line, truth = [], -math.inf
        elif line and what in ("answer", "refuse"):
            number, sent_at = line.pop(0)
            pulse.answered(number, is_proof=what == "answer")
            truth = sent_at if what == "answer" else truth
        assert pulse.level_at == truth
