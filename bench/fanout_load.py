"""The clients of `bench.fanout`: a process in C that holds all sockets to one server and counts events at each."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.compiled import compiled

AT_ONCE = 100
"""Sockets that connect together."""
OPEN_TIMEOUT_S = 60.0
REFUSED_WAIT_S = 1.0
MARK_DIGITS = 10


class LoadError(Exception):
    """The clients met something that must not be: an event lost, twice or out of order, or a socket that ended."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the clients have to do to be at a server."""

    port: int
    path: Callable[[int], str]
    """Of the n-th upgrade, from 0; asked for again where the server refused."""
    hello: str = ""
    """Text to send after the upgrade."""
    ready: str = ""
    """What is in the frame from which on a socket gets events."""


def mark(offset: int) -> str:
    """Return what makes an event countable: it must be in the event's text, once."""
    return f"@{offset:0{MARK_DIGITS}d}"


class Load:
    """Sockets at one endpoint."""

    def __init__(self, process: Process, endpoint: Endpoint) -> None:
        self._process = process
        self._endpoint = endpoint
        self._asked = 0
        self.sockets = 0

    async def grow(self, sockets: int) -> None:
        """Connect until there are so many; each begins after the last offset awaited. Raises LoadError."""
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            while self.sockets < sockets:
                paths = self._paths(min(AT_ONCE, sockets - self.sockets))
                self._tell("".join(f"open {path}\n" for path in paths))
                refused = 0
                while not (answer := await self._answer()).startswith("ready "):
                    refused += answer.startswith("refused ")
                self.sockets = int(answer.removeprefix("ready "))
                if refused:
                    await asyncio.sleep(REFUSED_WAIT_S)

    def want(self, offset: int) -> None:
        """Ask to be told when every socket has all events up to `offset`; before these are published."""
        self._tell(f"want {offset}\n")

    async def have(self, offset: int, timeout_s: float) -> None:
        """Return when every socket has them. Raises LoadError, and TimeoutError."""
        async with asyncio.timeout(timeout_s):
            answer = await self._answer()
        if answer != f"have {offset}":
            raise LoadError(f"{answer!r} instead of all having {offset}")

    def _paths(self, count: int) -> Sequence[str]:
        first, self._asked = self._asked, self._asked + count
        return [self._endpoint.path(number) for number in range(first, first + count)]

    def _tell(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())

    async def _answer(self) -> str:
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode().rstrip("\n")
        if not line or line.startswith("error "):
            raise LoadError(line.removeprefix("error ") or "the load generator has ended")
        return line


@asynccontextmanager
async def load(endpoint: Endpoint) -> AsyncIterator[Load]:
    """Run the clients of an endpoint, none connected yet, for the length of a block."""
    argv = (compiled("fanload"), str(endpoint.port), endpoint.hello, endpoint.ready)
    process = await asyncio.create_subprocess_exec(*argv, stdin=PIPE, stdout=PIPE)
    try:
        yield Load(process, endpoint)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
