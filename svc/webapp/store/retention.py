"""What is old enough to go: log rows beyond their age, idempotency keys that nobody will repeat, mentions and browser
sessions long past.
"""

from svc.webapp.store.pools import Database
from svc.webapp.store.query import query
from svc.webapp.store.rows import TokenKind
from svc.webapp.store.sql import pairs_in

__all__ = ["RetentionStore"]

_SCATTER = "retention looks for old rows on every shard, once a minute"


class RetentionStore:
    """Deletions in bounded steps. Methods return how many rows went, and raise the kit's errors."""

    def __init__(self, channel: Database, user: Database) -> None:
        """The keyspaces in which something ages."""
        self._db = channel
        self._users = user

    @query("channel", scatter=_SCATTER)
    async def trim_log(self, before_us: int, limit: int) -> int:
        """Delete about `limit` events committed before `before_us`; return how many rows went.

        Of each channel the beginning goes, whole, whatever the clocks of those who committed it said: what is left has
        no hole, and a reader who wants what is gone is told so (`LogPage.truncated`). A channel with an event that
        waits to be published is left alone.
        """
        old = await self._db.rows(
            "SELECT channel_id, `offset` FROM log WHERE commit_us < %s ORDER BY commit_us LIMIT %s", (before_us, limit)
        )
        last: dict[str, int] = {}
        for channel_id, offset in old:
            last[channel_id] = max(offset, last.get(channel_id, 0))
        if not last:
            return 0
        waiting = await self._db.rows("SELECT DISTINCT channel_id FROM outbox WHERE channel_id IN %s", (tuple(last),))
        for (channel_id,) in waiting:
            del last[channel_id]
        if not last:
            return 0
        where = " OR ".join(["(channel_id = %s AND `offset` <= %s)"] * len(last))
        bounds = [cell for channel_id in sorted(last) for cell in (channel_id, last[channel_id])]
        return await self._db.execute(f"DELETE FROM log WHERE ({where}) AND channel_id IN %s", (*bounds, tuple(last)))

    @query("channel", scatter=_SCATTER)
    async def trim_requests(self, before_us: int, limit: int) -> int:
        """Delete at most `limit` idempotency keys used before `before_us`: a later repetition would write again."""
        rows = await self._db.rows(
            "SELECT channel_id, request_id FROM requests WHERE ts_us < %s ORDER BY ts_us LIMIT %s", (before_us, limit)
        )
        if not rows:
            return 0
        where, args = pairs_in("channel_id", "request_id", sorted((row[0], row[1]) for row in rows))
        return await self._db.execute(f"DELETE FROM requests WHERE {where}", args)

    @query("user", scatter=_SCATTER)
    async def trim_mentions(self, before_us: int, limit: int) -> int:
        """Delete about `limit` mentions by messages from before `before_us`: they are counted as unread no more."""
        rows = await self._users.rows(
            "SELECT user_id, channel_id, ts_us FROM mentions WHERE ts_us < %s ORDER BY ts_us LIMIT %s",
            (before_us, limit),
        )
        if not rows:
            return 0
        where, args = pairs_in("user_id", "channel_id", sorted({(row[0], row[1]) for row in rows}))
        newest_us = max(row[2] for row in rows)
        return await self._users.execute(f"DELETE FROM mentions WHERE ({where}) AND ts_us <= %s", (*args, newest_us))

    @query("user", scatter=_SCATTER)
    async def trim_sessions(self, before_s: int, limit: int) -> int:
        """Delete at most `limit` tokens of browsers that would have ended before `before_s`, revoked or not."""
        rows = await self._users.rows(
            "SELECT user_id, token_hash FROM tokens WHERE kind = %s AND expires_s BETWEEN 1 AND %s"
            " ORDER BY expires_s LIMIT %s",
            (TokenKind.WEB.value, before_s - 1, limit),
        )
        if not rows:
            return 0
        where, args = pairs_in("user_id", "token_hash", sorted((row[0], bytes(row[1])) for row in rows))
        # One that was prolonged since it was found stays.
        return await self._users.execute(f"DELETE FROM tokens WHERE ({where}) AND expires_s < %s", (*args, before_s))
