"""A webapp dies between a commit and what follows from it: any other one finishes it, wherever it had got to, once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

import pytest

from svc.kit.clock import SystemClock
from svc.kit.errors import UnavailableError
from svc.webapp.commit.app_step import app_effect
from svc.webapp.commit.committer import run_committer
from svc.webapp.commit.effects import Cause, Effects
from svc.webapp.commit.log import (
    Committed,
    Effect,
    Follow,
    PutEmoji,
    PutFile,
    PutTeamIcon,
    PutUser,
    PutUserGroup,
    Revoke,
    Unshare,
    Write,
)
from svc.webapp.commit.sweeping import run_sweepers
from svc.webapp.store.app_rows import AppRow
from svc.webapp.store.file_rows import File, FileShare, FileState
from svc.webapp.store.pools import Pools
from svc.webapp.store.rows import ConversationKind, Team, Token, TokenKind, User, UserGroup
from tests.svc.webapp.databases import Webapp, webapp
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL, TEAM, note

pytestmark = pytest.mark.mesh

FINISHED_S = 15.0
"""It takes 1.5 s: what is due after a second is looked for twice a second. Machines that are busy take longer."""

FILE = File(TEAM, "F0000000001", ALICE, FileState.READY, "a.txt", "a", "text", 5, 1, '{"mode":"snippet"}')
SHARE = FileShare(TEAM, FILE.id, CHANNEL, 77, 1, ALICE, "snippets", 1)
APP = AppRow(TEAM, "A0000000001", "ci", BOB, "B0000000001", ALICE, bytes(32), "s", "v", "chat:write", b"{}")
GROUP = UserGroup("S0000000001", TEAM, "Ops", "ops")
HASH = bytes(range(32))


async def nothing(_: Webapp) -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True)
class Case:
    """A step that was due, and how one sees that it is done."""

    name: str
    channel_id: str
    effect: Effect
    is_done: Callable[[Webapp], Awaitable[bool]]
    told: dict[str, int]
    """How many events channels got by it."""
    before: Callable[[Webapp], Awaitable[None]] = nothing


async def has_user(here: Webapp) -> bool:
    return await here.stores.workspaces.user(TEAM, ALICE) is not None


async def has_group(here: Webapp) -> bool:
    return await here.stores.workspaces.groups.group(TEAM, GROUP.id) is not None


async def has_file(here: Webapp) -> bool:
    return [each.channel_id for each in await here.stores.files.shares(TEAM, [FILE.id])] == [ALICE]


async def has_app(here: Webapp) -> bool:
    return await here.stores.apps.app(TEAM, APP.id) is not None


async def has_emoji(here: Webapp) -> bool:
    return "party" in await here.stores.workspaces.emoji_by_name(TEAM, ["party"])


async def has_icon(here: Webapp) -> bool:
    team = await here.stores.workspaces.team(TEAM)
    return team is not None and team.icon_url == "https://x/i.png"


async def add_team(here: Webapp) -> None:
    await here.stores.workspaces.put_team(Team(TEAM, "Demo", "demo", 1))


async def is_in(here: Webapp) -> bool:
    return await here.stores.users.membership(ALICE, CHANNEL) is not None


async def is_revoked(here: Webapp) -> bool:
    token = await here.stores.users.token(ALICE, HASH)
    return token is not None and token.revoked_s > 0


async def add_token(here: Webapp) -> None:
    await here.stores.users.add_token(Token(ALICE, HASH, TokenKind.USER, TEAM))


async def is_unshared(here: Webapp) -> bool:
    return await here.stores.files.shares(TEAM, [FILE.id]) == []


async def add_share(here: Webapp) -> None:
    await here.stores.files.put_shares([SHARE])


CASES = (
    Case("user", TEAM, PutUser(asdict(User(ALICE, TEAM, "alice")), {"type": "team_join"}), has_user, {TEAM: 1}),
    Case(
        "group",
        TEAM,
        PutUserGroup(asdict(GROUP), 0, ({"type": "subteam_created"},), added=(BOB,)),
        has_group,
        {TEAM: 1, BOB: 1},
    ),
    Case("file", ALICE, PutFile(asdict(FILE), "snippets"), has_file, {}),
    Case("unshare", CHANNEL, Unshare(TEAM, 77, (FILE.id,)), is_unshared, {}, add_share),
    Case("app", TEAM, app_effect(APP), has_app, {TEAM: 1}),
    Case("emoji", TEAM, PutEmoji({"party": "https://x/p.png"}), has_emoji, {TEAM: 1}),
    Case("icon", TEAM, PutTeamIcon("https://x/i.png"), has_icon, {TEAM: 1}, add_team),
    Case("revoke", ALICE, Revoke(ALICE, (HASH.hex(),)), is_revoked, {ALICE: 1}, add_token),
    Case("follow", CHANNEL, Follow(ALICE, TEAM, ConversationKind.PUBLIC, payload={}), is_in, {ALICE: 1}),
)


async def gone(_: Write) -> Committed:
    """Stand for a process that is dead by now."""
    raise UnavailableError("killed")


async def die(here: Webapp, case: Case, done: str) -> None:
    """Commit what the step follows from, on a webapp that dies once this much of it is `done`."""
    async with run_committer(here.pools.channel, lambda _: None, SystemClock(), random.Random(1)) as committer:
        committed = await committer.commit(Write(case.channel_id, (note(),), effects=(case.effect,)))
        cause = Cause(case.channel_id, committed.ts_us, 0, committed.places[0].offset)
        match done:
            case "its rows":
                try:
                    await Effects(gone, here.stores, here.lookups).carry_out(cause, case.effect)
                except UnavailableError:
                    assert case.told, "what tells nobody does not fail for that"
            case "everything":
                await Effects(committer.commit, here.stores, here.lookups).carry_out(cause, case.effect)


async def waiting(pools: Pools) -> int:
    """Return how many steps are left to do."""
    return len(await pools.channel.rows("SELECT channel_id FROM effects"))


@pytest.mark.parametrize("done", ["nothing", "its rows", "everything"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_a_killed_webapp_had_still_to_do_is_done_by_another(pools: Pools, case: Case, done: str) -> None:
    """Its rows are there, and who is to hear of it does, once, however far the dead one had come."""
    async with webapp(pools) as first, webapp(pools) as second:
        await case.before(first)
        await die(first, case, done)
        assert await waiting(pools) == 1
        sweepers = [
            run_sweepers(each.stores.outbox, each.publisher, each.effects, SystemClock()) for each in (first, second)
        ]
        async with sweepers[0], sweepers[1], asyncio.timeout(FINISHED_S):
            while await waiting(pools):
                await asyncio.sleep(0.02)
        assert await case.is_done(first)
        heads = await first.stores.channels.heads([TEAM, ALICE, BOB, CHANNEL])
        expected = dict(case.told)
        expected[case.channel_id] = expected.get(case.channel_id, 0) + 1
        assert {channel_id: offset for channel_id, offset in heads.items() if offset} == expected
