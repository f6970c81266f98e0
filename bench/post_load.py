"""The people of `bench.post` and `bench.latency`: a process in C (postload.c) that posts and holds sockets."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bench.compiled import compiled

READY_TIMEOUT_S = 120.0
RUN_SPARE_S = 60.0
"""Beyond its time a run waits 20 s for what is missing; the rest is for a machine that has much else to do."""
TICKETS_AT_ONCE = 8
LINE_BYTES_MAX = 16 * 1024 * 1024

Json = dict[str, Any]


class PostLoadError(Exception):
    """The load generator met something that must not be: no answer, or a connection that was closed."""


@dataclass(frozen=True, slots=True)
class Target:
    """Who posts where, and how many of the sockets get it."""

    token: str
    channel_id: str
    sockets: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """What to post; see postload.c."""

    seconds: float
    lines: int
    rate: float = 0.0
    """Posts a second, in an open loop; 0: a closed loop."""
    method: str = "chat.postMessage"
    word: str = '"ok":true'
    """What is in a good answer."""
    until: str = "acked"

    def command(self) -> str:
        """Return what postload is told."""
        return f"run {self.method} {self.word} {self.lines} {self.rate} {round(self.seconds * 1_000)} {self.until}\n"


class PostLoad:
    """People with sockets, who post when they are told to."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.sockets = 0

    @property
    def pid(self) -> int:
        """Whose processor time is that of the load."""
        return self._process.pid

    async def connect(self, web_url: str, tokens: Sequence[str]) -> None:
        """Connect a socket for each token, and return when all are greeted. Raises PostLoadError."""
        slots = asyncio.Semaphore(TICKETS_AT_ONCE)

        async def one(http: aiohttp.ClientSession, token: str) -> None:
            headers = {"Authorization": f"Bearer {token}"}
            # A ticket is short-lived, so it is used while the next ones are asked for.
            async with slots:
                while True:
                    async with http.post(f"{web_url}/api/rtm.connect", headers=headers) as answer:
                        body, wait_s = await answer.json(), float(answer.headers.get("Retry-After", 0))
                    if not wait_s:
                        break
                    await asyncio.sleep(wait_s)
            if not body.get("ok"):
                raise PostLoadError(f"rtm.connect: {body.get('error')}")
            url = urlsplit(body["url"])
            query = f"?{url.query}" if url.query else ""
            self._tell(f"socket {url.port} {url.path}{query}\n")

        async with aiohttp.ClientSession() as http:
            await asyncio.gather(*(one(http, token) for token in tokens))
        self._tell("ready\n")
        self.sockets = int((await self._answer(READY_TIMEOUT_S)).removeprefix("ready "))

    def aim(self, targets: Sequence[Target]) -> None:
        """Post to these from now on, in turn."""
        lines = (f"target {each.token} {each.channel_id} {each.sockets}\n" for each in targets)
        self._tell("targets\n" + "".join(lines))

    async def run(self, what: Run) -> Json:
        """Post, and return what became of it. Raises PostLoadError, TimeoutError."""
        self._tell(what.command())
        found: Json = json.loads(await self._answer(what.seconds + RUN_SPARE_S))
        return found

    async def times_ms(self) -> list[float]:
        """Return of each post of the last run how long it was until all its sockets had it, in order."""
        self._tell("times\n")
        found: list[int] = json.loads(await self._answer(RUN_SPARE_S))
        return [each / 1_000 for each in found]

    def _tell(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())

    async def _answer(self, timeout_s: float) -> str:
        assert self._process.stdout is not None
        async with asyncio.timeout(timeout_s):
            line = (await self._process.stdout.readline()).decode().rstrip("\n")
        if not line or line.startswith("error "):
            raise PostLoadError(line.removeprefix("error ") or "the load generator has ended")
        return line


@asynccontextmanager
async def post_load(web_url: str) -> AsyncIterator[PostLoad]:
    """Run the load generator for the length of a block; nobody is connected yet."""
    port = urlsplit(web_url).port
    process = await asyncio.create_subprocess_exec(
        compiled("postload"), str(port), stdin=PIPE, stdout=PIPE, limit=LINE_BYTES_MAX
    )
    try:
        yield PostLoad(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
