"""People with a socket and a screen: what each is told of presence, and how long its view of somebody was wrong.

A client is a bare WebSocket listener (picows), so that one process holds thousands and counts everything they get.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp
import orjson
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.read_load import Reader

TIMEOUT_S = 10.0
TRIES = 20
READ_BUFFER_BYTES = 2_048


@dataclass(frozen=True, slots=True)
class Truth:
    """What somebody is, and since when."""

    is_active: bool = False
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class Wait:
    """A view that is to become right: what it must be, and since when (monotonic seconds) it is not."""

    is_active: bool
    since: float
    kind: str


@dataclass(slots=True)
class Tally:
    """What clients were told in a phase."""

    events: int = 0
    states: int = 0
    """Users in these events: a batch has many."""
    right_after_s: dict[str, list[float]] = field(default_factory=dict)
    """How long views took to become right, by what they had to show: a kind of change, or a screen just opened."""


class Client(WSListener):
    """One person's socket, and what its screen shows of others."""

    def __init__(self, crowd: Crowd, reader: Reader) -> None:
        super().__init__()
        self._crowd = crowd
        self._transport: WSTransport | None = None
        self.greeted = asyncio.get_running_loop().create_future()
        self.gone = asyncio.get_running_loop().create_future()
        self.reader = reader
        self.screen: frozenset[str] = frozenset()
        self.view: dict[str, bool] = {}
        self.waits: dict[str, Wait] = {}

    def on_ws_connected(self, transport: WSTransport) -> None:
        """See picows."""
        self._transport = transport
        self._crowd.changed(self.reader.user_id, True, time.monotonic(), "arrival")

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """See picows."""
        self.gone.set_result(None)
        if not self.greeted.done():
            self.greeted.set_exception(ConnectionError("closed before hello"))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """See picows."""
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
        elif frame.msg_type == WSMsgType.TEXT:
            event = orjson.loads(frame.get_payload_as_bytes())
            if event.get("type") == "presence_change":
                self._told(event)
            elif event.get("type") == "hello" and not self.greeted.done():
                self.greeted.set_result(None)

    def look(self, user_ids: Iterable[str]) -> None:
        """Show these users, and nobody else, from now on."""
        before, self.screen = self.screen, frozenset(user_ids)
        for user_id in before - self.screen:
            self.view.pop(user_id, None)
            self.waits.pop(user_id, None)
        now = time.monotonic()
        for user_id in self.screen - before:
            truth = self._crowd.truth[user_id]
            self.waits[user_id] = Wait(truth.is_active, max(now, truth.since), "screen")
        self.say({"type": "presence_sub", "ids": list(self.screen)})

    def say(self, frame: dict[str, Any]) -> None:
        """Send a frame."""
        assert self._transport is not None
        self._transport.send(WSMsgType.TEXT, orjson.dumps(frame))

    async def leave(self) -> None:
        """Close the socket as a client does that is closed."""
        assert self._transport is not None
        self.look(())
        self._transport.send_close(WSCloseCode.OK)
        async with asyncio.timeout(TIMEOUT_S):
            await self.gone

    def _told(self, event: dict[str, Any]) -> None:
        now, tally = time.monotonic(), self._crowd.tally
        user_ids = event.get("users") or [event["user"]]
        is_active = event["presence"] == "active"
        tally.events += 1
        tally.states += len(user_ids)
        for user_id in user_ids:
            if user_id not in self.screen:
                continue  # on its way while the screen changed
            self.view[user_id] = is_active
            wait = self.waits.get(user_id)
            if wait is not None and wait.is_active == is_active:
                del self.waits[user_id]
                tally.right_after_s.setdefault(wait.kind, []).append(max(0.0, now - wait.since))


class Crowd:
    """Everybody who is connected, and the truth about each."""

    def __init__(self, http: aiohttp.ClientSession, web_url: str) -> None:
        self._http = http
        self._web_url = web_url
        self.tally = Tally()
        self.clients: dict[str, Client] = {}
        self.truth: dict[str, Truth] = {}

    async def arrive(self, reader: Reader) -> Client:
        """Connect somebody; it is active from the moment that its handshake is done."""
        url = (await self.call(reader, "rtm.connect", batch_presence_aware="1"))["url"]
        client = Client(self, reader)
        await ws_connect(lambda: client, url, read_buffer_init_size=READ_BUFFER_BYTES)
        self.clients[reader.user_id] = client
        async with asyncio.timeout(TIMEOUT_S):
            await client.greeted
        return client

    async def depart(self, reader: Reader, grace_s: float) -> None:
        """Disconnect somebody; it is away when the grace for those who reload is over."""
        await self.clients.pop(reader.user_id).leave()
        self.changed(reader.user_id, False, time.monotonic() + grace_s, "departure")

    async def set_by_hand(self, reader: Reader, is_active: bool) -> None:
        """Have somebody set itself away, or back; that holds from the moment that it is asked for."""
        self.changed(reader.user_id, is_active, time.monotonic(), "by hand")
        await self.call(reader, "users.setPresence", presence="auto" if is_active else "away")

    def changed(self, user_id: str, is_active: bool, since: float, kind: str) -> None:
        """Note the truth about a user; everybody who looks must be told of it."""
        self.truth[user_id] = Truth(is_active, since)
        for client in self.clients.values():
            if user_id in client.screen:
                client.waits[user_id] = Wait(is_active, since, kind)

    def wrong_views(self) -> int:
        """Return how many of all that screens show is wrong, or not there yet."""
        return sum(
            client.view.get(user_id) is not self.truth[user_id].is_active
            for client in self.clients.values()
            for user_id in client.screen
        )

    async def call(self, reader: Reader, method: str, **arguments: str) -> dict[str, Any]:
        """Call a Web API method that must succeed; one that is asked to come back later does."""
        headers = {"Authorization": f"Bearer {reader.token}"}
        for _ in range(TRIES):
            async with self._http.post(f"{self._web_url}/api/{method}", data=arguments, headers=headers) as answer:
                body: dict[str, Any] = await answer.json()
                if body.get("ok"):
                    return body
                if answer.status != HTTPStatus.TOO_MANY_REQUESTS:
                    break
                wait_s = int(answer.headers.get("Retry-After", "1"))
            await asyncio.sleep(wait_s)
        raise RuntimeError(f"{method}: {body.get('error')}")
