"""A border that connections must cross: a TCP proxy that can cut them off by who makes them.

A cut either freezes (bytes stop, nothing is refused, and all goes on where it stopped once healed, as when packets
vanish and are sent again) or resets (every connection breaks, and each new one at once). Bounded: one pump holds one
read; the rest waits in the kernel, and so does its sender.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType

from ops.chaos.faults import Cut
from ops.local.ports import HOST
from svc.kit.lifecycle import Tasks

READ_BYTES = 65_536

LINES_MAX = 2_000
"""Connections at a time: a mesh of twenty processes holds some hundred through one border."""

log = logging.getLogger(__name__)

Target = Callable[[], tuple[str, int]]
"""Where connections lead; asked for each, so that it may be known later than the border."""

Identify = Callable[[int], Mapping[int, str]]
"""Who is connected to our port, by the port at the other end: a tier, or "consul"; strangers are left out."""


class _Line:
    """One connection that crosses the border."""

    def __init__(self, peer_port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peer_port = peer_port
        self.peer = ""
        self.is_open = asyncio.Event()
        self.is_open.set()
        self._inner = (reader, writer)
        self._writers = [writer]

    async def carry(self, target: Target) -> None:
        """Connect onwards and pass bytes on until both sides are done."""
        try:
            await self.is_open.wait()
            reader, writer = await asyncio.open_connection(*target())
            self._writers.append(writer)
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump(self._inner[0], writer))
                pumps.create_task(self._pump(reader, self._inner[1]))
        except* OSError:
            self.reset()  # one side broke, so does the other
        finally:
            for writer in self._writers:
                writer.close()

    def reset(self) -> None:
        """Break both sides at once: the kernel sends RST when it may not linger."""
        for writer in self._writers:
            transport = writer.transport
            if not transport.is_closing():
                transport.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(READ_BYTES):
            await self.is_open.wait()
            writer.write(data)
            await writer.drain()
        await self.is_open.wait()
        if writer.can_write_eof() and not writer.is_closing():
            writer.write_eof()


class Border:
    """An async context manager that listens on `port` and leads to `target`."""

    def __init__(self, port: int, target: Target, identify: Identify) -> None:
        self.port = port
        self._target = target
        self._identify = identify
        self._cut: Cut | None = None
        self._peers = ""
        self._lines: set[_Line] = set()
        self._tasks = Tasks(f"border {port}", LINES_MAX)
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Border:
        self._server = await asyncio.start_server(self._accept, HOST, self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        await self._tasks.__aexit__(kind, error, trace)

    def cut(self, peers: str, how: Cut) -> int:
        """Cut off all connections of `peers`, those of today and those to come; "" cuts off everybody.

        Returns how many there were.
        """
        self._cut, self._peers = how, peers
        self._tell_apart(self._lines)
        lines = [line for line in self._lines if self._is_cut(line)]
        for line in lines:
            line.reset() if how is Cut.RESET else line.is_open.clear()
        return len(lines)

    def heal(self) -> None:
        """Let everybody pass again."""
        self._cut = None
        for line in self._lines:
            line.is_open.set()

    def _tell_apart(self, lines: Iterable[_Line]) -> None:
        """Find out who holds lines. Asked as late as at a cut: a process that is still starting is not known yet."""
        peers = self._identify(self.port)
        for line in lines:
            line.peer = peers.get(line.peer_port, "")

    def _is_cut(self, line: _Line) -> bool:
        return self._cut is not None and self._peers in ("", line.peer)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.spawn(self._carry(reader, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = _Line(writer.get_extra_info("peername")[1], reader, writer)
        if self._cut is not None:
            self._tell_apart((line,))
        if self._is_cut(line):
            if self._cut is Cut.RESET:
                line.reset()
                return
            line.is_open.clear()
        self._lines.add(line)
        try:
            await line.carry(self._target)
        finally:
            self._lines.discard(line)
