"""Real memcached nodes, and one that takes requests and says nothing."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ops.local.memcached import Memcached
from ops.local.ports import Ports
from ops.local.process import Process
from ops.local.server import start


class CacheServer:
    """A memcached that a test may stop and start at the same address."""

    def __init__(self, folder: Path, port: int) -> None:
        self._server = Memcached("memcached", folder / "memcached.log", port, "az1")
        self._process: Process | None = None

    @property
    def address(self) -> str:
        """host:port."""
        return self._server.address

    async def start(self) -> None:
        """Return once it answers."""
        self._process = await start(self._server)

    async def stop(self) -> None:
        """Stop it; what it held is gone."""
        if self._process is not None:
            await self._process.kill()
        self._process = None

    async def hang(self) -> None:
        """Let it go on holding its connections, and do nothing."""
        assert self._process is not None
        await self._process.freeze()

    def go_on(self) -> None:
        """Let it do all that was asked of it meanwhile."""
        assert self._process is not None
        self._process.signal(signal.SIGCONT)


@asynccontextmanager
async def cache_server(folder: Path) -> AsyncIterator[CacheServer]:
    """Run a memcached while the block runs."""
    ports = Ports()
    server = CacheServer(folder, ports.claim_free())
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        ports.close()


class Mute:
    """A node that answers the first `answers` requests with MN, and then hangs."""

    def __init__(self, answers: int) -> None:
        self.answers = answers
        self.address = ""
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one connection."""
        self.connections += 1
        try:
            while line := await reader.readline():
                if self.answers > 0 or not line:
                    self.answers -= 1
                    writer.write(b"MN\r\n")
        finally:
            writer.close()


@asynccontextmanager
async def mute_node(answers: int = 1) -> AsyncIterator[Mute]:
    """Run such a node while the block runs."""
    mute = Mute(answers)
    server = await asyncio.start_server(mute.serve, "127.0.0.1", 0)
    mute.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield mute
    finally:
        server.close()
