"""How an app gets tokens by a code: who may give it which, where a browser goes with the code, and what it becomes.

A code comes from an admin or an operator (`apps.install`, `parley app install`), or from a person's own consent on the
page of `/oauth/v2/authorize`. What a code is good for is decided when it is made.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from svc.kit.clock import Clock
from svc.webapp.domain.apps.directory import AppDirectory
from svc.webapp.domain.apps.model import App
from svc.webapp.domain.apps.redirects import WEBHOOK_SCOPE, Asked, asked_scopes, redirect_to
from svc.webapp.domain.apps.settings import scopes_of, user_scopes_of
from svc.webapp.domain.apps.tokens import AppTokens
from svc.webapp.domain.apps.webhooks import NewWebhook, Webhooks
from svc.webapp.domain.people.accounts import BOT_SCOPES
from svc.webapp.domain.people.caller import CLASSIC_SCOPES, Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.app_rows import AppCode
from svc.webapp.store.apps import AppStore
from svc.webapp.store.rows import TokenKind
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["CODE_S", "Consent", "Grant", "GrantedWebhook", "Installing", "secret_hash"]

CODE_S = 600
"""How long a code is good; Slack's."""


@dataclass(frozen=True, slots=True)
class GrantedWebhook:
    """A webhook that was made for a code."""

    made: NewWebhook
    label: str
    """Of where it posts: `#general`, `@ada`."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code was changed for."""

    app: App
    installer_id: str
    token: str = ""
    """The bot's; "" when only the installer's own was asked for."""
    scopes: str = ""
    user_token: str = ""
    """The installer's; "" when there was to be none."""
    user_scopes: str = ""
    webhook: GrantedWebhook | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """What an app asks a person for, found in order."""

    app: App
    scopes: tuple[str, ...]
    """Of the bot."""
    user_scopes: tuple[str, ...]
    redirect_uri: str
    """As it was named, "" when it was not; to be named alike when the code is changed."""
    goes_to: str
    """Where the browser goes with the code."""

    @property
    def wants_channel(self) -> bool:
        """Whether the person has to choose a conversation that a webhook posts into."""
        return WEBHOOK_SCOPE in self.scopes or WEBHOOK_SCOPE in self.user_scopes


