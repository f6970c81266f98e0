"""A workspace with somebody of every sort in it, another workspace beside it, and one of everything that has an id."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

from svc.kit.clock import SystemClock
from svc.kit.ids import IdMint
from svc.kit.tokens import new_token, token_hash
from svc.webapp.domain.apps.making import Made
from svc.webapp.store.rows import Token, TokenKind, User
from tests.svc.webapp.api.apps.test_views import home, modal
from tests.svc.webapp.api.apps.workshop import SETTINGS
from tests.svc.webapp.api.office import HTTP, Office, Someone, office
from tests.svc.webapp.api.uploads import TEXT, shared, uploaded

__all__ = ["BLOCKS", "House", "Houses", "Things", "houses"]

_NUMBERS = itertools.count(1)
PATIENT = replace(HTTP, request_s=60.0)
"""Nothing here is about time, and much comes at once."""
BLOCKS = [
    {
        "type": "actions",
        "block_id": "b1",
        "elements": [{"type": "button", "action_id": "go", "value": "1", "text": {"type": "plain_text", "text": "Go"}}],
    }
]


@dataclass
class Things:
    """What one person has: made when it is first asked for, and known by name."""

    houses: Houses
    house: House
    owner: Someone
    friend: Someone
    made: dict[str, str] = field(default_factory=dict)

    async def get(self, name: str) -> str:
        """Return the id (or what else it is known by) of a thing."""
        if name not in self.made:
            self.made[name] = await getattr(self, f"_{name}")()
        return self.made[name]

    async def _room(self, *, private: bool) -> str:
        name = f"room-{next(_NUMBERS)}"
        channel = (await self.owner.ok("conversations.create", name=name, is_private=private))["channel"]["id"]
        await self.owner.ok("conversations.invite", channel=channel, users=self.friend.id)
        return str(channel)

    async def _private(self) -> str:
        return await self._room(private=True)

    async def _public(self) -> str:
        return await self._room(private=False)

    async def _private_name(self) -> str:
        found = await self.owner.ok("conversations.info", channel=await self.get("private"))
        return str(found["channel"]["name"])

    async def _new_name(self) -> str:
        return f"new-{next(_NUMBERS)}"

    async def _archived(self) -> str:
        channel = await self._room(private=True)
        await self.owner.ok("conversations.archive", channel=channel)
        return channel

    async def _im(self) -> str:
        return str((await self.owner.ok("conversations.open", users=self.friend.id))["channel"]["id"])

    async def _mpim(self) -> str:
        users = f"{self.friend.id},{self.house.root.id}"
        return str((await self.owner.ok("conversations.open", users=users))["channel"]["id"])

    async def _post(self, where: str, **more: Any) -> str:
        posted = await self.owner.ok("chat.postMessage", channel=await self.get(where), text="a secret", **more)
        return str(posted["ts"])

    async def _message(self) -> str:
        return await self._post("private")

    async def _public_message(self) -> str:
        return await self._post("public")

    async def _im_message(self) -> str:
        return await self._post("im")

    async def _reply(self) -> str:
        return await self._post("private", thread_ts=await self.get("message"))

    async def _marked(self) -> str:
        """A message with a pin, a star and a reaction on it."""
        ts = await self._post("private")
        channel = await self.get("private")
        for method in "pins.add", "stars.add":
            await self.owner.ok(method, channel=channel, timestamp=ts)
        await self.owner.ok("reactions.add", channel=channel, timestamp=ts, name="tada")
        return ts

    async def _file(self) -> str:
        return str((await shared(self.houses.office, self.owner, await self.get("private"), TEXT))["id"])

    async def _public_file(self) -> str:
        return str((await shared(self.houses.office, self.owner, await self.get("public"), TEXT))["id"])

    async def _upload(self) -> str:
        return await uploaded(self.houses.office, self.owner, TEXT)

    async def _unshared(self) -> str:
        """A file that is uploaded and posted nowhere."""
        done = await self.owner.ok("files.completeUploadExternal", files=[{"id": await self._upload()}])
        return str(done["files"][0]["id"])

    async def _scheduled(self) -> str:
        at = str(int(time.time()) + 86_400)
        answer = await self.owner.ok(
            "chat.scheduleMessage", channel=await self.get("private"), text="later", post_at=at
        )
        return str(answer["scheduled_message_id"])

    async def _reminder(self) -> str:
        return str((await self.owner.ok("reminders.add", text="think", time="in 2 days"))["reminder"]["id"])

    async def _bookmark(self) -> str:
        answer = await self.owner.ok(
            "bookmarks.add", channel_id=await self.get("private"), type="link", title="t", link="https://example.org/"
        )
        return str(answer["bookmark"]["id"])

    async def _usergroup(self) -> str:
        number = next(_NUMBERS)
        answer = await self.house.root.ok("usergroups.create", name=f"group {number}", handle=f"group-{number}")
        return str(answer["usergroup"]["id"])

    async def _user(self) -> str:
        return self.friend.id

    async def _leaver(self) -> str:
        """Somebody who may be deactivated."""
        people = await self.houses.office.hire(self.house.team_id, [f"leaver-{next(_NUMBERS)}"])
        return next(iter(people.values())).id

    async def _email(self) -> str:
        return f"{self.friend.user.name}@{self.house.domain}.example.org"

    async def _team(self) -> str:
        return self.house.team_id

    async def _domain(self) -> str:
        return self.house.domain

    async def _bot(self) -> str:
        return self.house.made.app.bot_id

    async def _app(self) -> str:
        return self.house.made.app.id

    async def _client_id(self) -> str:
        return self.house.made.app.client_id

    async def _client_secret(self) -> str:
        return self.house.made.client_secret

    async def _code(self) -> str:
        return str((await self.house.root.ok("apps.install", app_id=self.house.made.app.id))["code"])

    async def _trigger(self) -> str:
        await self.owner.ok("chat.command", channel=await self.get("private"), command="/deploy")
        return str(self.house.told[-1]["trigger_id"])

    async def _view(self) -> str:
        trigger = await self._trigger()
        view = modal(external_id=f"x{next(_NUMBERS)}")
        self.made["external"] = view["external_id"]
        return str((await self.house.app_bot.ok("views.open", trigger_id=trigger, view=view))["view"]["id"])

    async def _external(self) -> str:
        await self.get("view")
        return self.made["external"]

    async def _home(self) -> str:
        """The app, once it shows the owner something."""
        await self.house.app_bot.ok("views.publish", user_id=self.owner.id, view=home())
        return self.house.made.app.id

    async def _clickable(self) -> str:
        """A message of the app with a button in it."""
        channel = await self.get("private")
        await self.owner.call("conversations.invite", channel=channel, users=self.house.app_bot.id)
        posted = await self.house.app_bot.ok("chat.postMessage", channel=channel, text="Ready?", blocks=BLOCKS)
        return str(posted["ts"])

    async def _emoji(self) -> str:
        name = f"emoji-{next(_NUMBERS)}"
        await self.house.root.ok("admin.emoji.add", name=name, url="https://example.org/e.png")
        return name

    async def _command(self) -> str:
        return "/deploy"

    async def _callback(self) -> str:
        return "new"


@dataclass
class House:
    """A workspace: root is its admin, ada and grace are in everything that is private, eve is in nothing."""

    team_id: str
    domain: str
    root: Someone
    people: Mapping[str, Someone]
    made: Made
    app_bot: Someone
    told: list[dict[str, Any]]

    def __getitem__(self, name: str) -> Someone:
        return {"root": self.root, "app": self.app_bot}.get(name) or self.people[name]


@dataclass
class Houses:
    """Two workspaces behind one Web API."""

    office: Office
    home: House
    other: House
    mint: IdMint
    kept: dict[tuple[str, str, str], Things] = field(default_factory=dict)
    lasting: list[Things] = field(default_factory=list)
    """What ada has in either workspace, for whoever does not end it."""

    def forget_things(self) -> None:
        """Have everything made anew."""
        self.lasting = [self.things(self.home), self.things(self.other)]

    def kept_things(self, house: House, owner: str = "ada", friend: str = "grace") -> Things:
        """Return what somebody has for the whole run: for calls that change nothing."""
        return self.kept.setdefault((house.team_id, owner, friend), self.things(house, owner, friend))

    def things(self, house: House, owner: str = "ada", friend: str = "grace") -> Things:
        """Return what somebody will have made."""
        return Things(self, house, house[owner], house[friend])

    async def token(self, who: Someone, kind: TokenKind, scopes: str, prefix: str) -> Someone:
        """Return somebody with another token, of its app if there is one."""
        user = who.user
        token = new_token(prefix, user.team_id, user.id, SystemRandom())
        await self.office.services.users.add_token(
            Token(
                user_id=user.id,
                token_hash=token_hash(token),
                kind=kind,
                team_id=user.team_id,
                bot_id=user.bot_id,
                app_id=user.app_id,
                scopes=scopes,
                created_s=int(time.time()),
            )
        )
        return Someone(user, token, who.base, who.http)

    async def again(self, who: Someone) -> Someone:
        """Return somebody with a fresh token; for somebody who was deactivated, somebody new."""
        accounts = self.office.services.accounts
        user = await self.office.services.workspaces.user(who.user.team_id, who.id)
        if user is None or user.deleted:
            user = await accounts.person(User("", who.user.team_id, f"again-{next(_NUMBERS)}"))
        return Someone(user, await accounts.token_for(user), who.base, who.http)

    async def heads(self) -> Mapping[str, int]:
        """Return how far the log of each channel goes."""
        rows = await self.office.pools.channel.rows("SELECT channel_id, last_offset FROM heads")
        return {str(channel_id): int(offset) for channel_id, offset in rows}


async def _house(here: Office, domain: str) -> House:
    accounts, services = here.services.accounts, here.services
    team, _ = await accounts.team(domain.title(), domain)
    admin = await accounts.person(User("", team.id, "root", email=f"root@{domain}.example.org", is_admin=True))
    names = ("ada", "grace", "eve", "zed")
    for name in names:
        await accounts.person(User("", team.id, name, email=f"{name}@{domain}.example.org"))
    people = await here.hire(team.id, names, ["helper"])
    made = await services.apps.making.create(team.id, "Ci Runner", SETTINGS)
    user = await services.workspaces.user(team.id, made.app.user_id)
    assert user is not None
    bot = Someone(user, await services.apps.making.bot_token(made.app), here.base, here.http)
    root = Someone(admin, await accounts.token_for(admin), here.base, here.http)
    told: list[dict[str, Any]] = []

    def answer(_: object, payload: dict[str, Any]) -> None:
        told.append(payload)

    here.apps.apps[made.app.id] = answer
    return House(team.id, domain, root, people, made, bot, told)


@asynccontextmanager
async def houses(var: Path) -> AsyncIterator[Houses]:
    """Start MariaDB, memcached and the Web API, and fill both workspaces."""
    async with office(var, config=PATIENT) as here:
        here.edges.down = False
        home, other = await _house(here, "home"), await _house(here, "other")
        await home.root.ok("users.admin.setInactive", user=home["zed"].id)
        both = Houses(here, home, other, IdMint(SystemClock(), Random(99)))
        both.forget_things()
        yield both
