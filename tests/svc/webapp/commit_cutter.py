"""A proxy in front of MySQL that cuts the connection at a COMMIT: before MySQL hears it, or before it can answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum

COMMIT_PACKET = b"\x07\x00\x00\x00\x03COMMIT"
"""Length 7, sequence 0, COM_QUERY, as aiomysql's commit() sends it."""


class Cut(Enum):
    """Which COMMIT to lose."""

    NONE = 0
    REQUEST = 1
    ANSWER = 2


class CommitCutter:
    """Cuts one COMMIT after `cut` is set, then passes everything again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.cut = Cut.NONE
        self.address_port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Proxy one connection."""
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._port)
        muted = asyncio.Event()

        async def back() -> None:
            while data := await up_reader.read(65536):
                if not muted.is_set():
                    writer.write(data)
            writer.close()

        answers = asyncio.ensure_future(back())
        try:
            while data := await reader.read(65536):
                if self.cut is not Cut.NONE and data.endswith(COMMIT_PACKET):
                    cut, self.cut = self.cut, Cut.NONE
                    muted.set()
                    if cut is Cut.ANSWER:
                        up_writer.write(data)
                        await up_reader.read(1)
                    break
                up_writer.write(data)
        except ConnectionError:
            pass
        finally:
            answers.cancel()
            up_writer.close()
            writer.close()


@asynccontextmanager
async def commit_cutter(port: int) -> AsyncIterator[CommitCutter]:
    """Proxy to a local port while the block runs."""
    cutter = CommitCutter(port)
    server = await asyncio.start_server(cutter.serve, "127.0.0.1", 0)
    cutter.address_port = server.sockets[0].getsockname()[1]
    try:
        yield cutter
    finally:
        server.close()
