"""The client library against a gateway with real sockets: breaks, refusals, slow applications, restarts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest

from parley_client import (
    Client,
    ConnectionLost,
    Event,
    NotConnected,
    Refused,
    ResumeFailed,
    Status,
    TokenMalformed,
    Unreachable,
)
from svc.gateway.close_codes import CloseCode
from tests.client.conftest import Server

A, B, D = "C0000000001", "C0000000002", "D0000000001"
ANN, BOB = "U0000000001", "U0000000002"


class Reader:
    """An application: everything that its client handed to it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.events: list[Event] = []
        self.failures: list[ResumeFailed] = []
        self.changed = asyncio.Event()

    async def read(self) -> None:
        async for event in self.client.events():
            if isinstance(event, ResumeFailed):
                self.failures.append(event)
            else:
                self.events.append(event)
            self.changed.set()

    def texts(self, channel: str = A) -> list[str]:
        return [event.json["text"] for event in self.events if event.channel_id == channel]

    async def has(self, count: int, channel: str = A) -> list[str]:
        """Return the texts of a channel once there are so many."""
        async with asyncio.timeout(10):
            while len(self.texts(channel)) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.texts(channel)


@asynccontextmanager
async def reading(server: Server, user: str = ANN, **options: Any) -> AsyncIterator[Reader]:
    async with Client(user, server.base_url, rng=Random(1), **options) as client, asyncio.TaskGroup() as group:
        reader = Reader(client)
        task = group.create_task(reader.read())
        yield reader
        task.cancel()


def cut(server: Server, code: CloseCode | None = None) -> None:
    """Break every connection, or close it with a code."""
    for connection in server.house.connections:
        if code is not None:
            connection.close(code, "for a test")
        else:
            assert connection._transport is not None
            connection._transport.abort()


async def ready(client: Client, connections: int = 1) -> None:
    """Wait until a client is connected (for the so-and-so-many-th time) and served."""
    async with asyncio.timeout(10):
        while client.connections < connections or not client.is_ready:
            await asyncio.sleep(0.01)


