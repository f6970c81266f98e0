"""Reads shared by those who ask at the same time, over a store that counts and can be held up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from svc.kit.errors import ParleyError, ResourceExhaustedError, UnavailableError
from svc.webapp.gathering.asks import AskRules
from svc.webapp.gathering.crowd import CrowdRules
from svc.webapp.gathering.gatherer import Gatherer
from svc.webapp.priority import PATIENCE_S, Priority, Turn, current, taking


class Shelf:
    """A store of numbers whose reads end when they are let go."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self.reads: list[tuple[str, ...]] = []
        self.classes: list[Priority] = []
        self.is_held = False
        self.broken: Exception | None = None
        self._go = asyncio.Condition()

    async def read(self, keys: Sequence[str]) -> Mapping[str, int]:
        """What is there now; it is given out later."""
        self.reads.append(tuple(keys))
        self.classes.append(current().priority)
        found = {key: self.values[key] for key in keys if key in self.values}
        broken = self.broken
        await asyncio.sleep(0)
        async with self._go:
            await self._go.wait_for(lambda: not self.is_held)
        if broken is not None:
            raise broken
        return found

    async def let_go(self) -> None:
        """Let the reads under way end."""
        async with self._go:
            self.is_held = False
            self._go.notify_all()


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_one_alone_is_answered_by_one_read_at_once() -> None:
    """Without its doubles and what does not exist; nothing asks nothing."""
    shelf = Shelf()
    shelf.values = {"a": 1, "b": 2}
    gatherer = Gatherer("test", shelf.read)
    assert await gatherer.ask(["a", "b", "a", "x"]) == {"a": 1, "b": 2}
    assert await gatherer.ask([]) == {}
    assert shelf.reads == [("a", "b", "x")]


async def test_two_thousand_askers_are_two_reads() -> None:
    """The first who came, and all others; each gets what it asked for and nothing else."""
    shelf = Shelf()
    shelf.values = {f"k{number}": number for number in range(500)}
    # A machine that is busy is half a second at two thousand tasks: no read is overdue for that.
    gatherer = Gatherer("test", shelf.read, AskRules(overdue_s=60.0))
    answers = await asyncio.gather(
        *(gatherer.ask([f"k{number % 500}", f"k{(number + 1) % 500}"]) for number in range(2_000))
    )
    assert [len(read) for read in shelf.reads] == [2, 500]
    for number, answer in enumerate(answers):
        one, other = number % 500, (number + 1) % 500
        assert answer == {f"k{one}": one, f"k{other}": other}


async def test_nobody_gets_what_was_read_before_he_asked() -> None:
    """Whoever wrote meanwhile sees what he wrote."""
    shelf = Shelf()
    shelf.values, shelf.is_held = {"a": 1}, True
    gatherer = Gatherer("test", shelf.read)
    early = asyncio.ensure_future(gatherer.ask(["a"]))
    await settled()
    shelf.values["a"] = 2
    late = asyncio.ensure_future(gatherer.ask(["a"]))
    await settled()
    assert len(shelf.reads) == 1
    await shelf.let_go()
    assert (await early, await late) == ({"a": 1}, {"a": 2})


async def test_a_failed_read_fails_those_who_share_it_alone() -> None:
    """Who comes later has a read of his own; the error is the store's."""
    shelf = Shelf()
    shelf.is_held, shelf.broken = True, UnavailableError("gone")
    gatherer = Gatherer("test", shelf.read)
    first = asyncio.ensure_future(gatherer.ask(["a"]))
    await settled()
    second, third = (asyncio.ensure_future(gatherer.ask(["b"])) for _ in range(2))
    await settled()
    shelf.broken = None
    shelf.values = {"b": 2}
    await shelf.let_go()
    with pytest.raises(UnavailableError):
        await first
    assert (await second, await third) == ({"b": 2}, {"b": 2})
    shelf.broken = UnavailableError("gone again")
    failed = await asyncio.gather(*(gatherer.ask([key]) for key in "abc"), return_exceptions=True)
    assert [type(each) for each in failed] == [UnavailableError] * 3
    assert len(shelf.reads) == 4


