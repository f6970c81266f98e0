"""The user keyspace, sharded by user_id: which conversations a user is in, what was read, and its tokens."""

from collections.abc import Sequence

from svc.webapp.store.decode import columns, decode, decode_all, encode
from svc.webapp.store.pools import Database
from svc.webapp.store.query import query
from svc.webapp.store.rows import ConversationKind, Membership, Token
from svc.webapp.store.sql import insert_rows, upsert_newer

__all__ = ["MEMBERSHIPS_MAX", "UserStore"]

MEMBERSHIPS_MAX = 100_000
"""Conversations of one user that are read at once; the contract of ListSubscriptions."""


class UserStore:
    """Reads and writes of the user keyspace. UnavailableError or DeadlineError when MySQL does not answer."""

    def __init__(self, database: Database) -> None:
        """`database`: the keyspace's pool; lifetime is the caller's."""
        self._db = database

    @query("user")
    async def memberships(
        self,
        user_id: str,
        after_channel_id: str = "",
        limit: int = MEMBERSHIPS_MAX,
        kinds: Sequence[ConversationKind] = tuple(ConversationKind),
    ) -> list[Membership]:
        """Return the user's conversations of these kinds, with ids above `after_channel_id`, in order of id."""
        if not kinds:
            return []
        rows = await self._db.rows(
            f"SELECT {columns(Membership)} FROM memberships"
            " WHERE user_id = %s AND channel_id > %s AND active = 1 AND kind IN %s ORDER BY channel_id LIMIT %s",
            (user_id, after_channel_id, tuple(int(kind) for kind in kinds), limit),
        )
        return decode_all(Membership, rows)

    @query("user")
    async def membership(self, user_id: str, channel_id: str) -> Membership | None:
        """Return the user's side of one conversation; None when the user is not in it."""
        rows = await self._db.rows(
            f"SELECT {columns(Membership)} FROM memberships WHERE user_id = %s AND channel_id = %s AND active = 1",
            (user_id, channel_id),
        )
        return decode(Membership, rows[0]) if rows else None

    @query("user")
    async def side(self, user_id: str, channel_id: str) -> Membership | None:
        """Return the user's side of a conversation as `membership` does, also when the user has left it."""
        rows = await self._db.rows(
            f"SELECT {columns(Membership)} FROM memberships WHERE user_id = %s AND channel_id = %s",
            (user_id, channel_id),
        )
        return decode(Membership, rows[0]) if rows else None

    @query("user")
    async def put_membership(self, membership: Membership) -> None:
        """Set the user's side of a join (`active`) or leave, unless one of a higher `revision_us` is there."""
        sql, args = upsert_newer("memberships", Membership, [encode(membership)], keep=("last_read_us",))
        await self._db.execute(sql, args)

    @query("user")
    async def mark_read(self, user_id: str, channel_id: str, ts_us: int) -> None:
        """Move the read mark; it may move back (mark unread). No effect when the user is not in the conversation."""
        await self._db.execute(
            "UPDATE memberships SET last_read_us = %s WHERE user_id = %s AND channel_id = %s",
            (ts_us, user_id, channel_id),
        )

    @query("user")
    async def token(self, user_id: str, token_hash: bytes) -> Token | None:
        """Return the record of a token (32-byte hash), revoked or not."""
        rows = await self._db.rows(
            f"SELECT {columns(Token)} FROM tokens WHERE user_id = %s AND token_hash = %s", (user_id, token_hash)
        )
        return decode(Token, rows[0]) if rows else None

    @query("user")
    async def tokens(self, user_id: str) -> list[Token]:
        """Return the user's tokens, at most 1,000."""
        rows = await self._db.rows(f"SELECT {columns(Token)} FROM tokens WHERE user_id = %s LIMIT 1000", (user_id,))
        return decode_all(Token, rows)

    @query("user")
    async def add_token(self, token: Token) -> None:
        """Insert a token's record. Idempotent."""
        sql, args = insert_rows("tokens", columns(Token), [encode(token)])
        await self._db.execute(f"{sql} ON DUPLICATE KEY UPDATE user_id = VALUES(user_id)", args)

    @query("user")
    async def revoke_token(self, user_id: str, token_hash: bytes, now_s: int) -> bool:
        """Revoke a token; False when it was not there or already revoked. The caller drops it from the cache."""
        changed = await self._db.execute(
            "UPDATE tokens SET revoked_s = %s WHERE user_id = %s AND token_hash = %s AND revoked_s = 0",
            (now_s, user_id, token_hash),
        )
        return changed > 0
