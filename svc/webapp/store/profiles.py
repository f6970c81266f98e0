"""The workspace keyspace: users that change a part of themselves, and statuses that are over."""

from collections.abc import Sequence

from svc.webapp.store.decode import columns, decode_all, encode
from svc.webapp.store.pools import Database
from svc.webapp.store.query import query
from svc.webapp.store.rows import User
from svc.webapp.store.sql import upsert_newer

__all__ = ["ProfileStore"]


class ProfileStore:
    """Reads and writes of users. UnavailableError or DeadlineError when MySQL does not answer."""

    def __init__(self, database: Database) -> None:
        """`database`: the keyspace's pool; lifetime is the caller's."""
        self._db = database

    @query("workspace")
    async def replace_user(self, user: User, over_us: int) -> bool:
        """Replace a user whose revision is `over_us`, and return True; also when this was done before. Idempotent.

        False, and nothing is changed, when it has another revision. Raises AlreadyExistsError when another user has its
        name or email.
        """
        sql, args = upsert_newer("users", User, [encode(user)], keep=("version",))
        where = "WHERE team_id = %s AND id = %s"
        async with self._db.transaction() as transaction:
            key = (user.team_id, user.id)
            rows = await transaction.rows(f"SELECT revision_us FROM users {where} FOR UPDATE", key)
            if rows and rows[0][0] == user.revision_us:
                return True
            if not rows or rows[0][0] != over_us:
                return False
            await transaction.execute(sql, args)
            rows = await transaction.rows(f"SELECT revision_us FROM users {where}", key)
            return bool(rows[0][0] == user.revision_us)

    @query("workspace", scatter="looked for once in some seconds by each webapp, never for a message")
    async def expired_statuses(self, now_s: int, limit: int) -> Sequence[User]:
        """Return users whose status should be gone by now, the longest overdue first."""
        rows = await self._db.rows(
            f"SELECT {columns(User)} FROM users WHERE status_expiration_s > 0 AND status_expiration_s <= %s"
            " ORDER BY status_expiration_s LIMIT %s",
            (now_s, limit),
        )
        return decode_all(User, rows)
