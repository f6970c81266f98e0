"""Which apps there are: reads, through the cache where requests make them."""

from __future__ import annotations

from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.log import Json
from svc.webapp.domain.apps.model import App, app_of, client_ids
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.app_rows import AppRow
from svc.webapp.store.apps import AppStore

__all__ = ["APPS_MAX", "AppDirectory"]

APPS_MAX = 500
"""Of a workspace."""


class AppDirectory:
    """Finds apps. UnavailableError when MySQL does not answer and they are not cached."""

    def __init__(self, lookups: Lookups, store: AppStore) -> None:
        self._lookups = lookups
        self._store = store

    async def app(self, team_id: str, app_id: str) -> App | None:
        """Return an app that was not removed."""
        if not app_id:
            return None

        async def load() -> AppRow | None:
            return await self._store.app(team_id, app_id)

        row = await self._lookups.app(team_id, app_id, load)
        return app_of(row) if row is not None and not row.deleted else None

    async def apps_of(self, team_id: str) -> list[App]:
        """Return a workspace's apps, in order of id; at most APPS_MAX. Not cached."""
        return [app_of(row) for row in await self._store.apps_of(team_id, APPS_MAX)]

    async def all_apps(self, after: tuple[str, str] = ("", ""), limit: int = 500) -> list[App]:
        """Return apps of all workspaces above (team id, app id), in this order. Not cached; asks every shard."""
        return [app_of(row) for row in await self._store.all_apps(after, limit)]

    async def changed_since(self, revision_us: int, limit: int = 500) -> list[App]:
        """Return apps that changed since this revision, removed ones too (`deleted`), the oldest change first.

        A revision is the time of the change on the webapp that made it, and is seen once the change is done: who looks
        every second looks again at the last ten seconds or so. Not cached; asks every shard.
        """
        return [app_of(row) for row in await self._store.changed_since(revision_us, limit)]

    async def of_caller(self, caller: Caller) -> App:
        """Return the app whose token calls. Refused `not_allowed_token_type` for people and for bots without one."""
        app = await self.app(caller.team_id, caller.app_id)
        if app is None:
            raise Refused("not_allowed_token_type")
        return app

    async def of_client(self, client_id: str) -> App:
        """Return the app with this client id. Refused `invalid_client_id`."""
        ids = client_ids(client_id)
        app = await self.app(*ids) if ids else None
        if app is None:
            raise Refused("invalid_client_id")
        return app

    async def with_command(self, team_id: str, name: str) -> App | None:
        """Return the app that has this slash command; of several the one with the lowest id."""

        async def load() -> Json:
            found: dict[str, str] = {}
            for app in await self.apps_of(team_id):
                for command in app.commands:
                    found.setdefault(command.name, app.id)
            return found

        app = await self.app(team_id, (await self._lookups.commands(team_id, load)).get(name, ""))
        # It may have lost the command since the table was made.
        return app if app is not None and app.command(name) is not None else None
