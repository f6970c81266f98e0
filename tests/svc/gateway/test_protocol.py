"""The protocol with real sockets: what breaks it closes one connection, and every legal form of it is understood."""

import asyncio
import os
import struct
from typing import Any

import aiohttp
import orjson
import pytest

from svc.gateway.session import SessionLimits

C = "C0000000001"
ANN, BOB = "U0000000001", "U0000000002"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("binary", 1003),
        ("a megabyte", 1009),
        ("bad utf-8", 1007),
        ("reserved bits", 1002),
        ("lost continuation", 1002),
        ("unmasked", 1002),
        ("huge in fragments", 1009),
    ],
)
async def test_a_client_that_breaks_the_protocol_is_closed_with_the_code_that_says_why(
    house: Any, sent: str, code: int
) -> None:
    """And nobody else notices."""
    frames = {
        "binary": [masked(0x82, b"x")],
        "a megabyte": [masked(0x81, b'"' + b"x" * 1_000_000 + b'"')],
        "bad utf-8": [masked(0x81, b"\xff\xfe")],
        "reserved bits": [masked(0xC1, b"{}")],
        "lost continuation": [masked(0x80, b"{}")],
        "unmasked": [b"\x81\x02{}"],
        "huge in fragments": [masked(0x01, b"x" * 40_000), masked(0x00, b"x" * 40_000)],
    }
    ann, bob = await house.connect(ANN, C), await house.connect(BOB, C)
    connection = ann.socket._response.connection
    assert connection is not None
    for frame in frames[sent]:
        connection.transport.write(frame)
    assert await ann.close_code() == code
    house.mesh.append(C, text="still here")
    assert await bob.texts(1) == ["still here"]
    assert await bob.hears_nothing()


async def test_a_fragmented_message_is_put_together_with_pings_between(house: Any) -> None:
    """Some client libraries fragment; control frames may come between."""
    ann = await house.connect(ANN, C)
    connection = ann.socket._response.connection
    payload = orjson.dumps({"id": 1, "type": "ping", "x": "y" * 50})
    connection.transport.write(masked(0x01, payload[:20]) + masked(0x89, b"now") + masked(0x00, payload[20:40]))
    pong = await ann.frame()
    assert (pong.type, bytes(pong.data)) == (aiohttp.WSMsgType.PONG, b"now")
    connection.transport.write(masked(0x80, payload[40:]))
    assert await ann.json() == {"type": "pong", "reply_to": 1, "x": "y" * 50}


async def test_many_frames_in_one_segment_are_all_answered(house: Any) -> None:
    """Pipelining, with garbage JSON among them."""
    ann = await house.connect(ANN, C)
    payloads = [b'{"id":1,"type":"ping"}', b"garbage", b'{"id":2,"type":"nope"}', b'{"id":3,"type":"ping"}']
    ann.socket._response.connection.transport.write(b"".join(masked(0x81, payload) for payload in payloads))
    answers = [await ann.json() for _ in payloads]
    assert [answer.get("reply_to") for answer in answers] == [1, None, 2, 3]
    assert answers[1]["error"]["code"] == 5


async def test_a_client_s_close_is_answered_with_its_code(house: Any) -> None:
    """The close handshake, private codes included."""
    ann = await house.connect(ANN, C)
    ann.socket._response.connection.transport.write(masked(0x88, (4321).to_bytes(2) + b"bye"))
    assert await ann.close_code() == 4321
    async with asyncio.timeout(5):
        while len(house.connections):
            await asyncio.sleep(0.005)
    assert house.mesh.followed == {}


async def test_a_flood_of_frames_is_slowed_down_and_then_ended(open_house: Any) -> None:
    """First errors, then a close code that says why."""
    house = await open_house(limits=SessionLimits(frames_per_s=1, frames_burst=10, refusals_max=20))
    ann = await house.connect(ANN)
    for number in range(60):
        await ann.say(id=number, type="tickle")
    answers = []
    while (frame := await ann.frame()).type is aiohttp.WSMsgType.TEXT:
        answers.append(orjson.loads(frame.data))
    assert {answer["error"]["msg"] for answer in answers} == {"ratelimited"}
    assert frame.data == 1008


def masked(first_byte: int, payload: bytes) -> bytes:
    """Return a client's frame."""
    key, size = os.urandom(4), len(payload)
    if size < 126:
        head = bytes((first_byte, 0x80 | size))
    elif size < 65_536:
        head = bytes((first_byte, 0xFE)) + struct.pack(">H", size)
    else:
        head = bytes((first_byte, 0xFF)) + struct.pack(">Q", size)
    mask = (key * (size // 4 + 1))[:size]
    return head + key + (int.from_bytes(payload) ^ int.from_bytes(mask)).to_bytes(size)
