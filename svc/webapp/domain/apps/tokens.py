"""Tokens that an app is given: of its bot, of itself, and of people who let it speak for them.

Each is shown once, and lies under the user that it speaks for. Who gave an app a token of their own is noted beside the
app, before the token is made, so that all of them are found when it goes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import SystemRandom

from svc.kit.clock import Clock
from svc.kit.tokens import new_token, token_hash
from svc.webapp.cache.lookups import Lookups
from svc.webapp.domain.apps.model import App
from svc.webapp.domain.people.accounts import BOT_SCOPES, Accounts
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.app_rows import AppGrant
from svc.webapp.store.apps import AppStore
from svc.webapp.store.rows import Token, TokenKind
from svc.webapp.store.user import UserStore
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["APP_SCOPES", "LIVING_MAX", "AppTokens"]

APP_SCOPES = "connections:write"
"""What a token of an app as such may: open Socket Mode connections."""
LIVING_MAX = 20
"""Tokens of one person that one app has; the oldest is revoked for another one. Slack gives the same one again."""
_PAGE = 100
"""Grants read at once."""


class AppTokens:
    """Makes and revokes them. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self,
        store: AppStore,
        users: UserStore,
        workspaces: WorkspaceStore,
        accounts: Accounts,
        lookups: Lookups,
        clock: Clock,
    ) -> None:
        self._store = store
        self._users = users
        self._workspaces = workspaces
        self._accounts = accounts
        self._lookups = lookups
        self._clock = clock

    async def of_bot(self, app: App, scopes: str = "") -> str:
        """Issue a token of the app's bot. It has the app's scopes unless others are given; without any, a classic
        bot's.
        """
        scopes = scopes or ",".join(app.scopes) or BOT_SCOPES
        return await self._issue("xoxb", app, app.user_id, TokenKind.BOT, scopes, app.bot_id)

    async def of_app(self, app: App) -> str:
        """Issue a token of the app as such, for Socket Mode."""
        return await self._issue("xapp", app, app.user_id, TokenKind.APP, APP_SCOPES, app.bot_id)

    async def of_person(self, app: App, user_id: str, scopes: str) -> str:
        """Issue a token that speaks for a person as far as `scopes` say. Refused `account_inactive`, `app_not_found`.

        An empty `scopes` would be a person's own token, which may everything: ValueError.
        """
        if not scopes:
            raise ValueError("a token of a person that an app is given has scopes")
        await self._store.add_grant(AppGrant(app.team_id, app.id, user_id, self._now_s()))
        token = await self._issue("xoxp", app, user_id, TokenKind.USER, scopes)
        # Now that it is there: whoever deactivates the person, or removes the app, revokes what is there after that.
        user = await self._workspaces.user(app.team_id, user_id)
        row = await self._store.app(app.team_id, app.id)
        if user is None or user.deleted or row is None or row.deleted:
            await self._accounts.revoke(user_id, token_hash(token))
            raise Refused("app_not_found" if user is not None and not user.deleted else "account_inactive")
        living = sorted(await self._living(app, user_id), key=lambda each: (each.created_s, each.token_hash))
        for old in living[:-LIVING_MAX]:
            await self._accounts.revoke(user_id, old.token_hash)
        return token

    async def scopes_of_bot(self, app: App) -> frozenset[str]:
        """Return what the bot's living tokens may between them."""
        tokens = [each for each in await self._living(app, app.user_id) if each.kind is TokenKind.BOT]
        return frozenset(scope for each in tokens for scope in each.scopes.split(","))

    async def revoke_all(self, app: App) -> None:
        """Revoke every token that the app was given, whoever it speaks for."""
        async for user_id in self._spoken_for(app):
            for token in await self._living(app, user_id):
                await self._accounts.revoke(user_id, token.token_hash)

    async def _spoken_for(self, app: App) -> AsyncIterator[str]:
        yield app.user_id
        after = ""
        while page := await self._store.grants(app.team_id, app.id, after, _PAGE):
            for grant in page:
                yield grant.user_id
            after = page[-1].user_id

    async def _living(self, app: App, user_id: str) -> list[Token]:
        found = await self._users.tokens(user_id)
        return [each for each in found if each.app_id == app.id and not each.revoked_s]

    async def _issue(self, prefix: str, app: App, user_id: str, kind: TokenKind, scopes: str, bot_id: str = "") -> str:
        token = new_token(prefix, app.team_id, user_id, SystemRandom())
        hashed = token_hash(token)
        await self._users.add_token(
            Token(user_id, hashed, kind, app.team_id, bot_id, app.id, scopes, created_s=self._now_s())
        )
        await self._lookups.forget_token(hashed)
        return token

    def _now_s(self) -> int:
        return self._clock.wall_us() // 1_000_000
