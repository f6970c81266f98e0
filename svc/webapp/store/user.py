"""The user keyspace, sharded by user_id: which conversations a user is in, what was read, what it chose, its tokens."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from svc.webapp.store.decode import columns, decode, decode_all, encode
from svc.webapp.store.pools import Database
from svc.webapp.store.query import query
from svc.webapp.store.rows import ConversationKind, Membership, Prefs, Token
from svc.webapp.store.sql import insert_rows, keys_in, pairs_in, upsert_newer

__all__ = ["MEMBERSHIPS_MAX", "UserStore"]

MEMBERSHIPS_MAX = 100_000
"""Conversations of one user that are read at once; the contract of ListSubscriptions."""
ROWS_A_STATEMENT = 20_000
"""Of the conversations of many users: 3 MB."""
USERS_A_STATEMENT = 100
"""Whose mentions are counted by one statement: with 300 conversations each, 30,000 look-ups in an index, some 30 ms."""
_UNREAD = (
    "SELECT mentions.user_id, mentions.channel_id, COUNT(*) FROM memberships JOIN mentions"
    " ON mentions.user_id = memberships.user_id AND mentions.channel_id = memberships.channel_id"
    " AND mentions.ts_us > memberships.last_read_us"
    " WHERE memberships.user_id IN %s AND memberships.active = 1 GROUP BY mentions.user_id, mentions.channel_id"
)
"""A join within each user, so within a shard."""

_CHOICES = columns(Prefs, "user_id")
_UNREAD_AND_PREFS = (
    "SELECT mentions.user_id, mentions.channel_id, COUNT(*), NULL, 0, 0 FROM memberships JOIN mentions"
    " ON mentions.user_id = memberships.user_id AND mentions.channel_id = memberships.channel_id"
    " AND mentions.ts_us > memberships.last_read_us"
    " WHERE memberships.user_id IN %s AND memberships.active = 1 GROUP BY mentions.user_id, mentions.channel_id"
    f" UNION ALL SELECT user_id, '', 0, {_CHOICES} FROM prefs WHERE user_id IN %s"
)
"""Both are of one user, and every boot wants both: one round trip."""


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
    async def memberships_of(self, user_ids: Sequence[str], limit: int) -> dict[str, list[Membership]]:
        """Return the first `limit` conversations of each of the users, in order of id; who is in none is left out.

        Few statements, of at most ROWS_A_STATEMENT rows each; `limit` is lower than that.
        """
        found: dict[str, list[Membership]] = {}
        left = sorted(set(user_ids))
        while left:
            # In the order of the primary key: nothing is sorted, and what is cut off is at the end.
            rows = await self._db.rows(
                f"SELECT {columns(Membership)} FROM memberships WHERE user_id IN %s AND active = 1"
                " ORDER BY user_id, channel_id LIMIT %s",
                (tuple(left), ROWS_A_STATEMENT),
            )
            for row in rows:
                found.setdefault(row[0], []).append(decode(Membership, row))
            if len(rows) < ROWS_A_STATEMENT:
                break
            last = rows[-1][0]
            if len(found[last]) < limit:
                del found[last]  # there may be more, so this one is read again
                left = [user_id for user_id in left if user_id >= last]
            else:
                left = [user_id for user_id in left if user_id > last]
        return {user_id: sides[:limit] for user_id, sides in found.items()}

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
    async def mention(self, rows: Sequence[tuple[str, str, int]]) -> None:
        """Note that messages (channel, ts) are meant for users: one statement for all. Idempotent."""
        if rows:
            sql, args = insert_rows("mentions", "user_id, channel_id, ts_us", sorted(rows))
            await self._db.execute(f"{sql} ON DUPLICATE KEY UPDATE user_id = VALUES(user_id)", args)

    @query("user")
    async def unmention(self, rows: Sequence[tuple[str, str, int]]) -> None:
        """Note that messages (channel, ts) are meant for users no longer: one statement for all. Idempotent."""
        if rows:
            where, args = keys_in(("user_id", "channel_id", "ts_us"), sorted(rows))
            await self._db.execute(f"DELETE FROM mentions WHERE {where}", args)

    @query("user")
    async def unread_mentions(self, user_ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return how many messages each user has not read that are meant for it, by user and conversation; none is left
        out. Counts index entries, of conversations that the user is in: 3 ms for 10,000.
        """
        found: dict[str, dict[str, int]] = {}
        ids = sorted(set(user_ids))
        for start in range(0, len(ids), USERS_A_STATEMENT):
            rows = await self._db.rows(_UNREAD, (tuple(ids[start : start + USERS_A_STATEMENT]),))
            for user_id, channel_id, count in rows:
                found.setdefault(user_id, {})[channel_id] = int(count)
        return found

    @query("user")
    async def unread_and_prefs(self, user_ids: Sequence[str]) -> dict[str, tuple[dict[str, int], Prefs]]:
        """Return `unread_mentions` and `prefs` together, for each of the users; who has neither is left out."""
        found: dict[str, tuple[dict[str, int], Prefs]] = {}
        ids = sorted(set(user_ids))
        for start in range(0, len(ids), USERS_A_STATEMENT):
            some = tuple(ids[start : start + USERS_A_STATEMENT])
            for user_id, channel_id, count, *choices in await self._db.rows(_UNREAD_AND_PREFS, (some, some)):
                unread, prefs = found.get(user_id) or ({}, Prefs(user_id))
                if channel_id:
                    unread[channel_id] = int(count)
                else:
                    prefs = decode(Prefs, (user_id, *choices))
                found[user_id] = unread, prefs
        return found

    @query("user")
    async def count_mentions(self, user_id: str, channel_id: str, after_us: int, limit: int) -> int:
        """Return how many messages above a ts are meant for the user in a conversation; counts up to `limit`."""
        rows = await self._db.rows(
            "SELECT ts_us FROM mentions WHERE user_id = %s AND channel_id = %s AND ts_us > %s LIMIT %s",
            (user_id, channel_id, after_us, limit),
        )
        return len(rows)

    @query("user")
    async def prefs(self, user_id: str) -> Prefs:
        """Return what the user chose."""
        return (await self.prefs_of([user_id])).get(user_id, Prefs(user_id))

    @query("user")
    async def prefs_of(self, user_ids: Sequence[str]) -> dict[str, Prefs]:
        """Return what each of the users chose; who chose nothing is left out. At most 500; one statement."""
        rows = await self._db.rows(f"SELECT {columns(Prefs)} FROM prefs WHERE user_id IN %s", (tuple(user_ids),))
        return {row[0]: decode(Prefs, row) for row in rows}

    @query("user")
    async def change_prefs(self, user_id: str, change: Callable[[Prefs], Prefs]) -> Prefs:
        """Make of what the user chose what `change` makes of it, and return that; who comes meanwhile waits.

        What `change` raises passes through, and nothing is changed. It is called once, and must not take long.
        """
        blank = f"INSERT INTO prefs ({columns(Prefs)}) VALUES (%s, %s, %s, %s)"
        async with self._db.transaction() as transaction:
            # Makes the row and locks it, so there is always one to wait for.
            await transaction.execute(
                f"{blank} ON DUPLICATE KEY UPDATE user_id = VALUES(user_id)", encode(Prefs(user_id))
            )
            where = "WHERE user_id = %s"
            rows = await transaction.rows(f"SELECT {columns(Prefs)} FROM prefs {where} FOR UPDATE", (user_id,))
            before = decode(Prefs, rows[0])
            after = replace(change(before), revision=before.revision + 1)
            await transaction.execute(
                f"UPDATE prefs SET prefs = %s, away = %s, revision = %s {where}",
                (after.prefs, after.away, after.revision, user_id),
            )
        return after

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
    async def tokens_among(self, keys: Sequence[tuple[str, bytes]]) -> dict[tuple[str, bytes], Token]:
        """Return the records of those tokens, (user, 32-byte hash), that there are. At most 500; one statement."""
        if not keys:
            return {}
        where, args = pairs_in("user_id", "token_hash", keys)
        rows = await self._db.rows(f"SELECT {columns(Token)} FROM tokens WHERE {where}", args)
        return {(row[0], bytes(row[1])): decode(Token, row) for row in rows}

    @query("user")
    async def tokens_by_prefix(self, keys: Sequence[tuple[str, bytes]]) -> dict[tuple[str, bytes], Token]:
        """Return the records of those tokens, (user, first 16 bytes of the hash), that there are. At most 500."""
        if not keys:
            return {}
        # By user, then by bytes that no index has: a user has a few tokens.
        where, args = pairs_in("user_id", "LEFT(token_hash, 16)", keys)
        rows = await self._db.rows(f"SELECT {columns(Token)} FROM tokens WHERE {where}", args)
        return {(row[0], bytes(row[1])[:16]): decode(Token, row) for row in rows}

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
    async def prolong_token(self, user_id: str, token_hash: bytes, expires_s: int) -> bool:
        """Let a token that ends by itself end later; False when it was revoked. The caller drops it from the cache."""
        changed = await self._db.execute(
            "UPDATE tokens SET expires_s = %s"
            " WHERE user_id = %s AND token_hash = %s AND revoked_s = 0 AND expires_s BETWEEN 1 AND %s",
            (expires_s, user_id, token_hash, expires_s - 1),
        )
        return changed > 0

    @query("user")
    async def revoke_token(self, user_id: str, token_hash: bytes, now_s: int) -> bool:
        """Revoke a token; False when it was not there or already revoked. The caller drops it from the cache."""
        changed = await self._db.execute(
            "UPDATE tokens SET revoked_s = %s WHERE user_id = %s AND token_hash = %s AND revoked_s = 0",
            (now_s, user_id, token_hash),
        )
        return changed > 0
