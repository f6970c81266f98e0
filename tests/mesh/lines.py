"""A TCP proxy before the gateways, whose lines can be closed by a Close frame alone, reset, or made silent."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

_PATH = re.compile(rb"^GET /ws/(?P<gateway>[^/ ]+)-[0-9a-f]{6}/(?P<ticket>[^/ ?]+)")
"""With PARLEY_WS_PUBLIC_URL every socket's path names the gateway that its ticket is for, by the id of its start."""

CLOSE_FRAME = b"\x88\x02\x03\xe8"
"""Close with code 1000, as a server sends it."""
HEAD_BYTES_MAX = 64 * 1024
NO_LINGER = struct.pack("ii", 1, 0)
"""With it a socket that is closed sends RST, not FIN."""


class Line:
    """One client's connection, and ours to the gateway in its name."""

    def __init__(
        self, gateway: str, client: tuple[asyncio.StreamReader, asyncio.StreamWriter], behind_url: str
    ) -> None:
        """Be the line of a client to the gateway (its name) at an address, `ws://host:port`."""
        self.gateway = gateway
        self._behind_url = behind_url
        self._from_client, self._to_client = client
        self._is_silent = False

    async def run(self, head: bytes) -> None:
        """Copy in both directions until one of them ends; then reset the other."""
        host, _, port = self._behind_url.rpartition("/")[2].rpartition(":")
        from_gateway, to_gateway = await asyncio.open_connection(host, int(port))
        to_gateway.write(head)
        copying = [asyncio.create_task(self._up(to_gateway)), asyncio.create_task(self._down(from_gateway))]
        try:
            await asyncio.wait(copying, return_when=asyncio.FIRST_COMPLETED)
            if self._is_silent:
                await copying[0]  # that the gateway gave it up is not heard either
        finally:
            for task in copying:
                task.cancel()
            await asyncio.gather(*copying, return_exceptions=True)
            to_gateway.transport.abort()

    def close_alone(self) -> None:
        """Send the client a Close frame, without any word before it; the gateway knows nothing of it."""
        self._to_client.write(CLOSE_FRAME)

    def reset(self) -> None:
        """Drop the client with RST; the gateway sees its line end."""
        _reset(self._to_client)

    def silence(self) -> None:
        """From now on nothing passes in either direction, while both ends believe that the line stands."""
        self._is_silent = True

    async def _up(self, to_gateway: asyncio.StreamWriter) -> None:
        while chunk := await self._from_client.read(65_536):
            if not self._is_silent:
                to_gateway.write(chunk)
                await to_gateway.drain()

    async def _down(self, from_gateway: asyncio.StreamReader) -> None:
        self._to_client.write(await from_gateway.readuntil(b"\r\n\r\n"))
        while True:
            # Whole frames, so that a Close of ours is never in the middle of one.
            frame = await _frame(from_gateway)
            if not self._is_silent:
                self._to_client.write(frame)
                await self._to_client.drain()


class Lines:
    """The proxy: `url` is what PARLEY_WS_PUBLIC_URL is set to, `open` the lines that stand now."""

    def __init__(self) -> None:
        self.open: list[Line] = []
        self.gateways: Mapping[str, str] = {}
        """Gateways' addresses by name (Mesh.ws_urls): given once the mesh is there."""
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a client's connection; it is reset when there is no gateway for it."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            found = _PATH.match(head)
            gateway = found["gateway"].decode() if found else ""
            line = Line(gateway, (reader, writer), self.gateways[gateway])
            self.open.append(line)
            try:
                await line.run(head)
            finally:
                self.open.remove(line)
        except (OSError, asyncio.IncompleteReadError, KeyError):
            pass  # the client sees it as it would see that gateway's death
        finally:
            _reset(writer)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """Read one frame of a server, which is never masked."""
    head = await reader.readexactly(2)
    more = {126: 2, 127: 8}.get(head[1] & 0x7F, 0)
    length = await reader.readexactly(more)
    size = int.from_bytes(length) if more else head[1] & 0x7F
    return head + length + await reader.readexactly(size)


def _reset(writer: asyncio.StreamWriter) -> None:
    if not writer.transport.is_closing():
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        writer.transport.abort()


@asynccontextmanager
async def lines(tls: ssl.SSLContext | None = None) -> AsyncIterator[Lines]:
    """Run a proxy on a free port for the length of a block; with `tls` clients come to `localhost` over TLS."""
    there = Lines()
    server = await asyncio.start_server(there.serve, "127.0.0.1", 0, limit=HEAD_BYTES_MAX, ssl=tls)
    host = "wss://localhost" if tls else "ws://127.0.0.1"
    there.url = f"{host}:{server.sockets[0].getsockname()[1]}"
    try:
        yield there
    finally:
        server.close()
        for line in there.open:
            line.reset()
