"""What a connection reads, in whatever pieces it comes, beside what picows reads of the same bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any, cast

import picows
import pytest

from svc.gateway.close_codes import CloseCode
from svc.gateway.fanout.outbox import Outbox
from svc.gateway.session import Session, SessionLimits
from svc.gateway.sockets import MESSAGE_BYTES_MAX, Connection, Desk, Wiring
from svc.gateway.tickets import Ticket
from svc.gateway.websocket.reading import Frame
from tests.svc.gateway.websocket.masking import masked, unmasked

STREAMS = 60
TIMEOUT_S = 10.0
END = b"the end"
NEVER_SENT = (0, 1006)
"""Close codes that picows takes, and the RFC forbids."""

Read = tuple[int, bool, bytes]


class Recorder(Connection):
    """A connection that notes its frames, and why it closed."""

    __slots__ = ("broken", "frames")

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        wiring = Wiring(Outbox(loop, 1_000_000), cast(Desk, None), loop.time, b"")
        session = Session(SessionLimits(), 0.0)
        super().__init__(wiring, session, Ticket("T1", "U1", "", frozenset()), ("gateway-1", 1), 0)
        self.frames: list[Read] = []
        self.broken = 0

    def _take(self, frame: Frame) -> None:
        self.frames.append((int(frame.kind), frame.is_final, frame.payload))

    def close(self, code: CloseCode, reason: str) -> None:
        self.broken = int(code)


class Twin(picows.WSListener):
    """The same by picows, which leaves reserved bits and two codes to its user."""

    def __init__(self) -> None:
        self.frames: list[Read] = []
        self.broken = 0
        self.over = asyncio.Event()

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        """See picows, which goes on behind a Close that it could not take."""
        if transport.is_close_frame_sent:
            return
        payload = frame.get_payload_as_bytes()
        is_bad_close = frame.msg_type == 8 and len(payload) > 1 and int.from_bytes(payload[:2]) in NEVER_SENT
        if not self.broken and (frame.rsv1 or frame.rsv2 or frame.rsv3 or is_bad_close):
            self.broken = 1002
            self.over.set()
        if not self.broken:
            self.frames.append((int(frame.msg_type), bool(frame.fin), payload))
        if payload.endswith(END):
            self.over.set()

    def on_ws_disconnected(self, transport: Any) -> None:
        """See picows, which has closed if it is not over."""
        if not self.over.is_set():
            self.broken = int(transport.close_handshake.sent.code)
            self.over.set()


@asynccontextmanager
async def twins() -> AsyncIterator[tuple[int, list[Twin]]]:
    """Serve twins; yield the port, and those that were made."""
    made: list[Twin] = []

    def answer(_: Any) -> Twin:
        made.append(Twin())
        return made[-1]

    server = await picows.ws_create_server(
        answer, "127.0.0.1", 0, max_frame_size=MESSAGE_BYTES_MAX, enable_auto_pong=False
    )
    yield server.sockets[0].getsockname()[1], made
    server.close()


async def read_by_picows(port: int, made: list[Twin], pieces: Sequence[bytes]) -> Twin:
    """Return a twin that has read all of this, or that could not."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    async with asyncio.timeout(TIMEOUT_S):
        await reader.readuntil(b"\r\n\r\n")
        twin = made[-1]
        for piece in pieces:
            if twin.over.is_set() or writer.is_closing():
                break
            writer.write(piece)
            await asyncio.sleep(0)
        await twin.over.wait()
    writer.transport.abort()
    return twin


def stream(rng: Random) -> bytes:
    """Return frames of all sorts; in every other stream one of them is not sound."""
    count = rng.randint(1, 8)
    frames = [sound(rng) for _ in range(count)]
    if rng.random() < 0.5:
        frames.insert(rng.randint(0, count), unsound(rng))
    return b"".join([*frames, masked(0x89, END, rng.randbytes(4))])


def sound(rng: Random) -> bytes:
    """Return a frame that a client may send, but for its place among others."""
    if rng.random() < 0.3:
        return masked(rng.choice((0x89, 0x8A)), rng.randbytes(rng.choice((0, 1, 5, 125))), rng.randbytes(4))
    size = rng.choice((0, 1, 2, 7, 125, 126, 300, 1_000, 65_535, 65_536 if rng.random() < 0.3 else 3))
    return masked(rng.choice((0x00, 0x80, 0x01, 0x81, 0x02, 0x82)), rng.randbytes(size), rng.randbytes(4))


def unsound(rng: Random) -> bytes:
    """Return a frame with one defect."""
    mask = rng.randbytes(4)
    return rng.choice(
        (
            unmasked(0x81, b"hello"),
            masked(0x81 | rng.choice((0x10, 0x20, 0x40)), b"hello", mask),
            masked(0x80 | rng.choice((3, 4, 5, 6, 7, 11, 12, 13, 14, 15)), b"hello", mask),
            masked(rng.choice((0x08, 0x09, 0x0A)), b"", mask),
            masked(rng.choice((0x89, 0x8A)), b"x" * 126, mask),
            masked(0x82, b"x" * rng.randint(0, 125), mask, width=2),
            masked(0x82, b"x" * rng.randint(126, 1_000), mask, width=8),
            masked(0x82, b"x" * (MESSAGE_BYTES_MAX + rng.randint(1, 99)), mask),
            masked(0x88, b"\x03", mask),
            masked(0x88, rng.choice((0, 999, 1004, 1005, 1006, 1015, 2999)).to_bytes(2), mask),
            masked(0x88, (1000).to_bytes(2) + b"\xff", mask),
        )
    )


def cut(rng: Random, data: bytes) -> list[bytes]:
    """Return it in pieces, mostly few, sometimes byte by byte."""
    most = rng.choice((3, 40, 1_000, len(data)))
    pieces, at = [], 0
    while at < len(data):
        size = rng.randint(1, most) if len(data) - at < 200 * most else len(data) // 50
        pieces.append(data[at : at + size])
        at += size
    return pieces


@pytest.mark.parametrize("seed", range(4))
async def test_the_same_frames_are_read_and_the_same_streams_refused(seed: int) -> None:
    """With the same code, after the same frames, however the bytes are cut."""
    rng = Random(seed)
    seen = 0
    async with twins() as (port, made):
        for _ in range(STREAMS):
            data = stream(rng)
            ours = Recorder()
            for piece in cut(rng, data):
                ours.data_received(piece)
            theirs = await read_by_picows(port, made, cut(rng, data))
            # picows looks at the next frame before it hands on one: the last before a defect comes behind its Close.
            behind = len(ours.frames) - len(theirs.frames)
            assert behind in ((0, 1) if ours.broken else (0,))
            assert (ours.frames[: len(theirs.frames)], ours.broken) == (theirs.frames, theirs.broken)
            assert ours._unread is None, "nothing is kept of what was read"
            seen += bool(ours.broken)
    assert STREAMS // 4 <= seen <= 3 * STREAMS // 4
