"""One limit as a number."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.webapp.limits.buckets import Rate, start_of, verdict

NOW_US = 1_700_000_000_000_000
RATE = Rate.per_minute(60, burst=10)


class Number:
    """What memcached would hold: an addition at a time, and what comes after it."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.touched_us = 0

    def call(self, rate: Rate, now_us: int) -> int:
        """Return how long a call is early."""
        is_gone = self.number is not None and now_us - self.touched_us > rate.ttl_s * 1_000_000
        number = start_of(rate, now_us) if self.number is None or is_gone else self.number + rate.interval_us
        found = verdict(rate, number, now_us)
        self.number = number - rate.interval_us if found.wait_us else number
        if found.righted is not None:
            self.number = found.righted
        self.touched_us = now_us
        return found.wait_us


def test_a_burst_and_then_one_at_a_time() -> None:
    """Ten at once, then one a second; who is refused is told when to come back, and is right then."""
    number = Number()
    assert [number.call(RATE, NOW_US) for _ in range(12)] == [0] * 10 + [1_000_000] * 2
    assert number.call(RATE, NOW_US + 999_999) == 1
    assert number.call(RATE, NOW_US + 1_000_000) == 0
    assert number.call(RATE, NOW_US + 1_000_000) == 1_000_000
    assert [number.call(RATE, NOW_US + 4_000_000) for _ in range(4)] == [0, 0, 0, 1_000_000]


def test_a_bucket_is_full_again_after_its_window() -> None:
    """Whether its number was forgotten by then or not, and not fuller than full by more than a half."""
    number = Number()
    for _ in range(10):
        assert number.call(RATE, NOW_US) == 0
    later = NOW_US + RATE.window_us
    assert [number.call(RATE, later) for _ in range(11)] == [0] * 10 + [1_000_000]
    much_later = later + 3_600_000_000
    assert [number.call(RATE, much_later) for _ in range(11)] == [0] * 10 + [1_000_000]


@given(
    st.lists(st.integers(0, 5_000_000), max_size=200),
    st.sampled_from([RATE, Rate.per_minute(20, burst=20), Rate.per_minute(600, burst=1), Rate.per_minute(1, burst=3)]),
)
def test_no_pattern_of_calls_gets_more_than_the_rate_and_one_and_a_half_bursts(gaps: list[int], rate: Rate) -> None:
    """In any span of time; and who waits as long as he is told is never refused twice in a row."""
    number, now_us, allowed = Number(), NOW_US, list[int]()
    for gap in gaps:
        now_us += gap
        wait_us = number.call(rate, now_us)
        if wait_us:
            now_us += wait_us
            assert number.call(rate, now_us) == 0
        allowed.append(now_us)
    most = rate.burst + rate.burst // 2 + 2
    for first in range(len(allowed)):
        for last in range(first, len(allowed)):
            span_us = allowed[last] - allowed[first]
            assert last - first + 1 <= most + span_us // rate.interval_us


def test_slow_callers_save_up_no_more_than_half_a_burst_too_much() -> None:
    """Calls that come in time for ever would otherwise leave the number further and further behind."""
    number, rng = Number(), random.Random(7)
    now_us = NOW_US
    for _ in range(500):
        now_us += rng.randint(1_000_000, 4_000_000)
        assert number.call(RATE, now_us) == 0
    at_once = 0
    while number.call(RATE, now_us) == 0:
        at_once += 1
    assert RATE.burst - 1 <= at_once <= RATE.burst * 3 // 2


def test_a_number_from_a_wrong_clock_shuts_nobody_out() -> None:
    """It is allowed, and the number set right."""
    found = verdict(RATE, NOW_US + 86_400_000_000, NOW_US)
    assert (found.wait_us, found.righted) == (0, start_of(RATE, NOW_US))
    crowd = verdict(RATE, NOW_US + 50 * RATE.window_us, NOW_US)
    assert (crowd.wait_us, crowd.righted) == (RATE.window_us, None)


@pytest.mark.parametrize(
    ("times", "interval_us", "burst"), [(5, 200_000, 50), (0.5, 2_000_000, 5), (0.01, 100_000_000, 1)]
)
def test_rates_are_scaled_with_their_bursts(times: float, interval_us: int, burst: int) -> None:
    """Never to nothing."""
    assert RATE.scaled(times) == Rate(interval_us, burst)
