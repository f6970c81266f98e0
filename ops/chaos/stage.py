"""The stage of a run: people, a bot, and conversations of every kind with different members."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import aiohttp

from ops.keyspaces import workspace_rules
from ops.local.mesh import Mesh
from svc.webapp.domain.apps.settings import AppChange
from svc.webapp.store.rows import User

PEOPLE = ("ada", "grace", "linus", "edsger", "barbara")
OUTSIDER = "mallory"
"""In one public conversation only: whoever tells her more has leaked it."""

BOT = "robot"
"""slack_sdk's reader; in two public conversations, for its parser is weak on bursts."""

VISITORS = ("vera", "victor", "viola")
"""Whoever comes and goes."""

PUBLIC, PRIVATE = 8, 3
APP_CHANNELS = 3
"""Public conversations that each app is in."""

SETTLE_S = 20.0

Json = dict[str, Any]


class StageError(Exception):
    """The mesh could not be prepared, or does not answer: the run says nothing about the promise."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a token."""

    name: str
    user_id: str
    token: str


@dataclass(frozen=True, slots=True)
class AppSeat:
    """An app of the run; `person` holds its token. Its bot is in `channels`, and says nothing."""

    name: str
    app_id: str
    person: Person
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """Who and where. `members` maps conversations to the people in them; others come and go in public ones."""

    people: tuple[Person, ...]
    bot: Person
    members: Mapping[str, tuple[Person, ...]]
    visitors: tuple[Person, ...] = ()
    """They read and post nothing."""
    open_channels: tuple[str, ...] = ()
    """The public ones."""
    apps: tuple[AppSeat, ...] = ()
    """One with sockets, one behind a URL."""

    def user_ids(self) -> dict[str, frozenset[str]]:
        """Return the members of each conversation by their ids."""
        return {channel: frozenset(person.user_id for person in people) for channel, people in self.members.items()}


class Api:
    """Web API calls by anybody to any webapp."""

    def __init__(self, http: aiohttp.ClientSession, urls: Sequence[str]) -> None:
        self._http = http
        self._urls = tuple(urls)
        self._turn = 0

    def url(self, number: int) -> str:
        """Return the address of a webapp, `http://host:port`: whose turn it is by this number."""
        return self._urls[number % len(self._urls)]

    def turn(self) -> int:
        """Return a number that says where a caller begins: who counts on from there never asks the same one twice."""
        self._turn += 1
        return self._turn

    async def call(
        self, person: Person, method: str, timeout_s: float = 5.0, turn: int | None = None, **arguments: Any
    ) -> Json:
        """Call once: the webapp whose `turn` it is, or the next one.

        Raises OSError, TimeoutError or aiohttp.ClientError when no answer in JSON came.
        """
        number = self.turn() if turn is None else turn
        url = f"{self.url(number)}/api/{method}"
        headers = {"Authorization": f"Bearer {person.token}"}
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        async with self._http.post(url, data=arguments, headers=headers, timeout=timeout) as answer:
            body: Json = await answer.json()
            return body

    async def ok(self, person: Person, method: str, **arguments: Any) -> Json:
        """Call until it succeeds, for 20 s at most. Raises StageError with what was said last."""
        said: object = None
        try:
            async with asyncio.timeout(SETTLE_S):
                while True:
                    try:
                        said = await self.call(person, method, **arguments)
                        if said["ok"]:
                            return said
                    except (OSError, TimeoutError, aiohttp.ClientError) as error:
                        said = error
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise StageError(f"{method} did not succeed within {SETTLE_S:.0f} s: {said!r}") from None


async def set_stage(mesh: Mesh, api: Api, rng: Random, request_url: str) -> Stage:
    """Make the workspace: people through the operator's way, conversations through the Web API.

    `request_url`: where the second app takes its events.
    """
    *everybody, bot = await _make_people(mesh)
    people, visitors = everybody[: -len(VISITORS)], everybody[-len(VISITORS) :]
    known, outsider = people[:-1], people[-1]
    members: dict[str, tuple[Person, ...]] = {}
    for number in range(PUBLIC):
        guests = rng.sample(known[1:], rng.randint(2, len(known) - 1))
        extra = ([outsider] if number == 0 else []) + ([bot] if number < 2 else [])
        members[await _make(api, known[0], f"public-{number}", [*guests, *extra], "false")] = (
            known[0],
            *guests,
            *extra,
        )
    public = tuple(members)
    for number in range(PRIVATE):
        maker, *guests = rng.sample(known, rng.randint(2, 3))
        members[await _make(api, maker, f"private-{number}", guests, "true")] = (maker, *guests)
    one, other = rng.sample(known, 2)
    opened = await api.ok(one, "conversations.open", users=other.user_id)
    members[opened["channel"]["id"]] = (one, other)
    apps = (
        await _make_app(mesh, api, known[0], "app", public[2 : 2 + APP_CHANNELS], AppChange(is_socket_mode=True)),
        await _make_app(
            mesh, api, known[0], "app-url", public[1 : 1 + APP_CHANNELS], AppChange(request_url=request_url)
        ),
    )
    return Stage(tuple(people), bot, members, tuple(visitors), public, apps)


async def _make_app(mesh: Mesh, api: Api, maker: Person, name: str, channels: Sequence[str], way: AppChange) -> AppSeat:
    """Make an app as an operator does, and have its bot in these conversations."""
    async with workspace_rules(mesh.dsns, mesh.memcached_addrs) as bench:
        making = bench.services.apps.making
        (team,) = await bench.services.workspaces.teams()
        change = replace(way, event_types=("message.channels", "reaction_added"))
        app = (await making.create(team.id, name, change)).app
        token = await making.app_token(app)
    for channel in channels:
        await api.ok(maker, "conversations.invite", channel=channel, users=app.user_id)
    return AppSeat(name, app.id, Person(name, app.user_id, token), tuple(channels))


async def _make_people(mesh: Mesh) -> list[Person]:
    async with workspace_rules(mesh.dsns, mesh.memcached_addrs) as bench:
        accounts = bench.services.accounts
        team, _ = await accounts.team("Chaos", "chaos")
        users = [
            await accounts.person(User("", team.id, name, real_name=name)) for name in (*PEOPLE, OUTSIDER, *VISITORS)
        ]
        users.append(await accounts.bot(team.id, BOT))
        return [Person(user.name, user.id, await accounts.token_for(user)) for user in users]


async def _make(api: Api, maker: Person, name: str, guests: Sequence[Person], is_private: str) -> str:
    made = await api.ok(maker, "conversations.create", name=name, is_private=is_private)
    channel: str = made["channel"]["id"]
    await api.ok(maker, "conversations.invite", channel=channel, users=",".join(guest.user_id for guest in guests))
    return channel
