"""The line before a keyspace's connections, as tasks see it: whoever leaves in whatever moment, no slot is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from svc.kit.errors import ResourceExhaustedError
from svc.webapp.priority import Priority, Turn, at, current, taking
from svc.webapp.store.admission import Admission, retry_after_s


def admission(slots: int = 1, waiting_max: int = 100, acquire_s: float = 2.0) -> Admission:
    return Admission("channel", slots, waiting_max, acquire_s, rng=random.Random(1))


class Crowd:
    """Tasks that use a store, and the order in which they got to."""

    def __init__(self, line: Admission) -> None:
        self.line = line
        self.served: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.free = asyncio.Event()

    def come(self, name: str, priority: Priority, is_gone: Callable[[], bool] = lambda: False) -> None:
        async def use() -> None:
            with taking(Turn(priority, is_gone)):
                async with self.line.slot():
                    self.served.append(name)
                    await self.free.wait()

        self.tasks[name] = asyncio.ensure_future(use())

    async def end(self) -> dict[str, BaseException | None]:
        """Let everybody finish; return what became of each."""
        self.free.set()
        results = await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        assert self.line.in_use == 0
        assert sum(self.line.waiting(priority) for priority in Priority) == 0
        return dict(zip(self.tasks, results, strict=True))


async def a_moment() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_more_important_comes_first() -> None:
    """Whoever came first."""
    crowd = Crowd(admission())
    crowd.come("first", Priority.BACKGROUND)
    await a_moment()
    for priority in (Priority.TRANSIENT, Priority.BOOT, Priority.READ, Priority.POST):
        crowd.come(priority.name, priority)
    await a_moment()
    assert [crowd.line.waiting(priority) for priority in Priority] == [1, 1, 1, 1, 0]
    await crowd.end()
    assert crowd.served == ["first", "POST", "READ", "BOOT", "TRANSIENT"]


async def test_what_was_begun_comes_before_what_is_new_in_its_class() -> None:
    """A request that has used one store already goes before those that came earlier and have used none."""
    line, other = admission(), admission()
    crowd = Crowd(line)
    crowd.come("holder", Priority.POST)
    await a_moment()
    crowd.come("new", Priority.READ)
    await a_moment()

    async def second_step() -> None:
        with taking(Turn(Priority.READ)):
            async with other.slot():
                pass
            async with line.slot():
                crowd.served.append("begun")

    crowd.tasks["begun"] = asyncio.ensure_future(second_step())
    await a_moment()
    await crowd.end()
    assert crowd.served == ["holder", "begun", "new"]


async def test_who_leaves_while_he_waits_or_in_the_moment_of_his_turn_takes_no_slot_with_him() -> None:
    """Cancelled in the line; cancelled after the slot was his and before he knew."""
    crowd = Crowd(admission())
    for name in ("holder", "waits", "chosen", "last"):
        crowd.come(name, Priority.READ)
        await a_moment()
    crowd.tasks["waits"].cancel()
    await a_moment()
    crowd.free.set()
    # The holder ends in this turn of the loop and hands its slot on; the chosen one is cancelled in the same.
    await asyncio.sleep(0)
    crowd.tasks["chosen"].cancel()
    await crowd.end()
    assert crowd.tasks["waits"].cancelled()
    assert "last" in crowd.served
    assert "waits" not in crowd.served


async def test_a_client_that_has_hung_up_gets_no_slot() -> None:
    """It is found out when its turn comes; whoever awaits it nevertheless is told."""
    crowd = Crowd(admission())
    crowd.come("holder", Priority.READ)
    await a_moment()
    crowd.come("gone", Priority.READ, lambda: True)
    crowd.come("there", Priority.READ)
    await a_moment()
    results = await crowd.end()
    assert crowd.served == ["holder", "there"]
    assert isinstance(results["gone"], ResourceExhaustedError)


async def test_who_waits_in_vain_is_told_why_and_when_to_come_back() -> None:
    """After the time of his class, although nothing happens in the line meanwhile."""
    crowd = Crowd(admission(acquire_s=0.05))
    crowd.come("holder", Priority.POST)
    await a_moment()
    crowd.come("waits", Priority.POST)
    await asyncio.wait({crowd.tasks["waits"]}, timeout=5)
    error = (await crowd.end())["waits"]
    assert isinstance(error, ResourceExhaustedError)
    assert (error.subject, error.limit) == ("channel.connections", 1)
    assert error.retry_after_s >= 1.0


async def test_a_full_line_takes_a_post_in_place_of_a_boot() -> None:
    """The boot is told at once."""
    crowd = Crowd(admission(waiting_max=1))
    crowd.come("holder", Priority.READ)
    await a_moment()
    crowd.come("boot", Priority.BOOT)
    await a_moment()
    crowd.come("post", Priority.POST)
    await a_moment()
    assert crowd.tasks["boot"].done()
    assert "displaced" in str(crowd.tasks["boot"].exception())
    await crowd.end()
    assert crowd.served == ["holder", "post"]


async def test_in_random_order_nobody_is_forgotten_and_no_slot_lost() -> None:
    """A thousand tasks of all classes, a third of them cancelled somewhere, some failing inside."""
    rng = random.Random(3)
    line = admission(slots=4, waiting_max=50, acquire_s=0.2)

    async def use() -> None:
        with taking(Turn(rng.choice(list(Priority)))):
            async with line.slot(is_measured=rng.random() < 0.5):
                assert line.in_use <= 4
                await asyncio.sleep(rng.random() * 0.004)
                if rng.random() < 0.1:
                    raise LookupError

    tasks = []
    for _ in range(1000):
        tasks.append(asyncio.ensure_future(use()))
        if rng.random() < 0.3:
            asyncio.get_running_loop().call_later(rng.random() * 0.02, tasks[-1].cancel)
        await asyncio.sleep(rng.random() * 0.001)
    done, pending = await asyncio.wait(tasks, timeout=30)
    assert not pending
    failures = {type(task.exception()) for task in done if not task.cancelled()}
    assert failures <= {type(None), LookupError, ResourceExhaustedError}
    assert line.in_use == 0
    assert sum(line.waiting(priority) for priority in Priority) == 0


async def test_a_slow_store_is_used_by_fewer_at_once() -> None:
    """The time is that of the use; one that fails at once, or is not measured, says nothing."""
    line = admission(slots=8)

    async def use(seconds: float) -> None:
        async with line.slot():
            await asyncio.sleep(seconds)

    for _ in range(60):
        await asyncio.gather(*(use(0.005) for _ in range(7)))
    assert line.limit == 8
    for _ in range(4):
        await asyncio.gather(*(use(0.2) for _ in range(7)), return_exceptions=True)
    assert line.limit <= 4
    seen = [line.is_slow]
    # One at a time, as in a quiet hour: the limit has no reason to rise, and the store none to be called slow.
    async with asyncio.timeout(30):
        while seen[-1]:
            await use(0.005)
            seen.append(line.is_slow)
    assert seen[0]
    assert line.limit < 8


async def test_loops_of_our_own_have_a_class_and_others_are_reads() -> None:
    """`at` lasts as long as the work, in the tasks that it starts too."""
    seen: list[Priority] = []

    async def work() -> None:
        seen.append(current().priority)
        await asyncio.ensure_future(inner())

    async def inner() -> None:
        seen.append(current().priority)

    await at(Priority.BACKGROUND, work())
    assert (seen, current().priority) == ([Priority.BACKGROUND, Priority.BACKGROUND], Priority.READ)


@pytest.mark.parametrize(("priority", "longest_s"), [(Priority.POST, 5.0), (Priority.READ, 5.0), (Priority.BOOT, 30.0)])
def test_advice_is_spread_grows_and_ends_somewhere(priority: Priority, longest_s: float) -> None:
    """Those who were shed together do not come back together."""
    rng = random.Random(2)
    early = [retry_after_s(priority, 0.0, rng) for _ in range(100)]
    later = [retry_after_s(priority, 2.0, rng) for _ in range(100)]
    assert (min(early) >= 1.0, max(early) <= 2.0) == (True, True)
    assert (min(later) >= 2.0, max(later) <= 5.0, max(later) - min(later) > 1.5) == (True, True, True)
    assert retry_after_s(priority, 600.0, rng) == longest_s
