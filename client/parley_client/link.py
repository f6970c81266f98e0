"""One WebSocket: opening it, frames in and out, and noticing that nobody is there any more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import aiohttp

from parley_client.errors import ConnectionLost, Unreachable
from parley_client.retrying import retry_after_s, spread

OPEN_S = 5.0
"""Longest that a handshake may take."""

PING_S = 5.0
"""How often the gateway is pinged."""

SILENCE_S = 12.0
"""Without anything heard for this long, pongs included, the gateway is gone."""

CLOSE_S = 1.0
"""Longest to wait for the gateway's half of a Close."""

FRAME_BYTES_MAX = 4 * 1024 * 1024
"""Largest frame taken: an event has at most 512 KiB, the positions of 20,000 channels some 300 KiB."""


class Link:
    """An open connection."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._ws = ws
        self._parting = asyncio.Event()
        self._left = ""
        self.code: int | None = None
        """The close code once it has ended; None when it broke, or we left."""
        self.reason = ""
        """Why it ended."""
        self.is_ours = False
        """Whether it was us who ended it."""

    @classmethod
    @asynccontextmanager
    async def opened(cls, http: aiohttp.ClientSession, url: str, rng: Random) -> AsyncIterator[Link]:
        """Be connected for the length of a block. Raises Unreachable, with what the gateway asks to wait."""
        timeout = aiohttp.ClientWSTimeout(ws_close=CLOSE_S)
        try:
            async with asyncio.timeout(OPEN_S):
                ws = await http.ws_connect(url, max_msg_size=FRAME_BYTES_MAX, timeout=timeout)
        except aiohttp.WSServerHandshakeError as error:
            after_s = spread(retry_after_s(error.headers or {}), rng)
            raise Unreachable(f"the gateway refuses: HTTP {error.status}", after_s) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unreachable(f"the gateway does not answer: {error}") from error
        async with ws, asyncio.TaskGroup() as group:
            link = cls(ws)
            tasks = (group.create_task(_ping(ws)), group.create_task(link._part()))
            try:
                yield link
            finally:
                for task in tasks:
                    task.cancel()

    def leave(self, reason: str) -> None:
        """End it after the frame at hand."""
        self.is_ours = self.is_ours or not self._left
        self._left = self._left or reason

    def part(self, reason: str) -> None:
        """End it now, though nothing comes; for others than who reads it."""
        self.leave(reason)
        self._parting.set()

    async def _part(self) -> None:
        """Say Close when somebody parts; whoever reads the socket learns of it."""
        await self._parting.wait()
        with contextlib.suppress(aiohttp.ClientError, OSError):
            await self._ws.close()

    async def send(self, frame: dict[str, Any]) -> None:
        """Send a frame. Raises ConnectionLost."""
        try:
            await self._ws.send_json(frame)
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionLost(str(error)) from error

    async def frames(self) -> AsyncIterator[dict[str, Any]]:
        """Yield JSON objects until the connection ends; `reason` and `code` then say why."""
        try:
            while not self._left:
                message = await self._ws.receive(timeout=SILENCE_S)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    if not self._left:
                        self.code = self._ws.close_code
                        self._left = f"closed with {self.code} {message.extra or ''}".rstrip()
                elif isinstance(frame := message.json(), dict):
                    yield frame
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            self._left = self._left or f"broken: {error or 'silent for too long'}"
        finally:
            self.reason = self._left


async def _ping(ws: aiohttp.ClientWebSocketResponse) -> None:
    """Ping for as long as the socket stands; whoever reads it notices its end."""
    with contextlib.suppress(aiohttp.ClientError, OSError):
        while not ws.closed:
            await asyncio.sleep(PING_S)
            await ws.ping(b"parley")
