"""The load generator: that it counts every event however the bytes are cut, and passes over nothing that is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from bench.fanout_load import Endpoint, Load, LoadError, load, mark

UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
WAIT_S = 20.0


def frame(payload: bytes, opcode: int = 1) -> bytes:
    """A whole frame of a server."""
    size = bytes([len(payload)]) if len(payload) < 126 else bytes([126]) + len(payload).to_bytes(2)
    return bytes([0x80 | opcode]) + size + payload


def events(*offsets: int) -> list[bytes]:
    """A frame for each."""
    return [frame(f"event {mark(offset)}".encode()) for offset in offsets]


class Server:
    """Writes to its clients what it is told, and keeps what they wrote."""

    def __init__(self) -> None:
        self.clients: list[asyncio.StreamWriter] = []
        self.heard = b""
        self.answers = [UPGRADE]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Upgrade a client, or give it the answer that is left for it."""
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self.answers[0] if len(self.answers) == 1 else self.answers.pop(0))
        self.clients.append(writer)
        while got := await reader.read(1_000):
            self.heard += got
        writer.close()

    async def write(self, *pieces: bytes) -> None:
        """Write each to every client, so that pieces are not joined on the way more than the kernel likes."""
        for client in self.clients:
            for piece in pieces:
                client.write(piece)
                await client.drain()
                await asyncio.sleep(0)


@asynccontextmanager
async def serving(hello: str = "", ready: str = "") -> AsyncIterator[tuple[Server, Load]]:
    """A server, and clients of it that are not connected yet."""
    there = Server()
    listener = await asyncio.start_server(there.serve, "127.0.0.1", 0)
    endpoint = Endpoint(listener.sockets[0].getsockname()[1], lambda number: f"/{number}", hello, ready)
    async with load(endpoint) as clients:
        try:
            yield there, clients
        finally:
            listener.close()
            for client in there.clients:
                client.close()


async def test_events_are_counted_wherever_frames_and_reads_cut_them() -> None:
    """Several in a frame, one over two frames, and every byte by itself."""
    async with serving() as (there, clients):
        await clients.grow(2)
        clients.want(5)
        one, two, three = (mark(offset).encode() for offset in (1, 2, 3))
        whole = frame(b"x" * 200 + one + two) + frame(three[:5]) + frame(three[5:]) + b"".join(events(4, 5))
        await there.write(*(bytes([byte]) for byte in whole))
        await clients.have(5, WAIT_S)


async def test_not_before_the_last_socket_has_them() -> None:
    """One that lags holds the window."""
    async with serving() as (there, clients):
        await clients.grow(3)
        clients.want(1)
        last = there.clients.pop()
        await there.write(*events(1))
        with pytest.raises(TimeoutError):
            await clients.have(1, 0.2)
        there.clients = [last]
        await there.write(*events(1))
        await clients.have(1, WAIT_S)


@pytest.mark.parametrize("offsets", [(1, 3), (1, 1), (2,)])
async def test_an_event_that_is_lost_repeated_or_out_of_order_ends_the_measurement(offsets: Sequence[int]) -> None:
    """With its number."""
    async with serving() as (there, clients):
        await clients.grow(1)
        clients.want(5)
        await there.write(*events(*offsets))
        with pytest.raises(LoadError, match=f"event {offsets[-1]} came after"):
            await clients.have(5, WAIT_S)


async def test_a_socket_that_ends_ends_the_measurement() -> None:
    """By a Close frame, with what it says."""
    async with serving() as (there, clients):
        await clients.grow(1)
        clients.want(1)
        await there.write(frame(b"\x0f\xa1too slow", opcode=8))
        with pytest.raises(LoadError, match="4001 too slow"):
            await clients.have(1, WAIT_S)


async def test_a_refused_socket_comes_again_and_pings_are_answered() -> None:
    """A gateway refuses whoever comes too fast, and closes whoever does not answer."""
    async with serving(hello="hi", ready='"hello"') as (there, clients):
        there.answers = [b"HTTP/1.1 503 Busy\r\n\r\n", UPGRADE + frame(b'{"type":"hello"}')]
        await clients.grow(1)
        assert clients.sockets == 1
        there.clients = there.clients[-1:]
        clients.want(1)
        await there.write(frame(b"are you there", opcode=9), *events(1))
        await clients.have(1, WAIT_S)
        async with asyncio.timeout(WAIT_S):
            while b"are you there" not in there.heard:
                await asyncio.sleep(0.01)
        assert b"\x81\x82\0\0\0\0hi" in there.heard
        assert b"\x8a\x8d\0\0\0\0are you there" in there.heard


async def test_later_sockets_begin_where_the_others_are() -> None:
    """So that more of them can join a server that has been measured."""
    async with serving() as (there, clients):
        await clients.grow(1)
        clients.want(2)
        await there.write(*events(1, 2))
        await clients.have(2, WAIT_S)
        await clients.grow(2)
        clients.want(3)
        await there.write(*events(3))
        await clients.have(3, WAIT_S)
