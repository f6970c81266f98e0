"""The wire between a browser and everything else: a SOCKS5 proxy (RFC 1928) that may fall silent for a while.

Silence is what a lost network is to both ends: nothing arrives, nothing is refused, no connection ends. What was on the
way is delivered when the silence is over, as TCP does it.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

CHUNK = 65_536
_IPV4, _NAME, _IPV6 = 1, 3, 4
_DONE = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"


@dataclass(slots=True)
class Wire:
    """One person's network. `address` is the proxy's, as browsers are told it."""

    address: str = ""
    opened: int = 0
    """Connections so far."""
    _open: asyncio.Event = field(default_factory=asyncio.Event)

    def cut(self) -> None:
        """Fall silent."""
        self._open.clear()

    def mend(self) -> None:
        """Go on where it stopped."""
        self._open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect one connection through."""
        try:
            await self._open.wait()
            host, port = await _asked(reader, writer)
            far_reader, far_writer = await asyncio.open_connection(host, port)
            self.opened += 1
            writer.write(_DONE)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(reader, far_writer))
                both.create_task(self._pass(far_reader, writer))
        except* (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(CHUNK):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int]:
    """Greet, and return where the browser wants to go."""
    _, methods = await reader.readexactly(2)
    await reader.readexactly(methods)
    writer.write(b"\x05\x00")
    _, _, _, kind = await reader.readexactly(4)
    if kind == _NAME:
        host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
    elif kind == _IPV4:
        host = ".".join(map(str, await reader.readexactly(4)))
    else:
        raise OSError("an address of a kind that tests have no use for")
    (port,) = struct.unpack("!H", await reader.readexactly(2))
    return host, port


@asynccontextmanager
async def wire() -> AsyncIterator[Wire]:
    """Serve a wire; all of its connections end with the block."""
    made = Wire()
    made.mend()
    serving = set[asyncio.Task[None]]()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(made.serve(reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    made.address = f"socks5://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
