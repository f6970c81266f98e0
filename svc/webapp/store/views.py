"""Views in the workspace keyspace: modals that are open, and what apps show people at home.

Rows, not cache: a modal that a person is filling in must survive the death of any process, and a restart of memcached.
"""

from svc.kit.errors import AlreadyExistsError
from svc.webapp.store.app_rows import ViewRow
from svc.webapp.store.decode import columns, decode, encode
from svc.webapp.store.pools import Database
from svc.webapp.store.query import query
from svc.webapp.store.sql import insert_rows

__all__ = ["ViewStore"]

_OLD_MAX = 50
"""Expired views taken away with each new one."""
_CHANGING = ("external_id", "hash", "body", "until_s")


class ViewStore:
    """Reads and writes of views. UnavailableError or DeadlineError when MySQL does not answer."""

    def __init__(self, database: Database) -> None:
        """`database`: the workspace keyspace's pool; lifetime is the caller's."""
        self._db = database

    @query("workspace")
    async def view(self, team_id: str, view_id: str, now_s: int) -> ViewRow | None:
        """Return a view that has not expired."""
        rows = await self._db.rows(
            f"SELECT {columns(ViewRow)} FROM views WHERE team_id = %s AND id = %s AND (until_s = 0 OR until_s > %s)",
            (team_id, view_id, now_s),
        )
        return decode(ViewRow, rows[0]) if rows else None

    @query("workspace")
    async def view_by_external(self, team_id: str, app_id: str, external_id: str, now_s: int) -> ViewRow | None:
        """Return an app's view by the app's own name of it."""
        rows = await self._db.rows(
            f"SELECT {columns(ViewRow)} FROM views WHERE team_id = %s AND app_id = %s AND external_key = %s"
            " AND (until_s = 0 OR until_s > %s)",
            (team_id, app_id, external_id, now_s),
        )
        return decode(ViewRow, rows[0]) if rows else None

    @query("workspace")
    async def stack(self, team_id: str, root_id: str, user_id: str, app_id: str) -> list[ViewRow]:
        """Return the views of a stack, in no particular order."""
        rows = await self._db.rows(
            f"SELECT {columns(ViewRow)} FROM views"
            " WHERE team_id = %s AND user_id = %s AND app_id = %s AND root_id = %s",
            (team_id, user_id, app_id, root_id),
        )
        return [decode(ViewRow, row) for row in rows]

    @query("workspace")
    async def add_view(self, view: ViewRow, now_s: int) -> None:
        """Insert a view, and take expired ones away. Raises AlreadyExistsError when the app has one of this name."""
        await self._db.execute(
            f"DELETE FROM views WHERE team_id = %s AND until_s > 0 AND until_s <= %s ORDER BY until_s LIMIT {_OLD_MAX}",
            (view.team_id, now_s),
        )
        sql, args = insert_rows("views", columns(ViewRow), [encode(view)])
        await self._db.execute(f"{sql} ON DUPLICATE KEY UPDATE hash = hash", args)
        rows = await self._db.rows("SELECT hash FROM views WHERE team_id = %s AND id = %s", (view.team_id, view.id))
        if not rows or rows[0][0] != view.hash:
            raise AlreadyExistsError(f"the app has a view {view.external_id!r}", subject="external_id")

    @query("workspace")
    async def change_view(self, view: ViewRow, known_hash: str) -> bool:
        """Replace what a view shows; False when it is gone or no longer of `known_hash`.

        Raises AlreadyExistsError when the app has another one of this name.
        """
        if view.external_id:
            other = await self._db.rows(
                "SELECT id FROM views WHERE team_id = %s AND app_id = %s AND external_key = %s",
                (view.team_id, view.app_id, view.external_id),
            )
            if other and other[0][0] != view.id:
                raise AlreadyExistsError(f"the app has a view {view.external_id!r}", subject="external_id")
        assignments = ", ".join(f"{name} = %s" for name in _CHANGING)
        changed = await self._db.execute(
            f"UPDATE views SET {assignments} WHERE team_id = %s AND id = %s AND hash = %s",
            (*(getattr(view, name) for name in _CHANGING), view.team_id, view.id, known_hash),
        )
        return changed > 0

    @query("workspace")
    async def drop_views(self, team_id: str, view_ids: tuple[str, ...]) -> int:
        """Delete views; return how many were there. At least one id, at most 100."""
        return await self._db.execute("DELETE FROM views WHERE team_id = %s AND id IN %s", (team_id, view_ids))
