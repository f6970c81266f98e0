"""Reads of what is settled, on a real replica: which go there, and what happens when it lags, hangs or dies."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from svc.kit.clock import SystemClock
from svc.kit.lifecycle import background
from svc.webapp.commit.committer import run_committer
from svc.webapp.commit.log import Write
from svc.webapp.migrate import migrate
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.pools import Database, Pools, open_pools
from svc.webapp.store.query import KEYSPACES, SETTLED_S, Query, query_of
from svc.webapp.store.topology import Topology
from tests.svc.webapp.store.pair import Pair, pair
from tests.svc.webapp.store.samples import STORES, calls
from tests.svc.webapp.store.test_sharding import Judge
from tests.svc.webapp.store.wiretap import Wiretap, wiretap
from tests.svc.webapp.writes import CHANNEL, message, note

pytestmark = pytest.mark.mesh

BACK_S = 6.0
"""Within what a replica must be taken back: three seconds of patience, and a slow machine."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """A pair whose schema is there; no test of this module may hurt it."""
    async with pair(tmp_path_factory.mktemp("pair")) as found:
        async with open_pools(found.first.dsns, SystemClock()) as pools:
            await migrate(pools)
        await found.caught_up()
        yield found


@asynccontextmanager
async def watched(found: Pair, pools: Pools, topology: Topology | None = None) -> AsyncIterator[Pools]:
    """Yield the pools once their replicas are asked."""
    for keyspace in KEYSPACES:
        pools.of(keyspace).use(topology or found.topology())
    async with background("w", pools.workspace.replicas.run()), background("c", pools.channel.replicas.run()):
        async with background("u", pools.user.replicas.run()):
            await until(lambda: all(pools.of(keyspace).settled_us for keyspace in KEYSPACES), BACK_S)
            yield pools


async def until(is_so: Callable[[], object], timeout_s: float) -> float:
    """Return how long it took."""
    began = time.monotonic()
    async with asyncio.timeout(timeout_s):
        while not is_so():
            await asyncio.sleep(0.02)
    return time.monotonic() - began


@pytest.fixture
async def pools(both: Pair) -> AsyncIterator[Pools]:
    """Pools whose replicas are asked."""
    async with open_pools(both.first.dsns, SystemClock()) as found, watched(both, found):
        yield found


async def write(database: Database, count: int = 1, channel_id: str = CHANNEL) -> None:
    """Commit events."""
    async with run_committer(database, lambda _: None, SystemClock(), random.Random(1)) as committer:
        for number in range(count):
            await committer.commit(Write(channel_id, (message(f"m{number}"),)))


async def who(database: Database) -> str:
    """Return which of the servers answers what is settled."""
    ((port,),) = await database.settled_rows("SELECT @@port")
    return str(port)


async def test_only_what_is_marked_is_ever_read_from_a_replica(both: Pair) -> None:
    """Every method was called with a replica that keeps up; each that is marked used it, no other did."""
    async with wiretap(both.first.dsns) as (tap, primary), wiretap(both.second.dsns) as (other, replicas):
        async with open_pools(primary, SystemClock()) as found:
            for keyspace in KEYSPACES:
                at = [f"127.0.0.1:{dsns[keyspace].port}" for dsns in (primary, replicas)]
                found.of(keyspace).use(Topology(1, at[0], (at[1],)))
            running = [background(keyspace, found.of(keyspace).replicas.run()) for keyspace in KEYSPACES]
            async with running[0], running[1], running[2]:
                await until(lambda: all(found.of(keyspace).settled_us for keyspace in KEYSPACES), BACK_S)
                await write(found.channel)
                asked = await asked_of_replicas(found, tap, other)
    marked = {f"{store.__name__}.{name}" for store in STORES for name in dir(store) if is_marked(store, name)}
    assert asked == marked
    assert len(marked) > 4


def is_marked(store: type, name: str) -> bool:
    """Tell whether a method may ask a replica."""
    mark = query_of(getattr(store, name))
    return mark is not None and bool(mark.replica)


async def asked_of_replicas(found: Pools, tap: Wiretap, other: Wiretap) -> set[str]:
    """Call every method and return those that asked a replica."""
    asked = set()
    for name, samples in calls(found).items():
        for sample in samples:
            tap.take(), other.take()
            await sample()
            if [sent for sent in other.take() if not sent.sql.startswith("SELECT @@")]:
                asked.add(name)
            if name == "ChannelStore.quiet":
                assert Judge(Query("channel")).judge([s for s in tap.take() if not s.sql.startswith("SELECT @@")]) == []
    return asked


async def test_old_messages_are_read_where_they_change(both: Pair, pools: Pools) -> None:
    """A replica knows them only as they were, and anybody may have edited one since: the head says that somebody did
    something.
    """
    store, busy = ChannelStore(pools.channel), "C0000000078"
    await write(pools.channel, 1, busy)
    await pools.channel.execute("UPDATE messages SET ts_us = 5 WHERE channel_id = %s", (busy,))
    await both.caught_up()
    await both.second.run("STOP SLAVE SQL_THREAD")
    try:
        await pools.channel.execute("UPDATE messages SET text = 'edited' WHERE channel_id = %s", (busy,))
        assert pools.channel.settled_us
        messages, _ = await store.history(busy, latest_us=9)
        assert [each.text for each in messages] == ["edited"]
    finally:
        await both.second.run("START SLAVE SQL_THREAD")


async def test_a_log_is_whole_although_the_replica_is_behind(both: Pair, pools: Pools) -> None:
    """It lacks the newest events before anybody notices; the primary's head says so, and the primary has the rest."""
    store, busy, other = ChannelStore(pools.channel), "C0000000076", "C0000000077"
    await write(pools.channel, 5, busy)
    await both.caught_up()
    await both.second.run("STOP SLAVE SQL_THREAD")
    try:
        await write(pools.channel, 5, busy)
        await write(pools.channel, 2, other)
        assert pools.channel.settled_us
        heads = await store.heads([busy, other])
        pages = await store.logs({busy: 0, other: 0, "C0000000099": 0}, 1_000)
        short = await store.logs({busy: 0}, 3)
        assert pools.channel.settled_us
    finally:
        await both.second.run("START SLAVE SQL_THREAD")
    for channel_id, head in heads.items():
        assert (len(pages[channel_id].events), pages[channel_id].head_offset) == (head, head)
        assert not pages[channel_id].truncated
    assert (pages["C0000000099"].events, pages["C0000000099"].truncated) == ((), False)
    assert (len(short[busy].events), short[busy].head_offset) == (3, heads[busy])


