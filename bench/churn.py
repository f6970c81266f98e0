"""Churn: clients that connect, are greeted and leave, over and over: how many a second, and what each costs every tier.

The mesh is what `make run` starts, with a lived-in workspace in which a person is in some 25 channels. Each connect is
the whole way of one who begins anew: `rtm.connect` over HTTP at a webapp, the ticket it gives, the WebSocket at the
gateway that it names, hello (which says that what the session follows is known and will be delivered), a Close. CALLERS
do that without a pause, each time as the next person; `cpu_ms` is what a connect takes of the processors by tier, from
/proc, and `clients` what the callers themselves take, which share the machine with all of it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import uvloop

from bench.post_stage import spent
from bench.processes import cpu_s
from bench.read_load import Reader, make_town
from ops.chaos.recovery import percentile
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec
from ops.seeding import SeedSpec

Say = Callable[[str], None]

USERS = 400
CHANNELS = 125
CALLERS = 64
"""Enough that one who waits for others holds up nobody: webapp reads for a crowd together."""
ROUNDS = 5
CELL_S = 4.0
WARM_UP_S = 3.0
TIMEOUT_S = 15.0
UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
CLOSE = bytes((0x88, 0x82, 0, 0, 0, 0)) + (1000).to_bytes(2)


def measure(say: Say, users: int = USERS) -> dict[str, Any]:
    """Return what connects of the people of a workspace cost; about a minute."""
    return uvloop.run(_measure(say, users))


async def _measure(say: Say, users: int) -> dict[str, Any]:
    async with AsyncExitStack() as up:
        folder = Path(up.enter_context(tempfile.TemporaryDirectory(prefix="parley-bench-")))
        say("the mesh starts")
        mesh = await up.enter_async_context(Mesh(MeshSpec(var=folder, graceful=False)))
        town = await make_town(mesh, SeedSpec("Churn", "churn", users, CHANNELS, is_lived_in=True), users)
        http = await up.enter_async_context(aiohttp.ClientSession(base_url=mesh.web_url))
        trial = _Trial(mesh, http, town.readers)
        say(f"{users} people connect, {CALLERS} at a time")
        await trial.cell(WARM_UP_S)
        cells = []
        for number in range(ROUNDS):
            cells.append(await trial.cell(CELL_S))
            say(f"round {number + 1} of {ROUNDS}: {cells[-1].per_s:.0f} a second")
        return _result(town.readers, cells)


@dataclass(slots=True)
class _Cell:
    """One round."""

    wall_s: float = 0.0
    refused: int = 0
    took_s: list[float] = field(default_factory=list)
    cpu_s: dict[str, float] = field(default_factory=dict)

    @property
    def per_s(self) -> float:
        return len(self.took_s) / self.wall_s


class _Trial:
    """People who connect in turn."""

    def __init__(self, mesh: Mesh, http: aiohttp.ClientSession, people: tuple[Reader, ...]) -> None:
        self._mesh = mesh
        self._http = http
        self._next = itertools.cycle(people)

    async def cell(self, seconds: float) -> _Cell:
        """Connect for a while."""
        cell, before, began = _Cell(), self._used_s(), time.monotonic()
        async with asyncio.TaskGroup() as callers:
            for _ in range(CALLERS):
                callers.create_task(self._call(cell, began + seconds))
        cell.wall_s = time.monotonic() - began
        cell.cpu_s = spent(before, self._used_s())
        return cell

    async def _call(self, cell: _Cell, until: float) -> None:
        while (began := time.monotonic()) < until:
            async with asyncio.timeout(TIMEOUT_S):
                if await self._connect(next(self._next).token):
                    cell.took_s.append(time.monotonic() - began)
                else:
                    cell.refused += 1

    async def _connect(self, token: str) -> bool:
        """Connect once, up to hello; return whether the gateway let us in. Raises RuntimeError."""
        async with self._http.post("/api/rtm.connect", headers={"Authorization": f"Bearer {token}"}) as response:
            answer = await response.json()
        if not answer["ok"]:
            raise RuntimeError(f"rtm.connect: {answer['error']}")
        at = urlsplit(answer["url"])
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        try:
            writer.write(UPGRADE.format(path=at.path, host=at.netloc).encode())
            if b" 101 " not in await reader.readuntil(b"\r\n\r\n"):
                return False
            await reader.readuntil(b'"hello"')
            writer.write(CLOSE)
            await reader.read()
            return True
        finally:
            writer.close()

    def _used_s(self) -> dict[str, float]:
        names = [name for name in self._mesh.names() if self._mesh.process(name) is not None]
        return {**{name: cpu_s(self._mesh, [name]) for name in names}, "clients": time.process_time()}


def _result(people: tuple[Reader, ...], cells: list[_Cell]) -> dict[str, Any]:
    took = sorted(each for cell in cells for each in cell.took_s)
    tiers = sorted({tier for cell in cells for tier in cell.cpu_s})
    each_ms = {
        tier: statistics.median(1_000 * cell.cpu_s[tier] / max(1, len(cell.took_s)) for cell in cells) for tier in tiers
    }
    return {
        "cores": len(os.sched_getaffinity(0)),
        "people": len(people),
        # The workspace and the user's own channel are followed as well.
        "followed": round(2 + statistics.mean(len(person.channels) for person in people), 1),
        "connects_per_s": round(statistics.median(cell.per_s for cell in cells), 1),
        "took_ms": {name: round(1_000 * percentile(took, share), 1) for name, share in (("p50", 0.5), ("p99", 0.99))},
        "cpu_ms": {tier: round(ms, 3) for tier, ms in each_ms.items() if ms >= 0.001},
        "refused": sum(cell.refused for cell in cells),
        "ok": bool(took),
    }
