"""Incoming webhooks: addresses at which whoever knows one may post into one conversation, as a bot of their own."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace

from svc.kit.clock import Clock
from svc.kit.ids import IdMint, is_id
from svc.webapp.cache.lookups import Lookups
from svc.webapp.domain.apps.directory import AppDirectory
from svc.webapp.domain.apps.model import App
from svc.webapp.domain.apps.settings import name_of
from svc.webapp.domain.apps.speech import guest
from svc.webapp.domain.conversations.directory import Directory, Sight
from svc.webapp.domain.messages.messages import Messages, Posted
from svc.webapp.domain.messages.posts import Post
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.app_rows import Webhook
from svc.webapp.store.apps import AppStore
from svc.webapp.store.rows import Bot, Conversation, ConversationKind
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["WEBHOOKS_MAX", "WEBHOOK_PATH", "NewWebhook", "Webhooks"]

WEBHOOKS_MAX = 100
"""Of an app."""
WEBHOOK_PATH = "services/"
"""Where webhooks are, below the installation's address."""


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A webhook with its secret, which is shown this once."""

    webhook: Webhook
    token: str

    @property
    def path(self) -> str:
        """Where it is, below the installation's address."""
        return f"{WEBHOOK_PATH}{self.webhook.team_id}/{self.webhook.id}/{self.token}"


class Webhooks:
    """Makes webhooks, and posts for them. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self,
        apps: AppDirectory,
        store: AppStore,
        workspaces: WorkspaceStore,
        directory: Directory,
        lookups: Lookups,
        messages: Messages,
        clock: Clock,
        mint: IdMint,
    ) -> None:
        self._apps = apps
        self._store = store
        self._workspaces = workspaces
        self._directory = directory
        self._lookups = lookups
        self._messages = messages
        self._clock = clock
        self._mint = mint

    async def create(self, app: App, conversation: Conversation, name: str = "") -> NewWebhook:
        """Make a webhook of an app into a conversation of its workspace, under the app's name or another one.

        The app's bot need not be in it. Refused `channel_not_found`, `too_many_webhooks`, `invalid_name`.
        """
        if conversation.team_id != app.team_id:
            raise Refused("channel_not_found")
        await self.check_room(app)
        token, now_s = secrets.token_hex(12), self._clock.wall_us() // 1_000_000
        webhook = Webhook(
            team_id=app.team_id,
            id=self._mint.mint("B"),
            app_id=app.id,
            user_id=app.user_id,
            channel_id=conversation.id,
            name=name_of(name or app.name),
            token_hash=_hash(token),
            created_s=now_s,
        )
        bot = Bot(webhook.id, app.team_id, app.user_id, app.id, webhook.name, updated_s=now_s)
        await self._workspaces.put_bot(bot)
        await self._store.put_webhook(webhook)
        return NewWebhook(webhook, token)

    async def place(self, caller: Caller, reference: str) -> Sight:
        """Return the conversation (an id, `#name` or `name`) that somebody lets a webhook post into.

        Who lets it may post there: refused `no_channel` for "", `channel_not_found`, `not_in_channel`, `is_archived`.
        """
        if not reference.strip():
            raise Refused("no_channel")
        sight = await self._directory.find(caller, reference)
        sight.check_writable()
        return sight

    async def label(self, caller: Caller, sight: Sight) -> str:
        """Return what a conversation is called towards an app: `#general`, or `@ada` for the caller's IM with her."""
        if sight.conversation.kind is not ConversationKind.IM:
            return f"#{sight.conversation.name}"
        peer_id = (await self._directory.with_peer(caller, sight)).peer_user_id
        peer = await self._lookups.user(caller.team_id, peer_id)
        return f"@{peer.name if peer is not None else peer_id}"

    async def check_room(self, app: App) -> None:
        """Refused `too_many_webhooks` when an app has as many as it may."""
        if len(await self._store.webhooks(app.team_id, app.id, WEBHOOKS_MAX)) >= WEBHOOKS_MAX:
            raise Refused("too_many_webhooks")

    async def of_app(self, app: App) -> list[Webhook]:
        """Return an app's webhooks, the disabled ones too."""
        return await self._store.webhooks(app.team_id, app.id, WEBHOOKS_MAX)

    async def disable(self, app: App, webhook_id: str) -> bool:
        """Let a webhook work no longer; False when it did not."""
        now_s = self._clock.wall_us() // 1_000_000
        return await self._store.disable_webhooks(app.team_id, app.id, now_s, webhook_id) > 0

    async def post(self, team_id: str, webhook_id: str, token: str, post: Post) -> Posted:
        """Post as a webhook does: a bot_message, under its own name unless the post brings one.

        Refused `no_service` (unknown, disabled, or its app was removed), `invalid_token`, and as Messages.post does.
        """
        if not is_id(team_id, "T") or not is_id(webhook_id, "B"):
            raise Refused("no_service")
        webhook = await self._store.webhook(team_id, webhook_id)
        if webhook is None or webhook.disabled_s:
            raise Refused("no_service")
        if not hmac.compare_digest(_hash(token), webhook.token_hash):
            raise Refused("invalid_token")
        app = await self._apps.app(team_id, webhook.app_id)
        if app is None:
            raise Refused("no_service")
        named = post if post.username else replace(post, username=webhook.name)
        caller = guest(app, webhook.channel_id, bot_id=webhook.id)
        return await self._messages.post(caller, webhook.channel_id, named)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
