"""A call, or several, of every method of the stores, so that each of its statements is sent at least once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from svc.webapp.commit.log import Annotation, Item, MessageChange, MessageRemoval, PutDirectory, Write
from svc.webapp.store.app_places import AppPlaceStore
from svc.webapp.store.apps import AppStore
from svc.webapp.store.bulk import Bulk
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.feed_reads import FeedReads, LogPlace
from svc.webapp.store.file_rows import File, FileShare, FileState
from svc.webapp.store.files import FileFilter, FileStore
from svc.webapp.store.groups import GroupStore
from svc.webapp.store.outbox import OutboxStore
from svc.webapp.store.pools import Pools
from svc.webapp.store.profiles import ProfileStore
from svc.webapp.store.retention import RetentionStore
from svc.webapp.store.rows import (
    AnnotationKind,
    Bot,
    Conversation,
    ConversationKind,
    Emoji,
    ItemKind,
    Membership,
    Prefs,
    Team,
    Token,
    TokenKind,
    User,
    UserGroup,
)
from svc.webapp.store.user import UserStore
from svc.webapp.store.views import ViewStore
from svc.webapp.store.workspace import WorkspaceStore
from tests.svc.webapp.store import app_samples, place_samples
from tests.svc.webapp.writes import ALICE, BOB, CHANNEL, TEAM, message, note

STORES = (
    ProfileStore,
    GroupStore,
    WorkspaceStore,
    ChannelStore,
    UserStore,
    OutboxStore,
    RetentionStore,
    Bulk,
    AppStore,
    AppPlaceStore,
    ViewStore,
    FileStore,
    FeedReads,
)
LATER_US = 4_000_000_000_000_000
"""After everything that a test writes."""
OTHER = "C0000000002"
GENERAL = Conversation(CHANNEL, TEAM, ConversationKind.PUBLIC, "general", ALICE, is_general=True, revision_us=5)
HASH = bytes(range(32))

Calls = dict[str, list[Callable[[], Awaitable[Any]]]]


def calls(pools: Pools) -> Calls:
    """Return the calls by the method's name, in an order in which they find something to do."""
    return {
        **_of_workspace(WorkspaceStore(pools.workspace)),
        **_of_profiles(ProfileStore(pools.workspace)),
        **_of_groups(GroupStore(pools.workspace)),
        **_of_files(FileStore(pools.workspace)),
        **_of_channel(ChannelStore(pools.channel)),
        **_of_user(UserStore(pools.user)),
        **place_samples.of_places(AppPlaceStore(pools.user)),
        **app_samples.of_apps(AppStore(pools.workspace)),
        **app_samples.of_views(ViewStore(pools.workspace)),
        **_of_bulk(Bulk(pools)),
        **_of_outbox(OutboxStore(pools.channel)),
        **_of_retention(RetentionStore(pools.channel, pools.user)),
        **_of_feed(FeedReads(pools.channel)),
    }


def _of_feed(store: FeedReads) -> Calls:
    keys = [(CHANNEL, 1), (CHANNEL, 2), (OTHER, 1)]
    places = [LogPlace(1, CHANNEL, 1), LogPlace(1, OTHER, 1)]
    return {
        "FeedReads.log_after": [lambda: store.log_after(LogPlace(0, "", 0), 10)],
        "FeedReads.log_count": [lambda: store.log_count(0, 10)],
        "FeedReads.events": [lambda: store.events(places), lambda: store.events(places[:1])],
        "FeedReads.messages_after": [
            lambda: store.messages_after("", 0, 10),
            lambda: store.messages_after(OTHER, 1, 1),
        ],
        "FeedReads.messages_by_key": [lambda: store.messages_by_key(keys), lambda: store.messages_by_key(keys[:1])],
        "FeedReads.annotations": [lambda: store.annotations(keys), lambda: store.annotations(keys[:1])],
        "FeedReads.replied_among": [lambda: store.replied_among(keys), lambda: store.replied_among(keys[:1])],
        "FeedReads.conversations": [lambda: store.conversations([CHANNEL, OTHER])],
        "FeedReads.member_in": [lambda: store.member_in(ALICE, [CHANNEL, OTHER])],
    }


