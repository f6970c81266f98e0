"""What a read makes of what nodes know: waits, stale values, refreshes, what is not stored. Over a shared memory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from svc.kit.clock import SystemClock
from svc.kit.errors import ResourceExhaustedError, UnavailableError
from svc.webapp.cache import policy
from svc.webapp.cache.cache import Cache, run_cache
from svc.webapp.cache.reading import VALUE_BYTES_MAX
from svc.webapp.cache.routes.null import Null
from svc.webapp.cache.routes.spec import Switches
from tests.svc.webapp.cache.caches import KEY, TEXT, USER, Source, Table
from tests.svc.webapp.cache.shared_memory import ADDRESS, SharedMemory, Told

CLOCK = SystemClock()


@asynccontextmanager
async def over(
    memory: SharedMemory, switches: Switches | None = None, relay: Told | None = None
) -> AsyncIterator[Cache]:
    """Yield a process's cache over a memory."""
    found = switches or Switches()
    async with run_cache(memory, CLOCK, random.Random(1), relay=relay, switches=lambda: found) as cache:
        yield cache


@pytest.fixture
def memory() -> SharedMemory:
    """A memory that all caches of a test share."""
    return SharedMemory(CLOCK)


async def failing() -> str | None:
    """Load nothing: the database has too much to do."""
    raise ResourceExhaustedError("shed")


async def test_a_deleted_value_of_a_class_that_may_be_stale_bridges_a_failing_load(memory: SharedMemory) -> None:
    """And no other class: there the error is the answer."""
    async with over(memory) as cache:
        for key in (USER, KEY):
            await cache.get_or_load(key, Source("old").load, TEXT)
            await cache.invalidate([key])
        assert await cache.get_or_load(USER, failing, TEXT) == "old"
        with pytest.raises(ResourceExhaustedError):
            await cache.get_or_load(KEY, failing, TEXT)
        # The lease is kept while the value lasts, so a database in trouble is left alone...
        assert await cache.get_or_load(USER, failing, TEXT) == "old"
        # ... and nothing stale is ever stored as good.
        assert memory.items[USER].is_stale
        memory.items.clear()
        assert await cache.get_or_load(USER, Source("new").load, TEXT) == "new"


async def test_a_stale_value_is_loaded_anew_when_that_is_possible(memory: SharedMemory) -> None:
    """Whoever deletes a value and reads sees the new one, and so does everybody after him."""
    source = Source("old")
    async with over(memory) as one, over(memory) as two:
        await one.get_or_load(USER, source.load, TEXT)
        source.value = "new"
        await one.invalidate([USER])
        for cache in (one, two, two):
            assert await cache.get_or_load(USER, source.load, TEXT) == "new"
        assert source.loads == 2


async def test_who_waited_for_another_long_enough_takes_the_stale_value(memory: SharedMemory) -> None:
    """Where the class has none, he loads by himself and stores nothing."""
    slow, quick = Source("new", 0.5), Source("mine")
    async with over(memory) as one, over(memory) as two:
        for key, expected, loads in ((USER, "old", 0), (KEY, "mine", 1)):
            memory.put(key, b"old")
            await one.invalidate([key])
            slow.read.clear()
            holder = asyncio.ensure_future(one.get_or_load(key, slow.load, TEXT))
            await slow.read.wait()
            assert await two.get_or_load(key, quick.load, TEXT) == expected
            assert quick.loads == loads
            assert await holder == "new"
            assert await two.get_or_load(key, quick.load, TEXT) == "new"


async def test_that_there_was_none_is_never_given_out_stale(memory: SharedMemory) -> None:
    """A user who was just made exists."""
    async with over(memory) as cache:
        assert await cache.get_or_load(USER, Source(None).load, TEXT) is None
        assert 0 < memory.items[USER].ends - CLOCK.now() <= policy.USER.negative_ttl_s
        await cache.invalidate([USER])
        with pytest.raises(ResourceExhaustedError):
            await cache.get_or_load(USER, failing, TEXT)


