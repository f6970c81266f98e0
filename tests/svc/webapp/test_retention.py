"""Retention takes the beginning of a log, tells readers so, and leaves what is still needed."""

from __future__ import annotations

import pytest

from svc.kit.clock import SystemClock
from svc.webapp.retention import RetentionConfig, trim
from svc.webapp.store.pools import Pools
from svc.webapp.store.retention import RetentionStore
from svc.webapp.store.rows import Token, TokenKind
from tests.svc.webapp.databases import Webapp
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL, post

pytestmark = pytest.mark.mesh

HOUR_US = 3_600_000_000
CONFIG = RetentionConfig(log_keep_s=3600.0, requests_keep_s=3600.0)


async def age(pools: Pools, first: int, last: int) -> None:
    """Make events and their idempotency keys two hours older."""
    between = (2 * HOUR_US, CHANNEL, first, last)
    await pools.channel.execute(
        "UPDATE log SET commit_us = commit_us - %s WHERE channel_id = %s AND `offset` BETWEEN %s AND %s", between
    )
    await pools.channel.execute(
        "UPDATE requests SET ts_us = ts_us - %s WHERE channel_id = %s AND first_offset BETWEEN %s AND %s", between
    )


async def posted(running: Webapp, count: int) -> None:
    """Post messages and wait until they are published."""
    for number in range(count):
        await running.committer.commit(post(CHANNEL, f"m{number}", f"request-{number}"))
    while (await running.pools.channel.rows("SELECT COUNT(*) FROM outbox"))[0][0]:
        await running.publisher.publish([])


async def test_old_events_go_and_a_reader_who_wants_them_is_told(running: Webapp) -> None:
    """What is left reads as before; what is gone reads as truncated; messages stay."""
    await posted(running, 10)
    await age(running.pools, 1, 6)
    gone = await trim(RetentionStore(running.pools.channel, running.pools.user), CONFIG, SystemClock().wall_us())
    assert gone == 6 + 6
    channels = running.stores.channels
    assert (await channels.log(CHANNEL, 3, 100)).truncated
    page = await channels.log(CHANNEL, 6, 100)
    assert (page.truncated, len(page.events), page.head_offset) == (False, 4, 10)
    assert (await running.pools.channel.rows("SELECT COUNT(*) FROM messages"))[0][0] == 10


async def test_mentions_of_a_season_ago_are_counted_no_more(running: Webapp) -> None:
    """In bounded steps, the oldest first; younger ones stay."""
    now_us = SystemClock().wall_us()
    users = running.stores.users
    for number in range(5):
        ago_us = now_us - (number + 1) * HOUR_US
        await users.mention([(ALICE, CHANNEL, ago_us), (BOB, CHANNEL, ago_us)])
    store = RetentionStore(running.pools.channel, running.pools.user)
    assert await store.trim_mentions(now_us - 2 * HOUR_US - 1, 4) == 4
    assert await users.count_mentions(BOB, CHANNEL, 0, 10) == 3
    config = RetentionConfig(mentions_keep_s=2.5 * 3600)
    assert await trim(store, config, now_us) == 2
    assert await users.count_mentions(ALICE, CHANNEL, 0, 10) == await users.count_mentions(BOB, CHANNEL, 0, 10) == 2


async def test_sessions_of_browsers_go_some_time_after_their_end(running: Webapp) -> None:
    """In bounded steps; not those that are good or have just ended, nor tokens of programs, which may end as well."""
    now_us = SystemClock().wall_us()
    now_s = now_us // 1_000_000
    users = running.stores.users
    ends = {1: now_s - 7_300, 2: now_s - 7_250, 3: now_s - 3_600, 4: now_s + 60, 5: 0}
    for number, expires_s in ends.items():
        await users.add_token(Token(ALICE, bytes([number]) * 32, TokenKind.WEB, "T00000000A1", expires_s=expires_s))
    await users.add_token(Token(ALICE, bytes([9]) * 32, TokenKind.USER, "T00000000A1", expires_s=now_s - 9_999))
    store = RetentionStore(running.pools.channel, running.pools.user)
    assert await store.trim_sessions(now_s - 7_200, 1) == 1
    assert await trim(store, RetentionConfig(sessions_keep_s=7_200.0), now_us) == 1
    assert sorted(each.token_hash[0] for each in await users.tokens(ALICE)) == [3, 4, 5, 9]


async def test_clocks_that_disagree_leave_no_hole(running: Webapp) -> None:
    """An event that looks young between old ones goes with them."""
    await posted(running, 10)
    await age(running.pools, 1, 3)
    await age(running.pools, 5, 6)
    await trim(RetentionStore(running.pools.channel, running.pools.user), CONFIG, SystemClock().wall_us())
    rows = await running.pools.channel.rows("SELECT `offset` FROM log ORDER BY `offset`")
    assert [row[0] for row in rows] == [7, 8, 9, 10]


async def test_an_event_that_waits_to_be_published_keeps_its_channel(running: Webapp) -> None:
    """However old it is: nobody has had it yet."""
    await posted(running, 3)
    running.link.refuses = True
    await running.committer.commit(post(CHANNEL, "unpublished"))
    await age(running.pools, 1, 4)
    await trim(RetentionStore(running.pools.channel, running.pools.user), CONFIG, SystemClock().wall_us())
    assert (await running.pools.channel.rows("SELECT COUNT(*) FROM log"))[0][0] == 4