def writes() -> Sequence[Write]:
    """Return writes that between them make the committer send each of its statements."""
    create = Write(
        CHANNEL, (note(),), create=GENERAL, members_added=(ALICE, BOB), effects=(PutDirectory(TEAM),), request_id="a"
    )
    leave = Write(CHANNEL, (note(),), members_removed=(BOB,), if_member=ALICE, change={"topic": "t"})
    reply = Write(CHANNEL, (message("r", thread_ts_us=1),), request_id="b")
    again = Write(CHANNEL, (note(),), request_id="a")
    others = [
        Write(f"C{number:010d}", (message("m"),), "c", if_member=ALICE, unless_archived=True) for number in range(2, 40)
    ]
    joins = [Write(f"C{number:010d}", (note(),), members_added=(ALICE, BOB)) for number in range(2, 40)]
    leaves = [Write(f"C{number:010d}", (note(),), members_removed=(BOB,)) for number in range(2, 40)]
    return (create, leave, reply, again, *joins, *leaves, *others)


def alterations(ts_us: int) -> Sequence[Sequence[Write]]:
    """Return batches that make the committer send its statements for what is there already.

    `ts_us`: of a message that is the newest of its channel, at the offset 1, and has two replies at the offsets 2, 3,
    1 and 2 us after it.
    """
    things = [Annotation(ts_us + n, AnnotationKind.REACTION, "+1", who) for n in (0, 1) for who in (ALICE, BOB)]
    items = tuple(Item(ItemKind.BOOKMARK, each, b"{}", is_new=True) for each in ("a", "b", "c"))

    def write(**altered: Any) -> Write:
        return Write(CHANNEL, (note(),), **altered)

    first, rest = tuple(things[:2]), tuple(things[2:])
    dropped = tuple((item.kind, item.id) for item in items[1:])
    changes = (MessageChange(ts_us + 1, 2, text="t"), MessageChange(ts_us, 1, extra=b"{}"))
    return (
        (write(annotated=first, items=items), write(annotated=rest, changed=changes)),
        (write(unannotated=rest, items_dropped=dropped),),
        (write(removed=(MessageRemoval(ts_us + 2, 3),)),),
        (write(removed=(MessageRemoval(ts_us + 1, 5), MessageRemoval(ts_us, 5))),),
    )


def _of_workspace(store: WorkspaceStore) -> Calls:
    both = (ConversationKind.PUBLIC, ConversationKind.PRIVATE)
    return {
        "WorkspaceStore.put_team": [lambda: store.put_team(Team(TEAM, "Demo", "demo", 1))],
        "WorkspaceStore.set_team_icon": [lambda: store.set_team_icon(TEAM, "https://e.org/p.png", 3)],
        "WorkspaceStore.team": [lambda: store.team(TEAM)],
        "WorkspaceStore.teams": [store.teams],
        "WorkspaceStore.put_user": [lambda: store.put_user(User(ALICE, TEAM, "alice", revision_us=3))],
        "WorkspaceStore.user": [lambda: store.user(TEAM, ALICE)],
        "WorkspaceStore.users_by_id": [lambda: store.users_by_id(TEAM, [ALICE, BOB])],
        "WorkspaceStore.users": [lambda: store.users(TEAM, ALICE, 7), lambda: store.users(TEAM, is_quiet=True)],
        "WorkspaceStore.user_by_name": [lambda: store.user_by_name(TEAM, "alice")],
        "WorkspaceStore.user_by_email": [lambda: store.user_by_email(TEAM, "a@example.org")],
        "WorkspaceStore.count_users": [lambda: store.count_users(TEAM)],
        "WorkspaceStore.count_public": [lambda: store.count_public(TEAM)],
        "WorkspaceStore.put_bot": [lambda: store.put_bot(Bot("B0000000001", TEAM, BOB, "A0000000001", "ci"))],
        "WorkspaceStore.bot": [lambda: store.bot(TEAM, "B0000000001")],
        "WorkspaceStore.reserve_name": [lambda: store.reserve_name(TEAM, "general", CHANNEL, 1)],
        "WorkspaceStore.name_owner": [lambda: store.name_owner(TEAM, "general")],
        "WorkspaceStore.put_conversation": [lambda: store.put_conversation(GENERAL)],
        "WorkspaceStore.conversation": [lambda: store.conversation(TEAM, CHANNEL)],
        "WorkspaceStore.conversations_by_id": [lambda: store.conversations_by_id(TEAM, [CHANNEL, OTHER])],
        "WorkspaceStore.conversation_by_name": [lambda: store.conversation_by_name(TEAM, "general")],
        "WorkspaceStore.directory": [
            lambda: store.directory(TEAM),
            lambda: store.directory(TEAM, both, CHANNEL, 5, exclude_archived=True),
            lambda: store.directory(TEAM, is_quiet=True),
        ],
        "WorkspaceStore.general": [lambda: store.general(TEAM)],
        "WorkspaceStore.put_emoji": [lambda: store.put_emoji([Emoji(TEAM, "a", "alias:b"), Emoji(TEAM, "b", "u")])],
        "WorkspaceStore.emoji": [lambda: store.emoji(TEAM, "a", 5), lambda: store.emoji(TEAM, "", 5, is_quiet=True)],
        "WorkspaceStore.emoji_by_name": [lambda: store.emoji_by_name(TEAM, ["a", "b"])],
        "WorkspaceStore.emoji_aliases": [lambda: store.emoji_aliases(TEAM, "b", 5)],
        "WorkspaceStore.count_emoji": [lambda: store.count_emoji(TEAM)],
        "WorkspaceStore.set_emoji_version": [lambda: store.set_emoji_version(TEAM, ["a", "b"], 7)],
        "WorkspaceStore.set_versions": [lambda: store.set_versions(TEAM, 7, user_id=ALICE, channel_id=CHANNEL)],
    }


