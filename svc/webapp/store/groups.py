"""The workspace keyspace: groups of users. Their handles are taken in `names`, which they share with conversations."""

from collections.abc import Sequence

from svc.webapp.store.decode import columns, decode, decode_all, encode
from svc.webapp.store.pools import Database
from svc.webapp.store.query import query
from svc.webapp.store.rows import UserGroup
from svc.webapp.store.sql import upsert_newer

__all__ = ["GROUPS_MAX", "GroupStore"]

GROUPS_MAX = 1_000
"""Of a workspace, disabled ones included: all are listed at once."""


class GroupStore:
    """Reads and writes of user groups. UnavailableError or DeadlineError when MySQL does not answer."""

    def __init__(self, database: Database) -> None:
        """`database`: the keyspace's pool; lifetime is the caller's."""
        self._db = database

    @query("workspace")
    async def group(self, team_id: str, group_id: str) -> UserGroup | None:
        """Return a group, a disabled one too."""
        rows = await self._db.rows(
            f"SELECT {columns(UserGroup)} FROM user_groups WHERE team_id = %s AND id = %s", (team_id, group_id)
        )
        return decode(UserGroup, rows[0]) if rows else None

    @query("workspace")
    async def groups(self, team_id: str) -> Sequence[UserGroup]:
        """Return all groups of a workspace in order of id; at most GROUPS_MAX, or a few more."""
        rows = await self._db.rows(
            f"SELECT {columns(UserGroup)} FROM user_groups WHERE team_id = %s ORDER BY id LIMIT %s",
            (team_id, 2 * GROUPS_MAX),
        )
        return decode_all(UserGroup, rows)

    @query("workspace")
    async def count(self, team_id: str) -> int:
        """Return how many groups a workspace has, disabled ones included."""
        rows = await self._db.rows("SELECT COUNT(*) FROM user_groups WHERE team_id = %s", (team_id,))
        return int(rows[0][0])

    @query("workspace")
    async def put(self, group: UserGroup, over_us: int) -> bool:
        """Insert a group (`over_us` 0), or replace the one whose revision is `over_us`; confirm its handle.

        True also when this was done before; False, and nothing is changed, when it has another revision. Idempotent.
        """
        sql, args = upsert_newer("user_groups", UserGroup, [encode(group)])
        key = (group.team_id, group.id)
        async with self._db.transaction() as transaction:
            rows = await transaction.rows(
                "SELECT revision_us FROM user_groups WHERE team_id = %s AND id = %s FOR UPDATE", key
            )
            if (rows[0][0] if rows else 0) not in (over_us, group.revision_us):
                return False
            await transaction.execute(sql, args)
            await transaction.execute(
                "UPDATE names SET confirmed = 1 WHERE team_id = %s AND name = %s AND channel_id = %s",
                (group.team_id, group.handle, group.id),
            )
            await transaction.execute(
                "DELETE FROM names WHERE team_id = %s AND name <> %s AND channel_id = %s AND confirmed = 1",
                (group.team_id, group.handle, group.id),
            )
        return True
