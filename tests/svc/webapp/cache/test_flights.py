"""The rule by which reads of one process are shared: nobody takes part in one that began before he came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from svc.kit.errors import ResourceExhaustedError
from svc.webapp.cache.flights import Flights


class Reads:
    """Reads that end when the test says so; each returns its number."""

    def __init__(self) -> None:
        self.ends: list[asyncio.Future[int]] = []

    async def read(self) -> int:
        """Begin a read."""
        end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.ends.append(end)
        return await end

    def end(self, number: int) -> None:
        """End one well."""
        self.ends[number].set_result(number)


async def turns() -> None:
    """Let everybody go on as far as he can."""
    for _ in range(10):
        await asyncio.sleep(0)


def calls(flights: Flights, read: Callable[[], Awaitable[int]], count: int) -> list[asyncio.Task[int]]:
    """Return callers that share reads."""
    return [asyncio.ensure_future(flights.share("k", read)) for _ in range(count)]


async def test_who_comes_during_a_read_shares_the_next_one_with_all_who_waited() -> None:
    """Two reads for any number of callers; and who comes during the second waits for a third."""
    flights, reads = Flights(), Reads()
    [first] = calls(flights, reads.read, 1)
    await turns()
    waiting = calls(flights, reads.read, 100)
    await turns()
    assert len(reads.ends) == 1
    reads.end(0)
    await turns()
    assert first.result() == 0
    assert len(reads.ends) == 2
    late = calls(flights, reads.read, 2)
    await turns()
    reads.end(1)
    await turns()
    assert {call.result() for call in waiting} == {1}
    reads.end(2)
    assert await asyncio.gather(*late) == [2, 2]
    assert len(reads.ends) == 3


async def test_after_a_change_nobody_waits_for_what_began_before_it() -> None:
    """Whoever waited already goes on with what began after he came."""
    flights, reads = Flights(), Reads()
    [first] = calls(flights, reads.read, 1)
    await turns()
    [waiting] = calls(flights, reads.read, 1)
    await turns()
    flights.forget("k")
    [after] = calls(flights, reads.read, 1)
    await turns()
    reads.end(1)
    assert await after == 1
    reads.end(0)
    await turns()
    assert first.result() == 0
    reads.end(2)
    assert await waiting == 2


async def test_an_error_is_everybodys_who_waited_for_it() -> None:
    """It is never out of date, and a database in trouble is not asked by each in turn."""
    flights, reads = Flights(), Reads()
    waiting = calls(flights, reads.read, 1)
    await turns()
    waiting += calls(flights, reads.read, 3)
    await turns()
    reads.ends[0].set_exception(LookupError())
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in found] == [LookupError] * 4
    assert len(reads.ends) == 1


async def test_who_waited_for_one_that_was_shed_tries_by_himself() -> None:
    """The leader may have been of a class that matters less."""
    flights, reads = Flights(), Reads()
    [first] = calls(flights, reads.read, 1)
    await turns()
    waiting = calls(flights, reads.read, 2)
    await turns()
    reads.ends[0].set_exception(ResourceExhaustedError("shed"))
    await turns()
    with pytest.raises(ResourceExhaustedError):
        await first
    reads.end(1)
    reads.end(2)
    assert await asyncio.gather(*waiting) == [1, 2]


async def test_who_leaves_takes_nobody_with_him() -> None:
    """Not the leader, whose place another takes, and not one of those who wait."""
    flights, reads = Flights(), Reads()
    [leader] = calls(flights, reads.read, 1)
    await turns()
    one, two, three = calls(flights, reads.read, 3)
    await turns()
    one.cancel()
    leader.cancel()
    await turns()
    assert len(reads.ends) == 2
    two.cancel()
    await turns()
    reads.end(len(reads.ends) - 1)
    assert await three == len(reads.ends) - 1
    assert not flights._flying


async def test_keys_have_nothing_to_do_with_one_another() -> None:
    """Each has reads of its own."""
    flights, reads = Flights(), Reads()
    both = [asyncio.ensure_future(flights.share(key, reads.read)) for key in ("a", "b")]
    await turns()
    assert len(reads.ends) == 2
    reads.end(1)
    reads.end(0)
    assert await asyncio.gather(*both) == [0, 1]