async def test_a_channel_is_quiet_when_nothing_happened_for_long(pools: Pools) -> None:
    """Whose members may be counted on a replica, and whose not."""
    store = ChannelStore(pools.channel)
    old, new, unknown = "C0000000055", "C0000000056", "C0000000057"
    for channel_id in (old, new):
        async with run_committer(pools.channel, lambda _: None, SystemClock(), random.Random(1)) as committer:
            await committer.commit(Write(channel_id, (note(),), members_added=("U0000000001",)))
    long_ago = SystemClock().wall_us() - int((SETTLED_S + 1) * 1_000_000)
    await pools.channel.execute("UPDATE heads SET last_ts_us = %s WHERE channel_id = %s", (long_ago, old))
    assert await store.quiet([old, new, unknown]) == {old, unknown}
    assert await store.count_members([old, new, unknown]) == {old: 1, new: 1, unknown: 0}


async def test_a_lagging_replica_is_left_out_and_comes_back_with_patience(both: Pair, pools: Pools) -> None:
    """Two seconds behind is too much; it has to keep up for three seconds again."""
    first, second = (str(half.dsns["channel"].port) for half in (both.first, both.second))
    assert await who(pools.channel) == second
    await both.second.run("STOP SLAVE SQL_THREAD")
    try:
        await write(pools.channel)
        took = await until(lambda: not pools.channel.settled_us, 6.0)
        assert 1.0 < took < 3.5
        assert await who(pools.channel) == first
    finally:
        await both.second.run("START SLAVE SQL_THREAD")
    assert await until(lambda: pools.channel.settled_us, BACK_S) > 2.5
    assert await who(pools.channel) == second


async def test_an_idle_primary_makes_no_lag(pools: Pools) -> None:
    """Nothing to replicate for longer than the lag allowed."""
    await asyncio.sleep(2.5)
    assert pools.channel.settled_us
    assert max(pools.channel.replicas.lags_s.values()) < 1.5


async def test_without_a_replica_everything_is_the_primarys(both: Pair) -> None:
    """Nor is anybody asked for positions; and one that nobody has heard of yet is not asked."""
    async with wiretap(both.first.dsns) as (tap, dsns), open_pools(dsns, SystemClock()) as found:
        assert found.channel.settled_us == 0
        assert await who(found.channel) == str(both.first.dsns["channel"].port)
        async with background("c", found.channel.replicas.run()):
            await asyncio.sleep(0.6)
        assert tap.connections == 1
        found.channel.use(Topology(1, f"127.0.0.1:{dsns['channel'].port}", (both.second.address,)))
        assert found.channel.settled_us == 0


@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_a_dead_or_hung_replica_fails_no_read(tmp_path: Path, how: str) -> None:
    """The primary answers instead, within a second and a half; after the first nobody asks it any more."""
    async with pair(tmp_path) as found, open_pools(found.first.dsns, SystemClock()) as pools:
        await migrate(pools)
        async with watched(found, pools):
            await pools.channel.settled_rows("SELECT 1")
            if how == "killed":
                await found.second.kill()
            else:
                await found.second.freeze()
            slowest = await slowest_of(lambda: who(pools.channel), str(found.first.dsns["channel"].port), 8)
            assert slowest < (0.5 if how == "killed" else 1.5)
            assert pools.channel.settled_us == 0
            took = await slowest_of(lambda: who(pools.channel), str(found.first.dsns["channel"].port), 8)
            assert took < 0.2


async def slowest_of(ask: Callable[[], Awaitable[str]], expected: str, count: int) -> float:
    """Ask at once, so many times; return the longest answer."""

    async def one() -> float:
        began = time.monotonic()
        assert await ask() == expected
        return time.monotonic() - began

    return max(await asyncio.gather(*(one() for _ in range(count))))


async def test_a_server_without_a_binary_log_has_no_replica(both: Pair, pools: Pools) -> None:
    """Its position says nothing: whoever claims to follow it is never asked."""
    database = pools.user
    alone = replace(both.topology(), epoch=2, primary=both.second.address, replicas=(both.first.address,))
    # The first follows nobody, so it never says that it has applied anything.
    database.use(alone)
    await asyncio.sleep(1.0)
    assert database.settled_us == 0
