"""Steps across keyspaces against a real MariaDB: done at once, done again, done out of order."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import orjson
import pytest

from parley.event.v1 import event_pb2
from svc.kit.clock import SystemClock
from svc.kit.errors import AlreadyExistsError
from svc.webapp.commit.effects import Cause
from svc.webapp.commit.log import Draft, Follow, PutDirectory, PutUser, Unfollow, Write
from svc.webapp.commit.sweeping import run_sweepers, sweep_effects
from svc.webapp.store.rows import Conversation, ConversationKind, User
from tests.svc.webapp.databases import Webapp
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL, TEAM, note

pytestmark = pytest.mark.mesh

PUBLIC = ConversationKind.PUBLIC
ROOM = Conversation(CHANNEL, TEAM, PUBLIC, "room", ALICE)


async def events(running: Webapp, channel_id: str) -> list[event_pb2.Event]:
    """Return the log of a channel."""
    page = await running.stores.channels.log(channel_id, 0, 1000)
    return [event_pb2.Event.FromString(event) for event in page.events]


async def left_behind(running: Webapp) -> int:
    """Return how many effects are not done."""
    return len(await running.pools.channel.rows("SELECT 1 FROM effects"))


def join(user_id: str) -> Write:
    """Return a join as the rules write it."""
    follow = Follow(user_id, TEAM, PUBLIC, payload={"type": "channel_joined", "channel": {"id": CHANNEL}})
    return Write(CHANNEL, (note("joined"),), members_added=(user_id,), unless_member=user_id, effects=(follow,))


def leave(user_id: str) -> Write:
    """Return a leave as the rules write it."""
    gone = Unfollow(user_id, {"type": "channel_left", "channel": CHANNEL})
    return Write(CHANNEL, (note("left"),), members_removed=(user_id,), if_member=user_id, effects=(gone,))


async def test_who_joins_reads_his_own_join(running: Webapp) -> None:
    """The user's side and the event on the user's channel are there when the call returns; nothing is left to do."""
    await running.writes.commit(Write(CHANNEL, (note(),), create=ROOM))
    await running.writes.commit(join(ALICE))
    [side] = await running.stores.users.memberships(ALICE)
    assert (side.channel_id, side.from_offset, side.kind) == (CHANNEL, 1, PUBLIC)
    assert await running.lookups.is_member(CHANNEL, ALICE)
    [told] = await events(running, ALICE)
    assert told.kind == event_pb2.EVENT_KIND_USER
    assert [(p.channel_id, p.offset) for p in told.subscription_change.added] == [(CHANNEL, 1)]
    payload = orjson.loads(told.payload)
    assert (payload["type"], payload["position"]) == ("channel_joined", f"{ALICE}:1")
    assert await left_behind(running) == 0


async def test_who_leaves_and_comes_back_is_told_each_time(running: Webapp) -> None:
    """The read mark survives."""
    await running.writes.commit(join(ALICE))
    await running.stores.users.mark_read(ALICE, CHANNEL, 5)
    await running.writes.commit(leave(ALICE))
    assert await running.stores.users.memberships(ALICE) == []
    assert not await running.lookups.is_member(CHANNEL, ALICE)
    await running.writes.commit(join(ALICE))
    [side] = await running.stores.users.memberships(ALICE)
    assert (side.last_read_us, side.from_offset) == (5, 2)
    added, removed, again = await events(running, ALICE)
    assert added.subscription_change.added
    assert list(removed.subscription_change.removed_channel_ids) == [CHANNEL]
    assert again.subscription_change.added[0].offset == 2


async def test_a_step_done_twice_is_done_once(running: Webapp) -> None:
    """A sweeper may repeat what the committer had done just before it died."""
    await running.writes.commit(Write(CHANNEL, (note(),), create=ROOM))
    committed = await running.committer.commit(join(ALICE))
    cause = Cause(CHANNEL, committed.ts_us, 0, committed.next_offset)
    for _ in range(3):
        await running.effects.carry_out(cause, join(ALICE).effects[0])
    assert len(await events(running, ALICE)) == 1


async def test_a_late_join_cannot_undo_the_leave_after_it(running: Webapp) -> None:
    """The join's webapp died before its step; the leave was done; then the sweeper finds the join."""
    joined = await running.committer.commit(join(ALICE))
    await running.writes.commit(leave(ALICE))
    await running.effects.carry_out(Cause(CHANNEL, joined.ts_us, 0, joined.next_offset), join(ALICE).effects[0])
    assert await running.stores.users.memberships(ALICE) == []
    told = await events(running, ALICE)
    assert list(told[-1].subscription_change.removed_channel_ids) == [CHANNEL]
    assert not any(event.subscription_change.added for event in told)


async def test_news_told_late_by_a_webapp_that_died_are_followed_by_the_truth(running: Webapp) -> None:
    """The join's webapp told it after the leave had been told, and died before it looked: the sweeper tells again."""
    joined = await running.committer.commit(join(ALICE))
    await running.writes.commit(leave(ALICE))
    change = event_pb2.SubscriptionChange()
    change.added.add(channel_id=CHANNEL, offset=joined.next_offset - 1)
    late = Draft(event_pb2.EVENT_KIND_USER, lambda _: None, subscription_change=change)
    await running.committer.commit(Write(ALICE, (late,), request_id=f"{CHANNEL}:{joined.ts_us}:0"))
    await running.pools.channel.execute("UPDATE effects SET due_us = 0")
    await sweep_effects(running.stores.outbox, running.effects, SystemClock())
    assert await left_behind(running) == 0
    told = await events(running, ALICE)
    assert list(told[-1].subscription_change.removed_channel_ids) == [CHANNEL]


