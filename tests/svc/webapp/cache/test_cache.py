"""The cache against real memcached: leases, races, deaths."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from discovery.view import Instance, Snapshot
from svc.kit.clock import SystemClock
from svc.webapp.cache.cache import Cache
from svc.webapp.cache.codec import FLAG, Codec, row_codec
from svc.webapp.cache.pool import Pool, run_pool
from svc.webapp.store.rows import Conversation, ConversationKind, Token, TokenKind
from tests.svc.webapp.cache.nodes import CacheServer, cache_server, mute_node

TEXT: Codec[str | None] = Codec(lambda text: (text or "").encode(), bytes.decode)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[CacheServer]:
    """A memcached of the test's own."""
    async with cache_server(tmp_path) as server:
        yield server


@asynccontextmanager
async def caching(*addresses: str) -> AsyncIterator[tuple[Cache, Pool]]:
    """Yield a process's cache over these nodes, connected."""
    clock, rng = SystemClock(), random.Random(1)
    async with run_pool(clock, rng) as pool:
        pool.update(addresses)
        await until_alive(pool)
        yield Cache(pool, clock, rng), pool


async def until_alive(pool: Pool) -> None:
    """Wait until all nodes are connected."""
    async with asyncio.timeout(5):
        while not all(node.alive for node in pool.nodes):
            await asyncio.sleep(0.005)


class Source:
    """A row of the truth that counts its readers, and may be slow."""

    def __init__(self, value: str | None, seconds: float = 0.0) -> None:
        self.value = value
        self.seconds = seconds
        self.loads = 0
        self.read = asyncio.Event()

    async def load(self) -> str | None:
        """Read the row, then take some time to bring it."""
        self.loads += 1
        value = self.value
        self.read.set()
        await asyncio.sleep(self.seconds)
        return value


@pytest.mark.mesh
async def test_a_value_is_loaded_once_and_absence_too(node: CacheServer) -> None:
    """By every process: the second reads what the first stored."""
    some, none = Source("v"), Source(None)
    async with caching(node.address) as (one, _), caching(node.address) as (two, _):
        for cache in (one, two, one):
            assert await cache.get_or_load("k", 60, some.load, TEXT) == "v"
            assert await cache.get_or_load("none", 60, none.load, TEXT) is None
    assert (some.loads, none.loads) == (1, 1)


@pytest.mark.mesh
async def test_a_hot_miss_costs_one_load_in_one_process_and_hardly_more_in_many(node: CacheServer) -> None:
    """Twenty readers in each of twenty processes: the others wait for whoever has the lease, up to 50 ms."""
    source = Source("v", 0.005)
    async with AsyncExitStack() as stack:
        caches = [(await stack.enter_async_context(caching(node.address)))[0] for _ in range(20)]
        reads = [cache.get_or_load("hot", 60, source.load, TEXT) for cache in caches for _ in range(20)]
        assert set(await asyncio.gather(*reads)) == {"v"}
    # One, unless this machine was so busy that a waiter gave up; without leases it is twenty.
    assert source.loads <= 5


@pytest.mark.mesh
async def test_a_slow_holder_is_not_waited_for_long(node: CacheServer) -> None:
    """The others load by themselves, and do not store."""
    slow, quick = Source("v", 1.0), Source("v")
    async with caching(node.address) as (one, _), caching(node.address) as (two, _):
        holder = asyncio.ensure_future(one.get_or_load("k", 60, slow.load, TEXT))
        await slow.read.wait()
        began = time.monotonic()
        assert await two.get_or_load("k", 60, quick.load, TEXT) == "v"
        assert time.monotonic() - began < 0.5
        await holder
    assert quick.loads == 1