def _of_profiles(store: ProfileStore) -> Calls:
    later = User(ALICE, TEAM, "alice", status_text="out", status_expiration_s=9, revision_us=8)
    return {
        "ProfileStore.replace_user": [lambda: store.replace_user(later, 3)],
        "ProfileStore.expired_statuses": [lambda: store.expired_statuses(10, 5)],
    }


def _of_groups(store: GroupStore) -> Calls:
    group = UserGroup("S0000000001", TEAM, "Ops", "ops", revision_us=5)
    return {
        "GroupStore.put": [lambda: store.put(group, 0), lambda: store.put(replace(group, revision_us=6), 5)],
        "GroupStore.group": [lambda: store.group(TEAM, group.id)],
        "GroupStore.groups": [lambda: store.groups(TEAM)],
        "GroupStore.count": [lambda: store.count(TEAM)],
    }


def _of_files(store: FileStore) -> Calls:
    file = File(TEAM, "F0000000001", ALICE, FileState.PENDING, "a.txt", "a", "text", 5, 1)
    share = FileShare(TEAM, file.id, CHANNEL, 7, int(ConversationKind.PUBLIC), ALICE, "snippets", 1)
    wanted = FileFilter([ALICE, CHANNEL], ALICE, ["snippets", "images"], 1, 9)
    return {
        "FileStore.reserve": [lambda: store.reserve(file)],
        "FileStore.file": [lambda: store.file(TEAM, file.id)],
        "FileStore.files": [lambda: store.files(TEAM, [file.id, "F0000000002"])],
        "FileStore.forget_pending": [lambda: store.forget_pending(TEAM, file.id)],
        "FileStore.put_file": [lambda: store.put_file(replace(file, state=FileState.DELETED, revision_us=3))],
        "FileStore.put_shares": [lambda: store.put_shares([share, replace(share, channel_id=ALICE, ts_us=0)])],
        "FileStore.shares": [lambda: store.shares(TEAM, [file.id])],
        "FileStore.listed": [
            lambda: store.listed(TEAM, wanted, 5),
            lambda: store.listed(TEAM, FileFilter([ALICE]), 5, offset=5, before=(9, file.id)),
        ],
        "FileStore.count_listed": [lambda: store.count_listed(TEAM, wanted)],
        "FileStore.bytes_used": [lambda: store.bytes_used(TEAM)],
        "FileStore.drop_share": [lambda: store.drop_share(TEAM, [file.id, "F0000000002"], CHANNEL, 9)],
        "FileStore.drop_shares": [lambda: store.drop_shares(TEAM, file.id)],
        "FileStore.unfinished": [lambda: store.unfinished(FileState.DELETED, 9, 5)],
        "FileStore.note_gone": [lambda: store.note_gone(TEAM, file.id)],
    }


