"""Fan-out, in C and in Python: what was pushed on a line comes out of its socket, whole and in order."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from svc.gateway.fanout import lines as in_python
from tests.svc.gateway.fanout.owners import BYTES_MAX, TWINS, Owner, Schedule, native, owners


@pytest.mark.parametrize("twin", TWINS)
def test_what_is_pushed_leaves_at_the_flush_and_not_before(twin: Any) -> None:
    """Joined to one write a line; frames of one line only in its socket; and one flush is asked for."""
    schedule = Schedule()
    out = twin.Lines(schedule, BYTES_MAX)
    with owners(twin, 3) as (a, b, c):
        assert out.push_all({a, b, c}, b"one", None) == 3
        assert out.push_all([a, b, c], b"two", b) == 2
        out.push(c.line, b"three")
        assert [each.read() for each in (a, b, c)] == [b"", b"", b""]
        assert c.line.pending_bytes == len("onetwothree")
        out.flush(0)
        assert [each.read() for each in (a, b, c)] == [b"onetwo", b"one", b"onetwothree"]
        assert (schedule.asked, out.writes, out.bytes_out) == (1, 3, 6 + 3 + 11)
        out.push(a.line, b"four")
        assert schedule.asked == 2
        out.flush(0)
        assert a.read() == b"onetwofour"


@pytest.mark.parametrize("twin", TWINS)
def test_a_flush_stops_at_its_limit_and_the_longest_waiting_go_first(twin: Any) -> None:
    """The rest has a flush of its own coming, before what is pushed meanwhile."""
    schedule = Schedule()
    out = twin.Lines(schedule, BYTES_MAX)
    with owners(twin, 300) as them:
        out.push_all(them, b"x", None)
        out.flush(270)
        assert [bool(each.read()) for each in them] == [True] * 270 + [False] * 30
        assert schedule.asked == 2
        out.push_all(them[:1], b"y", None)
        out.flush(30)
        assert all(each.read() == b"x" for each in them)
        assert schedule.asked == 3
        out.flush(100)
        assert them[0].read() == b"xy"
        assert schedule.asked == 3


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("burst", [1, 40])
def test_a_burst_delays_another_channel_by_one_write_for_each_of_its_sockets(twin: Any, burst: int) -> None:
    """However many events it has: they are joined, and what comes meanwhile is written after the other channel."""
    out = twin.Lines(Schedule(), BYTES_MAX)
    with owners(twin, 61) as (other, *busy):
        for _ in range(burst):
            out.push_all(busy, b"x", None)
        out.push(other.line, b"mine")
        for _ in range(3):
            assert other.read() == b""
            out.flush(20)
            out.push_all(busy[:20], b"x" * burst, None)
        out.flush(1)
        assert other.read() == b"mine"
        assert all(each.read() == b"x" * burst for each in busy)


@pytest.mark.parametrize("twin", TWINS)
def test_what_a_socket_does_not_take_is_its_owners_first(twin: Any) -> None:
    """The line is not direct from then on, so nothing overtakes the rest."""
    out = twin.Lines(Schedule(), 1 << 20)
    frames = [bytes([65 + i]) * 30_000 for i in range(8)]
    with owners(twin, 1, buffer=4_096) as (owner,):
        for frame in frames:
            out.push(owner.line, frame)
        out.flush(0)
        assert owner.rest
        assert not owner.line.is_direct
        out.push(owner.line, b"last")
        out.flush(0)
        assert owner.slow_flushes == 1
        for _ in range(1_000):
            owner.read()
            owner.write_what_waits()
        out.wake(owner.line)
        out.flush(0)
        assert owner.read() == b"".join(frames) + b"last"
        assert owner.line.is_direct


@pytest.mark.parametrize("twin", TWINS)
def test_a_broken_socket_is_its_owners_and_hurts_nobody(twin: Any) -> None:
    """The peer is gone, or the descriptor is none: the transport will meet the same error."""
    out = twin.Lines(Schedule(), BYTES_MAX)
    with owners(twin, 3) as (gone, closed, well):
        gone.there.close()
        closed.line.open_to(999_999)
        out.push_all([gone, closed, well], b"hello", None)
        out.flush(0)
        assert (gone.rest, closed.rest, well.read()) == (b"hello", b"hello", b"hello")


@pytest.mark.parametrize("twin", TWINS)
def test_more_than_may_wait_is_for_the_owner_to_judge(twin: Any) -> None:
    """It is asked before anything is written."""
    out = twin.Lines(Schedule(), BYTES_MAX)
    with owners(twin, 1) as (owner,):
        out.push(owner.line, b"x" * BYTES_MAX)
        out.flush(0)
        assert (owner.slow_flushes, len(owner.read())) == (0, BYTES_MAX)
        out.push(owner.line, b"x" * (BYTES_MAX + 1))
        out.flush(0)
        assert owner.cut_off
        assert len(owner.read()) == BYTES_MAX


@pytest.mark.parametrize("twin", TWINS)
def test_a_closed_line_takes_nothing_and_an_ended_one_holds_nobody(twin: Any) -> None:
    """What was pending is dropped, also in the midst of a flush; the number of the descriptor may be another's."""
    out = twin.Lines(Schedule(), BYTES_MAX)

    class Closing(Owner):
        def flush(self) -> None:
            victim.line.close()

    with owners(twin, 1) as (victim,):
        closer = Closing(twin)
        closer.line.is_direct = False
        out.push_all([victim, closer], b"x", None)
        out.flush(0)
        assert out.push_all([victim], b"y", None) == 0
        out.push(victim.line, b"z")
        out.wake(victim.line)
        out.flush(0)
        assert victim.read() == b""
        closer.close()
    gone = weakref.ref(closer)
    line = closer.line
    line.ended()
    del closer
    gc.collect()
    assert gone() is None
    assert not line.is_open


