"""What feeds the search index: the log of all channels by time of commit, and all messages in order of their keys."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from svc.webapp.store.decode import columns, decode_all
from svc.webapp.store.keyed import KeyedReads
from svc.webapp.store.pools import Database
from svc.webapp.store.query import query
from svc.webapp.store.rows import AnnotationRow, Conversation, Message
from svc.webapp.store.sql import pairs_in

__all__ = ["FeedReads", "LogPlace"]

_SCATTER = "an index has the messages of all channels: it reads every shard, a bounded page at a time"


@dataclass(frozen=True, slots=True, order=True)
class LogPlace:
    """A row of the log, in the order of commit times."""

    commit_us: int
    channel_id: str
    offset: int


class FeedReads(KeyedReads):
    """Pages over whole tables of the channel keyspace. Methods raise the kit's errors."""

    def __init__(self, database: Database) -> None:
        """`database`: the channel keyspace."""
        self._db = database

    @query("channel", scatter=_SCATTER)
    async def log_after(self, after: LogPlace, limit: int) -> list[LogPlace]:
        """Return the places of the next `limit` events behind one, in order. Reads an index alone."""
        at = after.commit_us
        rows = await self._db.rows(
            "SELECT commit_us, channel_id, `offset` FROM log WHERE commit_us >= %s"
            " AND (commit_us > %s OR channel_id > %s OR (channel_id = %s AND `offset` > %s))"
            " ORDER BY commit_us, channel_id, `offset` LIMIT %s",
            (at, at, after.channel_id, after.channel_id, after.offset, limit),
        )
        return [LogPlace(int(row[0]), row[1], int(row[2])) for row in rows]

    @query("channel", scatter=_SCATTER)
    async def log_count(self, since_us: int, until_us: int) -> int:
        """Return how many events were committed in a time, its end not included. Reads an index alone."""
        ((count,),) = await self._db.rows(
            "SELECT COUNT(*) FROM log WHERE commit_us >= %s AND commit_us < %s", (since_us, until_us)
        )
        return int(count)

    @query("channel")
    async def events(self, places: Collection[LogPlace]) -> list[bytes]:
        """Return those of the events that the log still has, serialised; at least one place."""
        where, args = pairs_in("channel_id", "`offset`", ((each.channel_id, each.offset) for each in places))
        return [row[0] for row in await self._db.rows(f"SELECT event FROM log WHERE {where}", args)]

    @query("channel", scatter=_SCATTER)
    async def messages_after(self, channel_id: str, ts_us: int, limit: int) -> list[Message]:
        """Return the next `limit` messages of all channels behind a key, in order of their keys."""
        columns_ = columns(Message)
        here = await self._db.rows(
            f"SELECT {columns_} FROM messages WHERE channel_id = %s AND ts_us > %s ORDER BY ts_us LIMIT %s",
            (channel_id, ts_us, limit),
        )
        left = limit - len(here)
        rows = [*here]
        if left:
            rows += await self._db.rows(
                f"SELECT {columns_} FROM messages WHERE channel_id > %s ORDER BY channel_id, ts_us LIMIT %s",
                (channel_id, left),
            )
        return decode_all(Message, rows)

    @query("channel")
    async def annotations(self, keys: Collection[tuple[str, int]]) -> list[AnnotationRow]:
        """Return what is on the messages (channel, ts); at least one key."""
        where, args = pairs_in("channel_id", "ts_us", sorted(keys))
        rows = await self._db.rows(f"SELECT {columns(AnnotationRow)} FROM annotations WHERE {where}", args)
        return decode_all(AnnotationRow, rows)

    @query("channel")
    async def replied_among(self, keys: Collection[tuple[str, int]]) -> set[tuple[str, int]]:
        """Return those of the messages (channel, ts) that have replies; at least one key."""
        where, args = pairs_in("channel_id", "ts_us", sorted(keys))
        rows = await self._db.rows(f"SELECT channel_id, ts_us FROM threads WHERE ({where}) AND reply_count > 0", args)
        return {(row[0], int(row[1])) for row in rows}

    @query("channel")
    async def conversations(self, channel_ids: Sequence[str]) -> dict[str, Conversation]:
        """Return those of the conversations that there are, by id; at least one id."""
        rows = await self._db.rows(
            f"SELECT {columns(Conversation)} FROM conversations WHERE id IN %s", (tuple(sorted(set(channel_ids))),)
        )
        return {row.id: row for row in decode_all(Conversation, rows)}
