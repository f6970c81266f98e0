"""Reads and writes of the three keyspaces against a real MariaDB."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from svc.kit.errors import AlreadyExistsError
from svc.webapp.commit.log import Write
from svc.webapp.store.bulk import Bulk
from svc.webapp.store.rows import (
    Bot,
    Conversation,
    ConversationKind,
    Membership,
    Prefs,
    Team,
    Token,
    TokenKind,
    User,
)
from svc.webapp.store.workspace import RESERVATION_S
from tests.svc.webapp.databases import Webapp
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL, TEAM, message, note

pytestmark = pytest.mark.mesh

NOW_S = 1_700_000_000
GENERAL = Conversation(CHANNEL, TEAM, ConversationKind.PUBLIC, "general", ALICE, NOW_S, is_general=True, revision_us=5)


async def test_a_workspace_has_one_domain(running: Webapp) -> None:
    """The name may change; another workspace may not take the domain."""
    store = running.stores.workspaces
    await store.put_team(Team(TEAM, "Demo", "demo", NOW_S))
    await store.put_team(Team(TEAM, "Demo 2", "demo", NOW_S))
    assert await store.team(TEAM) == Team(TEAM, "Demo 2", "demo", NOW_S)
    with pytest.raises(AlreadyExistsError):
        await store.put_team(Team("T0000000002", "Other", "demo", NOW_S))
    assert await store.teams() == [Team(TEAM, "Demo 2", "demo", NOW_S)]


async def test_users_are_found_by_id_name_email_and_page(running: Webapp) -> None:
    """Names and addresses are unique in a team; no address is nobody's."""
    store = running.stores.workspaces
    alice = User(ALICE, TEAM, "alice", "Alice Ä", email="a@example.org", is_admin=True, created_s=NOW_S, revision_us=3)
    bob = User(BOB, TEAM, "bob", bot_id="B0000000001", is_bot=True)
    carol = User("U0000000003", TEAM, "carol")
    for user in (alice, bob, carol):
        await store.put_user(user)
    assert await store.user(TEAM, ALICE) == alice
    assert await store.user("T0000000009", ALICE) is None
    assert await store.user_by_name(TEAM, "bob") == bob
    assert await store.user_by_email(TEAM, "a@example.org") == alice
    assert await store.user_by_email(TEAM, "") is None
    assert await store.users(TEAM, limit=2) == [alice, bob]
    assert await store.users(TEAM, after_id=BOB, limit=2) == [carol]
    assert await store.count_users(TEAM) == 3
    for taken in (replace(carol, id="U0000000004"), User("U0000000005", TEAM, "dave", email="a@example.org")):
        with pytest.raises(AlreadyExistsError):
            await store.put_user(taken)


async def test_an_older_version_never_replaces_a_newer_one(running: Webapp) -> None:
    """Whatever the order in which they come."""
    store = running.stores.workspaces
    await store.put_user(User(ALICE, TEAM, "alice", title="new", revision_us=20))
    await store.put_user(User(ALICE, TEAM, "alice", title="old", revision_us=10))
    await store.set_versions(TEAM, 7, user_id=ALICE)
    await store.set_versions(TEAM, 4, user_id=ALICE)
    await store.put_user(User(ALICE, TEAM, "alice", title="newest", revision_us=21))
    user = await store.user(TEAM, ALICE)
    assert user is not None
    assert (user.title, user.revision_us, user.version) == ("newest", 21, 7)


async def test_bots_are_kept(running: Webapp) -> None:
    """A bot's name may change."""
    bot = Bot("B0000000001", TEAM, BOB, "A0000000001", "ci")
    await running.stores.workspaces.put_bot(bot)
    await running.stores.workspaces.put_bot(replace(bot, name="ci2"))
    assert await running.stores.workspaces.bot(TEAM, bot.id) == replace(bot, name="ci2")


