"""The cache against real memcached: leases, races, deaths."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from svc.kit.clock import SystemClock
from svc.webapp.cache.cache import run_cache
from svc.webapp.cache.codec import FLAG, row_codec
from svc.webapp.cache.memcached.node import Node
from svc.webapp.cache.routes.null import Null
from svc.webapp.cache.routes.route import Undelivered
from svc.webapp.store.rows import Conversation, ConversationKind, Token, TokenKind
from tests.svc.webapp.cache.caches import KEY, TEXT, USER, Source, Table, caching, until_alive
from tests.svc.webapp.cache.nodes import CacheServer, cache_server
from tests.svc.webapp.cache.shared_memory import Told

pytestmark = pytest.mark.mesh


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[CacheServer]:
    """A memcached of the test's own."""
    async with cache_server(tmp_path) as server:
        yield server


async def test_a_value_is_loaded_once_and_absence_too(node: CacheServer) -> None:
    """By every process: the second reads what the first stored."""
    some, none = Source("v"), Source(None)
    async with caching(node.address) as (one, _), caching(node.address) as (two, _):
        for cache in (one, two, one):
            assert await cache.get_or_load(KEY, some.load, TEXT) == "v"
            assert await cache.get_or_load(USER, none.load, TEXT) is None
    assert (some.loads, none.loads) == (1, 1)


async def test_a_hot_miss_of_a_thousand_callers_in_two_processes_is_one_query(node: CacheServer) -> None:
    """Two when the load takes longer than the other process waits for it: 50 ms."""
    for seconds, loads_max in ((0.005, 1), (0.2, 2)):
        source = Source("v", seconds)
        async with caching(node.address) as (one, _), caching(node.address) as (two, _):
            await one.invalidate([KEY])
            reads = [cache.get_or_load(KEY, source.load, TEXT) for _ in range(500) for cache in (one, two)]
            assert set(await asyncio.gather(*reads)) == {"v"}
        assert source.loads <= loads_max


async def test_a_hot_miss_costs_one_load_in_one_process_and_hardly_more_in_many(node: CacheServer) -> None:
    """Twenty readers in each of twenty processes: the others wait for whoever has the lease, up to 50 ms."""
    source = Source("v", 0.005)
    async with AsyncExitStack() as stack:
        caches = [(await stack.enter_async_context(caching(node.address)))[0] for _ in range(20)]
        reads = [cache.get_or_load(KEY, source.load, TEXT) for cache in caches for _ in range(20)]
        assert set(await asyncio.gather(*reads)) == {"v"}
    # One, unless this machine was so busy that a waiter gave up; without leases it is twenty.
    assert source.loads <= 5


async def test_a_slow_holder_is_not_waited_for_long(node: CacheServer) -> None:
    """The others load by themselves, and do not store."""
    slow, quick = Source("v", 1.0), Source("v")
    async with caching(node.address) as (one, _), caching(node.address) as (two, _):
        holder = asyncio.ensure_future(one.get_or_load(KEY, slow.load, TEXT))
        await slow.read.wait()
        began = time.monotonic()
        assert await two.get_or_load(KEY, quick.load, TEXT) == "v"
        assert time.monotonic() - began < 0.5
        await holder
    assert quick.loads == 1


async def test_a_value_read_before_an_invalidation_is_never_stored_after_it(node: CacheServer) -> None:
    """The race that leases are for: load, write, invalidate, and only then store."""
    source = Source("old", 0.05)
    async with caching(node.address) as (one, _), caching(node.address) as (two, _):
        reader = asyncio.ensure_future(one.get_or_load(KEY, source.load, TEXT))
        await source.read.wait()
        source.value, source.seconds = "new", 0.0
        await two.invalidate([KEY])
        assert await two.get_or_load(KEY, source.load, TEXT) == "new"
        assert await reader == "old"
        for cache in (one, two):
            assert await cache.get_or_load(KEY, source.load, TEXT) == "new"


async def test_who_comes_after_an_invalidation_elsewhere_never_joins_a_read_from_before(node: CacheServer) -> None:
    """The read under way in this process began before a write through another one, which tells nobody: both confirm."""
    source = Source("old", 0.05)
    async with caching(node.address) as (here, _), caching(node.address) as (elsewhere, _):
        early = asyncio.ensure_future(here.get_or_load(KEY, source.load, TEXT))
        await source.read.wait()
        source.value = "new"
        await elsewhere.invalidate([KEY])
        assert await here.get_or_load(KEY, source.load, TEXT) == "new"
        assert await early == "old"


