"""Reads of what is kept beside messages: annotations on them, and small things that a channel holds."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from svc.webapp.commit.log import NOTHING_TO_READ
from svc.webapp.store.decode import columns, decode, decode_all
from svc.webapp.store.pools import Database
from svc.webapp.store.query import query
from svc.webapp.store.rows import AnnotationKind, AnnotationRow, ItemKind, ItemRow, Message
from svc.webapp.store.sql import pairs_in

__all__ = ["MESSAGES_A_STATEMENT", "Annotated", "KeptReads"]

MESSAGES_A_STATEMENT = 500
"""That are looked up at once; a page of history is at most 1,000."""
_ANNOTATIONS = f"SELECT {columns(AnnotationRow)} FROM annotations WHERE"
_ITEMS = f"SELECT {columns(ItemRow)} FROM items WHERE"


@dataclass(frozen=True, slots=True)
class Annotated:
    """A message on which somebody has put something."""

    channel_id: str
    ts_us: int
    newest_us: int
    """When the newest of it was put there."""


class KeptReads:
    """Part of ChannelStore; see there."""

    _db: Database

    @query("channel")
    async def to_read_among(self, keys: Collection[tuple[str, int]]) -> set[tuple[str, int]]:
        """Return those of the messages (channel, ts) that are there, and something to read. At least one."""
        where, args = pairs_in("channel_id", "ts_us", keys)
        rows = await self._db.rows(
            f"SELECT channel_id, ts_us FROM messages WHERE ({where}) AND subtype NOT IN %s",
            (*args, tuple(sorted(NOTHING_TO_READ))),
        )
        return {(row[0], int(row[1])) for row in rows}

    @query("channel")
    async def messages_at(self, channel_id: str, ts_us: Sequence[int]) -> list[Message]:
        """Return those of the messages that are there, in order of ts. At most MESSAGES_A_STATEMENT."""
        if not ts_us:
            return []
        rows = await self._db.rows(
            f"SELECT {columns(Message)} FROM messages WHERE channel_id = %s AND ts_us IN %s ORDER BY ts_us",
            (channel_id, tuple(dict.fromkeys(ts_us))),
        )
        return decode_all(Message, rows)

    @query("channel")
    async def annotations(self, channel_id: str, ts_us: Sequence[int]) -> Mapping[int, list[AnnotationRow]]:
        """Return what is on each of the messages, in the order in which it was put there; those with nothing are left
        out. One look-up a message, and all of its annotations: a message has as many as its readers make.
        """
        found: dict[int, list[AnnotationRow]] = {}
        distinct = list(dict.fromkeys(ts_us))
        for start in range(0, len(distinct), MESSAGES_A_STATEMENT):
            some = tuple(distinct[start : start + MESSAGES_A_STATEMENT])
            rows = await self._db.rows(f"{_ANNOTATIONS} channel_id = %s AND ts_us IN %s", (channel_id, some))
            for row in decode_all(AnnotationRow, rows):
                found.setdefault(row.ts_us, []).append(row)
        return {each: sorted(rows, key=_when) for each, rows in found.items()}

    @query("channel")
    async def annotated_by_user(
        self, channel_id: str, ts_us: Sequence[int], kind: AnnotationKind, user_id: str
    ) -> list[AnnotationRow]:
        """Return what one user has put on some messages of a channel. At most MESSAGES_A_STATEMENT, at least one."""
        rows = await self._db.rows(
            f"{_ANNOTATIONS} channel_id = %s AND ts_us IN %s AND kind = %s AND user_id = %s",
            (channel_id, tuple(ts_us), int(kind), user_id),
        )
        return decode_all(AnnotationRow, rows)

    @query("channel")
    async def annotated_by(
        self, channel_id: str, kind: AnnotationKind, limit: int, after_us: int = 0
    ) -> list[AnnotationRow]:
        """Return a channel's annotations of one kind that were put there after `after_us`, the oldest first."""
        rows = await self._db.rows(
            f"{_ANNOTATIONS} channel_id = %s AND kind = %s AND at_us > %s ORDER BY at_us LIMIT %s",
            (channel_id, int(kind), after_us, limit),
        )
        return decode_all(AnnotationRow, rows)

    @query("channel")
    async def count_annotated(self, channel_id: str, kind: AnnotationKind, limit: int) -> int:
        """Return how many annotations of one kind a channel has; counts up to `limit`."""
        rows = await self._db.rows(
            "SELECT at_us FROM annotations WHERE channel_id = %s AND kind = %s LIMIT %s", (channel_id, int(kind), limit)
        )
        return len(rows)

    @query("channel", scatter="what one person reacted to lies where the messages do; asked rarely")
    async def count_annotated_of(self, user_id: str, kind: AnnotationKind) -> dict[str, int]:
        """Return on how many messages of each channel a user has an annotation of one kind. Counts entries of an index:
        some 100 ms for 100,000.
        """
        rows = await self._db.rows(
            "SELECT channel_id, COUNT(DISTINCT ts_us) FROM annotations WHERE user_id = %s AND kind = %s"
            " GROUP BY channel_id",
            (user_id, int(kind)),
        )
        return {row[0]: int(row[1]) for row in rows}

    @query("channel", scatter="what one person reacted to lies where the messages do; asked rarely, a page at a time")
    async def annotated_of(
        self,
        user_id: str,
        kind: AnnotationKind,
        limit: int,
        *,
        before: tuple[int, str] | None = None,
        but: Collection[str] = (),
        skip: int = 0,
    ) -> list[Annotated]:
        """Return the messages on which a user has annotations of one kind, by the newest of them first: in all channels
        `but` some, from before a time and channel on, after the first `skip`. Reads entries of an index, all that the
        user has: some 200 ms for 100,000.
        """
        bound, args = (" AND channel_id NOT IN %s", [tuple(sorted(but))]) if but else ("", [])
        after, more = "", []
        if before is not None:
            after = " HAVING newest_us <= %s AND (newest_us < %s OR channel_id < %s)"
            more = [before[0], *before]
        rows = await self._db.rows(
            "SELECT channel_id, ts_us, MAX(at_us) AS newest_us FROM annotations"
            f" WHERE user_id = %s AND kind = %s{bound} GROUP BY channel_id, ts_us{after}"
            " ORDER BY newest_us DESC, channel_id DESC LIMIT %s OFFSET %s",
            (user_id, int(kind), *args, *more, limit, skip),
        )
        return [Annotated(*row) for row in rows]

    @query("channel")
    async def items(self, channel_id: str, kind: ItemKind, after_id: str = "", limit: int = 100) -> list[ItemRow]:
        """Return a channel's items of one kind with ids above `after_id`, in order of id."""
        rows = await self._db.rows(
            f"{_ITEMS} channel_id = %s AND kind = %s AND id > %s ORDER BY id LIMIT %s",
            (channel_id, int(kind), after_id, limit),
        )
        return decode_all(ItemRow, rows)

    @query("channel")
    async def item(self, channel_id: str, kind: ItemKind, item_id: str) -> ItemRow | None:
        """Return one item."""
        rows = await self._db.rows(
            f"{_ITEMS} channel_id = %s AND kind = %s AND id = %s", (channel_id, int(kind), item_id)
        )
        return decode(ItemRow, rows[0]) if rows else None

    @query("channel")
    async def items_by_key(self, kind: ItemKind, keys: Collection[tuple[str, str]]) -> list[ItemRow]:
        """Return those of the items (channel, id) of one kind that are there, in no order; at least one key."""
        where, args = pairs_in("channel_id", "id", sorted(keys))
        return decode_all(ItemRow, await self._db.rows(f"{_ITEMS} kind = %s AND ({where})", (int(kind), *args)))

    @query("channel", scatter="sweepers look for what is due on every shard; few things are")
    async def due_items(self, now_us: int, limit: int) -> list[ItemRow]:
        """Return items of all channels that are due, those first that have waited longest.

        Claims nothing: several sweepers may see one at once. Who drops it (`Write.items_dropped`) has it; what is done
        before that has to be so that a second time does nothing.
        """
        rows = await self._db.rows(f"{_ITEMS} due_us > 0 AND due_us <= %s ORDER BY due_us LIMIT %s", (now_us, limit))
        return decode_all(ItemRow, rows)


def _when(row: AnnotationRow) -> tuple[int, str, str]:
    return row.at_us, row.name, row.user_id
