"""A WebSocket that is opened again whenever it breaks, as every client without a library of its own does it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import orjson

from ops.chaos.stage import Api, Person
from svc.kit.backoff import Backoff

__all__ = ["Take", "stay_connected"]

PING_S = 5.0
"""How often the connection is tested; it counts as broken without an answer for half of that."""
CONNECT_S = 5.0
FRAME_BYTES_MAX = 1 << 22

Take = Callable[[aiohttp.ClientWebSocketResponse, dict[str, Any]], Awaitable[bool]]
"""Takes a frame; returns whether it is the greeting."""


async def stay_connected(
    api: Api,
    http: aiohttp.ClientSession,
    person: Person,
    method: str,
    take: Take,
    ended: Callable[[], None] = lambda: None,
) -> None:
    """Be connected for ever to where `method` sends this person; `ended` hears of each end of a try."""
    backoff = Backoff(base_s=0.1, cap_s=1.0)
    while True:
        try:
            if await _connection(api, http, person, method, take):
                backoff.reset()
        except (OSError, TimeoutError, aiohttp.ClientError, orjson.JSONDecodeError):
            pass  # told by `ended` below; what follows is the next try
        finally:
            ended()
        await asyncio.sleep(backoff.next_s())


async def _connection(api: Api, http: aiohttp.ClientSession, person: Person, method: str, take: Take) -> bool:
    """Live through one connection; return whether it was greeted."""
    answer = await api.call(person, method)
    if not answer.get("ok"):
        return False
    connecting = http.ws_connect(answer["url"], heartbeat=PING_S, max_msg_size=FRAME_BYTES_MAX)
    async with asyncio.timeout(CONNECT_S):
        ws = await connecting
    greeted = False
    async with ws:
        async for frame in ws:
            if frame.type is aiohttp.WSMsgType.TEXT:
                greeted = await take(ws, orjson.loads(frame.data)) or greeted
    return greeted
