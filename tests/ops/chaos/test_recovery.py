"""When a mesh counts as recovered."""

from __future__ import annotations

import pytest

from ops.chaos.index import Index
from ops.chaos.record import Kind
from ops.chaos.recovery import Timings, percentile
from tests.ops.chaos.runs import ENDED_AT, arrival, record, stream


@pytest.mark.parametrize(
    ("since", "recovery_s"), [(0.0, 12.0), (11.5, 1.5), (12.5, 1.5), (13.9, 1.1), (15.0, 0.0)], ids=str
)
def test_recovery_lasts_until_a_post_made_after_the_fault_has_arrived(since: float, recovery_s: float) -> None:
    """Posts are begun at 11, 12, 13 and 14 s here, and arrive a second later; then there is nothing more to see."""
    timings = Timings(Index(record(stream(1, 2, 3, 4))))
    assert timings.recovery_s(since) == pytest.approx(recovery_s)


def test_the_slowest_stream_decides_and_one_that_never_recovers_counts_until_the_end() -> None:
    """Everybody must have something again."""
    slow = stream(1, 2, 3, 4, arrivals=(arrival(1), arrival(2, at=20.0)))
    timings = Timings(Index(record(stream(1, 2, 3, 4), slow)))
    assert timings.recovery_s(11.5) == pytest.approx(8.5)
    assert timings.recovery_s(12.5) == pytest.approx(ENDED_AT - 12.5)


def test_a_later_post_that_arrives_first_ends_the_recovery() -> None:
    """The first moment of delivery counts, not the first post."""
    jumped = stream(arrivals=(arrival(3), arrival(2, at=30.0)))
    assert Timings(Index(record(jumped))).recovery_s(11.5) == pytest.approx(2.5)


def test_slack_sdk_is_left_out_of_timings() -> None:
    """Its patience with a broken line is its own."""
    timings = Timings(Index(record(stream(kind=Kind.SDK), stream(1, 2, 3, 4))))
    assert timings.recovery_s(12.5) == pytest.approx(1.5)
    assert timings.delays_s == pytest.approx([1.0] * 4)


def test_percentiles_are_values_that_occurred() -> None:
    """The largest for 1, something for one value, 0 for none."""
    assert percentile([], 0.5) == 0.0
    assert percentile([3.0], 0.99) == 3.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 1.0) == 4.0
