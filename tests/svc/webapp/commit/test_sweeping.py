"""Publishing, and what is published later, against a real MariaDB."""

from __future__ import annotations

import asyncio
import random

import pytest

from svc.kit.clock import SystemClock
from svc.webapp.commit.committer import run_committer
from svc.webapp.commit.publisher import Publisher, PublisherLimits
from svc.webapp.commit.sweeping import run_sweepers, sweep_events
from svc.webapp.store.pools import Pools
from tests.svc.webapp.databases import RecordingLink, Webapp, webapp
from tests.svc.webapp.writes import CHANNEL, post

pytestmark = pytest.mark.mesh

OTHER = "C0000000002"


async def outbox(pools: Pools) -> list[tuple[str, int]]:
    """Return what is not published."""
    rows = await pools.channel.rows("SELECT channel_id, `offset` FROM outbox ORDER BY channel_id, `offset`")
    return [(row[0], row[1]) for row in rows]


async def until_empty(pools: Pools, seconds: float) -> None:
    """Wait until everything is published and its rows deleted."""
    async with asyncio.timeout(seconds):
        while await outbox(pools):
            await asyncio.sleep(0.01)


async def commit_and_die(pools: Pools, count: int) -> None:
    """Commit posts on a webapp that is gone before it publishes any."""
    async with run_committer(pools.channel, lambda events: None, SystemClock(), random.Random(1)) as committer:
        await asyncio.gather(*(committer.commit(post(CHANNEL, f"m{i}")) for i in range(count)))


async def test_what_a_killed_webapp_committed_goes_out_within_two_seconds(pools: Pools) -> None:
    """From any other, in order, and once: two sweepers do not both take it."""
    await commit_and_die(pools, 50)
    first, second = RecordingLink(), RecordingLink()
    clock = SystemClock()
    async with webapp(pools, first) as one, webapp(pools, second) as two:
        sweepers = [run_sweepers(app.stores.outbox, app.publisher, app.effects, clock) for app in (one, two)]
        async with sweepers[0], sweepers[1]:
            await until_empty(pools, 2.0)
    assert sorted(first.places(CHANNEL) + second.places(CHANNEL)) == list(range(1, 51))
    assert first.places(CHANNEL) == sorted(first.places(CHANNEL))


async def test_fresh_events_are_left_to_their_own_webapp(running: Webapp) -> None:
    """A sweep takes what is due, not what was committed a moment ago, nor what is queued here."""
    running.link.refuses = True
    await running.committer.commit(post(CHANNEL, "m"))
    running.link.refuses = False
    assert not await sweep_events(running.stores.outbox, running.publisher, SystemClock())
    assert await outbox(running.pools) == [(CHANNEL, 1)]


async def test_events_survive_an_absent_admin(running: Webapp) -> None:
    """Posts are acknowledged meanwhile; what waits goes out, all of it, when admin is back."""
    running.link.refuses = True
    for i in range(30):
        await running.committer.commit(post(CHANNEL, f"m{i}"))
    async with run_sweepers(running.stores.outbox, running.publisher, running.effects, SystemClock()):
        await asyncio.sleep(1.2)
        assert len(await outbox(running.pools)) == 30
        running.link.refuses = False
        await until_empty(running.pools, 5.0)
    assert sorted(set(running.link.places(CHANNEL))) == list(range(1, 31))


async def test_a_subscriber_that_hangs_holds_up_nobody_else(running: Webapp) -> None:
    """Twice as many batches as the window has places get no answer; what comes after them goes out all the same."""
    running.link.hanging = {CHANNEL}
    count = 2 * PublisherLimits().in_flight_max
    for i in range(count):
        await running.committer.commit(post(CHANNEL, f"m{i}"))
    await running.committer.commit(post(OTHER, "m"))
    async with asyncio.timeout(1.0):
        while running.link.places(OTHER) != [1]:
            await asyncio.sleep(0.005)
    assert running.link.places(CHANNEL) == list(range(1, count + 1))


async def test_events_that_admin_could_not_deliver_are_offered_again(running: Webapp) -> None:
    """Only those: the others' rows are deleted."""
    running.link.undelivered = {OTHER}
    await asyncio.gather(*(running.committer.commit(post(c, "m")) for c in (CHANNEL, OTHER, CHANNEL)))
    async with asyncio.timeout(5):
        while await outbox(running.pools) != [(OTHER, 1)]:
            await asyncio.sleep(0.01)
    running.link.undelivered = set()
    async with run_sweepers(running.stores.outbox, running.publisher, running.effects, SystemClock()):
        await until_empty(running.pools, 3.0)
    assert running.link.places(OTHER) == [1]


async def test_an_overflowing_queue_loses_nothing(running: Webapp) -> None:
    """What has no room is not held, so the sweepers may take it."""
    link = RecordingLink()
    limits = PublisherLimits(events_max=2)
    publisher = Publisher(link, running.stores.outbox, SystemClock(), random.Random(1), limits)
    got = await running.committer.commit(post(CHANNEL, "m"))
    publisher.offer(got.events)
    assert publisher.holds(CHANNEL, 1)
    committed = [(await running.committer.commit(post(OTHER, f"m{i}"))).events[0] for i in range(3)]
    publisher.offer(committed)
    assert [publisher.holds(OTHER, i) for i in (1, 2, 3)] == [True, False, False]


async def test_an_event_that_retention_dropped_leaves_the_outbox(running: Webapp) -> None:
    """Nothing is offered for ever."""
    await commit_and_die(running.pools, 2)
    await running.pools.channel.execute("DELETE FROM log WHERE `offset` = 1")
    await running.pools.channel.execute("UPDATE outbox SET due_us = 0")
    await sweep_events(running.stores.outbox, running.publisher, SystemClock())
    await until_empty(running.pools, 2.0)
    assert running.link.places(CHANNEL) == [2]


async def test_a_long_backlog_is_swept_without_pauses(running: Webapp) -> None:
    """Two thousand events are four sweeps; at one each half second they would take two seconds more."""
    await asyncio.gather(*(commit_and_die(running.pools, 500) for _ in range(4)))
    await running.pools.channel.execute("UPDATE outbox SET due_us = 0")
    async with run_sweepers(running.stores.outbox, running.publisher, running.effects, SystemClock()):
        await until_empty(running.pools, 2.5)
    assert sorted(running.link.places(CHANNEL)) == list(range(1, 2001))