async def test_a_name_is_taken_once_and_freed_when_nothing_came_of_it(running: Webapp) -> None:
    """A crash between the reservation and the conversation blocks the name for a minute, not for ever."""
    store = running.stores.workspaces
    await store.reserve_name(TEAM, "general", CHANNEL, NOW_S)
    await store.reserve_name(TEAM, "general", CHANNEL, NOW_S)
    with pytest.raises(AlreadyExistsError):
        await store.reserve_name(TEAM, "general", "C0000000002", NOW_S + RESERVATION_S)
    await store.reserve_name(TEAM, "general", "C0000000002", NOW_S + RESERVATION_S + 1)
    await store.put_conversation(replace(GENERAL, id="C0000000002"))
    with pytest.raises(AlreadyExistsError):
        await store.reserve_name(TEAM, "general", "C0000000003", NOW_S + 10 * RESERVATION_S)


async def test_the_directory_lists_pages_and_renames(running: Webapp) -> None:
    """A rename frees the old name; an older copy that comes late brings nothing back."""
    store = running.stores.workspaces
    secret = Conversation("C0000000002", TEAM, ConversationKind.PRIVATE, "secret", revision_us=5)
    closed = Conversation("C0000000003", TEAM, ConversationKind.PUBLIC, "closed", is_archived=True, revision_us=5)
    for conversation in (GENERAL, secret, closed):
        await store.put_conversation(conversation)
    both = (ConversationKind.PUBLIC, ConversationKind.PRIVATE)
    assert await store.directory(TEAM) == [GENERAL, closed]
    assert await store.directory(TEAM, both, after_id=CHANNEL, limit=1) == [secret]
    assert await store.directory(TEAM, both, exclude_archived=True) == [GENERAL, secret]
    assert await store.general(TEAM) == GENERAL
    await store.put_conversation(replace(GENERAL, name="lobby", revision_us=9))
    await store.put_conversation(GENERAL)
    assert await store.conversation_by_name(TEAM, "general") is None
    found = await store.conversation_by_name(TEAM, "lobby")
    assert found is not None
    assert (found.id, found.revision_us) == (CHANNEL, 9)


async def test_conversations_change_column_by_column(running: Webapp) -> None:
    """Two changes of different columns do not undo each other; making it twice changes nothing."""
    commit, channels = running.committer.commit, running.stores.channels
    await commit(Write(CHANNEL, (note(),), create=GENERAL, members_added=(ALICE, BOB)))
    await asyncio.gather(
        commit(Write(CHANNEL, (note(),), change={"topic": "t", "topic_by": ALICE})),
        commit(Write(CHANNEL, (note(),), change={"is_archived": True})),
        commit(Write(CHANNEL, (note(),), create=replace(GENERAL, topic="other"))),
    )
    found = await channels.conversation(CHANNEL)
    assert found is not None
    assert (found.topic, found.topic_by, found.is_archived, found.name) == ("t", ALICE, True, "general")
    assert found.updated_ms == found.revision_us // 1000
    assert await channels.conversation("C0000000009") is None


async def test_members_are_paged_counted_and_looked_up(running: Webapp) -> None:
    """From the channel's side."""
    users = tuple(f"U{i:010d}" for i in range(7))
    await running.committer.commit(Write(CHANNEL, (note(),), members_added=users))
    channels = running.stores.channels
    assert await channels.members(CHANNEL, limit=3) == list(users[:3])
    assert await channels.members(CHANNEL, after_user_id=users[2], limit=10) == list(users[3:])
    assert await channels.count_members([CHANNEL, "C0000000009"]) == {CHANNEL: 7, "C0000000009": 0}
    assert await channels.members_among(CHANNEL, [users[1], "U0000000099"]) == {users[1]}
    assert await channels.is_member(CHANNEL, users[0])
    assert not await channels.is_member(CHANNEL, "U0000000099")


async def test_history_pages_newest_first_within_bounds(running: Webapp) -> None:
    """Bounds are exclusive unless inclusive; the next page starts at the last ts."""
    stamps = [
        (await running.committer.commit(Write(CHANNEL, (message(f"m{i}"), note())))).places[0].ts_us for i in range(6)
    ]
    channels = running.stores.channels

    async def texts(**bounds: object) -> tuple[list[str], bool]:
        found, more = await channels.history(CHANNEL, **bounds)  # type: ignore[arg-type]
        return [m.text for m in found], more

    assert await texts() == (["m5", "m4", "m3", "m2", "m1", "m0"], False)
    assert await texts(limit=2) == (["m5", "m4"], True)
    assert await texts(limit=2, latest_us=stamps[4]) == (["m3", "m2"], True)
    assert await texts(latest_us=stamps[4], oldest_us=stamps[1]) == (["m3", "m2"], False)
    assert await texts(latest_us=stamps[4], oldest_us=stamps[1], inclusive=True) == (["m4", "m3", "m2", "m1"], False)
    found = await channels.message(CHANNEL, stamps[3])
    assert found is not None
    assert found.text == "m3"


