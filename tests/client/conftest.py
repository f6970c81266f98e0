"""A server for clients: a gateway with real sockets (see tests/svc/gateway), and the Web API methods that they call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvloop
from aiohttp import web

from svc.gateway.admission import AdmissionLimits
from svc.gateway.keepalive import KeepaliveLimits
from svc.gateway.session import SessionLimits
from tests.svc.gateway.conftest import House, running

TEAM = "T0000000001"


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run on uvloop, as in production."""
    return {"uvloop": uvloop.new_event_loop}


@dataclass
class Server:
    """A webapp of a few methods in front of a gateway. The bearer token is the user's id."""

    house: House
    base_url: str = ""
    answers: list[Any] = field(default_factory=list)
    """What the next calls are answered with instead: a status, a (status, body, headers), "lost" or "hang"."""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    posted: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        method, arguments = request.match_info["method"], await request.json()
        self.calls.append((method, arguments))
        user = request.headers["Authorization"].removeprefix("Bearer ")
        scripted = self.answers.pop(0) if self.answers else None
        if isinstance(scripted, tuple):
            return web.json_response(scripted[1], status=scripted[0], headers=scripted[2])
        if isinstance(scripted, int):
            return web.Response(status=scripted, text="<html>no</html>")
        body = self.answer(method, arguments, user)
        if scripted == "hang":
            await asyncio.sleep(30)
        if scripted == "lost":
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(body)

    def answer(self, method: str, arguments: dict[str, Any], user: str) -> dict[str, Any]:
        if user not in self.house.mesh.members:
            return {"ok": False, "error": "invalid_auth"}
        if method == "rtm.connect":
            flags = [name for name in ("resume_aware", "resume", "reconnect") if arguments.get(name)]
            return {"ok": True, "url": self.house.url(user, flags=flags).replace("http:", "ws:")}
        if method == "chat.postMessage":
            return self.post(arguments)
        return {"ok": False, "error": "unknown_method"}

    def post(self, arguments: dict[str, Any]) -> dict[str, Any]:
        key = arguments["client_msg_id"]
        if key not in self.posted:
            event = self.house.mesh.append(arguments["channel"], text=arguments["text"])
            self.posted[key] = {"ok": True, "position": f"{event.channel_id}:{event.offset}"}
        return self.posted[key]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server with the usual limits."""
    made = running(SessionLimits(), KeepaliveLimits(), AdmissionLimits(), connections_max=100, bytes_max=1024 * 1024)
    async with made as house:
        here = Server(house)
        app = web.Application()
        app.router.add_post("/api/{method}", here.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        here.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
        yield here
        await runner.cleanup()
