"""A workspace of its own with an app in it, whose answers a test decides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from svc.webapp.domain.apps.delivery import Interaction
from svc.webapp.domain.apps.making import Made
from svc.webapp.domain.apps.model import App, Command, Shortcut
from svc.webapp.domain.apps.settings import AppChange
from svc.webapp.store.rows import User
from tests.svc.webapp.api.office import Office, Someone

Json = dict[str, Any]
SETTINGS = AppChange(
    event_types=["message.channels"],
    is_socket_mode=True,
    commands=[Command("/deploy", description="Deploy it", usage_hint="[what]")],
    shortcuts=[Shortcut("new", "New ticket"), Shortcut("about", "About this", is_of_message=True)],
)


@dataclass
class Workshop:
    """Root is an admin; pat and kim are members; `ci` is the app, and `bot` calls with its token."""

    office: Office
    team_id: str
    root: Someone
    pat: Someone
    kim: Someone
    made: Made
    bot: Someone
    room: str
    """A public channel that pat has made and kim is in; the app's bot is not."""
    answers: dict[Interaction, Json | None] = field(default_factory=dict)
    told: list[tuple[Interaction, Json]] = field(default_factory=list)

    @property
    def app(self) -> App:
        return self.made.app

    @property
    def root_url(self) -> str:
        return self.office.base.removesuffix("api/")

    def answer(self, kind: Interaction, payload: Json) -> Json | None:
        self.told.append((kind, payload))
        return self.answers.get(kind)

    def last(self) -> Json:
        """The payload that the app was given last."""
        return self.told[-1][1]

    def events(self, channel_id: str, kind: str = "message") -> list[Json]:
        """What a channel's sockets get of one type, in order."""
        return [each for each in self.office.payloads(channel_id) if each and each.get("type") == kind]

    async def history(self, channel_id: str = "") -> list[Json]:
        """Messages that people wrote, the newest first."""
        found = await self.pat.ok("conversations.history", channel=channel_id or self.room)
        return [each for each in found["messages"] if each.get("subtype") not in ("channel_join", "group_join")]

    async def post(self, url: str, body: object, **more: Any) -> tuple[int, str]:
        """POST JSON (or what else aiohttp takes as `data`) to an address; return status and text."""
        form = {"json": body} if isinstance(body, dict) else {"data": body}
        async with self.office.http.post(url, **form, **more) as answer:
            return answer.status, await answer.text()


def someone(office: Office, user: User, token: str) -> Someone:
    return Someone(user, token, office.base, office.http)


@asynccontextmanager
async def workshop(office: Office, domain: str, *, scopes: str = "") -> AsyncIterator[Workshop]:
    """Make one; its app answers until the block ends."""
    accounts, apps = office.services.accounts, office.services.apps
    team, _ = await accounts.team("Workshop", domain)
    admin = await accounts.person(User("", team.id, "root", is_admin=True))
    people = await office.hire(team.id, ["pat", "kim"])
    change = SETTINGS if not scopes else AppChange(**{**_fields(SETTINGS), "scopes": scopes.split(",")})
    made = await apps.making.create(team.id, "Ci Runner", change)
    user = await office.services.workspaces.user(team.id, made.app.user_id)
    assert user is not None
    bot = someone(office, user, await apps.making.bot_token(made.app))
    pat, kim = people["pat"], people["kim"]
    room = (await pat.ok("conversations.create", name="room"))["channel"]["id"]
    await pat.ok("conversations.invite", channel=room, users=kim.id)
    root = someone(office, admin, await accounts.token_for(admin))
    shop = Workshop(office, team.id, root, pat, kim, made, bot, room)
    office.apps.apps[made.app.id] = shop.answer
    try:
        yield shop
    finally:
        del office.apps.apps[made.app.id]


def _fields(change: AppChange) -> Mapping[str, Any]:
    return {name: getattr(change, name) for name in AppChange.__slots__}


async def status_of(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url) as answer:
        return answer.status
