"""Apps for the tests of a mesh: made as an operator makes them, with everything that their clients need."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from ops.keyspaces import workspace_rules
from svc.webapp.domain.apps import signing
from svc.webapp.domain.apps.model import App
from svc.webapp.domain.apps.settings import AppChange
from tests.mesh.people import Json, Person
from tests.mesh.towns import Town

PATIENCE_S = 20.0
"""Processes start, die and are replaced in these tests, on machines that have other things to do."""

EVENTS = ("message.channels", "app_mention", "reaction_added", "member_joined_channel")


@dataclass(frozen=True, slots=True)
class Made:
    """An app with its tokens."""

    app: App
    bot_token: str
    app_token: str
    team_id: str

    def person(self, town: Town) -> Person:
        """Return the app's bot as somebody who calls the Web API."""
        return Person(self.app.name, self.app.user_id, self.bot_token, town.mesh.web_url, town.http)


async def make_app(town: Town, name: str, change: AppChange, *channels: str) -> Made:
    """Make an app, and have its bot in these channels."""
    async with workspace_rules(town.mesh.dsns, town.mesh.memcached_addrs) as bench:
        making = bench.services.apps.making
        team_id = (await town["ada"].ok("auth.test"))["team_id"]
        made = await making.create(team_id, name, change)
        bot_token, app_token = await making.bot_token(made.app), await making.app_token(made.app)
    for channel in channels:
        invited = await town["ada"].call("conversations.invite", channel=channel, users=made.app.user_id)
        assert invited["ok"] or invited["error"] == "already_in_channel", invited
    return Made(made.app, bot_token, app_token, team_id)


async def change_app(town: Town, made: Made, change: AppChange) -> None:
    """Change an app's settings."""
    async with workspace_rules(town.mesh.dsns, town.mesh.memcached_addrs) as bench:
        await bench.services.apps.making.change(made.team_id, made.app.id, change)


async def open_url(town: Town, made: Made) -> str:
    """Return the URL of a Socket Mode connection; webapps and gateways may be away for a moment."""
    headers = {"Authorization": f"Bearer {made.app_token}"}
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for url in town.mesh.web_urls.values():
                try:
                    async with town.http.post(f"{url}/api/apps.connections.open", headers=headers) as answer:
                        body = await answer.json()
                except aiohttp.ClientError:
                    continue
                if body.get("ok"):
                    return str(body["url"])
            await asyncio.sleep(0.1)


@dataclass(slots=True)
class Inbox:
    """What an app received, however it came; `wait` returns once something wanted is there."""

    envelopes: list[Json] = field(default_factory=list)
    """Socket Mode frames, or the payloads of HTTP requests in such."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, envelope: Json) -> None:
        """Take one."""
        self.envelopes.append(envelope)
        self._changed.set()

    @property
    def events(self) -> list[Json]:
        """The event_callbacks, in order, repeated ones too."""
        return [each["payload"] for each in self.envelopes if each.get("type") == "events_api" and "payload" in each]

    def texts(self) -> list[str]:
        """Return the texts of the plain messages, in order, repeated ones once."""
        plain = [each["event"] for each in self.events if each["event"]["type"] == "message"]
        return list(dict.fromkeys(event["text"] for event in plain if "subtype" not in event))

    async def wait(self, wanted: Callable[[Json], bool], within_s: float = PATIENCE_S) -> Json:
        """Return the first envelope, past or to come, that is wanted."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for envelope in self.envelopes:
                        if wanted(envelope):
                            return envelope
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"not received within {within_s} s; received {self.envelopes[-10:]}") from None

    async def wait_event(self, within_s: float = PATIENCE_S, **fields: Any) -> Json:
        """Return the first event_callback whose event has these fields."""
        found = await self.wait(lambda each: is_event(each, fields), within_s)
        payload: Json = found["payload"]
        return payload

    async def wait_texts(self, texts: set[str], within_s: float = PATIENCE_S) -> None:
        """Wait until all of these messages have come."""
        try:
            async with asyncio.timeout(within_s):
                while not texts <= set(self.texts()):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"missing after {within_s} s: {sorted(texts - set(self.texts()))}") from None


def is_event(envelope: Json, fields: Json) -> bool:
    """Tell whether an envelope is an event with these fields."""
    event = envelope.get("payload", {}).get("event", {})
    return envelope.get("type") == "events_api" and "payload" in envelope and fields.items() <= event.items()


class AppSocket:
    """A Socket Mode connection made by hand, which answers as it is told to. Comes back when it is closed."""

    def __init__(self, town: Town, made: Made, inbox: Inbox, answers: Callable[[Json], bool] = lambda _: True) -> None:
        """`answers(envelope)`: whether it acknowledges it."""
        self._town = town
        self._made = made
        self._answers = answers
        self.inbox = inbox
        self.hellos: list[Json] = []
        self.host = ""
        """The gateway of the connection that stands."""
        self._ready = asyncio.Event()

    async def run(self) -> None:
        """Be connected for ever."""
        while True:
            try:
                url = await open_url(self._town, self._made)
                async with self._town.http.ws_connect(url, max_msg_size=1 << 24) as ws:
                    await self._listen(ws)
            except aiohttp.ClientError:
                pass  # gateways die in these tests
            self._ready.clear()
            await asyncio.sleep(0.05)

    async def _listen(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        async for message in ws:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            frame: Json = json.loads(message.data)
            if frame["type"] == "hello":
                self.hellos.append(frame)
                self.host = frame["debug_info"]["host"]
                self._ready.set()
            elif frame["type"] == "disconnect":
                self.inbox.add(frame)
            else:
                self.inbox.add(frame)
                if self._answers(frame):
                    await ws.send_str(json.dumps({"envelope_id": frame["envelope_id"]}))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[AppSocket]:
        """Be connected for the length of a block; hello has been received when it begins."""
        running = asyncio.create_task(self.run())
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._ready.wait()
            yield self
        finally:
            running.cancel()
            await asyncio.wait({running})


@dataclass(slots=True)
class Endpoint:
    """An app's request URL: verifies signatures, says challenges back, and answers events as it is told to."""

    inbox: Inbox = field(default_factory=Inbox)
    statuses: list[int] = field(default_factory=list)
    """What the next events are answered with; 200 when it is empty."""
    more: dict[str, str] = field(default_factory=dict)
    """Headers of the answers to events."""
    requests: list[dict[str, str]] = field(default_factory=list)
    """Headers of the events' requests, in lower case."""
    challenged: int = 0
    unsigned: int = 0
    secret: str = ""
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        """Take a request."""
        body = await request.read()
        told = json.loads(body)
        if told.get("type") == "url_verification":
            self.challenged += 1
            return web.json_response({"challenge": told["challenge"]})
        if not self._is_signed(request, body):
            self.unsigned += 1
            return web.Response(status=401)
        self.requests.append({name.lower(): value for name, value in request.headers.items()})
        self.inbox.add({"type": "events_api", "payload": told})
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, headers=self.more)

    def _is_signed(self, request: web.Request, body: bytes) -> bool:
        sent = {name: request.headers.get(name, "") for name in (signing.TIMESTAMP, signing.SIGNATURE)}
        return signing.is_signed(self.secret, sent, body, float(sent[signing.TIMESTAMP] or 0))


@asynccontextmanager
async def endpoint() -> AsyncIterator[Endpoint]:
    """Serve a request URL on a free port of this machine for the length of a block."""
    there = Endpoint()
    app = web.Application()
    app.router.add_post("/slack/events", there.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    there.url = f"http://127.0.0.1:{port}/slack/events"
    try:
        yield there
    finally:
        await runner.cleanup()
