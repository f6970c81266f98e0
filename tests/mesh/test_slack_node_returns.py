"""Slack's own clients for Node.js when something ends: each comes back by itself, and apps miss nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from ops.local.spec import counts
from svc.webapp.domain.apps.settings import AppChange
from tests.mesh.app_makers import EVENTS, AppSocket, Inbox, Made, make_app
from tests.mesh.lines import Line, Lines, lines
from tests.mesh.node_clients import PATIENCE_S, NodeClient, check_node, node_client
from tests.mesh.towns import Town, town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="module")]

SOCKET = ("slack-socket-mode-2", "slack-socket-mode-3")
BOLT = ("slack-bolt-3", "slack-bolt-4", "slack-bolt-5")
RTM = {"slack-rtm-api-6": "ada", "slack-rtm-api-7": "grace"}
WEB = {"slack-web-api-6": "ada", "slack-web-api-7": "grace", "slack-web-api-8": "linus"}
"""The clients that are people, and who."""
NEAR, FAR = "gateway-az1-1", "gateway-az2-1"
"""The webapp that everybody asks sends them to the gateway of its own zone while there is one."""
OPEN, LIMITED = "webapp-az1-1", "webapp-az2-1"
UNNOTICED_S = 14.0
"""Longer than all tries to deliver an event take."""
LIMITED_POSTS = 16
"""More than a burst into one conversation."""


@dataclass(frozen=True)
class Place:
    """The town, and the proxy through which its sockets go."""

    there: Town
    proxy: Lines


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """One town for all tests here: two gateways, and two webapps of which one has Slack's rate limits."""
    var: Path = tmp_path_factory.mktemp("returns") / "var"
    async with lines() as proxy:
        told = {OPEN: {"PARLEY_WS_PUBLIC_URL": proxy.url}, LIMITED: {"PARLEY_WEBAPP_RATE_LIMITS": "slack"}}
        spec = counts(webapp=2, channel=1, edge=0)
        async with town(var, counts=spec, instance_environ=told) as there:
            proxy.gateways = there.mesh.ws_urls
            yield Place(there, proxy)


@dataclass(frozen=True)
class Scene:
    """Everybody in it."""

    place: Place
    apps: Sequence[NodeClient]
    people: Sequence[NodeClient]
    dull: Inbox
    """What an app gets whose client never notices that its line is silent."""
    unheard: Sequence[NodeClient]
    """RTM clients whose lines have been silent since they connected."""
    silent: Sequence[Line]
    """Those lines."""

    @property
    def there(self) -> Town:
        """The town."""
        return self.place.there

    def lines(self) -> list[Line]:
        """Return the lines that stand and are not silent."""
        return [line for line in self.place.proxy.open if line not in self.silent]

    def marks(self) -> dict[NodeClient, int]:
        """Return how much each has said so far."""
        return {client: len(client.said) for client in (*self.apps, *self.people)}

    async def returned(self, marks: dict[NodeClient, int]) -> None:
        """Wait until all have come back since then, and hear what is posted."""
        states = dict.fromkeys(self.apps, "connected") | dict.fromkeys(self.people, "ready")
        await asyncio.gather(*(client.state(states[client], after) for client, after in marks.items()))
        await all_hear(self.there, list(marks))


async def all_hear(there: Town, clients: Sequence[NodeClient]) -> None:
    """Post now and then until each has heard one of the posts: on a busy machine one may be away once more."""
    texts: set[str] = set()
    async with asyncio.timeout(PATIENCE_S):
        for number in count():
            text = f"{number} at {time.time_ns()}"
            texts.add(text)
            await there["linus"].post(there.general, text)
            for _ in range(20):
                if all(texts & set(client.texts()) for client in clients):
                    return
                await asyncio.sleep(0.1)


async def talk(there: Town, texts: list[str], ended: asyncio.Event) -> None:
    """Post a few times a second, and note what was posted."""
    while not ended.is_set():
        text = f"number {len(texts)}"
        await there["linus"].post(there.general, text)
        texts.append(text)
        await asyncio.sleep(0.2)


@asynccontextmanager
async def scene(place: Place) -> AsyncIterator[Scene]:
    """Have everybody connected: an app for each of the apps' clients."""
    for package in (*SOCKET, *BOLT, *RTM):
        check_node(package)
    there, web_url = place.there, place.there.mesh.web_urls[OPEN]
    async with AsyncExitStack() as up:

        async def person(package: str) -> NodeClient:
            token = there[RTM[package]].token
            client = await up.enter_async_context(node_client("rtm", package, web_url, token=token))
            await client.state("ready")
            return client

        async def app(kind: str, package: str, made: Made) -> NodeClient:
            tokens = {"token": made.bot_token, "app_token": made.app_token}
            return await up.enter_async_context(node_client(kind, package, web_url, **tokens))

        unheard = await asyncio.gather(*map(person, RTM))
        silent = list(place.proxy.open)
        assert len(silent) == len(RTM)
        for line in silent:
            line.silence()
        change = AppChange(is_socket_mode=True, event_types=EVENTS)
        kinds = dict.fromkeys(SOCKET, "socket") | dict.fromkeys(BOLT, "bolt")
        made = {package: await make_app(there, package, change, there.general) for package in kinds}
        apps = await asyncio.gather(*(app(kind, package, made[package]) for package, kind in kinds.items()))
        people = await asyncio.gather(*map(person, RTM))
        dull = Inbox()
        socket = AppSocket(there, await make_app(there, "dull", change, there.general), dull)
        await up.enter_async_context(socket.connected())
        yield Scene(place, apps, people, dull, unheard, silent)