async def test_those_who_are_refused_together_come_back_apart() -> None:
    """Each is told a time of its own, around that of the store, with all else that it says."""
    shelf = Shelf()
    shelf.broken = ResourceExhaustedError("full", subject="channel.connections", limit=8, actual=9, retry_after_s=2.0)
    gatherer = Gatherer("test", shelf.read)
    failed = await asyncio.gather(*(gatherer.ask([str(number)]) for number in range(50)), return_exceptions=True)
    refused = [each for each in failed if isinstance(each, ResourceExhaustedError)]
    assert len(refused) == 50
    assert {(each.message, each.subject, each.limit, each.actual) for each in refused} == {
        ("full", "channel.connections", 8, 9)
    }
    times = [each.retry_after_s for each in refused]
    assert len(set(times)) == 50
    assert 1.0 <= min(times) < 1.5 < 2.5 < max(times) <= 3.0


async def test_a_defect_of_a_read_is_seen_by_all_who_share_it() -> None:
    """With what it was as the cause."""
    shelf = Shelf()
    shelf.broken = KeyError("column")
    gatherer = Gatherer("test", shelf.read)
    failed = await asyncio.gather(*(gatherer.ask([key]) for key in "abc"), return_exceptions=True)
    assert [(type(each), type(each.__cause__)) for each in failed if isinstance(each, Exception)] == [
        (RuntimeError, KeyError)
    ] * 3


@pytest.mark.parametrize("when", ["reading", "told to read", "waiting"])
async def test_who_goes_away_takes_nobody_with_him(when: str) -> None:
    """Whether he made the read for all, was about to, or only waited."""
    shelf = Shelf()
    shelf.values, shelf.is_held = {"a": 1, "b": 2, "c": 3}, True
    gatherer = Gatherer("test", shelf.read)
    first = asyncio.ensure_future(gatherer.ask(["a"]))
    await settled()
    leaver, other = (asyncio.ensure_future(gatherer.ask([key])) for key in "bc")
    await settled()
    if when == "waiting":
        leaver.cancel()
    shelf.is_held = when == "reading"
    if when == "reading":
        first.cancel()
        await settled()
        assert shelf.reads == [("a",), ("b", "c")]
        leaver.cancel()
        await settled()
        assert shelf.reads[2:] == [("c",)]
    await shelf.let_go()
    if when == "told to read":
        while not first.done():
            await asyncio.sleep(0)
        leaver.cancel()
    assert await other == {"c": 3}
    assert leaver.cancelled() or leaver.cancelling()
    assert await gatherer.ask(["a"]) == {"a": 1}


async def test_all_may_go_away() -> None:
    """Whoever comes afterwards does not wait for them."""
    shelf = Shelf()
    shelf.values, shelf.is_held = {"a": 1}, True
    gatherer = Gatherer("test", shelf.read)
    asking = [asyncio.ensure_future(gatherer.ask(["a"])) for _ in range(20)]
    await settled()
    for each in asking:
        each.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    shelf.is_held = False
    assert await gatherer.ask(["a"]) == {"a": 1}


async def test_a_shared_read_is_of_the_class_of_the_most_important() -> None:
    """And who matters more does not wait for those who matter less."""
    shelf = Shelf()
    shelf.is_held = True
    gatherer = Gatherer("test", shelf.read)

    async def ask(key: str, priority: Priority) -> bool:
        turn = Turn(priority)
        with taking(turn):
            await gatherer.ask([key])
        return turn.has_begun

    tasks = []
    for key, priority in (("a", Priority.BOOT), ("b", Priority.TRANSIENT), ("c", Priority.BOOT), ("d", Priority.READ)):
        tasks.append(asyncio.ensure_future(ask(key, priority)))
        await settled()
    assert shelf.reads == [("a",), ("d", "c", "b")]
    assert shelf.classes == [Priority.BOOT, Priority.READ]
    await shelf.let_go()
    # To finish what a store has worked for comes before what is new.
    assert await asyncio.gather(*tasks) == [True] * 4


