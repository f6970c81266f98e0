"""A TLS proxy as operators put before Parley: one host for calls and sockets, which it sends where their path says."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web
from yarl import URL


@dataclass(slots=True)
class Front:
    """The proxy: its address as clients have it, and to which gateways it sent them."""

    web_url: str
    gateways: Mapping[str, str]
    http: aiohttp.ClientSession
    host: str = ""
    seen: list[str] = field(default_factory=list)

    async def call(self, request: web.Request) -> web.Response:
        """Hand on a call, and say how it came."""
        told = {"Host": "webapp.internal", "X-Forwarded-Proto": "https", "X-Forwarded-Host": request.host}
        kept = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        url = self.web_url + request.path_qs
        async with self.http.request(request.method, url, headers=kept | told, data=await request.read()) as answer:
            return web.Response(
                body=await answer.read(), status=answer.status, content_type="application/json", charset="utf-8"
            )

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """Hand on a socket to the gateway that the path names."""
        gateway = request.match_info["gateway"]
        self.seen.append(gateway)
        async with self.http.ws_connect(URL(self.gateways[gateway] + request.raw_path, encoded=True)) as behind:
            before = web.WebSocketResponse(autoping=False)
            await before.prepare(request)
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(before, behind))
                group.create_task(_copy(behind, before))
            return before


_End = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _copy(source: _End, target: _End) -> None:
    async for frame in source:
        if frame.type is aiohttp.WSMsgType.TEXT:
            await target.send_str(frame.data)
        elif frame.type is aiohttp.WSMsgType.PING:
            await source.pong(frame.data)
    await target.close()


@asynccontextmanager
async def tls_proxy(web_url: str, gateways: Mapping[str, str], cert: Path, key: Path) -> AsyncIterator[Front]:
    """Run a proxy before a webapp and gateways, whose addresses are given by their ids."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    async with aiohttp.ClientSession() as http:
        front = Front(web_url, gateways, http)
        app = web.Application()
        app.router.add_get("/ws/{gateway}/{ticket}", front.socket)
        app.router.add_route("*", "/{path:.*}", front.call)
        runner = web.AppRunner(app, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
            await site.start()
            front.host = f"localhost:{runner.addresses[0][1]}"
            yield front
        finally:
            await runner.cleanup()
