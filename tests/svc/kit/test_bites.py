"""Work that may wait takes little of each turn of the loop, however much there is of it, and is none the worse."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

from svc.kit.bites import Bites

STEP_S = 0.01
"""What each step takes, by the clock of these tests."""


class Clock:
    """Stands still unless somebody works."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.steps = 0

    def now(self) -> float:
        return self.now_s

    def work(self) -> None:
        self.now_s += STEP_S
        self.steps += 1


async def boot(clock: Clock, waits: int) -> int:
    """Take a step, and one after each wait; return how many that were."""
    clock.work()
    for _ in range(waits):
        await asyncio.sleep(0)
        clock.work()
    return waits + 1


async def taken(bites: Bites, clock: Clock, waits: int) -> int:
    """Boot, in bites."""
    return await bites.take(boot(clock, waits))


async def steps_by_turn(clock: Clock, crowd: list[asyncio.Task[int]]) -> list[int]:
    """Return how many steps each turn of the loop did, until all are done."""
    found = []
    while not all(task.done() for task in crowd):
        before = clock.steps
        await asyncio.sleep(0)
        found.append(clock.steps - before)
    return found


async def test_of_a_crowd_no_more_goes_on_in_a_turn_than_there_is_time_for() -> None:
    """Two hundred begin in one turn; without bites all of them would go on in each."""
    clock = Clock()
    bites = Bites(3 * STEP_S, clock.now)
    crowd = [asyncio.create_task(taken(bites, clock, 4)) for _ in range(200)]
    turns = await steps_by_turn(clock, crowd)
    assert [task.result() for task in crowd] == [5] * 200
    assert clock.steps == 1_000
    # How long a step is has to be learnt: it was taken to be a tenth of the time that there is.
    assert max(turns) <= 14
    assert max(turns[50:]) <= 4
    assert len(bites) == 0


async def test_who_is_alone_waits_for_nobody() -> None:
    """A step a turn, as without."""
    clock = Clock()
    turns = await steps_by_turn(clock, [asyncio.create_task(taken(Bites(3 * STEP_S, clock.now), clock, 5))])
    assert sum(turns) == 6
    assert len(turns) <= 8


async def test_a_step_that_takes_longer_than_there_is_time_for_is_done_all_the_same() -> None:
    """One a turn: nobody starves."""
    clock = Clock()
    bites = Bites(STEP_S / 100, clock.now)
    crowd = [asyncio.create_task(taken(bites, clock, 2)) for _ in range(20)]
    turns = await steps_by_turn(clock, crowd)
    assert clock.steps == 60
    assert max(turns[5:]) <= 2


async def test_those_who_wait_go_on_in_their_order() -> None:
    """First come, first served."""
    clock, order = Clock(), []
    bites = Bites(STEP_S, clock.now)

    async def note(number: int) -> None:
        clock.work()
        order.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(30):
            group.create_task(_awaiting(bites, note(number)))
    assert order == list(range(30))


async def test_a_failure_a_timeout_and_a_cancellation_reach_the_work() -> None:
    """As they do without; what it has to clear away it clears."""
    bites = Bites()
    cleared: list[str] = []

    async def hangs(name: str) -> None:
        try:
            async with asyncio.timeout(0.01 if name == "late" else None):
                await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleared.append(name)

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("no boot")

    with pytest.raises(TimeoutError):
        await bites.take(hangs("late"))
    with pytest.raises(ValueError, match="no boot"):
        await bites.take(fails())
    gone = asyncio.create_task(_awaiting(bites, hangs("gone")))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert cleared == ["late", "gone"]


async def test_who_is_cancelled_in_the_line_leaves_it_at_once() -> None:
    """And the others go on."""
    clock = Clock()
    bites = Bites(STEP_S, clock.now)
    crowd = [asyncio.create_task(taken(bites, clock, 50)) for _ in range(20)]
    while clock.steps < 200:
        await asyncio.sleep(0)
    assert len(bites) > 0
    for task in crowd[10:]:
        task.cancel()
    # In the turn after this one they are told, in the next one they are gone.
    for _ in range(3):
        await asyncio.sleep(0)
    assert all(task.cancelled() for task in crowd[10:])
    assert await asyncio.gather(*crowd[:10]) == [51] * 10


async def test_the_work_stays_in_its_task_and_context() -> None:
    """What it sets is set for its caller, as when it is awaited."""
    who: ContextVar[str] = ContextVar("who", default="nobody")

    async def sets() -> asyncio.Task[None] | None:
        await asyncio.sleep(0)
        who.set("me")
        return asyncio.current_task()

    assert await Bites().take(sets()) is asyncio.current_task()
    assert who.get() == "me"


async def _awaiting(bites: Bites, work: Coroutine[Any, Any, None]) -> None:
    await bites.take(work)


async def test_between_turns_with_such_work_others_are_short() -> None:
    """One turn in four has some; nothing is lost, and it takes four times as many turns."""
    clock = Clock()
    bites = Bites(3 * STEP_S, clock.now, one_turn_in=4)
    crowd = [asyncio.create_task(taken(bites, clock, 4)) for _ in range(40)]
    turns = await steps_by_turn(clock, crowd)
    assert clock.steps == 200
    assert sum(each == 0 for each in turns) >= len(turns) / 2
    assert len(bites) == 0