def _of_channel(store: ChannelStore) -> Calls:
    channels = [CHANNEL, OTHER]
    return {
        "ChannelStore.conversation": [lambda: store.conversation(CHANNEL)],
        "ChannelStore.conversations": [lambda: store.conversations(channels)],
        "ChannelStore.is_member": [lambda: store.is_member(CHANNEL, ALICE)],
        "ChannelStore.members": [lambda: store.members(CHANNEL, ALICE, 5)],
        "ChannelStore.members_of": [lambda: store.members_of([CHANNEL, "C0000000002"], 5)],
        "ChannelStore.members_among": [lambda: store.members_among(CHANNEL, [ALICE, BOB])],
        "ChannelStore.count_members": [lambda: store.count_members(channels)],
        "ChannelStore.message": [lambda: store.message(CHANNEL, 1)],
        "ChannelStore.count_unread": [lambda: store.count_unread(CHANNEL, 1, 5)],
        "ChannelStore.history": [
            lambda: store.history(CHANNEL),
            lambda: store.history(CHANNEL, latest_us=9, oldest_us=1, inclusive=True),
            lambda: store.history("C0000000075", latest_us=9),
        ],
        "ChannelStore.replies": [
            lambda: store.replies(CHANNEL, 1),
            lambda: store.replies(CHANNEL, 1, latest_us=9, oldest_us=1),
        ],
        "ChannelStore.threads": [lambda: store.threads(CHANNEL, [1, 2])],
        "ChannelStore.repliers": [lambda: store.repliers(CHANNEL, [1, 2])],
        "ChannelStore.threads_with": [lambda: store.threads_with(CHANNEL, [1, 2], ALICE)],
        "ChannelStore.quiet": [lambda: store.quiet(channels)],
        "ChannelStore.heads": [lambda: store.heads(channels)],
        "ChannelStore.activity": [lambda: store.activity(channels)],
        "ChannelStore.to_read_among": [lambda: store.to_read_among([(CHANNEL, 1), (OTHER, 2)])],
        "ChannelStore.messages_by_key": [lambda: store.messages_by_key([(CHANNEL, 1), (OTHER, 1)])],
        "ChannelStore.member_in": [lambda: store.member_in(ALICE, [CHANNEL, OTHER])],
        "ChannelStore.messages_at": [lambda: store.messages_at(CHANNEL, [1, 2])],
        "ChannelStore.annotations": [lambda: store.annotations(CHANNEL, [1, 2])],
        "ChannelStore.annotated_by": [lambda: store.annotated_by(CHANNEL, AnnotationKind.PIN, 5, 1)],
        "ChannelStore.count_annotated": [lambda: store.count_annotated(CHANNEL, AnnotationKind.PIN, 5)],
        "ChannelStore.annotated_of": [
            lambda: store.annotated_of(ALICE, AnnotationKind.REACTION, 5),
            lambda: store.annotated_of(
                ALICE, AnnotationKind.REACTION, 5, before=(9, CHANNEL), but=[CHANNEL, OTHER], skip=2
            ),
        ],
        "ChannelStore.annotated_by_user": [
            lambda: store.annotated_by_user(CHANNEL, [1, 2], AnnotationKind.REACTION, ALICE)
        ],
        "ChannelStore.count_annotated_of": [lambda: store.count_annotated_of(ALICE, AnnotationKind.REACTION)],
        "ChannelStore.items": [lambda: store.items(CHANNEL, ItemKind.BOOKMARK, "a", 5)],
        "ChannelStore.item": [lambda: store.item(CHANNEL, ItemKind.BOOKMARK, "a")],
        "ChannelStore.items_by_key": [
            lambda: store.items_by_key(ItemKind.BOOKMARK, [(CHANNEL, "a")]),
            lambda: store.items_by_key(ItemKind.BOOKMARK, [(CHANNEL, "a"), (OTHER, "b")]),
        ],
        "ChannelStore.due_items": [lambda: store.due_items(LATER_US, 5)],
        "ChannelStore.log": [lambda: store.log(CHANNEL, 0, 5)],
        "ChannelStore.logs": [lambda: store.logs({CHANNEL: 0, OTHER: 0}, 5)],
    }


