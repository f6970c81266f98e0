"""Positions: each persisted event once and in order, whatever the streams do; a loss is declared, never silent."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.event.v1 import event_pb2 as event_pb
from svc.feed.follower import HOLE_PATIENCE_S, IDLE_READS_MAX, Follower, HoldBudget
from svc.feed.positions import Positions

C = "C0000000001"


def event(offset: int, channel_id: str = C, size: int = 10) -> event_pb.Event:
    return event_pb.Event(channel_id=channel_id, offset=offset, payload=b"x" * size)


def offsets(events: Sequence[event_pb.Event]) -> list[int]:
    return [each.offset for each in events]


@pytest.fixture
def positions() -> Positions:
    made = Positions()
    made.start(C, 4)
    return made


@pytest.mark.parametrize(
    ("arriving", "handed"),
    [
        ([5, 6, 7], [5, 6, 7]),
        ([5, 5, 6, 5], [5, 6]),
        ([1, 4, 5], [5]),
        ([6, 5], [5, 6]),
        ([8, 6, 7, 5], [5, 6, 7, 8]),
        ([6, 7], []),
        ([0, 5, 0], [0, 5, 0]),
    ],
)
def test_events_are_handed_on_once_and_in_order(positions: Positions, arriving: list[int], handed: list[int]) -> None:
    """The table of arrivals after offset 4: duplicates go, holes hold, transient events (0) pass."""
    out = [got for offset in arriving for got in positions.take(event(offset), 0.0)]
    assert offsets(out) == handed


def test_a_hole_is_read_from_the_log_after_a_moment_of_patience(positions: Positions) -> None:
    """Two streams of a moving channel race by milliseconds, so the log is not read at once."""
    positions.take(event(7), 10.0)
    assert positions.reads_due(10.0, 10) == []
    assert positions.next_due() == pytest.approx(10.0 + HOLE_PATIENCE_S)
    assert positions.reads_due(10.2, 10) == [(C, 4)]
    assert positions.reads_due(10.2, 10) == [], "one read of a channel at a time"
    handed = positions.read(C, [event(5), event(6)], 7, False, 10.3)
    assert offsets(handed.events) == [5, 6, 7]
    assert not handed.is_loss
    assert positions.next_due() is None


def test_a_log_that_goes_on_is_read_again_at_once(positions: Positions) -> None:
    """A head above the last event of the run means that there is more."""
    positions.doubt(C, 300, 1.0)
    assert positions.reads_due(1.0, 10) == [(C, 4)]
    assert offsets(positions.read(C, [event(5)], 300, False, 1.0).events) == [5]
    assert positions.reads_due(1.0, 10) == [(C, 5)]


def test_what_retention_dropped_is_declared_lost(positions: Positions) -> None:
    """A truncated log moves the position over what is gone, and says so."""
    positions.take(event(20), 0.0)
    positions.reads_due(1.0, 10)
    handed = positions.read(C, [event(18), event(19)], 20, True, 1.0)
    assert handed.is_loss
    assert offsets(handed.events) == [18, 19, 20]


def test_a_hole_that_the_log_never_fills_is_given_up_and_declared(positions: Positions) -> None:
    """One impossible hole must not stop a channel for ever."""
    positions.take(event(7), 0.0)
    now, losses, out = 0.0, 0, list[event_pb.Event]()
    for _ in range(IDLE_READS_MAX + 1):
        now = positions.next_due() or now
        assert positions.reads_due(now, 1) == [(C, 4)]
        handed = positions.read(C, [], 7, False, now)
        losses += handed.is_loss
        out.extend(handed.events)
    assert losses == 1
    assert offsets(out) == [7]
    assert positions.next_due() is None


def test_an_unreachable_log_is_asked_for_as_long_as_it_takes(positions: Positions) -> None:
    """Failures do not count as reads without progress: a webapp outage loses nothing."""
    positions.take(event(6), 0.0)
    now = 1.0
    for _ in range(10 * IDLE_READS_MAX):
        assert positions.reads_due(now, 1) == [(C, 4)]
        positions.failed([C], now)
        now += 1.0
    positions.reads_due(now, 1)
    assert offsets(positions.read(C, [event(5)], 6, False, now).events) == [5, 6]


def test_an_unproven_start_is_compared_with_the_head_of_the_log(positions: Positions) -> None:
    """Only channels whose head is beyond ours are read."""
    positions.start("C0000000002", 9)
    positions.doubt(C, 0, 1.0)
    positions.doubt("C0000000002", 0, 1.0)
    assert positions.next_due() == 0.0
    assert positions.checks_due(10) == [C, "C0000000002"]
    positions.checked({C: 6, "C0000000002": 9}, 1.0)
    assert positions.reads_due(1.0, 10) == [(C, 4)]


def test_a_channel_that_is_left_is_forgotten_with_its_hole(positions: Positions) -> None:
    """Late answers and late events of it touch nothing."""
    positions.take(event(7), 0.0)
    positions.stop(C)
    assert positions.next_due() is None
    assert positions.take(event(5), 0.0) == ()
    assert positions.read(C, [event(5)], 7, False, 0.0).events == ()


def test_what_does_not_fit_above_a_hole_is_read_instead_of_lost() -> None:
    """The limit of held events costs a log read, not an event."""
    positions = Positions(HoldBudget(events_max=2, bytes_max=1_000))
    positions.start(C, 0)
    for offset in (3, 4, 5, 6):
        positions.take(event(offset), 0.0)
    positions.reads_due(1.0, 1)
    first = positions.read(C, [event(1), event(2)], 2, False, 1.0)
    assert offsets(first.events) == [1, 2, 3, 4]
    assert positions.reads_due(1.0, 1) == [(C, 4)]
    assert offsets(positions.read(C, [event(5), event(6)], 6, False, 1.0).events) == [5, 6]


@given(
    head=st.integers(1, 40),
    arrivals=st.lists(st.integers(1, 40), max_size=80),
    reads=st.lists(st.tuples(st.integers(0, 80), st.integers(1, 10)), max_size=20),
    events_max=st.integers(1, 8),
    bytes_max=st.integers(10, 200),
)
def test_any_arrivals_and_log_reads_give_every_event_once_in_order(
    head: int, arrivals: list[int], reads: list[tuple[int, int]], events_max: int, bytes_max: int
) -> None:
    """The invariant: what is handed on is 1, 2, 3… with no hole; after enough log reads it is everything."""
    budget = HoldBudget(events_max, bytes_max)
    follower = Follower(0, budget)
    out: list[int] = []
    reads_at = dict(reads)
    for step, offset in enumerate(arrivals):
        out += offsets(follower.take(event(min(offset, head)), float(step)))
        if step in reads_at:
            after = follower.reading()
            log = [event(each) for each in range(after + 1, min(head, after + reads_at[step]) + 1)]
            out += offsets(follower.read(log, head, False, float(step)).events)
    follower.miss(head, 100.0)
    while not follower.is_whole:
        after = follower.reading()
        log = [event(each) for each in range(after + 1, min(head, after + 7) + 1)]
        out += offsets(follower.read(log, head, False, 100.0).events)
    assert out == list(range(1, head + 1))
    assert budget.bytes == 0
