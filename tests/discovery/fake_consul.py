"""A Consul that says what a test tells it to: the nasty answers that a real one gives once a year."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Answer:
    """What to answer: instances by name ("ab" is two), or a raw body; an index of None leaves the header out."""

    names: Sequence[str] = ()
    index: int | str | None = 1
    status: int = 200
    delay_s: float = 0.0
    raw: str | None = None


@dataclass
class Query:
    """What was asked."""

    index: int
    is_consistent: bool
    at: float


@dataclass
class FakeConsul:
    """Answers health queries by `respond`, agent calls by what was registered; remembers what was asked."""

    respond: Callable[[Query], Answer] = field(default=lambda query: Answer())
    queries: list[Query] = field(default_factory=list)
    registered: dict[str, dict[str, object]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    agent_status: int = 200
    agent_delay_s: float = 0.0
    port: int = 0

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> "FakeConsul":
        app = web.Application()
        app.router.add_get("/v1/health/service/{name}", self._health)
        app.router.add_get("/v1/agent/service/{id}", self._service)
        app.router.add_put("/v1/agent/service/register", self._register)
        app.router.add_put("/v1/agent/service/deregister/{id}", self._deregister)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _health(self, request: web.Request) -> web.Response:
        assert request.query["passing"] == "1"
        assert ("stale" in request.query) != ("consistent" in request.query)
        query = Query(
            int(request.query.get("index", 0)), "consistent" in request.query, asyncio.get_running_loop().time()
        )
        self.queries.append(query)
        answer = self.respond(query)
        await asyncio.sleep(answer.delay_s)
        headers = {} if answer.index is None else {"X-Consul-Index": str(answer.index)}
        body = _entries(answer.names) if answer.raw is None else answer.raw
        return web.Response(status=answer.status, headers=headers, text=body)

    async def _service(self, request: web.Request) -> web.Response:
        await self._agent("holds")
        held = self.registered.get(request.match_info["id"])
        if held is None:
            return web.Response(status=404, text="unknown service ID")
        return web.json_response({"Address": held["address"], "Port": held["port"], "Meta": held.get("meta")})

    async def _register(self, request: web.Request) -> web.Response:
        await self._agent("register")
        payload = await request.json()
        self.registered[payload["id"]] = payload
        return web.Response()

    async def _deregister(self, request: web.Request) -> web.Response:
        await self._agent("deregister")
        self.registered.pop(request.match_info["id"], None)
        return web.Response()

    async def _agent(self, call: str) -> None:
        self.calls.append(call)
        await asyncio.sleep(self.agent_delay_s)
        if self.agent_status != 200:
            raise _refusal(self.agent_status)


def _refusal(status: int) -> web.HTTPException:
    refusals = {500: web.HTTPInternalServerError, 403: web.HTTPForbidden, 400: web.HTTPBadRequest}
    return refusals[status](text="the test said no")


def _entries(names: Sequence[str]) -> str:
    return json.dumps(
        [{"Service": {"ID": name, "Service": "parley-channel", "Address": "127.0.0.1", "Port": 1}} for name in names]
    )
