"""A proxy in front of MySQL that writes down every statement as it was really sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from svc.webapp.store.dsn import Dsn
from svc.webapp.store.query import Keyspace
from svc.webapp.store.statements import SEPARATOR

COM_QUERY = 3


@dataclass(frozen=True, slots=True)
class Sent:
    """One statement. `connection`: numbered in the order in which they came."""

    keyspace: Keyspace
    connection: int
    sql: str


@dataclass
class Wiretap:
    """What was sent since the last `take`, but what connections say of themselves when they begin."""

    sent: list[Sent] = field(default_factory=list)
    connections: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def take(self) -> list[Sent]:
        """Return what was sent, and forget it."""
        sent, self.sent = self.sent, []
        return sent

    async def serve(
        self, keyspace: Keyspace, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Proxy one connection."""
        self.connections += 1
        number, has_begun = self.connections, False
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
        answers = asyncio.ensure_future(_pass_on(up_reader, writer))
        self._writers.add(writer)
        try:
            while True:
                header = await reader.readexactly(4)
                body = await reader.readexactly(int.from_bytes(header[:3], "little"))
                up_writer.write(header + body)
                if header[3] == 0 and body[0] == COM_QUERY:
                    sql = body[1:].decode()
                    has_begun = has_begun or not sql.startswith(("SET ", "SELECT @@"))
                    if has_begun:
                        self.sent.extend(Sent(keyspace, number, each) for each in sql.split(SEPARATOR))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            answers.cancel()
            up_writer.close()
            writer.close()
            self._writers.discard(writer)

    async def close(self) -> None:
        """Cut all connections, and return once they are gone."""
        while self._writers:
            for writer in self._writers:
                writer.close()
            await asyncio.sleep(0)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)


@asynccontextmanager
async def wiretap(dsns: Mapping[Keyspace, Dsn]) -> AsyncIterator[tuple[Wiretap, dict[Keyspace, Dsn]]]:
    """Listen in front of each keyspace while the block runs; yield the tap, and where to connect instead."""
    tap, tapped = Wiretap(), dict(dsns)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(tap.close)
        for keyspace, dsn in dsns.items():

            async def serve(
                reader: asyncio.StreamReader,
                writer: asyncio.StreamWriter,
                keyspace: Keyspace = keyspace,
                port: int = dsn.port,
            ) -> None:
                await tap.serve(keyspace, port, reader, writer)

            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            stack.callback(server.close)
            tapped[keyspace] = replace(dsn, host="127.0.0.1", port=server.sockets[0].getsockname()[1])
        yield tap, tapped
