"""Group commit against a real MariaDB."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import orjson
import pytest

from parley.event.v1 import event_pb2
from svc.kit.clock import SystemClock
from svc.kit.errors import InvalidArgumentError, ResourceExhaustedError, UnavailableError
from svc.webapp.commit.committer import Committer, CommitterLimits, run_committer
from svc.webapp.commit.log import Committed, MessageDraft, OutcomeUnknownError, Write
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.pools import Database, PoolLimits, Pools
from tests.svc.webapp.commit_cutter import Cut, commit_cutter
from tests.svc.webapp.databases import DatabaseServer, Webapp, migrated, webapp
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL, message, note, post

pytestmark = pytest.mark.mesh


async def offsets(pools: Pools, channel_id: str = CHANNEL) -> list[int]:
    """Return the offsets of a channel's log."""
    return [row[0] for row in await pools.channel.rows("SELECT `offset` FROM log WHERE channel_id = %s", (channel_id,))]


async def test_a_post_is_durable_whole_and_published(running: Webapp) -> None:
    """Message, event and outbox row become true together; the event reaches admin and leaves the outbox."""
    text = 'it\'s a \\ "tést" 😀 100% %s'
    got = await running.committer.commit(post(CHANNEL, text, "k"))
    assert (got.places[0].offset, got.duplicate) == (1, False)
    stored = await running.stores.channels.message(CHANNEL, got.ts_us)
    assert stored is not None
    assert (stored.text, stored.offset, stored.user_id) == (text, 1, ALICE)
    page = await running.stores.channels.log(CHANNEL, 0, 10)
    event = event_pb2.Event.FromString(page.events[0])
    assert event == got.events[0]
    assert orjson.loads(event.payload)["text"] == text
    async with asyncio.timeout(5):
        while await running.pools.channel.rows("SELECT 1 FROM outbox"):
            await asyncio.sleep(0.01)
    assert running.link.places(CHANNEL) == [1]


async def test_concurrent_posts_share_transactions_and_stay_dense(running: Webapp) -> None:
    """Three hundred posts at once to three channels: dense, all there, and events published in order."""
    channels = [CHANNEL, "C0000000002", "C0000000003"]
    writes = [post(channels[i % 3], f"m{i}") for i in range(300)]
    results = await asyncio.gather(*map(running.committer.commit, writes))
    for channel_id in channels:
        assert await offsets(running.pools, channel_id) == list(range(1, 101))
        mine = [result.places[0].offset for result in results if result.channel_id == channel_id]
        assert mine == sorted(mine)
    async with asyncio.timeout(5):
        while len(running.link.published) < 300:
            await asyncio.sleep(0.01)
    assert running.link.places(CHANNEL) == list(range(1, 101))


async def test_two_webapps_write_to_the_same_new_channels(running: Webapp) -> None:
    """The head's row is the lock; making it at the same time may deadlock, which is tried again."""
    clock, rng = SystemClock(), random.Random(3)
    channels = [f"C{i:010d}" for i in range(20)]
    async with run_committer(running.pools.channel, lambda events: None, clock, rng) as other:
        writes = [post(channel_id, f"m{i}") for i in range(10) for channel_id in channels]
        shuffled = random.Random(5).sample(writes, len(writes))
        await asyncio.gather(
            *(running.committer.commit(write) for write in writes), *(other.commit(write) for write in shuffled)
        )
    for channel_id in channels:
        assert await offsets(running.pools, channel_id) == list(range(1, 21))


async def test_a_request_id_gives_one_message(running: Webapp) -> None:
    """At once, later, and from another webapp."""
    write = post(CHANNEL, "once", f"{ALICE}:uuid")
    first, *others = await asyncio.gather(*(running.committer.commit(write) for _ in range(5)))
    later = await running.committer.commit(write)
    assert not first.duplicate
    assert all(other.duplicate and other.places == first.places for other in [*others, later])
    assert await offsets(running.pools) == [1]


async def test_one_used_request_id_in_a_batch_costs_nobody_else(running: Webapp) -> None:
    """The optimistic insert fails, and the batch is planned again with what was found."""
    await running.committer.commit(post(CHANNEL, "a", "k0"))
    results = await asyncio.gather(*(running.committer.commit(post(CHANNEL, "b", f"k{i}")) for i in range(5)))
    assert [result.duplicate for result in results] == [True, False, False, False, False]
    assert await offsets(running.pools) == [1, 2, 3, 4, 5]


