"""A crowd that connects is taken in by many a turn of the loop, so that nobody waits behind all of it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack

import pytest
import uvloop

from svc.kit.listening import ACCEPTS_A_TURN, listen, listeners

CROWD = 160


def test_a_crowd_is_taken_in_by_many_a_turn() -> None:
    """All have connected before the loop looks; one by one, it would need a turn for each."""
    assert uvloop.run(_turns(each_by_itself=False)) <= 4 * CROWD / ACCEPTS_A_TURN
    # What this is for: should it no longer hold, there is no need for it.
    assert uvloop.run(_turns(each_by_itself=True)) >= CROWD


async def _turns(*, each_by_itself: bool) -> int:
    """Return how many turns of the loop it takes until a crowd is in."""
    seen = 0

    class Counter(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            nonlocal seen
            seen += 1

    loop, turns = asyncio.get_running_loop(), 0
    with ExitStack() as up:
        listener = listen("127.0.0.1", 0)
        for each in [listener] if each_by_itself else listeners(listener):
            server = await loop.create_server(Counter, sock=each, backlog=2 * CROWD)
            up.callback(server.close)
        for _ in range(CROWD):
            up.enter_context(socket.create_connection(listener.getsockname()))
        async with asyncio.timeout(30):
            while seen < CROWD:
                await asyncio.sleep(0)
                turns += 1
    return turns


def test_an_address_that_is_taken_is_told() -> None:
    """With the address, by which one finds who has it."""
    with listen("127.0.0.1", 0) as first:
        first.listen()
        host, port = first.getsockname()
        with pytest.raises(OSError, match=f"cannot listen on {host}:{port}"):
            listen(host, port)