async def test_everything_after_the_beginning_of_the_block_comes_once_and_in_order(server: Server) -> None:
    """Whatever breaks meanwhile, with a code or without."""
    server.house.mesh.members[ANN] = [A]
    async with reading(server) as reader:
        ends = [None, CloseCode.GOING_AWAY, CloseCode.SLOW_CONSUMER, CloseCode.NOT_READY, CloseCode.SILENT, None]
        for number in range(300):
            server.house.mesh.append(A, text=str(number))
            if number % 50 == 25:
                await ready(reader.client)
                cut(server, ends[number // 50])
            await asyncio.sleep(0.002)
        assert await reader.has(300) == [str(number) for number in range(300)]
        assert reader.failures == []
        assert reader.client.connections == 7
        assert reader.client.session.holes == 0
    assert server.house.openings.resumed == 6


async def test_goodbye_moves_the_client_at_once(server: Server) -> None:
    """It does not wait for the Close."""
    server.house.mesh.members[ANN] = [A]
    async with reading(server) as reader:
        for connection in server.house.connections:
            connection.push(b"\x81\x12" + b'{"type":"goodbye"}')
        await ready(reader.client, connections=2)
        server.house.mesh.append(A, text="on the next")
        assert await reader.has(1) == ["on the next"]


async def test_a_bot_that_restarts_gets_what_it_missed(server: Server) -> None:
    """From the token that it kept; events that waited for it come again, those that it was handed do not."""
    server.house.mesh.members[ANN] = [A]
    async with Client(ANN, server.base_url) as client:
        for number in range(10):
            server.house.mesh.append(A, text=str(number))
        events = client.events()
        handed = [await anext(events) for _ in range(4)]
        assert [event.json["text"] for event in handed if isinstance(event, Event)] == ["0", "1", "2", "3"]
        token = client.resume_token()
    server.house.mesh.append(A, text="10")
    async with reading(server, resume_token=token) as reader:
        assert await reader.has(7) == [str(number) for number in range(4, 11)]
        assert reader.failures == []
    with pytest.raises(TokenMalformed):
        Client(ANN, server.base_url, resume_token="nonsense")


async def test_a_token_that_is_of_no_use_is_told_as_a_failure(server: Server) -> None:
    """Here of channels that were set back; then live."""
    server.house.mesh.members[ANN] = [A, B]
    for _ in range(5):
        server.house.mesh.append(A)
    async with Client(ANN, server.base_url) as client:
        client._handed[A] = 9
        token = client.resume_token()
    async with reading(server, resume_token=token) as reader:
        server.house.mesh.append(A, text="live")
        assert await reader.has(1) == ["live"]
        assert reader.failures == [ResumeFailed({A: 5})]


async def test_a_session_that_is_lost_at_the_gateway_begins_anew_and_says_what_was_missed(server: Server) -> None:
    """Only channels in which something happened meanwhile."""
    server.house.mesh.members[ANN] = [A, B]
    async with reading(server) as reader:
        server.house.mesh.append(B, text="before")
        await reader.has(1, B)
        server.house.mesh.is_down = True
        cut(server, CloseCode.STALE)
        server.house.mesh.append(A, text="missed")
        server.house.mesh.is_down = False
        async with asyncio.timeout(5):
            while not reader.failures:
                await asyncio.sleep(0.01)
        server.house.mesh.append(A, text="after")
        assert await reader.has(1) == ["after"]
        assert reader.failures == [ResumeFailed({A: 1})]


async def test_an_application_that_is_slow_loses_nothing_and_nothing_grows(server: Server) -> None:
    """Its queue fills, its socket is not read, the gateway cuts it off; it comes back and goes on."""
    server.house.mesh.members[ANN] = [A]
    text = "x" * 20_000
    async with Client(ANN, server.base_url, queue_max=10, rng=Random(1)) as client:
        for number in range(1_000):
            server.house.mesh.append(A, text=f"{number} {text}")
            if number % 10 == 0:
                await asyncio.sleep(0)
        async with asyncio.timeout(10):
            while not server.house.outbox.slow_consumers:
                await asyncio.sleep(0.01)
        assert client._steps.qsize() == 10
        number = 0
        async for event in client.events():
            assert isinstance(event, Event)
            assert event.offset == number + 1
            number += 1
            if number == 1_000:
                break
        assert client.connections > 1


async def test_a_post_is_tried_until_it_is_stored_and_stored_once(server: Server) -> None:
    """Through refused, lost and failed answers, with one client_msg_id; rate limits are obeyed."""
    server.house.mesh.members[ANN] = [A]
    limited = (429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "1"})
    trouble: Any = (200, {"ok": False, "error": "fatal_error"}, {})
    async with reading(server) as reader:
        server.answers += ["lost", 503, limited, trouble, "lost"]
        began = time.monotonic()
        answer = await reader.client.post(A, "once")
        assert answer == {"ok": True, "position": f"{A}:1"}
        assert time.monotonic() - began >= 1.0
        assert await reader.has(1) == ["once"]
    keys = {arguments["client_msg_id"] for method, arguments in server.calls if method == "chat.postMessage"}
    assert len(keys) == 1
    assert len(server.house.mesh.logs[A]) == 1


async def test_calls_that_may_not_be_repeated_are_not(server: Server) -> None:
    """An unknown outcome is an error; a refusal is one at once; a deadline is kept."""
    server.house.mesh.members[ANN] = [A]
    async with reading(server) as reader:
        before = len(server.calls)
        server.answers += ["lost"]
        with pytest.raises(Unreachable):
            await reader.client.call("conversations.create", name="x")
        with pytest.raises(Refused) as refused:
            await reader.client.call("conversations.create", name="x")
        assert refused.value.code == "unknown_method"
        assert len(server.calls) == before + 2
        server.answers += [503] * 100
        began = time.monotonic()
        with pytest.raises(Unreachable):
            await reader.client.post(A, "never", deadline_s=1.0)
        assert time.monotonic() - began < 1.5


async def test_frames_over_the_socket_are_answered(server: Server) -> None:
    """A post by its acknowledgement, without an event; a refusal by an error; typing by nothing."""
    server.house.mesh.members = {ANN: [A], BOB: [A]}
    async with reading(server) as ann, reading(server, BOB) as bob:
        assert (await ann.client.send("ping"))["type"] == "pong"
        assert await ann.client.send("typing", channel=A) == {}
        ack = await ann.client.send(channel=A, text="hi")
        assert (ack["ok"], ack["position"]) == (True, f"{A}:1")
        assert await bob.has(1) == ["hi"]
        typing = [event for event in bob.events if event.type == "user_typing"]
        assert [(event.channel_id, event.offset, event.json["channel"]) for event in typing] == [("", 0, A)]
        server.house.mesh.refusal = "not_in_channel"
        with pytest.raises(Refused) as refused:
            await ann.client.send(channel=A, text="hi")
        assert refused.value.code == "not_in_channel"
        server.house.mesh.refusal = ""
        server.house.mesh.append(A, text="then")
        assert await bob.has(2) == ["hi", "then"]
        assert await ann.has(1) == ["then"]


async def test_a_post_over_a_socket_that_breaks_comes_as_an_event_if_it_was_stored(server: Server) -> None:
    """The outcome is not known to who sent it; nothing is missing in the stream."""
    server.house.mesh.members[ANN] = [A]
    async with reading(server) as reader:
        server.house.mesh.pause_s = 0.1
        sending = asyncio.ensure_future(reader.client.send(channel=A, text="perhaps"))
        await asyncio.sleep(0.05)
        cut(server)
        with pytest.raises(ConnectionLost):
            await sending
        assert await reader.has(1) == ["perhaps"]


async def test_without_a_connection_nothing_is_sent(server: Server) -> None:
    """And outside of its block a client is of no use."""
    server.house.mesh.members[ANN] = [A]
    client = Client(ANN, server.base_url)
    with pytest.raises(NotConnected):
        await client.send(channel=A, text="hi")
    with pytest.raises(NotConnected):
        await client.post(A, "hi")


async def test_a_token_that_is_not_accepted_ends_it(server: Server) -> None:
    """At the start, and later: there is no point in trying."""
    with pytest.raises(Refused) as refused:
        await Client("U0000000077", server.base_url).__aenter__()
    assert refused.value.code == "invalid_auth"
    server.house.mesh.members[ANN] = [A]
    async with Client(ANN, server.base_url) as client:
        cut(server, CloseCode.USER_GONE)
        with pytest.raises(Refused):
            async for _ in client.events():
                pass


async def test_a_busy_server_is_waited_for_as_long_as_it_asks(server: Server) -> None:
    """By the Web API and by the gateway's door."""
    server.house.mesh.members[ANN] = [A]
    statuses: list[Status] = []
    server.answers += [(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "1"}), 502]
    began = time.monotonic()
    options: dict[str, Any] = {"on_status": lambda status, _: statuses.append(status)}
    async with reading(server, **options) as reader:
        assert time.monotonic() - began >= 1.0
        assert statuses == [Status.WAITING, Status.WAITING, Status.GREETED, Status.READY]
        server.house.connections.limit = 1
        other = asyncio.ensure_future(Client(ANN, server.base_url).__aenter__())
        await asyncio.sleep(0.3)
        assert not other.done()
        assert server.house.door.refused == 1
        server.house.connections.limit = 100
        async with asyncio.timeout(10):
            await (await other).__aexit__(None, None, None)
        assert reader.client.is_ready
