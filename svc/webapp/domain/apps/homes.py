"""Homes: what each app shows each person in a place of its own; and that it hears when somebody comes by."""

from __future__ import annotations

from parley.event.v1 import event_pb2
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Draft, Json, Write
from svc.webapp.domain.apps.directory import AppDirectory
from svc.webapp.domain.apps.model import App
from svc.webapp.domain.apps.views import Views
from svc.webapp.domain.conversations.direct import DirectMessages
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused

__all__ = ["EVENT", "Homes"]

EVENT = "app_home_opened"
TABS = ("home", "messages", "about")
"""Slack's."""


class Homes:
    """Opens homes. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(self, apps: AppDirectory, views: Views, direct: DirectMessages, writes: Writes) -> None:
        self._apps = apps
        self._views = views
        self._direct = direct
        self._writes = writes

    async def open(self, caller: Caller, app_id: str, tab: str) -> Json | None:
        """Return what an app shows the caller at home, None when nothing; and tell the app that the caller came.

        `tab`: which of the home's pages; the app is told what it shows only with "home". The event is one of the bot's
        user, kept like any other, so an app that is away hears of it later. It names the direct message of the two,
        which is there from now on. Refused `app_not_found`, `invalid_arguments`.
        """
        if tab not in TABS:
            raise Refused("invalid_arguments")
        view = await self._views.home(caller, app_id)
        app = await self._apps.app(caller.team_id, app_id)
        if app is not None and EVENT in app.event_types:
            await self._tell(caller, app, tab, view if tab == "home" else None)
        return view

    async def _tell(self, caller: Caller, app: App, tab: str, view: Json | None) -> None:
        sight = await self._direct.with_user(caller, app.user_id)
        event: Json = {"type": EVENT, "user": caller.user_id, "channel": sight.conversation.id, "tab": tab}
        if view is not None:
            event["view"] = view
        draft = Draft(event_pb2.EVENT_KIND_USER, lambda _: dict(event), sender_id=caller.user_id)
        await self._writes.commit(Write(app.user_id, (draft,)))
