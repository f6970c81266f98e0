"""What a commit sends for what is there already goes to one shard, like all else of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from svc.kit.clock import SystemClock
from svc.webapp.commit.committer import run_committer
from svc.webapp.commit.log import Write
from svc.webapp.store.pools import Pools, open_pools
from svc.webapp.store.query import KEYSPACES, Query
from tests.svc.webapp.store.samples import alterations
from tests.svc.webapp.store.test_sharding import Judge
from tests.svc.webapp.store.wiretap import Wiretap, wiretap
from tests.svc.webapp.writes import CHANNEL, message


@pytest.fixture
async def tapped(pools: Pools) -> AsyncIterator[tuple[Wiretap, Pools]]:
    """Pools that are listened to."""
    async with wiretap({keyspace: pools.of(keyspace).dsn for keyspace in KEYSPACES}) as (tap, dsns):
        async with open_pools(dsns, SystemClock()) as listened:
            yield tap, listened


@pytest.mark.mesh
async def test_what_is_altered_stays_on_one_shard_too(tapped: tuple[Wiretap, Pools]) -> None:
    """Every statement for what is there already, several rows at a time; and none of them for what is only posted."""
    tap, pools = tapped
    async with run_committer(pools.channel, lambda _: None, SystemClock(), random.Random(1)) as committer:
        first = await committer.commit(Write(CHANNEL, (message("parent"),)))
        replies = tuple(message("reply", thread_ts_us=first.ts_us) for _ in range(2))
        posted = await committer.commit(Write(CHANNEL, replies))
        assert not any("SELECT" in one.sql and "messages" in one.sql for one in tap.take())
        # The replies' ts are not chosen by whoever posts: they are moved to where the samples expect them.
        for number, place in enumerate(posted.places, 1):
            await pools.channel.execute(
                "UPDATE messages SET ts_us = %s WHERE channel_id = %s AND ts_us = %s",
                (first.ts_us + number, CHANNEL, place.ts_us),
            )
        tap.take()
        for batch in alterations(first.ts_us):
            results = await asyncio.gather(*(committer.commit(write) for write in batch))
            assert [result.refused_by for result in results] == [None] * len(results)
    sent = tap.take()
    assert Judge(Query("channel")).judge(sent) == []
    text = "\n".join(one.sql for one in sent)
    for part in ("FROM messages", "FROM annotations", "FROM items", "FROM threads", "INTO messages", "INTO threads"):
        assert part in text
    for part in (
        "INTO annotations",
        "INTO items",
        "DELETE FROM messages",
        "DELETE FROM threads",
        "thread_ts_us =",
        "in_history",
    ):
        assert part in text, part
    for part in ("DELETE FROM annotations", "DELETE FROM items"):
        assert part in text
