"""How apps come to be, change and go, with their bots.

Operators do this from the command line, admins of a workspace through `apps.*`.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, replace

from svc.kit.clock import Clock
from svc.kit.ids import IdMint
from svc.webapp.commit.app_step import app_effect
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import PutUser, Write
from svc.webapp.domain import shapes
from svc.webapp.domain.apps.directory import APPS_MAX, AppDirectory
from svc.webapp.domain.apps.installing import secret_hash
from svc.webapp.domain.apps.model import App, app_of, row_of
from svc.webapp.domain.apps.settings import AppChange, changed, handle_of, name_of
from svc.webapp.domain.apps.tokens import AppTokens
from svc.webapp.domain.people.accounts import Accounts
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.apps import AppStore
from svc.webapp.store.rows import Bot, User
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["AppMaking", "Made"]

_HANDLES_TRIED_MAX = 20
"""The handle itself, then with 2, 3, … after it."""


@dataclass(frozen=True, slots=True)
class Made:
    """An app that was just made, with what is shown once."""

    app: App
    client_secret: str
    bot_name: str


class AppMaking:
    """Makes and changes apps. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self,
        directory: AppDirectory,
        store: AppStore,
        accounts: Accounts,
        workspaces: WorkspaceStore,
        tokens: AppTokens,
        writes: Writes,
        clock: Clock,
        mint: IdMint,
    ) -> None:
        self._directory = directory
        self._store = store
        self._accounts = accounts
        self._workspaces = workspaces
        self._tokens = tokens
        self._writes = writes
        self._clock = clock
        self._mint = mint

    async def check_admin(self, caller: Caller) -> None:
        """Refused `not_an_admin` unless the caller is one now, by the database."""
        user = await self._workspaces.user(caller.team_id, caller.user_id)
        if user is None or user.deleted or not (user.is_admin or user.is_owner):
            raise Refused("not_an_admin")

    async def create(
        self, team_id: str, name: str, change: AppChange, *, bot_name: str = "", creator_id: str = ""
    ) -> Made:
        """Make an app and its bot, with the settings of `change`.

        `bot_name`: the bot's handle; "" makes one of the app's name. Refused `name_taken`, `too_many_apps`,
        `command_taken`, and as the settings' checks do. A crash in between leaves a bot without an app.
        """
        now_s = self._now_s()
        secret = secrets.token_hex(16)
        app = App(
            team_id=team_id,
            id=self._mint.mint("A"),
            name=name_of(name),
            user_id=self._mint.mint("U"),
            bot_id=self._mint.mint("B"),
            creator_id=creator_id,
            secret_hash=secret_hash(secret),
            signing_secret=secrets.token_hex(16),
            verification_token=secrets.token_hex(12),
            created_s=now_s,
        )
        app = changed(app, change)
        await self._check_commands(app)
        if await self._store.count_apps(team_id) >= APPS_MAX:
            raise Refused("too_many_apps")
        handle = await self._handle(team_id, bot_name or handle_of(app.name), is_wanted=bool(bot_name))
        await self._workspaces.put_bot(Bot(app.bot_id, team_id, app.user_id, app.id, app.name, updated_s=now_s))
        await self._accounts.person(
            User(app.user_id, team_id, handle, app.name, is_bot=True, bot_id=app.bot_id, app_id=app.id)
        )
        await self._put(app)
        return Made(app, secret, handle)

    async def _handle(self, team_id: str, wanted: str, *, is_wanted: bool) -> str:
        handle = handle_of(wanted)
        for number in range(1, 2 if is_wanted else _HANDLES_TRIED_MAX):
            tried = handle if number == 1 else f"{handle}-{number}"
            if await self._workspaces.user_by_name(team_id, tried) is None:
                return tried
        raise Refused("name_taken")

    async def change(self, team_id: str, app_id: str, change: AppChange) -> App:
        """Change an app's settings, and return it. Of two changes at once the later one's settings hold.

        Refused `app_not_found`, `command_taken`, and as the settings' checks do. Tokens keep the scopes that they have.
        """
        app = changed(await self._now(team_id, app_id), change)
        await self._check_commands(app)
        await self._put(app)
        if change.name is not None:
            bot = Bot(app.bot_id, team_id, app.user_id, app.id, app.name, updated_s=self._now_s())
            await self._workspaces.put_bot(bot)
        return app

    async def new_secrets(self, team_id: str, app_id: str) -> tuple[App, str]:
        """Give an app a new client secret (returned, shown once) and signing secret. Refused `app_not_found`."""
        secret = secrets.token_hex(16)
        app = await self._now(team_id, app_id)
        app = replace(app, secret_hash=secret_hash(secret), signing_secret=secrets.token_hex(16))
        await self._put(app)
        return app, secret

    async def bot_token(self, app: App, scopes: str = "") -> str:
        """Issue a token of the app's bot, and return it: this is the only time that it can be seen.

        It has the app's scopes unless others are given; an app without any gets a classic bot's.
        """
        return await self._tokens.of_bot(app, scopes)

    async def app_token(self, app: App) -> str:
        """Issue a token of the app as such, for Socket Mode."""
        return await self._tokens.of_app(app)

    async def uninstall(self, app: App) -> None:
        """Revoke all that speaks for the app, or that it speaks with for people: tokens and webhooks.

        The app stays, and may be installed again.
        """
        await self._tokens.revoke_all(app)
        await self._store.disable_webhooks(app.team_id, app.id, self._now_s())

    async def delete(self, team_id: str, app_id: str) -> App:
        """Remove an app for good: it is uninstalled, and its bot deactivated. Refused `app_not_found`."""
        app = replace(await self._now(team_id, app_id), deleted=True)
        await self._put(app)
        await self.uninstall(app)
        now_s = self._now_s()
        await self._workspaces.put_bot(
            Bot(app.bot_id, team_id, app.user_id, app.id, app.name, deleted=True, updated_s=now_s)
        )
        user = await self._workspaces.user(team_id, app.user_id)
        if user is not None and not user.deleted:
            gone = replace(user, deleted=True, updated_s=now_s)
            told = {"type": "user_change", "user": shapes.user(gone, now_s=now_s), "cache_ts": now_s}
            await self._writes.commit(Write(team_id, effects=(PutUser(asdict(gone), told),)))
        return app

    async def _now(self, team_id: str, app_id: str) -> App:
        row = await self._store.app(team_id, app_id)
        if row is None or row.deleted:
            raise Refused("app_not_found")
        return app_of(row)

    async def _check_commands(self, app: App) -> None:
        if app.commands:
            others = [other for other in await self._directory.apps_of(app.team_id) if other.id != app.id]
            taken = {command.name: other for other in others for command in other.commands}
            for command in app.commands:
                if command.name in taken:
                    other = taken[command.name]
                    said = f"{command.name} is a command of the app {other.name} ({other.id})"
                    raise Refused("command_taken", {"response_metadata": {"messages": [f"[ERROR] {said}"]}})

    async def _put(self, app: App) -> None:
        await self._writes.commit(Write(app.team_id, effects=(app_effect(row_of(app)),)))

    def _now_s(self) -> int:
        return self._clock.wall_us() // 1_000_000