async def test_all_come_back_however_their_line_ends_and_apps_miss_nothing(place: Place) -> None:
    """Goodbye and Close, a Close alone, the death of the gateway, silence; people talk all the time."""
    async with scene(place) as here:
        await all_hear(here.there, [*here.apps, *here.people])
        texts: list[str] = []
        ended = asyncio.Event()
        talking = asyncio.create_task(talk(here.there, texts, ended))
        await drained(here)
        await closed(here)
        await killed(here)
        await silenced(here)
        ended.set()
        await talking
        for client in here.apps:
            await client.wait_texts(set(texts))
        await here.dull.wait_texts(set(texts), PATIENCE_S)
        # Silent since the beginning: such a client notices after ten seconds, and its socket needs thirty to give up.
        for client in here.unheard:
            await client.state("reconnecting")
        await all_hear(here.there, here.unheard)
        await all_speak(here)


async def drained(here: Scene) -> None:
    """SIGTERM to the gateway where all are; another one is there, and then the first again."""
    marks = here.marks()
    assert {line.gateway for line in here.lines()} == {NEAR}
    await here.there.mesh.stop(NEAR)
    await here.returned(marks)
    assert {line.gateway for line in here.lines()} == {FAR}
    for client in here.people:
        await client.event(marks[client], type="goodbye")
    await here.there.mesh.start(NEAR)


async def closed(here: Scene) -> None:
    """A Close frame without a word before it: they go where there is a gateway now."""
    async with asyncio.timeout(PATIENCE_S):
        while f"/ws/{NEAR}-" not in (await here.there["linus"].ok("rtm.connect"))["url"]:
            await asyncio.sleep(0.1)
    marks = here.marks()
    for line in here.lines():
        line.close_alone()
    await here.returned(marks)
    assert {line.gateway for line in here.lines()} == {NEAR}


async def killed(here: Scene) -> None:
    """SIGKILL: their lines just end, and for a moment they are still sent to what is dead."""
    marks = here.marks()
    await here.there.mesh.kill(NEAR)
    await here.returned(marks)


async def silenced(here: Scene) -> None:
    """Nothing passes and nobody says so. Apps notice within seconds; the other lines are reset later."""
    marks, began = here.marks(), time.monotonic()
    silent = here.lines()
    for line in silent:
        line.silence()
    await asyncio.gather(*(client.state("connected", marks[client]) for client in here.apps))
    await asyncio.sleep(began + UNNOTICED_S - time.monotonic())
    for line in silent:
        line.reset()
    await here.returned(marks)


async def all_speak(here: Scene) -> None:
    """After all that: RTM clients have had pongs and send over their sockets; Bolt answers what it hears."""
    there = here.there
    async with there["linus"].connected() as linus:
        for client in here.people:
            await client.wait_for(lambda said: said["is"] == "event" and said["event"].get("type") == "pong")
            # Version 7 dies of the first reconnect after a message that it sent: it sends when they are over.
            sent = await client.send(f"sent by {client.label}", there.general)
            assert (await linus.wait_text(f"sent by {client.label}", PATIENCE_S))["ts"] == sent["ts"]
        await there["linus"].post(there.general, "ping all")
        async with asyncio.timeout(PATIENCE_S):
            while sum(each.get("text") == "pong to ping all" for each in linus.events) < len(BOLT):
                await asyncio.sleep(0.05)


@asynccontextmanager
async def posters(there: Town) -> AsyncIterator[dict[NodeClient, str]]:
    """Each version of the Web API's client, as somebody else, at the webapp that has limits; a channel for each."""
    async with AsyncExitStack() as up:
        clients = {}
        for package, name in WEB.items():
            check_node(package)
            made = await there[name].ok("conversations.create", name=f"by-{package}")
            web_url, token = there.mesh.web_urls[LIMITED], there[name].token
            client = await up.enter_async_context(node_client("web", package, web_url, token=token))
            clients[client] = made["channel"]["id"]
        yield clients


async def posted(client: NodeClient, channel: str) -> list[str]:
    """Return the texts in a channel, sorted."""
    history = await client.call("conversations.history", channel=channel, limit=100)
    return sorted(message["text"] for message in history["messages"] if "subtype" not in message)


async def asked_again(client: NodeClient, after: int) -> None:
    """Wait until a client has tried a second time."""
    for _ in range(2):
        line = await client.wait_for(lambda said: said["is"] == "request", after)
        after = 1 + next(place for place in range(after, len(client.said)) if client.said[place] is line)


async def test_web_clients_wait_as_they_are_told_and_repeat_what_was_not_done(place: Place) -> None:
    """429 with Retry-After at a limit; 503 while the database is away: everything is posted, and once."""
    there = place.there
    async with posters(there) as clients:
        texts = sorted(f"post {number}" for number in range(LIMITED_POSTS))
        calls = [(client, channel, text) for client, channel in clients.items() for text in texts]
        await asyncio.gather(
            *(client.call("chat.postMessage", channel=where, text=text) for client, where, text in calls)
        )
        for client, channel in clients.items():
            limited = await client.event(type="rate_limited")
            assert limited["seconds"] >= 1
            assert await posted(client, channel) == texts
        await there.mesh.kill("mariadb")
        marks = {client: len(client.said) for client in clients}
        async with asyncio.TaskGroup() as posting:
            for client, channel in clients.items():
                posting.create_task(client.call("chat.postMessage", channel=channel, text="through"))
            for client, mark in marks.items():
                await asked_again(client, mark)
            await there.mesh.start("mariadb")
        for client, channel in clients.items():
            assert await posted(client, channel) == [*texts, "through"]