@pytest.mark.mesh
async def test_a_value_read_before_an_invalidation_is_never_stored_after_it(node: CacheServer) -> None:
    """The race that leases are for: load, write, invalidate, and only then store."""
    source = Source("old", 0.05)
    async with caching(node.address) as (one, _), caching(node.address) as (two, _):
        reader = asyncio.ensure_future(one.get_or_load("k", 60, source.load, TEXT))
        await source.read.wait()
        source.value, source.seconds = "new", 0.0
        await two.invalidate("k")
        assert await two.get_or_load("k", 60, source.load, TEXT) == "new"
        assert await reader == "old"
        for cache in (one, two):
            assert await cache.get_or_load("k", 60, source.load, TEXT) == "new"


@pytest.mark.mesh
async def test_who_invalidates_reads_his_own_write_in_his_own_process(node: CacheServer) -> None:
    """He must not join a read that began before the change."""
    source = Source("old", 0.05)
    async with caching(node.address) as (cache, _):
        early = asyncio.ensure_future(cache.get_or_load("k", 60, source.load, TEXT))
        await source.read.wait()
        source.value = "new"
        await cache.invalidate("k")
        assert await cache.get_or_load("k", 60, source.load, TEXT) == "new"
        assert await early == "old"
        assert await cache.get_or_load("k", 60, source.load, TEXT) == "new"


@pytest.mark.mesh
async def test_readers_and_writers_at_once_never_leave_an_old_value(node: CacheServer) -> None:
    """Many rounds of chance: after each write and its invalidation, everybody reads the new one."""
    rng = random.Random(11)
    source = Source("0")
    async with caching(node.address) as (one, _), caching(node.address) as (two, _):

        async def reader(cache: Cache) -> None:
            await asyncio.sleep(rng.random() * 0.004)
            source.seconds = rng.random() * 0.003
            await cache.get_or_load("k", 60, source.load, TEXT)

        async def writer(value: str) -> None:
            await asyncio.sleep(rng.random() * 0.004)
            source.value = value
            await one.invalidate("k")

        for i in range(1, 120):
            await asyncio.gather(writer(str(i)), *(reader(cache) for cache in (one, two) for _ in range(3)))
            assert [await cache.get_or_load("k", 60, source.load, TEXT) for cache in (one, two)] == [str(i)] * 2


@pytest.mark.mesh
async def test_a_failed_load_gives_the_lease_back(node: CacheServer) -> None:
    """Its error reaches everyone who joined, and the next one may load at once."""

    async def broken() -> str | None:
        await asyncio.sleep(0.01)
        raise LookupError

    source = Source("v")
    async with caching(node.address) as (cache, _):
        calls = (cache.get_or_load("k", 60, broken, TEXT) for _ in range(3))
        assert [type(e) for e in await asyncio.gather(*calls, return_exceptions=True)] == [LookupError] * 3
        began = time.monotonic()
        assert await cache.get_or_load("k", 60, source.load, TEXT) == "v"
        assert time.monotonic() - began < 0.05
        assert await cache.get_or_load("k", 60, source.load, TEXT) == "v"
    assert source.loads == 1


@pytest.mark.mesh
async def test_a_reader_that_leaves_takes_nobody_with_it(node: CacheServer) -> None:
    """Those who joined its read read by themselves."""
    source = Source("v", 0.03)
    async with caching(node.address) as (cache, _):
        first = asyncio.ensure_future(cache.get_or_load("k", 60, source.load, TEXT))
        await source.read.wait()
        others = [asyncio.ensure_future(cache.get_or_load("k", 60, source.load, TEXT)) for _ in range(3)]
        await asyncio.sleep(0)
        first.cancel()
        assert await asyncio.gather(*others) == ["v"] * 3


@pytest.mark.mesh
async def test_a_dead_node_is_a_miss_at_once_and_comes_back(node: CacheServer) -> None:
    """Nothing fails, nothing waits; when it is back, it is used again."""
    source = Source("v")
    async with caching(node.address) as (cache, pool):
        assert await cache.get_or_load("k", 60, source.load, TEXT) == "v"
        await node.stop()
        await asyncio.sleep(0.01)
        began = time.monotonic()
        for _ in range(50):
            assert await cache.get_or_load("k", 60, source.load, TEXT) == "v"
        await cache.invalidate("k")
        assert time.monotonic() - began < 0.3
        assert source.loads == 51
        await node.start()
        await until_alive(pool)
        for _ in range(3):
            assert await cache.get_or_load("k", 60, source.load, TEXT) == "v"
    assert source.loads == 52


