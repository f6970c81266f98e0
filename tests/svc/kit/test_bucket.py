"""The token bucket: what is promised to a rate limit whatever the pauses are."""

from hypothesis import given
from hypothesis import strategies as st

from svc.kit.bucket import TokenBucket


def test_a_burst_passes_and_then_the_rate() -> None:
    """What was saved up is had at once; who comes too early learns for how long."""
    bucket = TokenBucket(2.0, 3, 10.0)
    assert [bucket.take(10.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert bucket.take(10.25) == 0.25
    assert bucket.take(10.5) == 0.0


@given(st.lists(st.floats(0, 3), max_size=100))
def test_a_bucket_is_never_exceeded(pauses: list[float]) -> None:
    """Burst and rate, whatever the pauses; and who waits as told gets in."""
    bucket, now, taken = TokenBucket(5.0, 10, 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        wait_s = bucket.take(now)
        taken += not wait_s
        assert taken <= 10 + now * 5 + 1e-6
        assert 0.0 <= wait_s <= 0.2


def test_a_clock_that_steps_back_gives_nothing() -> None:
    """Monotonic clocks of two threads may differ by a little."""
    bucket = TokenBucket(1.0, 1, 5.0)
    assert bucket.take(5.0) == 0.0
    assert bucket.take(4.0) == 1.0


def test_several_are_taken_at_once_and_never_more_than_there_can_be() -> None:
    """Who wants more than can be saved up waits for a full bucket."""
    bucket = TokenBucket(2.0, 10, 0.0)
    assert (bucket.take(0.0, 6), bucket.take(0.0, 6), bucket.take(1.0, 6)) == (0.0, 1.0, 0.0)
    assert (bucket.take(1.0, 1_000), bucket.take(6.0, 1_000)) == (5.0, 0.0)
