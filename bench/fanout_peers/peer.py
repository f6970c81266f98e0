"""What all servers have in common: a process on the server's processor, clients' endpoint, and a way to publish."""

from __future__ import annotations

import asyncio
import struct
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.cores import Cores, on
from bench.fanout_load import Endpoint, mark
from ops.local.ports import HOST, Ports
from svc.kit.lifecycle import background

EVENT_BYTES = 200
READY_S = 20.0


class PeerMissing(Exception):
    """The server is not on this machine; the text says how it gets there."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where servers run."""

    folder: Path
    """For their files; gone afterwards."""
    cores: Cores
    ports: Ports
    files_max: int


class Peer(Protocol):
    """A server that runs."""

    @property
    def endpoint(self) -> Endpoint:
        """Where its clients go."""
        ...

    @property
    def pids(self) -> Collection[int]:
        """The server's processes; children of these count as well."""
        ...

    @property
    def behind(self) -> Collection[int]:
        """Processes that events come through before they reach it."""
        ...

    async def publish(self, first: int, count: int) -> None:
        """Hand events of consecutive offsets to the server, all at once; it may return before they are out."""
        ...


def event(offset: int) -> bytes:
    """Return the event of an offset as clients get it: JSON of EVENT_BYTES bytes that looks like a message of ours."""
    head = f'{{"type":"message","channel":"C0000000001","user":"U0000000001","ts":"1700000000.{offset % 1_000_000:06d}"'
    tail = f',"position":"C0000000001:{offset}"}}'
    text = f',"text":"{mark(offset)} '
    return (head + text + "x" * (EVENT_BYTES - len(head) - len(text) - len(tail) - 1) + '"' + tail).encode()


def events(first: int, count: int) -> list[bytes]:
    """Return the events of consecutive offsets."""
    return [event(offset) for offset in range(first, first + count)]


def length_prefixed(bodies: Sequence[bytes]) -> bytes:
    """Return events as the small servers of ours here take them: four bytes of length, and the event."""
    return b"".join(struct.pack(">I", len(body)) + body for body in bodies)


@asynccontextmanager
async def server(
    place: Place, argv: Sequence[str | Path], environ: Mapping[str, str] | None = None, says: bool = False
) -> AsyncIterator[Process]:
    """Run a program on the server's processor for the length of a block. What it has to say goes to our stderr,
    and its stdout is for us to read if it `says` something.
    """
    with on(place.cores.server):
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=DEVNULL, stdout=PIPE if says else DEVNULL, cwd=place.folder, env=environ
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def said_ports(process: Process) -> tuple[int, int]:
    """Return the two ports that a server prints: its clients', and the one that takes events."""
    assert process.stdout is not None
    async with asyncio.timeout(READY_S):
        port, control = (await process.stdout.readline()).split()
    return int(port), int(control)


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[asyncio.StreamWriter]:
    """Connect to a port as soon as somebody listens there; what comes back is read and forgotten.

    The block fails when the server ends the connection, with the last that it said.
    """
    reader, writer = await _connected(port)
    try:
        async with background(f"line to {port}", _drain(reader)):
            yield writer
    finally:
        writer.close()


async def listening(port: int) -> None:
    """Return once somebody listens at a port. Raises TimeoutError after READY_S."""
    _, writer = await _connected(port)
    writer.close()


async def _connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(READY_S):
        while True:
            try:
                return await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(0.02)


async def _drain(reader: asyncio.StreamReader) -> None:
    last = b""
    while some := await reader.read(65_536):
        last = some[-200:]
    raise ConnectionError(f"the server ended the publisher's line; it said last: {last.decode(errors='replace')!r}")


@dataclass(slots=True)
class LinePeer:
    """A server that takes events as bytes over one connection. `encode` is told the bodies."""

    endpoint: Endpoint
    pids: Collection[int]
    line: asyncio.StreamWriter
    behind: Collection[int] = ()

    def encode(self, bodies: Sequence[bytes]) -> bytes:
        """Return what is written for these events."""
        return length_prefixed(bodies)

    async def publish(self, first: int, count: int) -> None:
        """See Peer."""
        self.line.write(self.encode(events(first, count)))