async def test_the_log_is_read_by_offset_and_says_when_it_is_cut(running: Webapp) -> None:
    """What retention dropped is told, never skipped in silence."""
    for _ in range(6):
        await running.committer.commit(Write(CHANNEL, (note(),)))
    await running.committer.commit(Write("C0000000002", (note(),)))
    channels = running.stores.channels
    pages = await channels.logs({CHANNEL: 2, "C0000000002": 1, "C0000000009": 0}, 3)
    assert (len(pages[CHANNEL].events), pages[CHANNEL].head_offset, pages[CHANNEL].truncated) == (3, 6, False)
    assert (pages["C0000000002"].events, pages["C0000000002"].head_offset) == ((), 1)
    assert (pages["C0000000009"].events, pages["C0000000009"].head_offset) == ((), 0)
    assert await channels.heads([CHANNEL, "C0000000002", "C0000000009"]) == {CHANNEL: 6, "C0000000002": 1}
    await running.pools.channel.execute("DELETE FROM log WHERE channel_id = %s AND `offset` <= 4", (CHANNEL,))
    cut = await channels.log(CHANNEL, 2, 10)
    assert (cut.events, cut.head_offset, cut.truncated, cut.left_from) == ((), 6, True, 5)
    rest = await channels.log(CHANNEL, 4, 10)
    assert (len(rest.events), rest.truncated) == (2, False)
    await running.pools.channel.execute("DELETE FROM log WHERE channel_id = %s", (CHANNEL,))
    gone = await channels.log(CHANNEL, 5, 10)
    assert (gone.truncated, gone.left_from) == (True, 7)
    assert not (await channels.log(CHANNEL, 6, 10)).truncated


async def test_a_users_side_of_its_conversations(running: Webapp) -> None:
    """Paged by id and kind; who has left is not listed, and a late join does not bring it back."""
    users = running.stores.users
    room = Membership(ALICE, CHANNEL, TEAM, ConversationKind.PUBLIC, joined_us=10, from_offset=3, revision_us=10)
    direct = Membership(ALICE, "D0000000001", TEAM, ConversationKind.IM, BOB, revision_us=10)
    await users.put_membership(room)
    await users.put_membership(direct)
    assert await users.memberships(ALICE) == [room, direct]
    assert await users.memberships(ALICE, kinds=(ConversationKind.IM,)) == [direct]
    assert await users.memberships(ALICE, after_channel_id=CHANNEL, limit=5) == [direct]
    await users.mark_read(ALICE, CHANNEL, 77)
    await users.put_membership(replace(room, revision_us=20, active=False))
    await users.put_membership(replace(room, revision_us=15))
    assert await users.membership(ALICE, CHANNEL) is None
    side = await users.side(ALICE, CHANNEL)
    assert side is not None
    assert (side.revision_us, side.active, side.last_read_us) == (20, False, 77)


async def test_mentions_are_counted_from_the_read_mark_on(running: Webapp) -> None:
    """Of many users at once; once each, however often they are noted; a mark may move back; who left has none."""
    users = running.stores.users
    direct = "D0000000001"
    for user_id, channel_id in ((ALICE, CHANNEL), (ALICE, direct), (BOB, CHANNEL)):
        await users.put_membership(Membership(user_id, channel_id, TEAM, ConversationKind.PUBLIC, revision_us=10))
    for ts_us in (5, 6, 7, 7):
        await users.mention([(BOB, CHANNEL, ts_us), (ALICE, CHANNEL, ts_us)])
    await users.mention([(ALICE, direct, 9), (ALICE, "C0000000009", 9)])
    await users.mention([])
    await users.mark_read(BOB, CHANNEL, 6)
    everybody = [ALICE, BOB, "U0000000003"]
    assert await users.unread_mentions(everybody) == {ALICE: {CHANNEL: 3, direct: 1}, BOB: {CHANNEL: 1}}
    await users.mark_read(BOB, CHANNEL, 7)
    await users.mark_read(ALICE, CHANNEL, 7)
    assert await users.unread_mentions(everybody) == {ALICE: {direct: 1}}
    await users.mark_read(ALICE, CHANNEL, 5)
    await users.put_membership(Membership(ALICE, direct, TEAM, ConversationKind.PUBLIC, revision_us=20, active=False))
    assert await users.unread_mentions([ALICE]) == {ALICE: {CHANNEL: 2}}
    assert await users.count_mentions(ALICE, CHANNEL, 5, 100) == 2
    assert await users.count_mentions(ALICE, CHANNEL, 0, 2) == 2


