"""A bare RTM client: connects, notes what arrives, posts when asked, reconnects when the line breaks. Never resumes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from ops.chaos.reconnecting import stay_connected
from ops.chaos.record import Kind
from ops.chaos.stage import Api, Json, Person
from ops.chaos.streams import NotConnected, StreamLog
from svc.kit.lifecycle import background


class PlainReader:
    """One user's bare client; `log` is what it noted."""

    def __init__(self, person: Person, name: str, api: Api, http: aiohttp.ClientSession) -> None:
        self.person = person
        self.log = StreamLog(name, person.user_id, Kind.PLAIN)
        self._api = api
        self._http = http
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Json]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[PlainReader]:
        """Be connected, as far as possible, for the block."""
        connected = stay_connected(self._api, self._http, self.person, "rtm.connect", self._frame, self._broken)
        async with background(f"reader {self.log.name}", connected):
            yield self

    async def post(self, channel: str, text: str, client_msg_id: str, timeout_s: float) -> Json:
        """Post over the socket and return the answer. Raises NotConnected, or TimeoutError without an answer."""
        ws = self._ws
        if ws is None:
            raise NotConnected("no connection")
        number = next(self._numbers)
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        frame = {"id": number, "type": "message", "channel": channel, "text": text, "client_msg_id": client_msg_id}
        try:
            async with asyncio.timeout(timeout_s):
                await ws.send_str(orjson.dumps(frame).decode())
                return await answer
        finally:
            self._waiting.pop(number, None)

    async def _frame(self, ws: aiohttp.ClientWebSocketResponse, frame: dict[str, Any]) -> bool:
        """Take one frame; return whether it is the greeting."""
        if frame.get("type") == "hello":
            self.log.greeted()
            self._ws = ws
            return True
        waiting = self._waiting.get(frame.get("reply_to", 0))
        if waiting is not None and not waiting.done():
            waiting.set_result(frame)
        self.log.arrived(frame)
        return False

    def _broken(self) -> None:
        self._ws = None
        self.log.ended()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(NotConnected("the connection broke before the answer"))
