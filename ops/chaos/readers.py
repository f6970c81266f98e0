"""All readers of a run, of the three kinds."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Protocol

import aiohttp

from ops.chaos.plain import PlainReader
from ops.chaos.record import Stream
from ops.chaos.resuming import ResumingReader
from ops.chaos.sdk import SdkReader
from ops.chaos.stage import Api, Json, Person, Stage
from ops.chaos.streams import StreamLog


class Reader(Protocol):
    """Somebody's client in this process; it can post as well."""

    person: Person
    log: StreamLog

    def running(self) -> AbstractAsyncContextManager[object]:
        """Be connected for the block."""
        ...

    async def post(self, channel: str, text: str, client_msg_id: str, timeout_s: float) -> Json:
        """Post over the socket and return the answer. Raises OSError or TimeoutError without one."""
        ...


class Readers:
    """A bare client for each person, `clients` that resume, dealt to the people in turn, and slack_sdk's for the bot.

    `logs` has the notes of those in this process.
    """

    def __init__(self, stage: Stage, api: Api, http: aiohttp.ClientSession, folder: Path, clients: int, rng: Random):
        plain = [PlainReader(person, f"plain-{person.name}", api, http) for person in stage.people]
        self._resuming = [
            ResumingReader(person, f"resuming-{person.name}-{number}", api.url(number), http, rng)
            for number, person in enumerate(itertools.islice(itertools.cycle(stage.people), clients))
        ]
        self._readers: list[Reader] = [*plain, *self._resuming]
        self._sdk = SdkReader(stage.bot, api.url(0), folder)
        self.writers: list[Reader] = [plain[0], self._resuming[1 % clients]]
        """Those that post as well: one of each kind, for different people."""
        self.logs = [reader.log for reader in self._readers]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Readers]:
        """Be connected for the block."""
        async with AsyncExitStack() as up:
            for reader in self._readers:
                await up.enter_async_context(reader.running())
            await up.enter_async_context(self._sdk.running())
            yield self

    def streams(self) -> tuple[Stream, ...]:
        """Return what all of them noted."""
        return (*(log.stream() for log in self.logs), self._sdk.stream())

    def healed(self) -> int:
        """Return how many holes our library saw and healed by coming back: each is a fault of a gateway."""
        return sum(reader.holes for reader in self._resuming)