@pytest.mark.parametrize("twin", TWINS)
def test_a_connection_and_its_line_that_nobody_knows_are_collected(twin: Any) -> None:
    """They hold each other, also when one never ended and was never flushed."""

    def abandon() -> weakref.ref[Owner]:
        owner = Owner(twin)
        twin.Lines(Schedule(), BYTES_MAX).push(owner.line, b"x")
        owner.close()
        return weakref.ref(owner)

    gone = abandon()
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("twin", TWINS)
def test_what_owners_do_while_asked_loses_nothing(twin: Any) -> None:
    """An owner that pushes to others, and to itself, in the middle of a flush: all of it comes out, in order."""
    out = twin.Lines(Schedule(), BYTES_MAX)

    class Busy(Owner):
        def flush(self) -> None:
            super().flush()
            out.push_all([plain, self], b"2", None)

    with owners(twin, 1) as (plain,):
        busy = Busy(twin)
        busy.line.is_direct = False
        out.push_all([plain, busy], b"1", None)
        out.flush(0)
        out.flush(0)
        assert (plain.read(), busy.read()) == (b"12", b"12")
        busy.close()


@pytest.mark.parametrize("twin", TWINS)
def test_an_owner_that_raises_is_reported_and_the_rest_is_written(twin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not, but nobody else should pay for it."""
    reported: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: reported.append(type(what.exc_value)))
    monkeypatch.setattr(in_python.log, "exception", reported.append)
    out = twin.Lines(Schedule(), BYTES_MAX)

    class Raising(Owner):
        def flush(self) -> None:
            raise RuntimeError

    with owners(twin, 1) as (well,):
        bad = Raising(twin)
        bad.line.is_direct = False
        out.push_all([bad, well], b"x", None)
        out.flush(0)
        assert well.read() == b"x"
        assert len(reported) == 1
        bad.close()


@pytest.mark.skipif(native() is None, reason="no compiler was here")
def test_a_wrong_argument_is_an_error_in_c_as_well() -> None:
    """And leaves the lines as they were."""
    twin = native()
    out = twin.Lines(Schedule(), BYTES_MAX)
    with owners(twin, 1) as (owner,):
        calls: tuple[Callable[[], object], ...] = (
            lambda: out.push(owner.line, "text"),
            lambda: out.push(owner, b"x"),
            lambda: out.push_all([owner], None, None),
            lambda: out.push_all(7, b"x", None),
            lambda: out.wake(owner),
            lambda: out.flush(None),
            lambda: twin.Line(),
            lambda: twin.Lines(None),
        )
        for call in calls:
            with pytest.raises(TypeError):
                call()
        with pytest.raises(AttributeError):
            out.push_all([object()], b"x", None)
        out.push(owner.line, b"x")
        out.flush(0)
        assert owner.read() == b"x"
