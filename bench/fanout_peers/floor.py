"""The floor: a loop in C that calls send() once a socket and event, which is what the kernel alone costs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.compiled import compiled
from bench.fanout_load import Endpoint
from bench.fanout_peers.peer import LinePeer, Peer, Place, line_to, said_ports, server


@asynccontextmanager
async def floor(place: Place) -> AsyncIterator[Peer]:
    """Run it."""
    async with server(place, [compiled("fanfloor")], says=True) as process:
        port, control = await said_ports(process)
        async with line_to(control) as line:
            yield LinePeer(Endpoint(port, lambda number: "/"), [process.pid], line)
