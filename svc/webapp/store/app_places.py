"""Apps in the user keyspace: up to where each has what it follows, and which webapp says so."""

from __future__ import annotations

from dataclasses import dataclass

from svc.webapp.store.decode import columns, decode
from svc.webapp.store.pools import Database
from svc.webapp.store.query import query

__all__ = ["URL_CHARS_MAX", "AppPlace", "AppPlaceStore"]

URL_CHARS_MAX = 2_000
"""Of a request URL that is remembered as verified."""

_OF_APP = "WHERE user_id = %s AND app_id = %s"
_MINE = f"{_OF_APP} AND revision = %s"


@dataclass(frozen=True, slots=True)
class AppPlace:
    """How far an app has come."""

    user_id: str
    """Its bot's user."""
    app_id: str
    revision: int = 0
    """Counts the owners; 0 before the first."""
    owner: str = ""
    """Instance id of the webapp that took it last."""
    released: bool = True
    """Whether that one has given it back."""
    verified_url: str = ""
    """The request URL that answered the challenge; "" for none."""
    place: bytes = b""
    """What `release` or `save` was given; b"" before the first."""


class AppPlaceStore:
    """Reads and writes of the places. UnavailableError or DeadlineError when MySQL does not answer."""

    def __init__(self, database: Database) -> None:
        """`database`: the user keyspace's pool; lifetime is the caller's."""
        self._db = database

    @query("user")
    async def app_place(self, user_id: str, app_id: str) -> AppPlace:
        """Return an app's place."""
        rows = await self._db.rows(f"SELECT {columns(AppPlace)} FROM app_places {_OF_APP}", (user_id, app_id))
        return decode(AppPlace, rows[0]) if rows else AppPlace(user_id, app_id)

    @query("user")
    async def take_app_place(self, user_id: str, app_id: str, owner: str) -> AppPlace:
        """Make `owner` the one who may save, and return the place as it is then, with its revision."""
        async with self._db.transaction() as transaction:
            await transaction.execute(
                f"INSERT INTO app_places ({columns(AppPlace)}) VALUES (%s, %s, 0, '', 1, '', '')"
                " ON DUPLICATE KEY UPDATE user_id = VALUES(user_id)",
                (user_id, app_id),
            )
            await transaction.execute(
                f"UPDATE app_places SET revision = revision + 1, owner = %s, released = 0 {_OF_APP}",
                (owner, user_id, app_id),
            )
            rows = await transaction.rows(f"SELECT {columns(AppPlace)} FROM app_places {_OF_APP}", (user_id, app_id))
        return decode(AppPlace, rows[0])

    @query("user")
    async def save_app_place(
        self, user_id: str, app_id: str, revision: int, place: bytes, *, is_released: bool = False
    ) -> bool:
        """Save the place, and give it back when `is_released`; False when another has taken it since. Idempotent."""
        changed = await self._db.execute(
            f"UPDATE app_places SET place = %s, released = %s {_MINE}",
            (place, int(is_released), user_id, app_id, revision),
        )
        # The server counts rows that became different, and this one may have been so already.
        return changed > 0 or await self._is_mine(user_id, app_id, revision)

    @query("user")
    async def verify_app_url(self, user_id: str, app_id: str, revision: int, url: str) -> bool:
        """Note the request URL that answered the challenge; False when another has taken the place since."""
        changed = await self._db.execute(
            f"UPDATE app_places SET verified_url = %s {_MINE}", (url, user_id, app_id, revision)
        )
        return changed > 0 or await self._is_mine(user_id, app_id, revision)

    async def _is_mine(self, user_id: str, app_id: str, revision: int) -> bool:
        return bool(await self._db.rows(f"SELECT 1 FROM app_places {_MINE}", (user_id, app_id, revision)))