def _of_user(store: UserStore) -> Calls:
    side = Membership(ALICE, CHANNEL, TEAM, ConversationKind.PUBLIC, revision_us=10)
    token = Token(ALICE, HASH, TokenKind.BOT, TEAM)
    session = Token(BOB, HASH[::-1], TokenKind.WEB, TEAM, expires_s=5)
    return {
        "UserStore.put_membership": [lambda: store.put_membership(side)],
        "UserStore.memberships": [lambda: store.memberships(ALICE)],
        "UserStore.memberships_of": [lambda: store.memberships_of([ALICE, BOB], 5)],
        "UserStore.membership": [lambda: store.membership(ALICE, CHANNEL)],
        "UserStore.side": [lambda: store.side(ALICE, CHANNEL)],
        "UserStore.mention": [lambda: store.mention([(ALICE, CHANNEL, 9), (BOB, OTHER, 9)])],
        "UserStore.unmention": [lambda: store.unmention([(ALICE, CHANNEL, 9), (ALICE, OTHER, 9)])],
        "UserStore.unread_mentions": [lambda: store.unread_mentions([ALICE, BOB])],
        "UserStore.count_mentions": [lambda: store.count_mentions(ALICE, CHANNEL, 1, 9)],
        "UserStore.change_prefs": [lambda: store.change_prefs(ALICE, lambda prefs: replace(prefs, away=True))],
        "UserStore.unread_and_prefs": [lambda: store.unread_and_prefs([ALICE, BOB])],
        "UserStore.prefs_of": [lambda: store.prefs_of([ALICE, BOB])],
        "UserStore.prefs": [lambda: store.prefs(ALICE)],
        "UserStore.mark_read": [lambda: store.mark_read(ALICE, CHANNEL, 7)],
        "UserStore.add_token": [lambda: store.add_token(token), lambda: store.add_token(session)],
        "UserStore.prolong_token": [lambda: store.prolong_token(BOB, session.token_hash, 9)],
        "UserStore.token": [lambda: store.token(ALICE, HASH)],
        "UserStore.tokens_among": [lambda: store.tokens_among([(ALICE, HASH), (BOB, HASH)])],
        "UserStore.tokens_by_prefix": [lambda: store.tokens_by_prefix([(ALICE, HASH[:16]), (BOB, HASH[:16])])],
        "UserStore.tokens": [lambda: store.tokens(ALICE)],
        "UserStore.revoke_token": [lambda: store.revoke_token(ALICE, HASH, 2)],
    }


def _of_outbox(store: OutboxStore) -> Calls:
    return {
        "OutboxStore.claim_events": [lambda: store.claim_events(LATER_US, 1_000, 100)],
        "OutboxStore.hasten": [lambda: store.hasten(CHANNEL, 1)],
        "OutboxStore.claim_effects": [lambda: store.claim_effects(LATER_US, 1_000, 100)],
        "OutboxStore.delete_events": [lambda: store.delete_events([(CHANNEL, n) for n in range(9)] + [(OTHER, 1)])],
        "OutboxStore.delete_writes_effects": [lambda: store.delete_writes_effects([(CHANNEL, 1), (OTHER, 2)])],
        "OutboxStore.delete_effects": [lambda: store.delete_effects(CHANNEL, 1, [0, 1])],
    }


def _of_retention(store: RetentionStore) -> Calls:
    return {
        "RetentionStore.trim_log": [lambda: store.trim_log(LATER_US, 100)],
        "RetentionStore.trim_mentions": [lambda: store.trim_mentions(LATER_US, 100)],
        "RetentionStore.trim_requests": [lambda: store.trim_requests(LATER_US, 100)],
        "RetentionStore.trim_sessions": [lambda: store.trim_sessions(LATER_US // 1_000_000, 100)],
    }


def _of_bulk(bulk: Bulk) -> Calls:
    users = [User(ALICE, TEAM, "alice"), User(BOB, TEAM, "bob")]
    rooms = {CHANNEL: GENERAL, OTHER: Conversation(OTHER, TEAM, ConversationKind.PRIVATE, "other")}
    members = {CHANNEL: [ALICE, BOB], OTHER: [ALICE]}
    return {
        "Bulk.add_users": [lambda: bulk.add_users(users)],
        "Bulk.add_conversations": [lambda: bulk.add_conversations(list(rooms.values()))],
        "Bulk.add_members": [lambda: bulk.add_members(members, rooms, 1)],
        "Bulk.add_member_rows": [lambda: bulk.add_member_rows([(CHANNEL, ALICE, 1), (OTHER, ALICE, 1)])],
        "Bulk.add_memberships": [
            lambda: bulk.add_memberships([Membership(who, CHANNEL, TEAM, GENERAL.kind) for who in (ALICE, BOB)])
        ],
        "Bulk.add_log": [lambda: bulk.add_log([(OTHER, 1, 9, 9)], [(OTHER, 1, 9, b"")], [])],
        "Bulk.add_mentions": [lambda: bulk.add_mentions([(ALICE, CHANNEL, 9), (BOB, CHANNEL, 9)])],
        "Bulk.add_prefs": [lambda: bulk.add_prefs([Prefs(ALICE), Prefs(BOB)])],
        "Bulk.add_emoji": [lambda: bulk.add_emoji([Emoji(TEAM, "party", "https://example.org/party.gif")])],
    }
