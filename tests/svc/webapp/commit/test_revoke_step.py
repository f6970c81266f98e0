"""Revoked tokens, users and groups changed over a version, against a real MariaDB."""

from __future__ import annotations

from dataclasses import asdict, replace

import orjson
import pytest

from parley.event.v1 import event_pb2
from svc.kit.clock import SystemClock
from svc.kit.errors import FailedPreconditionError
from svc.webapp.commit.log import PutUser, PutUserGroup, Revoke, Write
from svc.webapp.commit.sweeping import sweep_effects
from svc.webapp.store.rows import Token, TokenKind, User, UserGroup
from tests.svc.webapp.databases import Webapp
from tests.svc.webapp.writes import ALICE, BOB, TEAM

pytestmark = pytest.mark.mesh

HASHES = [bytes([number]) * 32 for number in range(3)]
GROUP = UserGroup("S0000000001", TEAM, "Ops", "ops", user_ids=orjson.dumps([ALICE, BOB]).decode())


async def events(running: Webapp, channel_id: str) -> list[event_pb2.Event]:
    """Return the log of a channel."""
    page = await running.stores.channels.log(channel_id, 0, 1000)
    return [event_pb2.Event.FromString(event) for event in page.events]


async def with_tokens(running: Webapp) -> None:
    """Give alice three tokens."""
    for each in HASHES:
        await running.stores.users.add_token(Token(ALICE, each, TokenKind.USER, TEAM))


async def valid(running: Webapp) -> list[bytes]:
    """Return alice's tokens that are not revoked."""
    return sorted(each.token_hash for each in await running.stores.users.tokens(ALICE) if not each.revoked_s)


async def test_a_revocation_names_its_tokens_to_the_sessions(running: Webapp) -> None:
    """One, then all that there are; the rows are revoked when it is told."""
    await with_tokens(running)
    await running.writes.commit(Write(ALICE, effects=(Revoke(ALICE, (HASHES[0].hex(),)),)))
    assert await valid(running) == HASHES[1:]
    await running.writes.commit(Write(ALICE, effects=(Revoke(ALICE),)))
    assert await valid(running) == []
    told = [list(event.revocation.token_prefixes) for event in await events(running, ALICE)]
    assert told[0] == [HASHES[0][:16]]
    assert sorted(told[1]) == [each[:16] for each in HASHES]


async def test_a_revocation_that_a_dying_webapp_left_is_done_by_another(running: Webapp) -> None:
    """And told once, however often it is done."""
    await with_tokens(running)
    await running.committer.commit(Write(ALICE, effects=(Revoke(ALICE, (HASHES[1].hex(),)),)))
    assert await valid(running) == HASHES
    for _ in range(2):
        await running.pools.channel.execute("UPDATE effects SET due_us = 0")
        await sweep_effects(running.stores.outbox, running.effects, SystemClock())
    assert await valid(running) == [HASHES[0], HASHES[2]]
    assert len(await events(running, ALICE)) == 1


async def test_a_user_is_changed_over_the_version_that_was_read(running: Webapp) -> None:
    """Of two who read the same one, the second is refused, and nothing is told of it."""
    await running.writes.commit(Write(TEAM, effects=(PutUser(asdict(User(ALICE, TEAM, "alice"))),)))
    read = await running.stores.workspaces.user(TEAM, ALICE)
    assert read is not None
    first, second = replace(read, title="first"), replace(read, title="second")
    await running.writes.commit(Write(TEAM, effects=(PutUser(asdict(first), over_us=read.revision_us),)))
    with pytest.raises(FailedPreconditionError):
        await running.writes.commit(Write(TEAM, effects=(PutUser(asdict(second), over_us=read.revision_us),)))
    now = await running.stores.workspaces.user(TEAM, ALICE)
    assert now is not None
    assert now.title == "first"
    assert [event.model_change.users[0].title for event in await events(running, TEAM)] == ["", "first"]
    assert not await running.pools.channel.rows("SELECT 1 FROM effects")


async def test_a_group_is_put_told_and_tells_who_came_and_left(running: Webapp) -> None:
    """Once each, though the step is done again; a change of an older version is refused."""
    step = PutUserGroup(asdict(GROUP), 0, ({"type": "subteam_created"},), added=(ALICE, BOB))
    await running.committer.commit(Write(TEAM, effects=(step,)))
    for _ in range(2):
        await running.pools.channel.execute("UPDATE effects SET due_us = 0")
        await sweep_effects(running.stores.outbox, running.effects, SystemClock())
    group = await running.lookups.group(TEAM, GROUP.id)
    assert group is not None
    assert group.revision_us > 0
    assert group.handle == "ops"
    assert [orjson.loads(each.payload)["type"] for each in await events(running, TEAM)] == ["subteam_created"]
    for user_id in (ALICE, BOB):
        [told] = await events(running, user_id)
        assert orjson.loads(told.payload).items() >= {"type": "subteam_self_added", "subteam_id": GROUP.id}.items()
    with pytest.raises(FailedPreconditionError):
        await running.writes.commit(Write(TEAM, effects=(PutUserGroup(asdict(GROUP), 0),)))
    left = replace(GROUP, user_ids="[]")
    await running.writes.commit(Write(TEAM, effects=(PutUserGroup(asdict(left), group.revision_us, removed=(BOB,)),)))
    assert orjson.loads((await events(running, BOB))[-1].payload)["type"] == "subteam_self_removed"
