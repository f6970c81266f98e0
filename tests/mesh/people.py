"""People and bots as the tests see them: an HTTP call, a socket, and everything that arrived on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

Json = dict[str, Any]
PATIENCE_S = 10.0


@dataclass(slots=True)
class Socket:
    """A WebSocket and what it received, in order. `connection_closed` holds the close code in the end."""

    ws: aiohttp.ClientWebSocketResponse
    events: list[Json] = field(default_factory=list)
    close_code: int | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        """Record frames until the socket ends."""
        async for frame in self.ws:
            if frame.type is aiohttp.WSMsgType.TEXT:
                self.events.append(json.loads(frame.data))
                self._changed.set()
        self.close_code = self.ws.close_code
        self._changed.set()

    async def wait_for(self, wanted: Callable[[Json], bool], timeout_s: float = PATIENCE_S) -> Json:
        """Return the first event, past or to come, that is wanted. Fails with all that came instead."""
        seen = 0
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    for event in self.events[seen:]:
                        if wanted(event):
                            return event
                    seen = len(self.events)
                    if self.close_code is not None:
                        raise AssertionError(
                            f"socket closed with {self.close_code}; it had received {self.events[-20:]}"
                        )
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"not received within {timeout_s} s; received {self.events[-20:]}") from None

    async def wait_closed(self, timeout_s: float = PATIENCE_S) -> int | None:
        """Return the close code once the socket has ended."""
        async with asyncio.timeout(timeout_s):
            while self.close_code is None:
                self._changed.clear()
                await self._changed.wait()
        return self.close_code

    async def wait_text(self, text: str, timeout_s: float = PATIENCE_S) -> Json:
        """Return the message with exactly this text."""
        return await self.wait_for(lambda e: e.get("type") == "message" and e.get("text") == text, timeout_s)

    def texts(self, channel: str) -> list[str]:
        """Return the texts of the plain messages received for a channel, in order."""
        return [
            e["text"]
            for e in self.events
            if e.get("type") == "message" and e.get("channel") == channel and "subtype" not in e
        ]

    async def send(self, **frame: Any) -> None:
        """Send one JSON frame."""
        await self.ws.send_str(json.dumps(frame))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a token."""

    name: str
    user_id: str
    token: str
    web_url: str
    http: aiohttp.ClientSession

    async def call(self, method: str, **arguments: Any) -> Json:
        """Call a Web API method with form arguments; return its answer, ok or not."""
        form = {key: value if isinstance(value, str) else json.dumps(value) for key, value in arguments.items()}
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.post(f"{self.web_url}/api/{method}", data=form, headers=headers) as answer:
            body: Json = await answer.json()
            return body

    async def ok(self, method: str, **arguments: Any) -> Json:
        """Call a method that must succeed."""
        body = await self.call(method, **arguments)
        assert body.get("ok") is True, (method, arguments, body)
        return body

    async def post(self, channel: str, text: str) -> Json:
        """Post a message; return the answer."""
        return await self.ok("chat.postMessage", channel=channel, text=text)

    @asynccontextmanager
    async def connected(self, **arguments: Any) -> AsyncIterator[Socket]:
        """Be connected by RTM: `hello` has been received when the block begins."""
        url = (await self.ok("rtm.connect", **arguments))["url"]
        async with self.http.ws_connect(url, max_msg_size=1 << 24) as ws:
            socket = Socket(ws)
            listener = asyncio.create_task(socket.listen())
            try:
                await socket.wait_for(lambda event: event.get("type") == "hello")
                yield socket
            finally:
                listener.cancel()
                await asyncio.wait({listener})