async def test_unread_messages_are_those_that_somebody_has_to_read(running: Webapp) -> None:
    """Replies that only their thread shows are none."""
    drafts = (message("a"), message("b", thread_ts_us=1), message("c", thread_ts_us=1, broadcast=True), note())
    committed = await running.committer.commit(Write(CHANNEL, drafts))
    first, _, third, _ = (place.ts_us for place in committed.places)
    channels = running.stores.channels
    assert await channels.count_unread(CHANNEL, 0, 10) == 2
    assert await channels.count_unread(CHANNEL, first, 10) == 1
    assert await channels.count_unread(CHANNEL, third, 10) == 0
    assert await channels.count_unread(CHANNEL, 0, 1) == 1
    assert (await channels.activity([CHANNEL]))[CHANNEL].last_message_us == third


async def test_changes_of_preferences_at_once_are_all_kept(running: Webapp) -> None:
    """Each is made of what the one before left; one that is refused changes nothing."""
    users = running.stores.users
    assert await users.prefs(ALICE) == Prefs(ALICE)

    def longer(before: Prefs) -> Prefs:
        return replace(before, prefs=before.prefs + b".", away=not before.away)

    await asyncio.gather(*(users.change_prefs(ALICE, longer) for _ in range(9)))
    assert await users.prefs(ALICE) == Prefs(ALICE, b"{}" + b"." * 9, away=True, revision=9)

    def refuse(before: Prefs) -> Prefs:
        raise LookupError

    with pytest.raises(LookupError):
        await users.change_prefs(ALICE, refuse)
    assert (await users.prefs(ALICE)).revision == 9


async def test_tokens_are_found_by_hash_and_revoked_once(running: Webapp) -> None:
    """Only the hash is stored."""
    users = running.stores.users
    token = Token(ALICE, bytes(range(32)), TokenKind.BOT, TEAM, "B0000000001", scopes="identify", created_s=NOW_S)
    await users.add_token(token)
    await users.add_token(token)
    assert await users.token(ALICE, token.token_hash) == token
    assert await users.token(BOB, token.token_hash) is None
    assert await users.revoke_token(ALICE, token.token_hash, NOW_S + 1)
    assert not await users.revoke_token(ALICE, token.token_hash, NOW_S + 2)
    assert [found.revoked_s for found in await users.tokens(ALICE)] == [NOW_S + 1]


async def test_bulk_rows_are_as_good_as_written_ones(running: Webapp) -> None:
    """Seeding, twice, and what it leaves."""
    users = [User(f"U{i:010d}", TEAM, f"user{i}") for i in range(1200)]
    im = Conversation("D0000000001", TEAM, ConversationKind.IM)
    members = {CHANNEL: [user.id for user in users], im.id: [users[0].id, users[1].id]}
    done: list[int] = []
    for _ in range(2):
        bulk = Bulk(running.pools)
        await bulk.add_users(users, done.append)
        await bulk.add_conversations([GENERAL, im])
        await bulk.add_members(members, {CHANNEL: GENERAL, im.id: im}, NOW_S * 1_000_000)
    assert sum(done) == 2400
    stores = running.stores
    assert await stores.workspaces.count_users(TEAM) == 1200
    assert await stores.workspaces.conversation_by_name(TEAM, "general") == GENERAL
    assert await stores.channels.count_members([CHANNEL, im.id]) == {CHANNEL: 1200, im.id: 2}
    sides = await stores.users.memberships(users[0].id)
    assert [(side.channel_id, side.peer_user_id) for side in sides] == [(CHANNEL, ""), (im.id, users[1].id)]
