"""The gate: what matters less is refused first, slow senders take no places, and bodies are bounded together."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from svc.kit.clock import ManualClock
from svc.kit.errors import ResourceExhaustedError
from svc.webapp.gate import Gate
from svc.webapp.priority import Priority, Turn, current


def admitted(gate: Gate, stack: ExitStack, priority: Priority, count: int) -> int:
    """Let `count` of a class in; return how many got in."""
    got = 0
    for _ in range(count):
        try:
            stack.enter_context(gate.admitted(Turn(priority)))
        except ResourceExhaustedError:
            continue
        got += 1
    return got


def test_the_last_places_are_for_posts() -> None:
    """Of a hundred: the transient get the first half, boots ten more, reads up to ninety, posts all."""
    with ExitStack() as stack:
        gate = Gate(100)
        classes = [Priority.TRANSIENT, Priority.BOOT, Priority.READ, Priority.POST]
        assert [admitted(gate, stack, priority, 100) for priority in classes] == [50, 10, 30, 10]
        assert gate.under_way == 100
    assert gate.under_way == 0


def test_what_is_admitted_is_of_its_turn() -> None:
    """Until the block ends; work that said nothing is a read."""
    turn = Turn(Priority.BOOT)
    with Gate().admitted(turn):
        assert current() is turn
    assert current().priority is Priority.READ


def test_bodies_are_bounded_together_and_given_back() -> None:
    """One that does not fit is refused; what it held of it so far is given back with the request."""
    gate = Gate(bytes_max=1_000)
    first, second, third = Turn(Priority.POST), Turn(Priority.POST), Turn(Priority.BOOT)
    gate.hold(first, 500)
    gate.hold(second, 300)
    with pytest.raises(ResourceExhaustedError) as refused:
        gate.hold(second, 300)
    assert (refused.value.subject, refused.value.limit) == ("webapp.bytes", 1_000)
    with pytest.raises(ResourceExhaustedError):
        gate.hold(third, 1)
    for turn in (first, second, third):
        gate.let_go(turn)
    assert gate.bytes == 0


def test_slow_senders_are_bounded_and_take_no_places() -> None:
    """Those whose body has yet to come are counted by themselves."""
    gate = Gate(2)
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(gate.arriving(Turn(Priority.READ)))
        with pytest.raises(ResourceExhaustedError), gate.arriving(Turn(Priority.POST)):
            pass
        assert admitted(gate, stack, Priority.POST, 3) == 2


async def test_the_advice_grows_with_the_time_for_which_it_is_full() -> None:
    """At first a second or two, after a minute half a minute for a boot and five seconds for a read."""
    clock = ManualClock()
    gate = Gate(1, clock=clock)
    with gate.admitted(Turn(Priority.POST)):
        advice: dict[Priority, list[float]] = {Priority.BOOT: [], Priority.READ: []}
        for _ in range(2):
            for priority, told in advice.items():
                with pytest.raises(ResourceExhaustedError) as refused:
                    gate.enter(Turn(priority))
                told.append(refused.value.retry_after_s)
            await clock.advance(60.0)
    assert all(1.0 <= told[0] <= 2.0 for told in advice.values())
    assert (advice[Priority.BOOT][1], advice[Priority.READ][1]) == (30.0, 5.0)