async def test_a_value_near_its_end_is_refreshed_once_in_the_background(memory: SharedMemory) -> None:
    """Nobody waits for it; a refresh that fails leaves the value to its end."""
    source = Source("new", 0.01)
    async with over(memory) as one, over(memory) as two:
        memory.put(KEY, b"old", ttl_s=1)
        found = [await cache.get_or_load(KEY, source.load, TEXT) for _ in range(10) for cache in (one, two)]
        assert "old" in found
        while memory.items[KEY].value != b"new":
            await asyncio.sleep(0.005)
        assert source.loads == 1
        memory.put(KEY, b"older", ttl_s=1)
        for _ in range(3):
            assert await one.get_or_load(KEY, failing, TEXT) == "older"
            await asyncio.sleep(0)
    memory.put(KEY, b"old", ttl_s=1)
    async with over(memory, Switches(early_refresh=False)) as cache:
        assert await cache.get_or_load(KEY, source.load, TEXT) == "old"
        await asyncio.sleep(0.02)
    assert source.loads == 1


async def test_a_nodes_absence_is_a_load_without_storing(memory: SharedMemory) -> None:
    """One at a time in a process all the same; and a route that keeps nothing is no different."""
    memory.is_away = True
    source = Source("v", 0.01)
    async with over(memory) as cache:
        assert set(await asyncio.gather(*(cache.get_or_load(KEY, source.load, TEXT) for _ in range(100)))) == {"v"}
    assert source.loads <= 2
    assert not memory.items
    async with run_cache(Null(), CLOCK, random.Random(1)) as cache:
        assert [await cache.get_or_load(KEY, source.load, TEXT) for _ in range(2)] == ["v", "v"]
        await cache.invalidate([KEY])


async def test_what_is_too_large_is_given_back(memory: SharedMemory) -> None:
    """The next one need not wait for a value that never comes."""
    source = Source("x" * (VALUE_BYTES_MAX + 1))
    async with over(memory) as cache:
        assert await cache.get_or_load(KEY, source.load, TEXT) == source.value
    assert not memory.items


async def test_some_of_many_fail_with_all_unless_all_have_something_stale(memory: SharedMemory) -> None:
    """A half answer would look like a whole one."""
    users = [f"{USER}{number}" for number in range(3)]
    table = Table({key: key for key in users})

    async def shed(_: object) -> dict[str, str]:
        raise UnavailableError("shed")

    async with over(memory) as cache:
        await cache.get_or_load_many(users[:2], table.load, TEXT)
        await cache.invalidate(users[:2])
        assert await cache.get_or_load_many(users[:2], shed, TEXT) == {key: key for key in users[:2]}
        memory.items.clear()
        with pytest.raises(UnavailableError):
            await cache.get_or_load_many(users, shed, TEXT)
        assert await cache.get_or_load_many(users, table.load, TEXT) == table.rows


async def test_without_leases_everybody_who_misses_loads(memory: SharedMemory) -> None:
    """The plain mode of the benchmark: what is stored is used, and nothing is waited for, shared or kept stale."""
    source = Source("v", 0.01)
    async with over(memory, Switches(leases=False, early_refresh=False, stale=False)) as cache:
        assert set(await asyncio.gather(*(cache.get_or_load(USER, source.load, TEXT) for _ in range(50)))) == {"v"}
        assert source.loads == 50
        assert await cache.get_or_load(USER, source.load, TEXT) == "v"
        assert source.loads == 50
        await cache.invalidate([USER])
        assert memory.deletes == [(USER, 0)]


async def test_what_did_not_get_through_is_told_at_once_and_together(memory: SharedMemory) -> None:
    """Whatever the classes of the keys."""
    told = Told()
    memory.loses = True
    async with over(memory, relay=told) as cache:
        await cache.invalidate([KEY, USER, KEY])
    first, again = memory.deletes[:2], memory.deletes[2:]
    assert sorted(first) == [(KEY, 0), (USER, policy.USER.stale_s)]
    assert told.told == [{ADDRESS: (KEY, USER)}]
    assert sorted(again) == [(KEY, 0), (USER, 0)], "once everybody knows, see Cache.invalidate"