async def test_a_poisoned_write_fails_alone(running: Webapp) -> None:
    """What MySQL refuses is found by halving; what Python cannot write as well."""
    too_long = replace(message("x").message or MessageDraft("", ""), subtype="s" * 40)
    wrong = replace(message("x").message or MessageDraft("", ""), text="\ud800")
    drafts = {3: replace(message("x"), message=too_long), 11: replace(note(), message=wrong)}
    writes = [Write(CHANNEL, (drafts.get(i, message(f"m{i}")),)) for i in range(20)]
    results = await asyncio.gather(*map(running.committer.commit, writes), return_exceptions=True)
    assert [i for i, result in enumerate(results) if isinstance(result, InvalidArgumentError)] == [3, 11]
    assert sum(isinstance(result, Committed) for result in results) == 18
    assert await offsets(running.pools) == list(range(1, 19))


async def test_a_caller_that_leaves_breaks_no_batch(running: Webapp) -> None:
    """Cancelled waiting is not cancelled writing, and the others are answered."""
    tasks = [asyncio.ensure_future(running.committer.commit(post(CHANNEL, f"m{i}"))) for i in range(50)]
    await asyncio.sleep(0.002)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    kept = [result for result in results if isinstance(result, Committed)]
    assert len(kept) >= 25
    written = await offsets(running.pools)
    assert written == list(range(1, len(written) + 1))
    assert {result.places[0].offset for result in kept} <= set(written)


async def test_guards_are_decided_by_the_transaction(running: Webapp) -> None:
    """Of two joins at once one is told; who has left cannot post."""
    join = Write(CHANNEL, (note(),), members_added=(BOB,), unless_member=BOB)
    first, second = await asyncio.gather(running.committer.commit(join), running.committer.commit(join))
    assert (first.refused, second.refused) == (False, True)
    assert await running.stores.channels.is_member(CHANNEL, BOB)
    await running.committer.commit(Write(CHANNEL, (note(),), members_removed=(BOB,), if_member=BOB))
    late = await running.committer.commit(Write(CHANNEL, (message("late"),), if_member=BOB))
    assert late.refused
    assert not await running.stores.channels.is_member(CHANNEL, BOB)
    assert await offsets(running.pools) == [1, 2]


async def test_at_the_limit_writes_are_refused_with_advice(pools: Pools) -> None:
    """The queue is bounded; the error says by what and when to come again."""
    limits = CommitterLimits(pending_max=2)
    async with run_committer(pools.channel, lambda events: None, SystemClock(), random.Random(1), limits) as committer:
        calls = (committer.commit(post(CHANNEL, "m")) for _ in range(10))
        results = await asyncio.gather(*calls, return_exceptions=True)
    refused = [result for result in results if isinstance(result, ResourceExhaustedError)]
    assert refused
    assert refused[0].limit == 2
    assert 1.0 <= refused[0].retry_after_s <= 2.0
    assert len(await offsets(pools)) == 10 - len(refused)


async def cut_commit(pools: Pools, cut: Cut, write: Write) -> tuple[Committed | BaseException, list[int]]:
    """Commit through a proxy that loses the COMMIT, and return the outcome and the log."""
    async with commit_cutter(pools.channel.dsn.port) as cutter:
        dsn = replace(pools.channel.dsn, port=cutter.address_port)
        database = Database("channel", dsn, SystemClock(), PoolLimits())
        async with run_committer(database, lambda events: None, SystemClock(), random.Random(1)) as committer:
            cutter.cut = cut
            [outcome] = await asyncio.gather(committer.commit(write), return_exceptions=True)
            assert cutter.cut is Cut.NONE
        await database.close()
    return outcome, await offsets(pools)


async def test_a_commit_whose_answer_is_lost_is_found_by_its_request_id(pools: Pools) -> None:
    """It happened; the retry finds it instead of writing a second one."""
    outcome, log = await cut_commit(pools, Cut.ANSWER, post(CHANNEL, "m", "k"))
    assert isinstance(outcome, Committed)
    assert (outcome.places[0].offset, outcome.duplicate, log) == (1, True, [1])


async def test_a_commit_that_never_arrived_is_repeated_by_its_request_id(pools: Pools) -> None:
    """It did not happen; the retry writes it."""
    outcome, log = await cut_commit(pools, Cut.REQUEST, post(CHANNEL, "m", "k"))
    assert isinstance(outcome, Committed)
    assert (outcome.duplicate, log) == (False, [1])


