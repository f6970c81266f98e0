"""What was committed and is not yet done elsewhere: events to publish, effects to carry out. Channel keyspace.

Rows are written by the commit, and deleted when done. The webapp that committed them does so within milliseconds; a row
that is still there when it is due belongs to whoever claims it, which moves its due time on, so that one sweeper at a
time works on it and a sweeper that dies gives it back.
"""

from collections.abc import Collection
from dataclasses import dataclass

from svc.webapp.store.pools import Database
from svc.webapp.store.query import query
from svc.webapp.store.sql import pairs_in

__all__ = ["Due", "DueEffect", "OutboxStore"]

_SCATTER = "a sweeper looks for what others left behind, on every shard, twice a second"


@dataclass(frozen=True, slots=True)
class Due:
    """An event that its committer did not get published."""

    channel_id: str
    offset: int
    event: bytes | None
    """Serialised Event; None when retention has dropped it from the log."""


@dataclass(frozen=True, slots=True)
class DueEffect:
    """An effect that its committer did not carry out."""

    channel_id: str
    ts_us: int
    number: int
    first_offset: int
    effect: bytes


class OutboxStore:
    """Claims and deletions. Methods raise the kit's errors."""

    def __init__(self, database: Database) -> None:
        """`database`: the channel keyspace."""
        self._db = database

    @query("channel", scatter=_SCATTER)
    async def claim_events(self, now_us: int, lease_us: int, limit: int) -> list[Due]:
        """Claim at most `limit` events that are due, for `lease_us`; in the order of channel and offset."""
        async with self._db.transaction() as transaction:
            # Rows that another sweeper is claiming are passed over, not waited for.
            rows = await transaction.rows(
                "SELECT channel_id, `offset` FROM outbox WHERE due_us <= %s ORDER BY due_us LIMIT %s"
                " FOR UPDATE SKIP LOCKED",
                (now_us, limit),
            )
            keys = sorted((row[0], int(row[1])) for row in rows)
            if not keys:
                return []
            where, args = pairs_in("channel_id", "`offset`", keys)
            await transaction.execute(f"UPDATE outbox SET due_us = %s WHERE {where}", (now_us + lease_us, *args))
            found = await transaction.rows(f"SELECT channel_id, `offset`, event FROM log WHERE {where}", args)
        events = {(row[0], int(row[1])): row[2] for row in found}
        return [Due(*key, events.get(key)) for key in keys]

    @query("channel")
    async def delete_events(self, keys: Collection[tuple[str, int]]) -> None:
        """Forget events (channel, offset) that were published. Idempotent."""
        if keys:
            where, args = pairs_in("channel_id", "`offset`", sorted(keys))
            await self._db.execute(f"DELETE FROM outbox WHERE {where}", args)

    @query("channel")
    async def hasten(self, channel_id: str, offset: int) -> None:
        """Let an event that nobody here publishes be due now. Harmless when it is gone."""
        await self._db.execute(
            "UPDATE outbox SET due_us = 0 WHERE channel_id = %s AND `offset` = %s", (channel_id, offset)
        )

    @query("channel", scatter=_SCATTER)
    async def claim_effects(self, now_us: int, lease_us: int, limit: int) -> list[DueEffect]:
        """Claim at most `limit` effects that are due, for `lease_us`; in the order of channel, ts and number."""
        async with self._db.transaction() as transaction:
            rows = await transaction.rows(
                "SELECT channel_id, ts_us, number, first_offset, effect FROM effects WHERE due_us <= %s"
                " ORDER BY due_us LIMIT %s FOR UPDATE SKIP LOCKED",
                (now_us, limit),
            )
            if rows:
                where, args = pairs_in("channel_id", "ts_us", {(row[0], row[1]) for row in rows})
                await transaction.execute(f"UPDATE effects SET due_us = %s WHERE {where}", (now_us + lease_us, *args))
        return [DueEffect(*row) for row in sorted(rows, key=lambda row: tuple(row[:3]))]

    @query("channel")
    async def delete_writes_effects(self, keys: Collection[tuple[str, int]]) -> None:
        """Forget all effects of some writes (channel, ts), that were carried out. Idempotent."""
        if keys:
            where, args = pairs_in("channel_id", "ts_us", sorted(keys))
            await self._db.execute(f"DELETE FROM effects WHERE {where}", args)

    @query("channel")
    async def delete_effects(self, channel_id: str, ts_us: int, numbers: Collection[int]) -> None:
        """Forget effects of one write that were carried out. Idempotent."""
        if numbers:
            await self._db.execute(
                "DELETE FROM effects WHERE channel_id = %s AND ts_us = %s AND number IN %s",
                (channel_id, ts_us, tuple(numbers)),
            )