async def test_a_hung_node_costs_a_few_deadlines_once() -> None:
    """After three of 50 ms it is left alone, and only asked for signs of life."""
    source = Source("v")
    async with mute_node() as mute, caching(mute.address) as (cache, pool):
        began = time.monotonic()
        for i in range(30):
            assert await cache.get_or_load(f"k{i}", 60, source.load, TEXT) == "v"
        assert time.monotonic() - began < 0.4
        assert not pool.nodes[0].alive


@pytest.mark.mesh
async def test_a_deletion_that_did_not_get_through_comes_first_when_the_node_is_back(node: CacheServer) -> None:
    """Cut off from the node while the row changes: this process never reads the old value afterwards."""
    source = Source("old")
    async with caching(node.address) as (cache, pool), caching(node.address) as (other, _):
        await cache.get_or_load("k", 60, source.load, TEXT)
        found = pool.nodes[0]
        connection = found._connection
        assert connection is not None
        found._connection = None  # as after deadlines that passed: the node still holds the value
        source.value = "new"
        await cache.invalidate("k")
        assert await cache.get_or_load("k", 60, source.load, TEXT) == "new"
        connection.close()
        await until_alive(pool)
        for reader in (cache, other):
            assert await reader.get_or_load("k", 60, source.load, TEXT) == "new"


@pytest.mark.mesh
async def test_what_cannot_be_read_is_loaded_and_replaced(node: CacheServer) -> None:
    """A value of another form (an old version's) costs a load, not an error."""
    source = Source("not a flag")
    async with caching(node.address) as (cache, _):
        await cache.get_or_load("k", 60, source.load, TEXT)

        async def truth() -> bool | None:
            return True

        for _ in range(2):
            assert await cache.get_or_load("k", 60, truth, FLAG) is True


async def test_keys_from_clients_cannot_speak_to_memcached() -> None:
    """What is no key is not cached; and without nodes everything is loaded."""
    source = Source("v")
    async with caching() as (cache, pool):
        assert await cache.get_or_load("m1:C1 0 0\r\nflush_all\r\n:U1", 60, source.load, TEXT) == "v"
        await cache.invalidate("a b")
        assert await cache.get_or_load("k", 60, source.load, TEXT) == "v"
        assert pool.node("k") is None


async def test_a_key_moves_only_with_its_own_node() -> None:
    """Rendezvous hashing: a node that goes takes its share, a quarter of four, and moves nothing else."""
    addresses = [f"10.0.0.{i}:11211" for i in range(4)]
    async with run_pool(SystemClock(), random.Random(1)) as pool:

        def owners() -> dict[str, str]:
            return {key: pool._owner(key) for key in (f"key{i}" for i in range(2000))}

        pool.update(addresses)
        before = owners()
        pool.update(addresses[1:])
        after = owners()
    gone = [key for key, owner in before.items() if owner == addresses[0]]
    assert 400 < len(gone) < 600
    assert [key for key in before if before[key] != after[key]] == gone


async def test_the_pool_is_what_consul_lists_under_its_tag() -> None:
    """Nodes of other pools are others' business."""
    instances = (
        Instance("a", "memcached", "127.0.0.1:1", tags=("pool:main",)),
        Instance("b", "memcached", "127.0.0.1:2", tags=("pool:gutter",)),
    )
    async with run_pool(SystemClock(), random.Random(1)) as pool:
        pool.follow(Snapshot("parley-memcached", 1, instances))
        assert [node.address for node in pool.nodes] == ["127.0.0.1:1"]
        pool.follow(Snapshot("parley-memcached", 2, ()))
        assert pool.nodes == []


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
