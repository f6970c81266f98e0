"""nats-server with its WebSocket listener: clients subscribe a subject, a publisher's plain connection publishes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from bench.fanout_load import Endpoint
from bench.fanout_peers.debian import program
from bench.fanout_peers.peer import LinePeer, Peer, Place, line_to, listening, server
from ops.local.ports import HOST

SETTINGS = """
listen: "{host}:{port}"
max_connections: 65536
ping_interval: "1h"
write_deadline: "30s"
websocket {{ host: "{host}", port: {ws_port}, no_tls: true, compression: false }}
"""
CONNECT = 'CONNECT {"verbose":false,"pedantic":false}\r\n'
HELLO = f"{CONNECT}SUB room 1\r\nPING\r\n"


class _Nats(LinePeer):
    def encode(self, bodies: Sequence[bytes]) -> bytes:
        return b"".join(b"PUB room %d\r\n%b\r\n" % (len(body), body) for body in bodies)


@asynccontextmanager
async def nats(place: Place) -> AsyncIterator[Peer]:
    """Run it."""
    binary = program("nats-server", ["nats-server"])
    port, ws_port = place.ports.claim_free(), place.ports.claim_free()
    settings = place.folder / "nats.conf"
    settings.write_text(SETTINGS.format(host=HOST, port=port, ws_port=ws_port))
    async with server(place, [binary, "-c", settings, "-l", place.folder / "nats.log"]) as process:
        await listening(ws_port)
        async with line_to(port) as line:
            line.write(CONNECT.encode())
            yield _Nats(Endpoint(ws_port, lambda number: "/", hello=HELLO, ready="PONG"), [process.pid], line)
