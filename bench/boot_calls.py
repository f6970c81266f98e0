"""Boots as a client makes them, measured: bytes as they come over the wire, seconds, and what was refused."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp
import orjson

TIMEOUT_S = 120.0
REFUSED_WAIT_S = 0.1
"""Least wait of one who was told to come later, beside what the server says."""


@dataclass(frozen=True, slots=True)
class Sitter:
    """Somebody who boots."""

    user_id: str
    token: str


@dataclass(frozen=True, slots=True)
class Taken:
    """One boot: its size over the wire and unpacked, how long it took, what it said."""

    wire_bytes: int
    plain_bytes: int
    seconds: float
    body: bytes

    def answer(self) -> dict[str, Any]:
        """Return what it said."""
        decoded: dict[str, Any] = orjson.loads(self.body)
        return decoded


@dataclass(slots=True)
class Booter:
    """Makes boots over kept connections. `refused` counts those that were told to come later, and then did."""

    http: aiohttp.ClientSession
    url: str
    rng: Random
    refused: int = 0
    failures: dict[str, int] = field(default_factory=dict)

    async def boot(
        self, sitter: Sitter, method: str = "client.boot", arguments: Mapping[str, Any] | None = None, *, packed: bool
    ) -> Taken:
        """Boot, again and again while it is refused; the time is that of the one that was not. Raises ValueError."""
        headers = {"Authorization": f"Bearer {sitter.token}", "Accept-Encoding": "gzip" if packed else "identity"}
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        while True:
            began = time.perf_counter()
            async with self.http.post(
                f"{self.url}/api/{method}", json=dict(arguments or {}), headers=headers, timeout=timeout
            ) as answer:
                wire = await answer.read()
            seconds = time.perf_counter() - began
            if answer.status == 200:
                body = gzip.decompress(wire) if answer.headers.get("Content-Encoding") == "gzip" else wire
                if not body.startswith(b'{"ok":true'):
                    raise ValueError(f"{method}: {body[:200]!r}")
                return Taken(len(wire), len(body), seconds, body)
            if answer.status != 429:
                raise ValueError(f"{method}: HTTP {answer.status}")
            self.refused += 1
            after_s = float(answer.headers.get("Retry-After", "1"))
            await asyncio.sleep(REFUSED_WAIT_S + self.rng.uniform(0.0, after_s))

    async def flood(self, sitters: Sequence[Sitter], at_once: int, seconds: float) -> tuple[int, list[float]]:
        """Boot as fast as `at_once` clients can, for some seconds; return how many did, and how long each took."""
        until = time.monotonic() + seconds
        took: list[float] = []

        async def work() -> None:
            while time.monotonic() < until:
                took.append((await self.boot(self.rng.choice(sitters), packed=True)).seconds)

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
        return len(took), took


def ascending(values: Sequence[Taken], of: Callable[[Taken], float]) -> list[float]:
    """Return one number of each, sorted."""
    return sorted(of(each) for each in values)