@pytest.mark.parametrize(("cut", "written"), [(Cut.ANSWER, [1]), (Cut.REQUEST, [])])
async def test_without_a_request_id_a_lost_commit_is_never_ok(pools: Pools, cut: Cut, written: list[int]) -> None:
    """Nobody can know, so the caller is told that nobody knows; and it is not written twice."""
    outcome, log = await cut_commit(pools, cut, post(CHANNEL, "m"))
    assert isinstance(outcome, UnavailableError)
    assert log == written


async def test_a_refusal_after_a_commit_whose_answer_was_lost_is_not_the_last_word(pools: Pools) -> None:
    """The write may be true: its writer is told that nobody knows, not that it was refused."""
    limits = CommitterLimits(retry_base_s=2.0, retry_cap_s=2.0)
    async with commit_cutter(pools.channel.dsn.port) as cutter:
        database = Database(
            "channel", replace(pools.channel.dsn, port=cutter.address_port), SystemClock(), PoolLimits()
        )
        async with run_committer(database, lambda events: None, SystemClock(), random.Random(1), limits) as committer:
            cutter.cut = Cut.ANSWER
            commit = asyncio.ensure_future(committer.commit(post(CHANNEL, "m", "k")))
            while cutter.cut is not Cut.NONE:
                await asyncio.sleep(0.01)
            await pools.channel.execute("RENAME TABLE heads TO heads_elsewhere")
            try:
                with pytest.raises(OutcomeUnknownError):
                    await commit
            finally:
                await pools.channel.execute("RENAME TABLE heads_elsewhere TO heads")
        await database.close()
    assert await offsets(pools) == [1]


async def test_posts_survive_a_restart_of_the_database(own_mariadb: DatabaseServer) -> None:
    """Killed and started again under load: what was answered is there once, what failed says so, and posts go on."""
    async with migrated(own_mariadb) as pools, webapp(pools) as running:
        await post_through_a_restart(own_mariadb, running)


async def post_through_a_restart(server: DatabaseServer, running: Webapp) -> None:
    """Post from four clients while the server is killed and started."""
    answered: dict[int, Committed] = {}

    async def client(number: int) -> None:
        for i in range(number * 100, number * 100 + 100):
            try:
                answered[i] = await running.committer.commit(post(CHANNEL, f"m{i}", f"k{i}"))
            except UnavailableError:
                await asyncio.sleep(0.02)

    clients = [asyncio.ensure_future(client(number)) for number in range(4)]
    await asyncio.sleep(0.1)
    await server.kill()
    await server.start()
    await asyncio.gather(*clients)
    after = await running.committer.commit(post(CHANNEL, "after"))
    log = await offsets(running.pools)
    assert log == list(range(1, after.places[0].offset + 1))
    given = [result.places[0].offset for result in answered.values()]
    assert len(set(given)) == len(given)
    texts = {row[0]: row[1] for row in await running.pools.channel.rows("SELECT `offset`, text FROM messages")}
    assert all(texts[result.places[0].offset] == f"m{i}" for i, result in answered.items())


async def test_stopping_answers_whoever_waits(pools: Pools) -> None:
    """Nobody hangs on a webapp that is going away."""
    committers: list[Committer] = []
    async with run_committer(pools.channel, lambda events: None, SystemClock(), random.Random(1)) as committer:
        committers.append(committer)
        waiting = [asyncio.ensure_future(committer.commit(post(CHANNEL, f"m{i}"))) for i in range(5)]
        await asyncio.sleep(0)
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, UnavailableError) for result in results)
    with pytest.raises(UnavailableError):
        await committers[0].commit(post(CHANNEL, "late"))


async def test_a_reply_counts_with_its_parent(running: Webapp) -> None:
    """History shows the parent with its count, and leaves the reply out unless it was broadcast."""
    commit = running.committer.commit
    parent = await commit(post(CHANNEL, "parent"))
    await commit(Write(CHANNEL, (message("r1", thread_ts_us=parent.ts_us),)))
    shown = await commit(Write(CHANNEL, (message("r2", thread_ts_us=parent.ts_us, broadcast=True),)))
    channels: ChannelStore = running.stores.channels
    messages, more = await channels.history(CHANNEL)
    assert ([m.text for m in messages], more) == (["r2", "parent"], False)
    thread = (await channels.threads(CHANNEL, [parent.ts_us, shown.ts_us]))[parent.ts_us]
    assert (thread.reply_count, thread.latest_reply_us) == (2, shown.ts_us)
    replies, more = await channels.replies(CHANNEL, parent.ts_us, limit=1)
    assert ([m.text for m in replies], more) == (["r1"], True)