async def test_readers_and_writers_at_once_never_leave_an_old_value(node: CacheServer) -> None:
    """Many rounds of chance: after each write and its invalidation, everybody reads the new one, whenever he came."""
    rng = random.Random(11)
    source = Source("0")
    async with caching(node.address) as (one, _), caching(node.address) as (two, _):
        acked = 0

        async def reader(count: int) -> None:
            for _ in range(count):
                await asyncio.sleep(rng.random() * 0.004)
                source.seconds = rng.random() * 0.003
                least = acked
                cache = rng.choice((one, two))
                found = await cache.get_or_load(KEY, source.load, TEXT)
                assert found is not None
                assert int(found) >= least

        async def writer() -> None:
            nonlocal acked
            for i in range(1, 150):
                await asyncio.sleep(rng.random() * 0.004)
                source.value = str(i)
                await rng.choice((one, two)).invalidate([KEY])
                acked = i

        await asyncio.gather(writer(), *(reader(150) for _ in range(6)))


async def test_many_values_are_asked_for_together_and_loaded_together(node: CacheServer) -> None:
    """What is there is not loaded; what does not exist is remembered; other processes' leases are waited for."""
    prefix = KEY.partition(":")[0]
    keys = [f"{prefix}:{number}" for number in range(10)]
    table = Table({key: f"value of {key}" for key in keys[:8]})
    async with caching(node.address) as (one, _), caching(node.address) as (two, _):
        assert await one.get_or_load_many(keys[:4], table.load, TEXT) == {k: table.rows[k] for k in keys[:4]}
        assert await two.get_or_load_many(keys * 2, table.load, TEXT) == table.rows
        assert await one.get_or_load_many(keys, table.load, TEXT) == table.rows
        assert [sorted(asked) for asked in table.asked] == [keys[:4], keys[4:]]
        await two.invalidate(keys)
        table.asked.clear()
        found = await asyncio.gather(
            *(cache.get_or_load_many(keys, table.load, TEXT) for _ in range(50) for cache in (one, two))
        )
        assert found == [table.rows] * 100
        assert sorted(key for asked in table.asked for key in asked) == keys
        assert await one.get_or_load_many([], table.load, TEXT) == {}


async def test_a_value_that_is_early_enough_is_refreshed_by_one_of_all_its_readers(node: CacheServer) -> None:
    """In the background, while they all go on with the old one; the draw of the reader decides what is early."""
    source = Source("old")
    async with caching(node.address) as (one, _), caching(node.address, early_s=1000) as (two, _):
        await one.get_or_load(KEY, source.load, TEXT)
        assert await one.get_or_load(KEY, source.load, TEXT) == "old"
        source.value, source.seconds = "new", 0.02
        reads = [cache.get_or_load(KEY, source.load, TEXT) for _ in range(50) for cache in (one, two)]
        assert set(await asyncio.gather(*reads)) == {"old"}
        async with asyncio.timeout(5):
            while await one.get_or_load(KEY, source.load, TEXT) == "old":
                await asyncio.sleep(0.005)
        assert source.loads == 2


async def test_a_failed_load_gives_the_lease_back(node: CacheServer) -> None:
    """Its error reaches everyone who waited for it, and the next one may load at once."""

    async def broken() -> str | None:
        await asyncio.sleep(0.01)
        raise LookupError

    source = Source("v")
    async with caching(node.address) as (cache, _):
        calls = (cache.get_or_load(KEY, broken, TEXT) for _ in range(3))
        assert [type(e) for e in await asyncio.gather(*calls, return_exceptions=True)] == [LookupError] * 3
        began = time.monotonic()
        assert await cache.get_or_load(KEY, source.load, TEXT) == "v"
        assert time.monotonic() - began < 0.05
        assert await cache.get_or_load(KEY, source.load, TEXT) == "v"
    assert source.loads == 1


