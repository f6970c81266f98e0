"""Edits, removals, annotations and items against a real MariaDB: what the rows are afterwards, and who is refused."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

from svc.kit.clock import SystemClock
from svc.webapp.commit.committer import run_committer
from svc.webapp.commit.log import (
    Annotation,
    AnnotationKind,
    Committed,
    Guard,
    Item,
    ItemKind,
    MessageChange,
    MessageRemoval,
    Write,
)
from svc.webapp.store.pools import Database, PoolLimits, Pools
from svc.webapp.store.rows import AnnotationRow, ItemRow, Message
from tests.svc.webapp.commit_cutter import Cut, commit_cutter
from tests.svc.webapp.databases import Webapp
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL, message, note, post

pytestmark = pytest.mark.mesh

OTHER = "C0000000002"
REACTION, PIN = AnnotationKind.REACTION, AnnotationKind.PIN


def write(channel_id: str = CHANNEL, **alterations: object) -> Write:
    """Return a write with one event."""
    return Write(channel_id, (note(),), **alterations)  # type: ignore[arg-type]


async def message_of(running: Webapp, place: Committed) -> Message:
    """Return a message that is there."""
    found = await running.stores.channels.message(place.channel_id, place.ts_us)
    assert found is not None
    return found


async def test_an_edited_message_keeps_its_place_and_gets_a_revision(running: Webapp) -> None:
    """What the edit does not name stays; several edits of one batch are each their own."""
    commit = running.committer.commit
    posted = [await commit(post(CHANNEL, f"m{n}")) for n in range(3)]
    before = [await message_of(running, each) for each in posted]
    assert [each.revision for each in before] == [1, 2, 3]
    changes = [
        MessageChange(before[0].ts_us, 1, text="edited \\ 'it' 😀"),
        MessageChange(before[1].ts_us, 2, extra=b'{"edited":1}'),
        MessageChange(before[2].ts_us, 3, text="", extra=b"{}", subtype="tombstone"),
    ]
    results = await asyncio.gather(*(commit(write(changed=(each,))) for each in changes))
    assert [each.places[0].offset for each in results] == [4, 5, 6]
    after = [await message_of(running, each) for each in posted]
    assert after == [
        replace(before[0], text="edited \\ 'it' 😀", revision=4),
        replace(before[1], extra=b'{"edited":1}', revision=5),
        replace(before[2], text="", extra=b"{}", subtype="tombstone", revision=6),
    ]


async def test_of_many_editors_at_once_each_undoes_nobody(running: Webapp) -> None:
    """On two webapps: of those who read one revision one succeeds; who reads again and repeats gets there in time."""
    clock, rng = SystemClock(), random.Random(3)
    posted = await running.committer.commit(post(CHANNEL, ""))
    async with run_committer(running.pools.channel, lambda events: None, clock, rng) as other:

        async def append(name: str, committer_number: int) -> int:
            committer = (running.committer, other)[committer_number]
            for refusals in range(200):
                now = await message_of(running, posted)
                change = MessageChange(now.ts_us, now.revision, text=now.text + name)
                if not (await committer.commit(write(changed=(change,)))).refused:
                    return refusals
            raise AssertionError("refused too often")

        async with asyncio.timeout(30):
            refused = await asyncio.gather(*(append(letter, n % 2) for n, letter in enumerate("abcdefghij")))
    final = await message_of(running, posted)
    assert sorted(final.text) == list("abcdefghij")
    assert final.revision == 11
    assert sum(refused) > 0


async def test_a_removed_message_takes_what_was_on_it_along(running: Webapp) -> None:
    """And its place among those that are to be read."""
    commit, channels = running.committer.commit, running.stores.channels
    first, second, reply = (
        await commit(post(CHANNEL, "first")),
        await commit(post(CHANNEL, "second")),
        await commit(Write(CHANNEL, (message("r", thread_ts_us=1),))),
    )
    for place in (first, second, reply):
        await commit(write(annotated=(Annotation(place.ts_us, REACTION, "+1", ALICE, ALICE),)))
    gone = await commit(write(removed=(MessageRemoval(second.ts_us, 2), MessageRemoval(reply.ts_us, 3))))
    assert not gone.refused
    assert gone.events[0].latest_message_ts_us == first.ts_us
    assert await channels.message(CHANNEL, second.ts_us) is None
    assert list(await channels.annotations(CHANNEL, [first.ts_us, second.ts_us, reply.ts_us])) == [first.ts_us]
    assert (await channels.activity([CHANNEL]))[CHANNEL].last_message_us == first.ts_us
    last = await commit(write(removed=(MessageRemoval(first.ts_us, 1),)))
    assert (last.events[0].latest_message_ts_us, last.events[0].HasField("latest_message_ts_us")) == (0, True)
    assert (await channels.activity([CHANNEL]))[CHANNEL].last_message_us == 0


async def test_a_thread_whose_replies_go_counts_down(running: Webapp) -> None:
    """The latest one is the latest that is there; at none there is no thread; then it begins anew."""
    commit, channels = running.committer.commit, running.stores.channels
    parent = (await commit(post(CHANNEL, "parent"))).ts_us
    replies = [await commit(Write(CHANNEL, (message(f"r{n}", thread_ts_us=parent),))) for n in range(3)]

    async def remove(*numbers: int) -> tuple[int, int] | None:
        removed = tuple(MessageRemoval(replies[n].ts_us, replies[n].places[0].offset) for n in numbers)
        assert not (await commit(write(removed=removed))).refused
        thread = (await channels.threads(CHANNEL, [parent])).get(parent)
        return (thread.reply_count, thread.latest_reply_us) if thread else None

    assert (await commit(write(removed=(MessageRemoval(parent, 1),)))).refused_by is Guard.MESSAGE
    assert await remove(2) == (2, replies[1].ts_us)
    assert await remove(0) == (1, replies[1].ts_us)
    assert await remove(1) is None
    again = await commit(Write(CHANNEL, (message("again", thread_ts_us=parent),)))
    thread = (await channels.threads(CHANNEL, [parent]))[parent]
    assert (thread.reply_count, thread.latest_reply_us) == (1, again.ts_us)


async def test_annotations_are_there_once_in_the_order_in_which_they_came(running: Webapp) -> None:
    """Of twenty who react in the same way at once each counts once, however often they say so."""
    commit, channels = running.committer.commit, running.stores.channels
    ts_us = (await commit(post(CHANNEL, "m"))).ts_us
    users = [f"U{n:010d}" for n in range(10)]
    thumbs = [Annotation(ts_us, REACTION, "+1", user, user) for user in users]
    results = await asyncio.gather(*(commit(write(annotated=(each,))) for each in [*thumbs, *thumbs]))
    assert sum(result.refused_by is Guard.ANNOTATION for result in results) == 10
    await commit(write(annotated=(Annotation(ts_us, PIN, by_id=BOB),)))
    rows = (await channels.annotations(CHANNEL, [ts_us]))[ts_us]
    assert sorted(row.user_id for row in rows if row.kind is REACTION) == users
    assert [row.at_us for row in rows] == sorted(row.at_us for row in rows)
    taken = await asyncio.gather(*(commit(write(unannotated=(thumbs[0],))) for _ in range(3)))
    assert [result.refused_by for result in taken] == [None, Guard.ANNOTATION, Guard.ANNOTATION]
    again = await commit(write(annotated=(thumbs[0],)))
    [last] = [row for row in (await channels.annotations(CHANNEL, [ts_us]))[ts_us] if row.user_id == users[0]]
    assert last == AnnotationRow(CHANNEL, ts_us, REACTION, "+1", users[0], users[0], again.ts_us)


async def test_what_is_pinned_and_who_reacted_is_found(running: Webapp) -> None:
    """Pins of one channel, reactions of one user in all channels, a page at a time."""
    commit, channels = running.committer.commit, running.stores.channels
    stamps = {each: (await commit(post(each, "m"))).ts_us for each in (CHANNEL, OTHER)}
    for channel_id, ts_us in stamps.items():
        for annotation in (Annotation(ts_us, PIN, by_id=BOB), Annotation(ts_us, REACTION, "+1", ALICE, ALICE)):
            assert not (await commit(write(channel_id, annotated=(annotation,)))).refused
    [pin] = await channels.annotated_by(CHANNEL, PIN, 10)
    assert (pin.ts_us, pin.by_id, pin.user_id) == (stamps[CHANNEL], BOB, "")
    assert await channels.annotated_by(CHANNEL, PIN, 10, pin.at_us) == []
    assert await channels.count_annotated(CHANNEL, PIN, 10) == 1
    mine = await channels.annotated_of(ALICE, REACTION, 10)
    assert [row.channel_id for row in mine] == [OTHER, CHANNEL]
    assert await channels.annotated_of(ALICE, REACTION, 10, before=(mine[0].newest_us, OTHER)) == mine[1:]
    assert await channels.annotated_of(ALICE, REACTION, 10, skip=1) == mine[1:]
    assert await channels.annotated_of(ALICE, REACTION, 10, but=[OTHER]) == mine[1:]
    assert await channels.annotated_of(BOB, REACTION, 10) == []
    again = Annotation(stamps[CHANNEL], REACTION, "tada", ALICE, ALICE)
    newer = await commit(write(CHANNEL, annotated=(again,)))
    found = await channels.annotated_of(ALICE, REACTION, 10)
    assert [row.newest_us for row in found] == [newer.ts_us, mine[0].newest_us]
    # What comes in the same moment elsewhere is not passed over.
    await running.pools.channel.execute("UPDATE annotations SET at_us = %s WHERE kind = 1", (newer.ts_us,))
    first, second = await channels.annotated_of(ALICE, REACTION, 10)
    for place, rest in ((first, [second]), (second, [])):
        assert await channels.annotated_of(ALICE, REACTION, 10, before=(place.newest_us, place.channel_id)) == rest
    assert await channels.count_annotated_of(ALICE, REACTION) == {CHANNEL: 1, OTHER: 1}
    assert await channels.count_annotated_of(BOB, REACTION) == {}


async def test_an_item_is_taken_by_one(running: Webapp) -> None:
    """Put once as new, changed while it is there, due when it is, and dropped by one of those who try."""
    commit, channels = running.committer.commit, running.stores.channels
    item = Item(ItemKind.SCHEDULED, "Q1", b'{"text":"later"}', due_us=50, is_new=True)
    made = [await commit(write(ALICE, items=(item,))) for _ in range(2)]
    assert [each.refused_by for each in made] == [None, Guard.ITEM]
    await commit(write(ALICE, items=(Item(ItemKind.SAVED, "S1", b"{}"),)))
    row = ItemRow(ALICE, ItemKind.SCHEDULED, "Q1", 50, b'{"text":"later"}', made[0].ts_us)
    assert await channels.item(ALICE, ItemKind.SCHEDULED, "Q1") == row
    assert await channels.items(ALICE, ItemKind.SCHEDULED) == [row]
    assert await channels.items(ALICE, ItemKind.SCHEDULED, "Q1") == []
    assert await channels.due_items(49, 10) == []
    assert await channels.due_items(50, 10) == [row]
    moved = await commit(write(ALICE, items=(replace(item, due_us=60, is_new=False),)))
    assert await channels.due_items(59, 10) == []
    assert await channels.due_items(60, 10) == [replace(row, due_us=60, at_us=moved.ts_us)]
    taken = await asyncio.gather(*(commit(write(ALICE, items_dropped=((item.kind, item.id),))) for _ in range(4)))
    assert sorted(each.refused for each in taken) == [False, True, True, True]
    assert await channels.due_items(60, 10) == []


async def test_a_repeated_edit_is_the_same_edit(running: Webapp) -> None:
    """A request id answers before any guard: what it quotes has changed since, by itself."""
    commit = running.committer.commit
    ts_us = (await commit(post(CHANNEL, "m"))).ts_us
    edit = replace(write(changed=(MessageChange(ts_us, 1, text="edited"),)), request_id="k")
    first, *others = await asyncio.gather(*(commit(edit) for _ in range(4)))
    assert not first.duplicate
    assert all(other.duplicate and other.places == first.places for other in [*others, await commit(edit)])


@pytest.mark.parametrize("cut", [Cut.ANSWER, Cut.REQUEST])
async def test_an_edit_whose_commit_was_cut_off_is_made_once(pools: Pools, cut: Cut) -> None:
    """Whether it happened or not: the row and the log agree."""
    async with commit_cutter(pools.channel.dsn.port) as cutter:
        dsn = replace(pools.channel.dsn, port=cutter.address_port)
        database = Database("channel", dsn, SystemClock(), PoolLimits())
        async with run_committer(database, lambda events: None, SystemClock(), random.Random(1)) as committer:
            ts_us = (await committer.commit(post(CHANNEL, "m"))).ts_us
            cutter.cut = cut
            edit = replace(write(changed=(MessageChange(ts_us, 1, text="edited"),)), request_id="k")
            outcome = await committer.commit(edit)
        await database.close()
    assert outcome.places[0].offset == 2
    rows = await pools.channel.rows("SELECT text, revision FROM messages WHERE channel_id = %s", (CHANNEL,))
    assert [tuple(row) for row in rows] == [("edited", 2)]
    assert len(await pools.channel.rows("SELECT 1 FROM log WHERE channel_id = %s", (CHANNEL,))) == 2
