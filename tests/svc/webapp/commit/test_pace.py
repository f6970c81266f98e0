"""How long a write would wait: by the batches before it, by the one that is stuck, and never for ever."""

from __future__ import annotations

from svc.webapp.commit.pace import Pace


def after(*batches_s: float) -> Pace:
    """Return a pace that has seen batches of these lengths, with one begun at 0."""
    pace = Pace(batch_max=100)
    for took_s in batches_s:
        pace.begin(-took_s)
        pace.end(0.0)
    pace.begin(0.0)
    return pace


def test_an_idle_lane_makes_nobody_wait_however_slow_it_was() -> None:
    """The first write after an outage is what finds out that it is over."""
    pace = after(5.0)
    pace.end(5.0)
    assert pace.wait_s(0, 5.0) == 0.0


def test_the_wait_is_the_rest_of_the_running_batch_and_those_before_ones_own() -> None:
    """Batches of 1 s, half of one gone; 250 that wait fill two and a half."""
    pace = after(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    assert 3.4 < pace.wait_s(250, 0.5) <= 3.5
    assert 1.4 < pace.wait_s(0, 0.5) <= 1.5


def test_a_batch_that_is_stuck_is_as_long_as_it_has_lasted() -> None:
    """Nobody needs to wait for its end to know."""
    pace = after(0.01)
    assert pace.wait_s(10, 0.005) < 0.05
    assert pace.wait_s(10, 3.0) == 3.0


def test_a_recovery_is_believed_at_once() -> None:
    """One quick batch, and the line is open again; one slow batch among quick ones closes nothing for long."""
    assert after(5.0, 5.0, 5.0, 0.01).wait_s(50, 0.0) < 0.05
    assert after(0.01, 0.01, 2.0).wait_s(50, 0.0) < 2.1
