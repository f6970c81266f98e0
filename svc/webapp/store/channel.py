"""Reads of the channel keyspace, sharded by channel_id. Its tables are written by svc.webapp.commit.committer alone."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from svc.webapp.commit.log import NOTHING_TO_READ
from svc.webapp.store.decode import columns, decode, decode_all
from svc.webapp.store.kept import KeptReads
from svc.webapp.store.keyed import KeyedReads
from svc.webapp.store.log_page import LogPage
from svc.webapp.store.pools import Database, Rows
from svc.webapp.store.query import query
from svc.webapp.store.rows import Conversation, Message, Thread
from svc.webapp.store.threads import ThreadReads

__all__ = ["IDS_A_STATEMENT", "Activity", "ChannelStore"]

IDS_A_STATEMENT = 500
"""Ids in one IN list: 500 primary key look-ups answer in about 2 ms, and keep statements under 10 KB."""
_Item = TypeVar("_Item")
LOGS_A_STATEMENT = 32
"""Channels whose logs are read by one UNION: bounds one answer at 32 times the limit."""
MEMBERS_A_STATEMENT = 32
"""Conversations whose first members are read by one UNION."""
_FIRST_MEMBERS = "(SELECT channel_id, user_id FROM members WHERE channel_id = %s ORDER BY user_id LIMIT %s)"
_LOG_AFTER = (
    "(SELECT channel_id, `offset`, event FROM log WHERE channel_id = %s AND `offset` > %s ORDER BY `offset` LIMIT %s)"
)


@dataclass(frozen=True, slots=True)
class Activity:
    """How far a channel has come: the columns of its head that readers ask about."""

    channel_id: str
    last_offset: int
    last_message_us: int
    """ts of the newest message that its readers have to read; 0 when there is none."""


class ChannelStore(KeptReads, KeyedReads, ThreadReads):
    """Reads of the channel keyspace. Methods raise UnavailableError or DeadlineError when MySQL does not answer."""

    def __init__(self, database: Database) -> None:
        """`database`: the keyspace's pool; lifetime is the caller's."""
        self._db = database

    @query("channel")
    async def conversation(self, channel_id: str) -> Conversation | None:
        """Return the truth about any conversation."""
        found = await self.conversations([channel_id])
        return found.get(channel_id)

    @query("channel")
    async def conversations(self, channel_ids: Sequence[str]) -> dict[str, Conversation]:
        """Return those of the conversations that exist, by id."""
        found: dict[str, Conversation] = {}
        for ids in _chunks(channel_ids):
            rows = await self._db.rows(f"SELECT {columns(Conversation)} FROM conversations WHERE id IN %s", (ids,))
            found.update((row[0], decode(Conversation, row)) for row in rows)
        return found

    @query("channel")
    async def is_member(self, channel_id: str, user_id: str) -> bool:
        """Return whether the user is in the conversation now."""
        rows = await self._db.rows(
            "SELECT 1 FROM members WHERE channel_id = %s AND user_id = %s", (channel_id, user_id)
        )
        return bool(rows)

    @query("channel")
    async def members(self, channel_id: str, after_user_id: str = "", limit: int = 100) -> list[str]:
        """Return ids of members above `after_user_id`, in order of id."""
        rows = await self._db.rows(
            "SELECT user_id FROM members WHERE channel_id = %s AND user_id > %s ORDER BY user_id LIMIT %s",
            (channel_id, after_user_id, limit),
        )
        return [row[0] for row in rows]

    @query("channel")
    async def members_of(self, channel_ids: Sequence[str], limit: int) -> dict[str, list[str]]:
        """Return ids of the first `limit` members of each conversation, in order of id; those without are left out."""
        found: dict[str, list[str]] = {}
        for start in range(0, len(channel_ids), MEMBERS_A_STATEMENT):
            ids = channel_ids[start : start + MEMBERS_A_STATEMENT]
            rows = await self._db.rows(
                " UNION ALL ".join([_FIRST_MEMBERS] * len(ids)), [cell for each in ids for cell in (each, limit)]
            )
            for channel_id, user_id in rows:
                found.setdefault(channel_id, []).append(user_id)
        return {channel_id: sorted(user_ids) for channel_id, user_ids in found.items()}

    @query("channel")
    async def members_among(self, channel_id: str, user_ids: Sequence[str]) -> set[str]:
        """Return those of the users that are members. At most IDS_A_STATEMENT ids at a time reach MySQL."""
        found: set[str] = set()
        for ids in _chunks(user_ids):
            rows = await self._db.rows(
                "SELECT user_id FROM members WHERE channel_id = %s AND user_id IN %s", (channel_id, ids)
            )
            found.update(row[0] for row in rows)
        return found

    @query("channel", replica="members of quiet channels; who joins or leaves moves the head")
    async def count_members(self, channel_ids: Sequence[str]) -> dict[str, int]:
        """Return how many members each conversation has. Counts index entries: 20 ms for 100,000 members."""
        found = dict.fromkeys(channel_ids, 0)
        quiet = await self.quiet(channel_ids)
        count = "SELECT channel_id, COUNT(*) FROM members WHERE channel_id IN %s GROUP BY channel_id"
        for ids in _chunks([each for each in channel_ids if each not in quiet]):
            found.update((row[0], int(row[1])) for row in await self._db.rows(count, (ids,)))
        for ids in _chunks([each for each in channel_ids if each in quiet]):
            found.update((row[0], int(row[1])) for row in await self._db.settled_rows(count, (ids,)))
        return found

    @query("channel")
    async def message(self, channel_id: str, ts_us: int) -> Message | None:
        """Return the message with this ts, a reply or not."""
        rows = await self._db.rows(
            f"SELECT {columns(Message)} FROM messages WHERE channel_id = %s AND ts_us = %s", (channel_id, ts_us)
        )
        return decode(Message, rows[0]) if rows else None

    @query("channel")
    async def count_unread(self, channel_id: str, after_us: int, limit: int) -> int:
        """Return how many messages above a ts are to be read; counts up to `limit`."""
        rows = await self._db.rows(
            "SELECT ts_us FROM messages WHERE channel_id = %s AND in_history = 1 AND ts_us > %s AND subtype NOT IN %s"
            " LIMIT %s",
            (channel_id, after_us, tuple(sorted(NOTHING_TO_READ)), limit),
        )
        return len(rows)

    @query("channel", replica="messages that are long there, of quiet channels: who changes one moves the head")
    async def history(
        self,
        channel_id: str,
        *,
        latest_us: int | None = None,
        oldest_us: int | None = None,
        inclusive: bool = False,
        limit: int = 100,
    ) -> tuple[list[Message], bool]:
        """Return messages between two ts (exclusive unless `inclusive`), newest first, and whether there are older ones
        within the bounds. Replies are left out, unless broadcast. The next page: `latest_us` = the last one's ts.
        """
        bounds, args = _bounds(latest_us, oldest_us, inclusive=inclusive)
        is_old = latest_us is not None and latest_us <= self._db.settled_us
        is_settled = is_old and channel_id in await self.quiet([channel_id])
        read = self._db.settled_rows if is_settled else self._db.rows
        rows = await read(
            f"SELECT {columns(Message)} FROM messages WHERE channel_id = %s AND in_history = 1{bounds}"
            " ORDER BY ts_us DESC LIMIT %s",
            (channel_id, *args, limit + 1),
        )
        return decode_all(Message, rows[:limit]), len(rows) > limit

    @query("channel")
    async def replies(
        self,
        channel_id: str,
        thread_ts_us: int,
        *,
        latest_us: int | None = None,
        oldest_us: int | None = None,
        inclusive: bool = False,
        limit: int = 100,
    ) -> tuple[list[Message], bool]:
        """Return a thread's replies, oldest first and without the parent, and whether there are newer ones within the
        bounds. The next page: `oldest_us` = the last one's ts.
        """
        bounds, args = _bounds(latest_us, oldest_us, inclusive=inclusive)
        rows = await self._db.rows(
            f"SELECT {columns(Message)} FROM messages WHERE channel_id = %s AND thread_ts_us = %s{bounds}"
            " ORDER BY ts_us LIMIT %s",
            (channel_id, thread_ts_us, *args, limit + 1),
        )
        return decode_all(Message, rows[:limit]), len(rows) > limit

    @query("channel")
    async def threads(self, channel_id: str, parent_ts_us: Sequence[int]) -> dict[int, Thread]:
        """Return those of the messages that have replies, by ts."""
        found: dict[int, Thread] = {}
        for group in _chunks(parent_ts_us):
            rows = await self._db.rows(
                f"SELECT {columns(Thread)} FROM threads WHERE channel_id = %s AND ts_us IN %s", (channel_id, group)
            )
            found.update((row[1], decode(Thread, row)) for row in rows)
        return found

    @query("channel")
    async def heads(self, channel_ids: Sequence[str]) -> dict[str, int]:
        """Return the highest offset of each channel; channels without events are left out."""
        found: dict[str, int] = {}
        for ids in _chunks(channel_ids):
            rows = await self._db.rows(
                "SELECT channel_id, last_offset FROM heads WHERE channel_id IN %s AND last_offset > 0", (ids,)
            )
            found.update((row[0], int(row[1])) for row in rows)
        return found

    @query("channel")
    async def activity(self, channel_ids: Sequence[str]) -> dict[str, Activity]:
        """Return how far each channel has come; channels without events are left out."""
        found: dict[str, Activity] = {}
        for ids in _chunks(channel_ids):
            rows = await self._db.rows(
                f"SELECT {columns(Activity)} FROM heads WHERE channel_id IN %s AND last_offset > 0", (ids,)
            )
            found.update((row[0], Activity(*row)) for row in rows)
        return found

    @query("channel")
    async def quiet(self, channel_ids: Sequence[str]) -> set[str]:
        """Return those of the channels in which nothing has happened for so long that a replica knows all about them.

        Of a workspace's: also users and the directory. Empty, and nothing is asked, while there is no replica.
        """
        settled_us = self._db.settled_us
        if not settled_us:
            return set()
        busy: set[str] = set()
        for ids in _chunks(channel_ids):
            rows = await self._db.rows(
                "SELECT channel_id FROM heads WHERE channel_id IN %s AND last_ts_us > %s", (ids, settled_us)
            )
            busy.update(row[0] for row in rows)
        return set(channel_ids) - busy

    @query("channel", replica="see `logs`")
    async def log(self, channel_id: str, after: int, limit: int) -> LogPage:
        """Return events after an offset; see `logs`."""
        return (await self.logs({channel_id: after}, limit))[channel_id]

    @query("channel", replica="events up to a head that the primary told; none ever changes")
    async def logs(self, after: Mapping[str, int], limit: int) -> dict[str, LogPage]:
        """Return for each channel its events after the offset given, at most `limit` each, in order and without a hole.

        A page is `truncated`, and empty, when retention dropped some of them. Never blocks a writer.
        """
        found: dict[str, LogPage] = {}
        ids = list(after)
        for start in range(0, len(ids), LOGS_A_STATEMENT):
            group = {channel_id: after[channel_id] for channel_id in ids[start : start + LOGS_A_STATEMENT]}
            found.update(await self._logs(group, limit))
        return found

    async def _logs(self, after: Mapping[str, int], limit: int) -> dict[str, LogPage]:
        # Heads first: an event committed between the two reads is then above the head, which the page corrects.
        heads = await self.heads(list(after))
        events: dict[str, list[tuple[int, bytes]]] = {}
        missing = dict(after)
        if self._db.settled_us:
            events = await self._events(after, limit, self._db.settled_rows)
            # A replica may lack the newest; retention may have been there before us. The primary knows.
            missing = {c: o for c, o in after.items() if len(events[c]) < min(limit, heads.get(c, 0) - o)}
        if missing:
            events |= await self._events(missing, limit, self._db.rows)
        return {
            channel_id: _page(channel_id, after[channel_id], events[channel_id], heads.get(channel_id, 0))
            for channel_id in after
        }

    async def _events(
        self, after: Mapping[str, int], limit: int, read: Callable[[str, Sequence[Any]], Awaitable[Rows]]
    ) -> dict[str, list[tuple[int, bytes]]]:
        union = " UNION ALL ".join([_LOG_AFTER] * len(after))
        args = [cell for channel_id, offset in after.items() for cell in (channel_id, offset, limit)]
        events: dict[str, list[tuple[int, bytes]]] = {channel_id: [] for channel_id in after}
        for channel_id, offset, event in await read(union, args):
            events[channel_id].append((offset, event))
        return {channel_id: sorted(found) for channel_id, found in events.items()}


def _page(channel_id: str, after: int, found: list[tuple[int, bytes]], head: int) -> LogPage:
    """Make a page of what was found; a first event that is not the next one means that retention took the rest."""
    head = max(head, found[-1][0] if found else 0)
    truncated = found[0][0] != after + 1 if found else head > after
    if truncated:
        return LogPage(channel_id, (), head, truncated, found[0][0] if found else head + 1)
    return LogPage(channel_id, tuple(event for _, event in found), head, truncated)


def _bounds(latest_us: int | None, oldest_us: int | None, *, inclusive: bool) -> tuple[str, list[int]]:
    """Return the condition on ts_us, and its arguments."""
    equal = "=" if inclusive else ""
    sql, args = "", []
    if latest_us is not None:
        sql, args = f" AND ts_us <{equal} %s", [latest_us]
    if oldest_us is not None:
        sql, args = f"{sql} AND ts_us >{equal} %s", [*args, oldest_us]
    return sql, args


def _chunks(items: Sequence[_Item]) -> list[tuple[_Item, ...]]:
    """Cut a list into groups of IDS_A_STATEMENT, each id once."""
    distinct = list(dict.fromkeys(items))
    return [tuple(distinct[i : i + IDS_A_STATEMENT]) for i in range(0, len(distinct), IDS_A_STATEMENT)]
