"""The load generator of posts: counts what is answered and seen, once each, and passes over nothing that is wrong."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench.post_load import PostLoad, PostLoadError, Run, Target, post_load

WAIT_S = 20.0
GREETING = b'HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x10{"type":"hello"}'


class Server:
    """Webapp and gateway in one: tells every socket what is posted, `copies` times."""

    def __init__(self) -> None:
        self.port = 0
        self.copies = 1
        self.answer = b'{"ok":true}'
        self.bodies: list[dict[str, str]] = []
        self.sockets: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._take(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _take(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = re.search(rb"content-length: (\d+)", head.lower())
        body = await reader.readexactly(int(size[1])) if size else b""
        if b"rtm.connect" in head:
            url = f"ws://127.0.0.1:{self.port}/ws/ticket"
            self._reply(writer, json.dumps({"ok": True, "url": url}).encode())
        elif b"/ws/" in head:
            writer.write(GREETING)
            self.sockets.append(writer)
        else:
            self.bodies.append(json.loads(body))
            event = f'{{"text":"{self.bodies[-1]["text"]}"}}'.encode()
            for socket in self.sockets * self.copies:
                socket.write(b"\x81\x7e" + len(event).to_bytes(2) + event)
            self._reply(writer, self.answer)

    def _reply(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)


@asynccontextmanager
async def serving(sockets: int) -> AsyncIterator[tuple[Server, PostLoad]]:
    """A server and people who have sockets there, of whom one may post where all are."""
    there = Server()
    listener = await asyncio.start_server(there.serve, "127.0.0.1", 0)
    there.port = listener.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{there.port}"
    try:
        async with asyncio.timeout(WAIT_S), post_load(url) as people:
            await people.connect(url, ["xoxp-1"] * sockets)
            people.aim([Target("xoxp-1", "C1", sockets)])
            yield there, people
    finally:
        listener.close()


async def test_a_closed_loop_posts_again_when_it_is_answered() -> None:
    async with serving(3) as (there, people):
        assert people.sockets == 3
        found = await people.run(Run(0.3, 4, until="seen"))
        assert found["sent"] == found["acked"] == found["seen"] == len(there.bodies) > 4
        assert found["failed"] == found["repeats"] == 0
        assert len({body["client_msg_id"] for body in there.bodies}) == len(there.bodies)
        assert {body["channel"] for body in there.bodies} == {"C1"}
        assert len(await people.times_ms()) == found["seen"]


async def test_an_open_loop_posts_what_is_due_whatever_becomes_of_the_rest() -> None:
    async with serving(1) as (_, people):
        found = await people.run(Run(0.5, 8, rate=100.0))
        assert found["sent"] == found["acked"] == 50
        # A second run counts by itself.
        found = await people.run(Run(0.2, 8, rate=50.0))
        assert found["sent"] == found["seen"] == 10


async def test_what_is_refused_is_a_failure_and_is_not_waited_for() -> None:
    async with serving(1) as (there, people):
        there.answer, there.copies = b'{"ok":false,"error":"not_in_channel"}', 0
        found = await people.run(Run(0.1, 1))
        assert found["failed"] == found["sent"] > 0
        assert (found["acked"], found["awaited"], found["seen"]) == (0, 0, 0)
        assert "not_in_channel" in found["failure"]


async def test_what_comes_twice_is_counted_as_repeated() -> None:
    async with serving(2) as (there, people):
        there.copies = 2
        found = await people.run(Run(0.1, 1, until="seen"))
        assert found["seen"] == found["sent"]
        # The last copies may still be on their way.
        assert found["repeats"] >= 2 * (found["sent"] - 1)


async def test_a_socket_that_is_closed_ends_it() -> None:
    async with serving(1) as (there, people):
        there.sockets[0].close()
        with pytest.raises(PostLoadError, match="closed"):
            await people.run(Run(1.0, 1))
