"""Reads of messages, and of who is where, over several channels at once: one statement, its shards asked for theirs."""

from collections.abc import Collection

from svc.webapp.store.decode import columns, decode_all
from svc.webapp.store.pools import Database
from svc.webapp.store.query import query
from svc.webapp.store.rows import Message
from svc.webapp.store.sql import pairs_in

__all__ = ["KeyedReads"]


class KeyedReads:
    """Part of ChannelStore and of FeedReads; see there."""

    _db: Database

    @query("channel")
    async def messages_by_key(self, keys: Collection[tuple[str, int]]) -> list[Message]:
        """Return those of the messages (channel, ts) that are there, in no order; at least one key."""
        where, args = pairs_in("channel_id", "ts_us", sorted(keys))
        return decode_all(Message, await self._db.rows(f"SELECT {columns(Message)} FROM messages WHERE {where}", args))

    @query("channel")
    async def member_in(self, user_id: str, channel_ids: Collection[str]) -> set[str]:
        """Return those of the conversations that the user is in now; at least one id."""
        rows = await self._db.rows(
            "SELECT channel_id FROM members WHERE channel_id IN %s AND user_id = %s",
            (tuple(sorted(channel_ids)), user_id),
        )
        return {row[0] for row in rows}
