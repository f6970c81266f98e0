"""Rows in bulk, for seeding: whole workspaces in seconds, 500 rows a statement. Writes no events and tells nobody.

For workspaces that nobody has loaded yet. Rows that are there already stay as they are, so an interrupted run is
repeated as a whole. What changes a living workspace goes through svc.webapp.commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from svc.webapp.store.decode import columns, encode
from svc.webapp.store.pools import Database, Pools
from svc.webapp.store.query import query
from svc.webapp.store.rows import Conversation, ConversationKind, Emoji, Membership, Message, Prefs, User
from svc.webapp.store.sql import insert_rows

__all__ = ["Bulk", "Progress"]

ROWS_A_STATEMENT = 500
"""46 K rows/s in fifties; hundreds gain a little more and stay far under MySQL's packet."""

STATEMENTS_AT_ONCE = 3
"""While the server carries one out, the next ones are written down."""

HEADS = "channel_id, last_offset, last_ts_us, last_message_us"
LOG = "channel_id, `offset`, commit_us, event"

Progress = Callable[[int], None]
"""Told how many more items (users, conversations, memberships) are done."""


def _ignore(_: int) -> None:
    """Tell nobody."""


class Bulk:
    """Inserts many rows. Methods raise the kit's errors; what was inserted before then stays."""

    def __init__(self, pools: Pools) -> None:
        """`pools`: of all three keyspaces."""
        self._pools = pools

    @query("workspace")
    async def add_users(self, users: Iterable[User], progress: Progress = _ignore) -> None:
        """Insert users of one workspace."""
        await _insert(self._pools.workspace, "users", columns(User), map(encode, users), progress)

    @query("channel")
    async def add_conversations(self, conversations: Sequence[Conversation], progress: Progress = _ignore) -> None:
        """Insert conversations: the truth of all, the directory and names of public and private ones."""
        named = [c for c in conversations if c.kind in (ConversationKind.PUBLIC, ConversationKind.PRIVATE)]
        names = [(c.team_id, c.name, c.id, c.created_s, 1) for c in named]
        await _insert(self._pools.workspace, "names", "team_id, name, channel_id, reserved_s, confirmed", names)
        await _insert(self._pools.workspace, "conversations", columns(Conversation), map(encode, named))
        rows = map(encode, conversations)
        await _insert(self._pools.channel, "conversations", columns(Conversation), rows, progress)

    @query("channel")
    async def add_members(
        self,
        members: Mapping[str, Sequence[str]],
        conversations: Mapping[str, Conversation],
        joined_us: int,
        progress: Progress = _ignore,
    ) -> None:
        """Insert the members (user ids by channel id), in both keyspaces. For an IM: its two people."""
        pairs = [(channel_id, user_id) for channel_id, users in members.items() for user_id in users]
        rows = ((channel_id, user_id, joined_us) for channel_id, user_id in sorted(pairs))
        await _insert(self._pools.channel, "members", "channel_id, user_id, joined_us", rows)
        sides = (
            _side(conversations[channel_id], user_id, members[channel_id], joined_us)
            for user_id, channel_id in sorted((user_id, channel_id) for channel_id, user_id in pairs)
        )
        await _insert(self._pools.user, "memberships", columns(Membership), map(encode, sides), progress)

    @query("channel")
    async def add_member_rows(self, rows: Iterable[tuple[str, str, int]], progress: Progress = _ignore) -> None:
        """Insert (channel, user, joined) as conversations know them; `add_memberships` is the other side."""
        await _insert(self._pools.channel, "members", "channel_id, user_id, joined_us", rows, progress)

    @query("user")
    async def add_memberships(self, memberships: Iterable[Membership], progress: Progress = _ignore) -> None:
        """Insert conversations of users, with their read marks."""
        await _insert(self._pools.user, "memberships", columns(Membership), map(encode, memberships), progress)

    @query("channel")
    async def add_log(
        self,
        heads: Iterable[tuple[str, int, int, int]],
        log: Iterable[tuple[str, int, int, bytes]],
        messages: Iterable[Sequence[Any]],
        progress: Progress = _ignore,
    ) -> None:
        """Insert what was said: heads, events and messages, as `plan` makes them. They are taken as published."""
        await _insert(self._pools.channel, "heads", HEADS, heads)
        await _insert(self._pools.channel, "log", LOG, log)
        await _insert(self._pools.channel, "messages", columns(Message), messages, progress)

    @query("user")
    async def add_mentions(self, mentions: Iterable[tuple[str, str, int]]) -> None:
        """Insert (user, channel, ts) of messages that are meant for users."""
        await _insert(self._pools.user, "mentions", "user_id, channel_id, ts_us", mentions)

    @query("user")
    async def add_prefs(self, prefs: Iterable[Prefs]) -> None:
        """Insert what users chose."""
        await _insert(self._pools.user, "prefs", columns(Prefs), map(encode, prefs))

    @query("workspace")
    async def add_emoji(self, emoji: Iterable[Emoji]) -> None:
        """Insert custom emoji of one workspace."""
        await _insert(self._pools.workspace, "emoji", columns(Emoji), map(encode, emoji))


def _side(conversation: Conversation, user_id: str, users: Sequence[str], joined_us: int) -> Membership:
    """Return a user's side; a later join or leave is newer than it, because nothing has a lower revision."""
    is_im = conversation.kind is ConversationKind.IM
    peer = next((other for other in users if other != user_id), user_id) if is_im else ""
    return Membership(
        user_id=user_id,
        channel_id=conversation.id,
        team_id=conversation.team_id,
        kind=conversation.kind,
        peer_user_id=peer,
        joined_us=joined_us,
    )


async def _insert(
    database: Database,
    table: str,
    column_list: str,
    rows: Iterable[Sequence[Any]],
    progress: Progress = _ignore,
) -> None:
    groups = _groups(rows)

    async def work() -> None:
        for group in groups:
            sql, args = insert_rows(table, column_list, group)
            first = column_list.split(",")[0]
            await database.execute(f"{sql} ON DUPLICATE KEY UPDATE {first} = VALUES({first})", args)
            progress(len(group))

    async with asyncio.TaskGroup() as tasks:
        for _ in range(STATEMENTS_AT_ONCE):
            tasks.create_task(work())


def _groups(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    source = iter(rows)
    while group := list(islice(source, ROWS_A_STATEMENT)):
        yield group
