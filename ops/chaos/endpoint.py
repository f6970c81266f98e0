"""An app behind a request URL: takes what is posted to it, and turns some of it away the first time.

Requests of several owners, and repeated ones, overtake each other by right, so no order is judged here: each event
counts as one of a connection of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import orjson
from aiohttp import web

from ops.chaos.noting import Notes

__all__ = ["AppEndpoint"]

TURNED_AWAY = 0.05
"""Of the first tries; the second comes at once."""


@dataclass(slots=True)
class AppEndpoint:
    """What answers at `url`. Events wait for `notes`, which are there once there is an app."""

    rng: Random
    url: str = ""
    notes: Notes | None = None
    _count: int = field(default=0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[AppEndpoint]:
        """Listen at a free port of this machine for the block."""
        app = web.Application()
        app.router.add_post("/events", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            self.url = f"http://127.0.0.1:{port}/events"
            yield self
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        if body["type"] == "url_verification":
            return web.json_response({"challenge": body["challenge"]})
        is_first = "X-Slack-Retry-Num" not in request.headers
        if self.notes is None or (is_first and self.rng.random() < TURNED_AWAY):
            return web.Response(status=503)
        self._count += 1
        self.notes.take(body, self._count)
        return web.Response()
