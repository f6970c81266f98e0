"""However many connect at once, a turn of the loop takes in a few: whoever is here already waits for no crowd."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from contextlib import ExitStack
from http import HTTPStatus

import uvloop

from svc.gateway.door import ACCEPTS_A_TURN, open_door
from svc.gateway.websocket.upgrade import Request, refusing

CROWD = 100

UPGRADE = (
    b"GET /ws/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def test_a_crowd_is_let_in_a_few_in_a_turn() -> None:
    """On the loop that gateways run on: all have sent their requests before it looks."""
    turns = uvloop.run(_upgrades())
    assert sum(turns.values()) == CROWD
    assert max(turns.values()) <= 4 * ACCEPTS_A_TURN


def test_a_crowd_waits_and_is_not_refused() -> None:
    """All connections stand before the first is taken in."""
    assert sum(uvloop.run(_upgrades(crowd=300)).values()) == 300


async def _upgrades(crowd: int = CROWD) -> Counter[int]:
    """Return how many upgrades each turn of the loop brought, until a whole crowd is in."""
    found: Counter[int] = Counter()
    turn = 0

    def answer(request: Request) -> bytes:
        found[turn] += 1
        return refusing(HTTPStatus.SERVICE_UNAVAILABLE, b"", {})

    async with open_door(answer, "127.0.0.1", 0) as port:
        with ExitStack() as up:
            for _ in range(crowd):
                client = up.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
                client.sendall(UPGRADE)
            async with asyncio.timeout(30):
                while sum(found.values()) < crowd:
                    await asyncio.sleep(0)
                    turn += 1
    return found