class Installing:
    """Gives codes and changes them. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self,
        directory: AppDirectory,
        store: AppStore,
        workspaces: WorkspaceStore,
        tokens: AppTokens,
        webhooks: Webhooks,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._store = store
        self._workspaces = workspaces
        self._tokens = tokens
        self._webhooks = webhooks
        self._clock = clock

    async def install(
        self, app: App, installer_id: str, scopes: str = "", redirect_uri: str = "", user_scopes: str = ""
    ) -> str:
        """Return a code that `exchange` changes for a token of the bot, once and within CODE_S.

        With `user_scopes` also for one of the installer's own. Without `scopes` the bot gets the app's, or may what a
        classic bot may. Refused `invalid_scope`.
        """
        granted = scopes_of(scopes.split(",")) or app.scopes or tuple(BOT_SCOPES.split(","))
        return await self._code(app, installer_id, granted, user_scopes_of(user_scopes.split(",")), redirect_uri)

    async def check_consent(self, caller: Caller, asked: Asked) -> Consent:
        """Return what is asked of the caller. Refused `invalid_client_id`, `invalid_team_for_non_distributed_app`
        (it is an app of another workspace), `bad_redirect_uri`, `invalid_scope`, `no_scopes`, `not_allowed_token_type`
        (bots consent to nothing), `not_an_admin` (only an admin lets a bot do more than it may already), and
        `too_many_webhooks` when it asks for one more than it may have.
        """
        app = await self._directory.of_client(asked.client_id)
        if app.team_id != caller.team_id:
            raise Refused("invalid_team_for_non_distributed_app")
        goes_to = redirect_to(app, asked.redirect_uri)
        scopes, user_scopes = asked_scopes(asked)
        if caller.is_bot:
            raise Refused("not_allowed_token_type")
        if scopes and not await self._is_admin(caller):
            given = await self._tokens.scopes_of_bot(app)
            if CLASSIC_SCOPES.isdisjoint(given) and not given.issuperset(scopes):
                raise Refused("not_an_admin")
        found = Consent(app, scopes, user_scopes, asked.redirect_uri, goes_to)
        if found.wants_channel:
            await self._webhooks.check_room(app)
        return found

    async def consent(self, caller: Caller, asked: Asked, channel: str = "") -> tuple[Consent, str]:
        """Give what is asked for: return a code for it. Refused as `check_consent` says.

        `channel` (an id, `#name` or `name`) is where a webhook may post, and means nothing unless one is asked for.
        Refused for it as `Webhooks.place` says.
        """
        found = await self.check_consent(caller, asked)
        channel_id = ""
        if found.wants_channel:
            channel_id = (await self._webhooks.place(caller, channel)).conversation.id
        code = await self._code(
            found.app, caller.user_id, found.scopes, found.user_scopes, found.redirect_uri, channel_id
        )
        return found, code

    async def _code(
        self,
        app: App,
        installer_id: str,
        scopes: tuple[str, ...],
        user_scopes: tuple[str, ...],
        redirect_uri: str,
        channel_id: str = "",
    ) -> str:
        code = secrets.token_urlsafe(24)
        now_s = self._now_s()
        row = AppCode(
            app.team_id,
            secret_hash(code),
            app.id,
            installer_id,
            ",".join(scopes),
            redirect_uri[:1_000],
            now_s + CODE_S,
            ",".join(user_scopes),
            channel_id,
        )
        await self._store.add_code(row, now_s)
        return code

    async def exchange(self, client_id: str, client_secret: str, code: str, redirect_uri: str = "") -> Grant:
        """Change a code for what it is good for: a token of the app's bot, of its installer, or one of each, and a
        webhook if a conversation was chosen for one.

        Refused `invalid_client_id`, `bad_client_secret`, `invalid_code` (used, expired, another app's, of a person who
        left, or who may not post any more where a webhook was to), `bad_redirect_uri`, `too_many_webhooks`. A crash
        after the code was taken loses it.
        """
        app = await self.authenticated(client_id, client_secret)
        taken = await self._store.take_code(app.team_id, secret_hash(code))
        if taken is None or taken.app_id != app.id or taken.until_s <= self._now_s():
            raise Refused("invalid_code")
        if taken.redirect_uri != redirect_uri:
            raise Refused("bad_redirect_uri")
        # First of all, as it is what may be refused: no token is then left that nobody was told.
        webhook = await self._webhook(app, taken) if taken.channel_id else None
        user_token = ""
        if taken.user_scopes:
            try:
                user_token = await self._tokens.of_person(app, taken.installer_id, taken.user_scopes)
            except Refused:
                raise Refused("invalid_code") from None
        # One without either was made by a version that knew of bots alone.
        scopes = taken.scopes or ("" if user_token else BOT_SCOPES)
        token = await self._tokens.of_bot(app, scopes) if scopes else ""
        return Grant(app, taken.installer_id, token, scopes, user_token, taken.user_scopes, webhook)

    async def _webhook(self, app: App, taken: AppCode) -> GrantedWebhook:
        """Make the webhook of a code, by the leave of who consented as far as it still holds."""
        installer = await self._workspaces.user(app.team_id, taken.installer_id)
        if installer is None or installer.deleted:
            raise Refused("invalid_code")
        person = Caller(app.team_id, taken.installer_id, TokenKind.USER)
        try:
            sight = await self._webhooks.place(person, taken.channel_id)
        except Refused:
            raise Refused("invalid_code") from None
        made = await self._webhooks.create(app, sight.conversation)
        return GrantedWebhook(made, await self._webhooks.label(person, sight))

    async def authenticated(self, client_id: str, client_secret: str) -> App:
        """Return the app whose id and secret these are. Refused `invalid_client_id`, `bad_client_secret`."""
        app = await self._directory.of_client(client_id)
        if not hmac.compare_digest(secret_hash(client_secret), app.secret_hash):
            raise Refused("bad_client_secret")
        return app

    async def _is_admin(self, caller: Caller) -> bool:
        user = await self._workspaces.user(caller.team_id, caller.user_id)
        return user is not None and not user.deleted and (user.is_admin or user.is_owner)

    def _now_s(self) -> int:
        return self._clock.wall_us() // 1_000_000


def secret_hash(secret: str) -> bytes:
    """Return what is stored of a secret or a code."""
    return hashlib.sha256(secret.encode()).digest()