async def test_a_read_that_hangs_is_not_waited_for() -> None:
    """A connection may be dead; the others work."""
    shelf = Shelf()
    shelf.is_held = True
    gatherer = Gatherer("test", shelf.read, AskRules(overdue_s=0.01))
    asking = [asyncio.ensure_future(gatherer.ask([key])) for key in "ab"]
    async with asyncio.timeout(5):
        while len(shelf.reads) < 2:
            await asyncio.sleep(0.001)
    await shelf.let_go()
    await asyncio.gather(*asking)


async def test_more_keys_than_a_read_takes_are_several_reads() -> None:
    """And the line is bounded."""
    shelf = Shelf()
    shelf.values = {key: ord(key) for key in "abcdefg"}
    gatherer = Gatherer("test", shelf.read, AskRules(keys_a_read=3, asks_max=2))
    assert await gatherer.ask("abcdefg") == shelf.values
    assert [len(read) for read in shelf.reads] == [3, 3, 1]
    found = await asyncio.gather(*(gatherer.ask("a") for _ in range(5)), return_exceptions=True)
    refused = [each for each in found if isinstance(each, ParleyError)]
    assert [type(each) for each in refused] == [ResourceExhaustedError] * 2


async def test_random_comings_and_goings_leave_nobody_waiting() -> None:
    """Whoever stays is answered with what was true after he asked; nothing is left over."""
    import random

    rng = random.Random(5)
    shelf = Shelf()
    clock = 0
    gatherer = Gatherer("test", shelf.read, AskRules(keys_a_read=4))

    async def one() -> None:
        nonlocal clock
        for _ in range(30):
            keys = rng.sample("abcdef", rng.randint(1, 4))
            clock += 1
            wrote = clock
            for key in keys:
                shelf.values[key] = wrote
            with taking(Turn(rng.choice(list(Priority)))):
                try:
                    async with asyncio.timeout(rng.choice([None, 0.0, 0.0005])):
                        found = await gatherer.ask(keys)
                except TimeoutError:
                    continue
            assert all(found[key] >= wrote for key in keys)

    async with asyncio.timeout(20):
        await asyncio.gather(*(one() for _ in range(50)))
    assert len(gatherer._asks) == 0
    assert gatherer._asks.reads_under_way == 0
    assert len(shelf.reads) < 1_000


async def test_a_crowd_is_patient_once_and_not_for_each_read_anew() -> None:
    """A chain of many kinds of reads takes the patience that a request has, and a gap: not a gap for each kind."""
    rules = AskRules(crowd=CrowdRules(asks=2.0, gap_s=3_600.0))
    shelf = Shelf()
    shelf.values = dict.fromkeys("abcdef", 1)
    kinds = [Gatherer(str(number), shelf.read, rules) for number in range(5)]
    turns = [Turn(Priority.BOOT, is_patient=True) for _ in range(6)]

    async def chain(turn: Turn, key: str) -> None:
        with taking(turn):
            for kind in kinds:
                await kind.ask([key])

    async with asyncio.timeout(30):
        # They make each kind one that a crowd asks for, so that the next of a crowd would wait an hour.
        await asyncio.gather(*map(chain, turns[:4], "abcd"))
        for turn in turns[4:]:
            turn.patience_s = 0.0
        await asyncio.gather(*map(chain, turns[4:], "ef"))


async def test_waiting_for_a_crowd_uses_patience_up() -> None:
    """What one read was waited for is not waited again for the next."""
    rules = AskRules(crowd=CrowdRules(asks=2.0, gap_s=0.05))
    gatherer = Gatherer("test", Shelf().read, rules)
    turns = [Turn(Priority.BOOT, is_patient=True) for _ in range(8)]

    async def ask(turn: Turn) -> None:
        with taking(turn):
            await gatherer.ask(["a"])

    async with asyncio.timeout(30):
        await asyncio.gather(*map(ask, turns[:4]))
        await asyncio.gather(*map(ask, turns[4:]))
    assert all(turn.patience_s < PATIENCE_S for turn in turns[4:])