async def test_a_reader_that_leaves_takes_nobody_with_it(node: CacheServer) -> None:
    """Those who waited for its read read by themselves."""
    source = Source("v", 0.03)
    async with caching(node.address) as (cache, _):
        first = asyncio.ensure_future(cache.get_or_load(KEY, source.load, TEXT))
        await source.read.wait()
        others = [asyncio.ensure_future(cache.get_or_load(KEY, source.load, TEXT)) for _ in range(3)]
        await asyncio.sleep(0)
        first.cancel()
        assert await asyncio.gather(*others) == ["v"] * 3


async def test_a_dead_node_is_a_miss_at_once_and_comes_back(node: CacheServer) -> None:
    """Nothing fails, nothing waits; when it is back, it is used again."""
    source = Source("v")
    async with caching(node.address) as (cache, client):
        assert await cache.get_or_load(KEY, source.load, TEXT) == "v"
        await node.stop()
        await asyncio.sleep(0.01)
        began = time.monotonic()
        for _ in range(50):
            assert await cache.get_or_load(KEY, source.load, TEXT) == "v"
        await cache.invalidate([KEY])
        assert time.monotonic() - began < 0.3
        assert source.loads == 51
        await node.start()
        await until_alive(client)
        for _ in range(3):
            assert await cache.get_or_load(KEY, source.load, TEXT) == "v"
    assert source.loads == 52


async def test_what_a_node_did_not_confirm_is_told_to_others_before_the_write_is_acked(node: CacheServer) -> None:
    """By the node's address; a deletion that got through is nobody's business."""
    told = Told()
    async with caching(node.address, relay=told) as (cache, _):
        await cache.invalidate([KEY, USER])
        assert told.told == []
        await node.stop()
        await cache.invalidate([KEY, USER])
        assert [{a: tuple(keys) for a, keys in each.items()} for each in told.told] == [{node.address: (KEY, USER)}]


async def test_what_was_told_to_others_is_deleted_once_more() -> None:
    """One of them, who had not heard, may have carried it from the node that kept it to one where it was deleted."""
    told = Told()
    deleted: list[tuple[tuple[str, ...], int, int]] = []

    class Deaf(Null):
        async def delete(self, keys: Sequence[str], stale_s: int) -> Undelivered:
            deleted.append((tuple(keys), stale_s, len(told.told)))
            return {"127.0.0.1:1": (KEY,)}

    async with run_cache(Deaf(), SystemClock(), random.Random(1), relay=told) as cache:
        await cache.invalidate([KEY, f"{KEY}2"])
    assert deleted == [((KEY, f"{KEY}2"), 0, 0), ((KEY,), 0, 1)]


async def test_what_cannot_be_read_is_loaded_and_replaced(node: CacheServer) -> None:
    """A value of another form (an old version's) costs a load, not an error."""
    source = Source("not a flag")
    async with caching(node.address) as (cache, _):
        await cache.get_or_load(KEY, source.load, TEXT)
        loads = 0

        async def truth() -> bool | None:
            nonlocal loads
            loads += 1
            return True

        for _ in range(3):
            assert await cache.get_or_load(KEY, truth, FLAG) is True
        assert loads == 1


async def test_keys_from_clients_cannot_speak_to_memcached(node: CacheServer) -> None:
    """What is no key is not cached; and a node that was never reached is a miss."""
    source = Source("v")
    odd = "m2:C1 0 0\r\nflush_all\r\n:U1"
    async with caching(node.address) as (cache, _):
        assert await cache.get_or_load(odd, source.load, TEXT) == "v"
        await cache.invalidate([odd])
    clock, rng = SystemClock(), random.Random(1)
    async with run_cache(Node("127.0.0.1:1", clock, rng), clock, rng) as alone:
        assert await alone.get_or_load(KEY, source.load, TEXT) == "v"
    assert source.loads == 2


def test_rows_survive_their_codec() -> None:
    """Enums and bytes too; anything else is refused."""
    conversation = Conversation("C1", "T1", ConversationKind.PRIVATE, "ä", is_archived=True)
    codec = row_codec(Conversation)
    assert codec.load(codec.dump(conversation)) == conversation
    token = Token("U1", b"\x00\xff", TokenKind.BOT, "T1")
    assert row_codec(Token).load(row_codec(Token).dump(token)) == token
    for wrong in (b"", b"{}", b"[1]", b"-"):
        with pytest.raises(ValueError):
            codec.load(wrong)
