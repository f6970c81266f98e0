"""A steady crowd of readers: Web API reads and socket boots at a fixed rate, by popularity, whatever the answers do.

Open loop: a call is due when it is due, and its latency counts from then, so that a server that stalls is charged for
everybody who would have come (coordinated omission). Source: Schroeder et al., "Open Versus Closed" (NSDI 2006).
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import aiohttp

from ops.keyspaces import workspace_rules
from ops.local.mesh import Mesh
from ops.seeding import Seeder, SeedSpec
from svc.kit.lifecycle import Tasks

IN_FLIGHT_MAX = 2_000
"""Calls under way: beyond, a call that is due counts as an error at once."""

TIMEOUT_S = 5.0
HISTORY_LIMIT = 30
TOKENS_AT_ONCE = 4

MIX = {"conversations.history": 34, "conversations.info": 20, "users.info": 36, "auth.test": 9, "boot": 1}
"""What is called, by weight; `boot` is rtm.connect and a socket that is greeted and closed: two queries that no cache
answers, so more than a few of them would only hide what a cache is for."""

SKEW = 0.2
"""Popularity: the n-th of something is asked for in proportion to n^-SKEW. Little: what is in a cache because it is hot
is back within a second of its loss, and it is the rest that a database feels."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One who reads: a token, and the conversations that it is in."""

    user_id: str
    token: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One call: when it was due (monotonic seconds), how long it took from then, and whether it succeeded."""

    due: float
    latency_s: float
    ok: bool


@dataclass(frozen=True, slots=True)
class Town:
    """Those who read, and everybody whom they look at."""

    readers: tuple[Reader, ...]
    people: tuple[str, ...]


async def make_town(mesh: Mesh, spec: SeedSpec, readers: int) -> Town:
    """Make a workspace; some of its people read. The same for the same spec."""
    async with workspace_rules(mesh.dsns) as rules:
        services = rules.services
        await Seeder(services, rules.bulk, lambda what, count: None).populate(spec)
        team = next(team for team in await services.workspaces.teams() if team.domain == spec.domain)
        users = [user for user in await services.workspaces.users(team.id, limit=spec.users + 1) if not user.is_bot]
        slots = asyncio.Semaphore(TOKENS_AT_ONCE)

        async def reader(user: Any) -> Reader:
            async with slots:
                sides = await services.users.memberships(user.id)
                token = await services.accounts.token_for(user)
                return Reader(user.id, token, tuple(side.channel_id for side in sides))

        reading = await asyncio.gather(*map(reader, users[:readers]))
        return Town(tuple(reading), tuple(user.id for user in users))


class ReadLoad:
    """Calls at `rate` a second, and what became of each in `samples`. Ends with the block."""

    def __init__(self, urls: Sequence[str], town: Town, rate: float, rng: Random, meet_s: float = 0.0) -> None:
        """`meet_s`: seconds over which one person after the other is looked at for the first time.

        As long as what is cached of a person lives, the ends of these lives are spread; otherwise they would come in a
        wave once in a life, and look like trouble.
        """
        self._meet_s = meet_s
        self._met_from = time.monotonic()
        self._urls = itertools.cycle(urls)
        self._readers = readers = town.readers
        self._people = town.people
        self._rate = rate
        self._rng = rng
        self._reader_weights = _popularity(len(readers))
        self._people_weights = _popularity(len(town.people))
        self._tasks = Tasks("reads", IN_FLIGHT_MAX)
        self.samples: list[Sample] = []
        self.failures: dict[str, int] = {}
        """How many calls failed, by what they said."""

    async def run(self) -> None:
        """Go on until cancelled."""
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http, self._tasks:
            due = time.monotonic()
            while True:
                due += self._rng.expovariate(self._rate)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if len(self._tasks) >= IN_FLIGHT_MAX:
                    self._note(due, "too many in flight")
                else:
                    self._tasks.spawn(self._one(http, due))

    async def _one(self, http: aiohttp.ClientSession, due: float) -> None:
        method = self._rng.choices(tuple(MIX), tuple(MIX.values()))[0]
        reader = self._rng.choices(self._readers, self._reader_weights)[0]
        try:
            if method == "boot":
                self._note(due, await self._boot(http, reader))
            else:
                answer = await self._call(http, reader, method, self._arguments(method, reader))
                self._note(due, "" if answer.get("ok") else f"{method}: {answer.get('error')}")
        except (TimeoutError, aiohttp.ClientError) as error:
            self._note(due, f"{method}: {type(error).__name__}")

    def _note(self, due: float, failure: str) -> None:
        self.samples.append(Sample(due, time.monotonic() - due, not failure))
        if failure:
            self.failures[failure] = self.failures.get(failure, 0) + 1

    def _arguments(self, method: str, reader: Reader) -> dict[str, Any]:
        if method == "users.info":
            known = self._known()
            return {"user": self._rng.choices(self._people[:known], self._people_weights[:known])[0]}
        if method.startswith("conversations."):
            channel = self._rng.choices(reader.channels, _popularity(len(reader.channels)))[0]
            limit = {"limit": HISTORY_LIMIT} if method.endswith("history") else {}
            return {"channel": channel, **limit}
        return {}

    def _known(self) -> int:
        """Return how many people are looked at by now."""
        elapsed_s = time.monotonic() - self._met_from
        share = min(1.0, elapsed_s / self._meet_s) if self._meet_s else 1.0
        return max(1, round(share * len(self._people)))

    async def _call(
        self, http: aiohttp.ClientSession, reader: Reader, method: str, arguments: dict[str, Any]
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {reader.token}"}
        async with http.post(f"{next(self._urls)}/api/{method}", data=arguments, headers=headers) as answer:
            body: dict[str, Any] = await answer.json()
            return body

    async def _boot(self, http: aiohttp.ClientSession, reader: Reader) -> str:
        """Connect a socket and wait for its greeting; return what went wrong."""
        answer = await self._call(http, reader, "rtm.connect", {})
        if not answer.get("ok"):
            return f"rtm.connect: {answer.get('error')}"
        async with http.ws_connect(answer["url"]) as ws:
            greeting = await ws.receive_json(timeout=TIMEOUT_S)
        return "" if greeting.get("type") == "hello" else f"no greeting: {greeting}"


def _popularity(count: int) -> list[float]:
    return [(number + 1) ** -SKEW for number in range(count)]
