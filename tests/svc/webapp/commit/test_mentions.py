"""Mentions are noted together, behind the posts, against a real MariaDB; what is not is left to the sweepers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from svc.kit.clock import SystemClock
from svc.kit.errors import UnavailableError
from svc.webapp.commit import mentions as module
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Mention, MessageChange, MessageRemoval, Unmention, Write
from svc.webapp.commit.mention_step import note_mentions
from svc.webapp.commit.mentions import Mentions, run_mentions
from svc.webapp.commit.sweeping import run_sweepers, sweep_effects
from svc.webapp.store.rows import ConversationKind, Membership
from svc.webapp.store.user import UserStore
from tests.svc.webapp.databases import Webapp
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL, TEAM, message, note

pytestmark = pytest.mark.mesh

ROOMS = [f"C{number:010d}" for number in range(1, 21)]


def said(channel_id: str, *meant_for: str, request_id: str = "") -> Write:
    """Return a post as the rules write it."""
    return Write(channel_id, (message("hi"),), request_id, effects=(Mention(meant_for),))


async def settled(running: Webapp) -> None:
    """Return once nothing is left to do."""
    async with asyncio.timeout(5):
        while await running.pools.channel.rows("SELECT 1 FROM effects"):
            await asyncio.sleep(0.01)


class Watched(UserStore):
    """A store that counts, and fails when it is told to."""

    def __init__(self, running: Webapp) -> None:
        super().__init__(running.pools.user)
        self.batches: list[int] = []
        self.fails = False

    async def mention(self, rows: Sequence[tuple[str, str, int]]) -> None:
        self.batches.append(len(rows))
        if self.fails:
            raise UnavailableError("no database")
        await super().mention(rows)


async def joined(running: Webapp) -> None:
    """Put two people into all rooms."""
    for channel_id in ROOMS:
        for user_id in (ALICE, BOB):
            side = Membership(user_id, channel_id, TEAM, ConversationKind.PUBLIC, revision_us=1)
            await running.stores.users.put_membership(side)


async def test_those_of_many_posts_are_noted_together(running: Webapp) -> None:
    """Two hundred posts take a few statements; each counts once, a repeated one too."""
    await joined(running)
    store, outbox = Watched(running), running.stores.outbox
    async with run_mentions(store, running.stores.channels, outbox) as mentions:
        writes = Writes(running.committer.commit, running.effects, outbox, mentions)
        posts = [said(ROOMS[n % 20], ALICE, BOB, request_id=f"r{n // 2}") for n in range(200)]
        await asyncio.gather(*map(writes.commit, posts))
        await settled(running)
    found = await running.stores.users.unread_mentions([ALICE, BOB])
    rows = await running.pools.channel.rows("SELECT channel_id, COUNT(*) FROM messages GROUP BY channel_id")
    assert found == {ALICE: {row[0]: row[1] for row in rows}, BOB: {row[0]: row[1] for row in rows}}
    assert sum(store.batches) == 2 * sum(row[1] for row in rows)
    assert len(store.batches) < 50


async def test_what_could_not_be_noted_is_noted_by_a_sweeper(running: Webapp) -> None:
    """The post is true all the same."""
    await joined(running)
    store, outbox = Watched(running), running.stores.outbox
    store.fails = True
    async with run_mentions(store, running.stores.channels, outbox) as mentions:
        writes = Writes(running.committer.commit, running.effects, outbox, mentions)
        await writes.commit(said(CHANNEL, ALICE))
        async with asyncio.timeout(5):
            while not store.batches:
                await asyncio.sleep(0.01)
    await running.pools.channel.execute("UPDATE effects SET due_us = 0")
    for _ in range(2):
        await sweep_effects(outbox, running.effects, SystemClock())
    assert await running.stores.users.unread_mentions([ALICE]) == {ALICE: {CHANNEL: 1}}
    await settled(running)


async def test_what_a_killed_webapp_had_not_noted_is_noted_within_two_seconds(running: Webapp) -> None:
    """It lay in the outbox."""
    await joined(running)
    await running.committer.commit(said(CHANNEL, BOB))
    async with run_sweepers(running.stores.outbox, running.publisher, running.effects, SystemClock()):
        async with asyncio.timeout(2.0):
            while not await running.stores.users.unread_mentions([BOB]):
                await asyncio.sleep(0.01)


async def test_a_removed_message_mentions_nobody_in_whatever_order(running: Webapp) -> None:
    """Noted before the removal, or after it; a tombstone as well."""
    await joined(running)
    store, channels = running.stores.users, running.stores.channels
    removed, buried, kept = [await running.committer.commit(said(CHANNEL, ALICE)) for _ in range(3)]
    await note_mentions(store, channels, [(ALICE, CHANNEL, each.ts_us) for each in (removed, buried, kept)])
    assert await store.unread_mentions([ALICE]) == {ALICE: {CHANNEL: 3}}
    removal = MessageRemoval(removed.ts_us, removed.places[0].offset)
    tombstone = MessageChange(buried.ts_us, buried.places[0].offset, text="", subtype="tombstone")
    effects = tuple(Unmention(each.ts_us, (ALICE,)) for each in (removed, buried))
    write = Write(CHANNEL, (note(),), removed=(removal,), changed=(tombstone,), effects=effects)
    assert not (await running.writes.commit(write)).refused
    assert await store.unread_mentions([ALICE]) == {ALICE: {CHANNEL: 1}}
    await note_mentions(store, channels, [(ALICE, CHANNEL, each.ts_us) for each in (removed, buried, kept)])
    assert await store.unread_mentions([ALICE]) == {ALICE: {CHANNEL: 1}}


async def test_what_waits_is_bounded(running: Webapp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond that the sweepers do it; nobody is held up."""
    monkeypatch.setattr(module, "ROWS_MAX", 5)
    store = Watched(running)
    mentions = Mentions(store, running.stores.channels, running.stores.outbox)
    for _ in range(3):
        mentions.offer((CHANNEL, 1, (ALICE, BOB)))
    running_on = asyncio.create_task(mentions.run())
    async with asyncio.timeout(5):
        while not store.batches:
            await asyncio.sleep(0.01)
    running_on.cancel()
    assert store.batches == [4]