async def test_joins_and_leaves_at_once_end_in_what_is_true(running: Webapp) -> None:
    """However the steps overtake one another, the last thing told is the last thing true."""
    for _ in range(5):
        writes = [join(ALICE), leave(ALICE), join(ALICE), leave(ALICE), join(ALICE)]
        await asyncio.gather(*map(running.writes.commit, writes))
        is_in = await running.stores.channels.is_member(CHANNEL, ALICE)
        assert bool(await running.stores.users.memberships(ALICE)) == is_in
        last = (await events(running, ALICE))[-1].subscription_change
        assert bool(last.added) == is_in


async def test_a_new_public_conversation_is_in_the_directory_and_told_to_the_team(running: Webapp) -> None:
    """The row's version is the offset of the event that told of it."""
    put = PutDirectory(TEAM, {"type": "channel_created", "channel": {"id": CHANNEL}})
    await running.writes.commit(Write(CHANNEL, (note(),), create=ROOM, effects=(put,)))
    [event] = await events(running, TEAM)
    assert event.kind == event_pb2.EVENT_KIND_CHANNEL
    assert orjson.loads(event.payload)["type"] == "channel_created"
    [model] = event.model_change.channels
    assert (model.id, model.name, model.version, model.kind) == (CHANNEL, "room", 1, 1)
    row = await running.stores.workspaces.conversation_by_name(TEAM, "room")
    assert row is not None
    assert row.version == 1


async def test_a_private_conversation_is_told_to_nobody(running: Webapp) -> None:
    """The directory has it, for its members' sake; the team's channel has not."""
    room = Conversation(CHANNEL, TEAM, ConversationKind.PRIVATE, "secret", ALICE)
    await running.writes.commit(Write(CHANNEL, (note(),), create=room, effects=(PutDirectory(TEAM),)))
    assert await running.stores.workspaces.conversation(TEAM, CHANNEL) is not None
    assert await events(running, TEAM) == []


async def test_changes_at_once_leave_the_directory_and_the_last_event_with_the_truth(running: Webapp) -> None:
    """Topics changed from many sides: what the edge hears last is what is true."""
    await running.writes.commit(Write(CHANNEL, (note(),), create=ROOM, effects=(PutDirectory(TEAM),)))
    writes = [Write(CHANNEL, (note(),), change={"topic": f"t{i}"}, effects=(PutDirectory(TEAM),)) for i in range(10)]
    await asyncio.gather(*map(running.writes.commit, writes))
    truth = await running.stores.channels.conversation(CHANNEL)
    copy = await running.stores.workspaces.conversation(TEAM, CHANNEL)
    assert truth is not None
    assert copy is not None
    last = (await events(running, TEAM))[-1]
    assert truth.topic == copy.topic == last.model_change.channels[0].topic
    assert copy.version == last.offset
    cached = await running.lookups.conversation(CHANNEL)
    assert cached == truth


async def test_a_changed_user_is_written_and_told(running: Webapp) -> None:
    """A user whose name is taken is refused, and the step is forgotten."""
    alice = PutUser(asdict(User(ALICE, TEAM, "alice", "Alice")), {"type": "team_join", "user": {"id": ALICE}})
    await running.writes.commit(Write(TEAM, effects=(alice,)))
    [event] = await events(running, TEAM)
    assert event.model_change.users[0].real_name == "Alice"
    user = await running.stores.workspaces.user(TEAM, ALICE)
    assert user is not None
    assert (user.version, user.revision_us > 0) == (1, True)
    with pytest.raises(AlreadyExistsError):
        await running.writes.commit(Write(TEAM, effects=(PutUser(asdict(User(BOB, TEAM, "alice"))),)))
    assert await left_behind(running) == 0
    assert len(await events(running, TEAM)) == 1


async def test_forty_people_are_invited_in_one_write(running: Webapp) -> None:
    """Their steps run together."""
    users = tuple(f"U{i:010d}" for i in range(40))
    write = Write(
        CHANNEL, (note(),), create=ROOM, members_added=users, effects=tuple(Follow(u, TEAM, PUBLIC) for u in users)
    )
    await running.writes.commit(write)
    for user_id in users:
        assert len(await running.stores.users.memberships(user_id)) == 1
    assert await left_behind(running) == 0


async def test_what_a_killed_webapp_left_is_done_by_another(running: Webapp) -> None:
    """Within two seconds of the commit."""
    await running.committer.commit(join(ALICE))
    assert await left_behind(running) == 1
    async with run_sweepers(running.stores.outbox, running.publisher, running.effects, SystemClock()):
        async with asyncio.timeout(2.0):
            while await left_behind(running):
                await asyncio.sleep(0.01)
    assert len(await running.stores.users.memberships(ALICE)) == 1
    assert len(await events(running, ALICE)) == 1


async def test_an_effect_of_a_newer_version_waits_for_one(running: Webapp) -> None:
    """It is neither lost nor in the way."""
    await running.committer.commit(join(ALICE))
    await running.pools.channel.execute("UPDATE effects SET due_us = 0, effect = %s", (b'{"op":"teleport"}',))
    await sweep_effects(running.stores.outbox, running.effects, SystemClock())
    assert await left_behind(running) == 1
