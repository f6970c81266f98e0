"""What people do to an app in a message: clicks, menus that load their options, and shortcuts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from svc.kit.clock import Clock
from svc.kit.ids import ts_from_us
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.log import Json
from svc.webapp.domain.apps import payloads
from svc.webapp.domain.apps.commands import who_and_where
from svc.webapp.domain.apps.delivery import Delivery
from svc.webapp.domain.apps.directory import AppDirectory
from svc.webapp.domain.apps.elements import checked_state, used
from svc.webapp.domain.apps.model import App
from svc.webapp.domain.apps.passes import Passes, ResponsePass
from svc.webapp.domain.apps.seals import Seals
from svc.webapp.domain.apps.views import Views
from svc.webapp.domain.connect import Origin
from svc.webapp.domain.conversations.directory import Directory
from svc.webapp.domain.messages.reading import Reading
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import Conversation
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["Actions", "Container"]


@dataclass(frozen=True, slots=True)
class Container:
    """Where something was clicked: in a message or in a view."""

    channel_id: str = ""
    ts_us: int = 0
    is_ephemeral: bool = False
    """Nobody keeps such a message, so it comes along with its seal."""
    bot_id: str = ""
    blocks: Sequence[object] = ()
    seal: str = ""
    """Of an ephemeral message, as its event told them."""
    view_id: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """A container as the app is told of it."""

    app: App
    blocks: Sequence[object]
    told: Json
    """The part of the payload that says where."""
    response: ResponsePass | None = None


class Actions:
    """Tells apps what people do. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self,
        apps: AppDirectory,
        directory: Directory,
        channels: ChannelStore,
        workspaces: WorkspaceStore,
        reading: Reading,
        lookups: Lookups,
        views: Views,
        delivery: Delivery,
        passes: Passes,
        seals: Seals,
        clock: Clock,
    ) -> None:
        self._apps = apps
        self._directory = directory
        self._channels = channels
        self._workspaces = workspaces
        self._reading = reading
        self._lookups = lookups
        self._views = views
        self._delivery = delivery
        self._passes = passes
        self._seals = seals
        self._clock = clock

    async def click(
        self,
        caller: Caller,
        origin: Origin,
        container: Container,
        actions: Sequence[object],
        state: Mapping[str, object],
    ) -> None:
        """Tell an app that a person used its buttons or menus. What it acks with is of no account.

        Refused `channel_not_found`, `message_not_found`, `view_not_found`, `app_not_found` (nobody's message),
        `invalid_action`, `invalid_arguments`, `too_long`, `operation_timeout`.
        """
        place = await self._place(caller, container)
        filled = checked_state(state)
        checked = used(place.blocks, actions, self._now_ts())
        team, user = await who_and_where(self._lookups, caller)
        trigger = self._passes.trigger(caller.team_id, place.app.id, user.id, container.view_id)
        payload = payloads.interaction("block_actions", place.app, team, user, trigger)
        payload |= {**place.told, "state": filled, "actions": checked}
        if place.response is not None:
            payload["response_url"] = self._passes.response_url(origin, place.response)
        await self._delivery.deliver(place.app, "interactive", payload)

    async def options(self, caller: Caller, container: Container, block_id: str, action_id: str, value: str) -> Json:
        """Return what a menu offers for what a person has typed: `options` or `option_groups`, as the app says.

        Refused as `click`.
        """
        place = await self._place(caller, container)
        used(place.blocks, [{"block_id": block_id, "action_id": action_id}], "")
        team, user = await who_and_where(self._lookups, caller)
        payload = payloads.interaction("block_suggestion", place.app, team, user)
        payload |= {**place.told, "block_id": block_id, "action_id": action_id, "value": value}
        answer = await self._delivery.deliver(place.app, "interactive", payload) or {}
        return {name: answer[name] for name in ("options", "option_groups") if isinstance(answer.get(name), list)}

    async def shortcut(
        self, caller: Caller, origin: Origin, app_id: str, callback_id: str, channel_id: str = "", ts_us: int = 0
    ) -> None:
        """Tell an app that a person asked for one of its shortcuts, out of nowhere or about a message.

        Refused `app_not_found`, `shortcut_not_found`, `channel_not_found`, `message_not_found`, `operation_timeout`.
        """
        app = await self._apps.app(caller.team_id, app_id)
        if app is None:
            raise Refused("app_not_found")
        is_of_message = bool(channel_id)
        found = next((each for each in app.shortcuts if each.callback_id == callback_id), None)
        if found is None or found.is_of_message != is_of_message:
            raise Refused("shortcut_not_found")
        team, user = await who_and_where(self._lookups, caller)
        trigger = self._passes.trigger(caller.team_id, app.id, user.id)
        kind = "message_action" if is_of_message else "shortcut"
        payload = payloads.interaction(kind, app, team, user, trigger)
        payload |= {"callback_id": callback_id, "action_ts": self._now_ts()}
        if is_of_message:
            conversation, message = await self._message(caller, channel_id, ts_us)
            asked = ResponsePass(app.team_id, app.id, channel_id, user.id)
            payload |= {
                "message_ts": message["ts"],
                "message": message,
                "channel": _channel(conversation),
                "response_url": self._passes.response_url(origin, asked),
            }
        await self._delivery.deliver(app, "interactive", payload)

    async def _place(self, caller: Caller, container: Container) -> _Place:
        if container.view_id:
            app, view = await self._views.shown(caller, container.view_id)
            told: Json = {"container": {"type": "view", "view_id": container.view_id}, "view": view}
            return _Place(app, view["blocks"], told)
        if container.is_ephemeral:
            return await self._ephemeral(caller, container)
        conversation, message = await self._message(caller, container.channel_id, container.ts_us)
        app = await self._app_of(caller, str(message.get("bot_id", "")), str(message.get("app_id", "")))
        blocks = [*message.get("blocks", ())]
        for attachment in message.get("attachments", ()):
            inner = attachment.get("blocks")
            blocks += inner if isinstance(inner, list) else ()
        return self._in_channel(caller, container, conversation, app, blocks, {"message": message})

    async def _ephemeral(self, caller: Caller, container: Container) -> _Place:
        shown = (caller.user_id, container.channel_id, ts_from_us(container.ts_us), container.bot_id, container.blocks)
        if not self._seals.is_sealed(container.seal, *shown):
            raise Refused("message_not_found")
        sight = await self._directory.see(caller, container.channel_id)
        app = await self._app_of(caller, container.bot_id, "")
        return self._in_channel(caller, container, sight.conversation, app, container.blocks, {})

    def _in_channel(
        self,
        caller: Caller,
        container: Container,
        conversation: Conversation,
        app: App,
        blocks: Sequence[object],
        more: Json,
    ) -> _Place:
        told: Json = {
            "container": {
                "type": "message",
                "message_ts": ts_from_us(container.ts_us),
                "channel_id": conversation.id,
                "is_ephemeral": container.is_ephemeral,
            },
            "channel": _channel(conversation),
            **more,
        }
        asked = ResponsePass(
            app.team_id, app.id, conversation.id, caller.user_id, container.ts_us, container.is_ephemeral
        )
        return _Place(app, blocks, told, asked)

    async def _message(self, caller: Caller, channel_id: str, ts_us: int) -> tuple[Conversation, Json]:
        sight = await self._directory.see(caller, channel_id)
        sight.check_readable(caller)
        row = await self._channels.message(channel_id, ts_us)
        if row is None:
            raise Refused("message_not_found")
        return sight.conversation, await self._reading.one(sight.conversation, row)

    async def _app_of(self, caller: Caller, bot_id: str, app_id: str) -> App:
        if bot_id and not app_id:
            bot = await self._workspaces.bot(caller.team_id, bot_id)
            app_id = bot.app_id if bot else ""
        app = await self._apps.app(caller.team_id, app_id)
        if app is None:
            raise Refused("app_not_found")
        return app

    def _now_ts(self) -> str:
        return ts_from_us(self._clock.wall_us())


def _channel(conversation: Conversation) -> Json:
    return {"id": conversation.id, "name": payloads.channel_name(conversation)}
