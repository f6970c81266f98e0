"""Opening connections by real sockets: requests in pieces, with frames behind them, and ones that are none."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from svc.gateway.websocket.serving import HEAD_BYTES_MAX
from tests.svc.gateway.websocket.masking import masked

ANN = "U0000000001"
TIMEOUT_S = 5.0


def request(house: Any, **changes: str) -> bytes:
    """Return the request of a user who follows nothing else."""
    house.mesh.members.setdefault(ANN, [])
    headers = {
        "Host": "x",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    path = "/" + house.url(ANN).split("/", 3)[3]
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


async def answered(house: Any, *pieces: bytes) -> bytes:
    """Send pieces, each by itself; return the head of the answer and what came with it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    async with asyncio.timeout(TIMEOUT_S):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        head = await reader.readuntil(b"\r\n\r\n")
        rest = b"" if b" 101 " not in head else await reader.readuntil(b"}")
        writer.close()
    return bytes(head + rest)


async def test_a_request_may_come_byte_by_byte(house: Any) -> None:
    """And hello comes behind the answer to it."""
    said = await answered(house, *[bytes((each,)) for each in request(house)])
    assert said.startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n" in said
    assert said.endswith(b'{"type":"hello","host_id":"gateway-test-000001"}')


async def test_what_comes_right_behind_the_request_is_read(house: Any) -> None:
    """An impatient client does not wait for the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    frame = masked(0x81, b'{"id":7,"type":"ping"}')
    writer.write(request(house) + frame[:5])
    writer.write(frame[5:])
    async with asyncio.timeout(TIMEOUT_S):
        assert b'"pong"' in await reader.readuntil(b'"reply_to":7}')
    writer.close()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Sec_WebSocket_Version": "8"}, b"400"),
        ({"Sec_WebSocket_Key": "short"}, b"400"),
        ({"Connection": "close"}, b"400"),
        ({"Upgrade": "h2c"}, b"426"),
        ({"Content_Length": "1"}, b"400"),
    ],
)
async def test_a_request_that_is_not_sound_is_refused_and_its_ticket_stays_good(
    house: Any, changes: dict[str, str], status: bytes
) -> None:
    """The same client may do better the next time."""
    said = await answered(house, request(house, **changes))
    assert said.split()[1] == status
    assert len(house.connections) == 0
    assert (await answered(house, request(house))).startswith(b"HTTP/1.1 101 ")


async def test_a_request_without_an_end_is_refused_when_it_is_too_long(house: Any) -> None:
    """Nobody fills our memory with one."""
    assert (await answered(house, b"GET / HTTP/1.1\r\n", b"x" * HEAD_BYTES_MAX)).split()[1] == b"400"


async def test_what_is_no_http_is_refused(house: Any) -> None:
    """Scanners come by."""
    assert (await answered(house, b"\x16\x03\x01\r\n\r\n")).split()[1] == b"400"
