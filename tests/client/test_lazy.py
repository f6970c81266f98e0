"""Booting and lazy queries of the client library against a scripted server: its answers, refusals and silences."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from aiohttp import web

from parley_client import Booted, Client, Refused, tokens

ME, ANN, TEAM = "U0000000001", "U0000000002", "T0000000001"
OPEN, SECRET = "C0000000001", "G0000000001"
Json = dict[str, Any]


@dataclass
class Scripted:
    """A webapp and a gateway in one. Frames are answered by `on_frame`: an answer, or None for silence."""

    base_url: str = ""
    calls: list[tuple[str, Json]] = field(default_factory=list)
    frames: list[Json] = field(default_factory=list)
    refusals: list[web.Response] = field(default_factory=list)
    """What the next upgrades get instead of a socket."""
    limits: int = 0
    """How many boots are told to come later."""
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    head: int = 1
    socket_answers: dict[str, Json | None] = field(default_factory=dict)

    async def call(self, request: web.Request) -> web.StreamResponse:
        method, arguments = request.match_info["method"], await request.json()
        self.calls.append((method, arguments))
        if method != "client.boot":
            return web.json_response({"ok": True, **HTTP[method]})
        if self.limits:
            self.limits -= 1
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "0"})
        return web.json_response(self.boot(arguments))

    def boot(self, arguments: Json) -> Json:
        entry = {"id": OPEN, "name": "general", "kind": "public", "latest": f"17000000{self.head:02d}.000000"}
        private = {"id": SECRET, "name": "secret", "kind": "private"}
        return {
            "ok": True,
            "url": self.base_url.replace("http:", "ws:").replace("/api/", "/ws"),
            "host_id": "gateway",
            "is_delta": "since" in arguments,
            "complete": "since" not in arguments,
            "token": tokens.encode({TEAM: 1, ME: 1, OPEN: self.head}),
            "self": {"id": ME, "v": 0},
            "channels": [entry] if "since" in arguments else [entry, private],
        }

    async def socket(self, request: web.Request) -> web.StreamResponse:
        if self.refusals:
            return self.refusals.pop(0)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        self.sockets.append(ws)
        await ws.send_json({"type": "hello", "host_id": "gateway"})
        async for message in ws:
            frame = json.loads(message.data)
            self.frames.append(frame)
            if frame["type"] == "resume":
                await ws.send_json({"type": "resumed", "channels": 3})
                continue
            answer = self.socket_answers.get(frame["type"])
            if answer is not None:
                await ws.send_json({"ok": True, "reply_to": frame["id"], **answer})
        return ws

    def methods(self) -> list[str]:
        return [method for method, _ in self.calls]


HTTP: dict[str, Json] = {
    "client.objects": {"users": [{"id": ANN, "real_name": "by http", "v": 3}], "channels": [], "unknown": []},
    "client.search": {"users": [], "channels": []},
    "client.emoji": {"emoji": {"party": "https://example.org/party.gif"}, "version": 2},
    "conversations.info": {"channel": {"id": SECRET, "name": "secret", "topic": {"value": "hush"}}},
}


def error(code: int, message: str) -> Json:
    return {"ok": False, "error": {"code": code, "msg": message}}


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    """A server that answers boots and nothing else over its socket."""
    scripted = Scripted()
    app = web.Application()
    app.router.add_post("/api/{method}", scripted.call)
    app.router.add_get("/ws", scripted.socket)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    scripted.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    yield scripted
    await runner.cleanup()


@asynccontextmanager
async def at_work(server: Scripted, **options: Any) -> AsyncIterator[Client]:
    """Be connected with boots, and take events."""

    async def read() -> None:
        async for event in client.events():
            handed.append(event)

    handed: list[Any] = []
    client = Client(ME, server.base_url, rng=Random(1), boots=True, **options)
    async with client, asyncio.TaskGroup() as group:
        task = group.create_task(read())
        yield client
        task.cancel()


async def test_a_first_connection_resumes_from_its_boot_and_a_later_one_boots_since_what_it_received(
    server: Scripted,
) -> None:
    """So nothing falls between the boot and the socket, and a delta is as small as it can be."""
    boots: list[Booted] = []
    async with at_work(server, on_boot=boots.append) as client:
        assert server.calls == [("client.boot", {"resume_aware": 1, "resume": 1, "lazy_aware": 1})]
        assert tokens.decode(server.frames[0]["token"]) == {TEAM: 1, ME: 1, OPEN: 1}
        message = {"type": "message", "channel": OPEN, "user": ANN, "ts": "1700000005.000000", "text": "hi"}
        await server.sockets[0].send_json({**message, "position": f"{OPEN}:2"})
        await until(lambda: client.workspace.conversations[OPEN].latest == "1700000005.000000")
        server.head = 6
        await server.sockets[0].close(code=1012)
        await until(lambda: len(boots) == 2 and client.is_ready)
        since = tokens.decode(server.calls[1][1]["since"])
        assert since == tokens.decode(server.frames[1]["token"]) == {TEAM: 1, ME: 1, OPEN: 2}
        assert boots[1].is_delta
        assert client.workspace.conversations[OPEN].latest == "1700000006.000000"
        assert SECRET in client.workspace.conversations
        assert tokens.decode(client.resume_token())[OPEN] == 2


async def test_a_boot_that_is_told_to_come_later_does(server: Scripted) -> None:
    """Rate limits are waited out, not raised."""
    server.limits = 2
    async with at_work(server) as client:
        assert client.is_ready
    assert server.methods() == ["client.boot"] * 3


async def test_a_gateway_that_is_too_busy_is_asked_again_with_the_same_ticket(server: Scripted) -> None:
    """Booting again would cost the server more, and be no sooner."""
    server.refusals = [web.Response(status=503, headers={"Retry-After": "1"})]
    async with at_work(server) as client:
        assert client.is_ready
    assert server.methods() == ["client.boot"]


async def test_lazy_objects_come_over_the_socket_once_and_private_conversations_by_their_own_method(
    server: Scripted,
) -> None:
    """What is held and fresh is not asked for again."""
    server.socket_answers["objects"] = {"users": [{"id": ANN, "real_name": "Ann", "v": 2}], "channels": []}
    async with at_work(server) as client:
        for _ in range(2):
            await client.lazy.load([ANN, SECRET])
        assert (client.workspace.user(ANN) or {})["real_name"] == "Ann"
        assert (client.workspace.channel(SECRET) or {})["topic"] == {"value": "hush"}
    asked = [frame for frame in server.frames if frame["type"] == "objects"]
    assert [frame["ids"] for frame in asked] == [{ANN: None}]
    assert server.methods() == ["client.boot", "conversations.info"]


async def test_what_the_socket_cannot_answer_goes_by_http(server: Scripted) -> None:
    """No answer in time, an edge that is away, a socket that breaks under way."""
    async with at_work(server) as client:
        for answer in (error(7, "service_unavailable"), None):
            server.socket_answers["objects"] = answer
            client.workspace.objects.age()
            await client.lazy.load([ANN])
            assert (client.workspace.user(ANN) or {})["real_name"] == "by http"
        loading = asyncio.create_task(client.lazy.emoji())
        await until(lambda: server.frames[-1]["type"] == "emoji")
        await server.sockets[0].close(code=1012)
        assert await loading == {"party": "https://example.org/party.gif"}
    assert server.methods().count("client.objects") == 2


async def test_who_asks_too_fast_waits_and_a_refusal_is_a_refusal(server: Scripted) -> None:
    """The first is tried again, the second raised with what the server said."""
    server.socket_answers["search"] = error(6, "ratelimited")
    async with at_work(server) as client:
        searching = asyncio.create_task(client.lazy.search("an"))
        await until(lambda: sum(frame["type"] == "search" for frame in server.frames) >= 2)
        server.socket_answers["search"] = {"users": [{"id": ANN, "v": 1}], "channels": []}
        assert [user["id"] for user in (await searching).users] == [ANN]
        assert client.workspace.user(ANN) is not None
        server.socket_answers["search"] = error(5, "unknown type")
        with pytest.raises(Refused, match="unknown type"):
            await client.lazy.search("an")


async def test_ids_for_which_an_answer_had_no_room_are_asked_for_again(server: Scripted) -> None:
    """Nothing was said of them: they are not taken as unchanged. Where there is no room for any, HTTP has it."""
    server.socket_answers["objects"] = {"users": [{"id": ME, "v": 1}], "channels": [], "more": [ANN]}
    async with at_work(server) as client:
        client.workspace.objects.put({"id": ANN, "real_name": "old"}, 1)
        client.workspace.objects.age()
        await client.lazy.load([ME, ANN])
        assert (client.workspace.user(ANN) or {})["real_name"] == "by http"
    assert [frame["ids"] for frame in server.frames if frame["type"] == "objects"] == [{ME: None, ANN: 1}, {ANN: 1}]


async def test_users_brought_along_are_held_and_not_handed_to_the_application(server: Scripted) -> None:
    """They come before the message that needs them."""
    handed: list[str] = []
    async with Client(ME, server.base_url, rng=Random(1), boots=True) as client:
        await server.sockets[0].send_json({"type": "user_objects", "users": [{"id": ANN, "name": "ann", "v": 4}]})
        await server.sockets[0].send_json({"type": "user_typing", "channel": OPEN, "user": ANN})
        async for event in client.events():
            handed.append(getattr(event, "type", ""))
            assert client.workspace.user(ANN) == {"id": ANN, "name": "ann", "v": 4}
            break
    assert handed == ["user_typing"]


async def until(is_so: Any, within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while not is_so():
            await asyncio.sleep(0.01)
