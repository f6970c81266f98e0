"""A mesh of Consul and two real MariaDBs, and somebody who writes to whichever is the primary."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiomysql
import pymysql

from ops.database.status import Status
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec, none

WAIT_S = 15.0


@dataclass
class Pair:
    """A mesh with a replica, and what it said."""

    mesh: Mesh
    said: list[str] = field(default_factory=list)

    @property
    def primary(self) -> str:
        """The name of the primary."""
        return self.mesh.databases.primary

    @property
    def replica(self) -> str:
        """The name of the other."""
        return next(name for name in self.mesh.databases.names if name != self.primary)

    async def status(self, name: str) -> Status:
        """Ask a server how it is."""
        return await self.mesh.databases.node(name).status()

    async def heard(self, words: str) -> None:
        """Wait until the mesh has said something."""
        await eventually(lambda: any(words in line for line in self.said), f"nobody said {words!r}: {self.said}")

    async def query(self, sql: str, name: str = "", args: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Run one statement as the application does, on a connection of its own."""
        address = self.mesh.databases.address(name or self.primary)
        parts = urlsplit(self.mesh.dsns.channel)
        connection = await aiomysql.connect(  # type: ignore[no-untyped-call]
            host=parts.hostname,
            port=int(address.rpartition(":")[2]),
            user=parts.username,
            password=parts.password or "",
            db=parts.path[1:],
            autocommit=True,
            charset="utf8mb4",
        )
        try:
            async with connection.cursor() as cursor:
                await cursor.execute(sql, args)
                return list(await cursor.fetchall())
        finally:
            connection.close()

    async def numbers(self, name: str = "") -> set[int]:
        """Return what table t holds."""
        return {number for (number,) in await self.query("SELECT n FROM t", name)}

    async def applied(self, numbers: set[int]) -> None:
        """Wait until the replica's table t holds these: it has what was acknowledged, and applies it soon."""
        deadline = time.monotonic() + WAIT_S
        while missing := numbers - await self.numbers(self.replica):
            assert time.monotonic() < deadline, f"not applied: {sorted(missing)[:10]}"
            await asyncio.sleep(0.02)


@asynccontextmanager
async def pair(folder: Path, **changes: Any) -> AsyncIterator[Pair]:
    """Run a pair whose table t is there, and that has proven to be in step."""
    said: list[str] = []
    spec = MeshSpec(var=folder / "var", counts=none(), **{"graceful": False, "replica": True, **changes})
    async with Mesh(spec, said.append) as mesh:
        found = Pair(mesh, said)
        await found.query("CREATE TABLE IF NOT EXISTS t (n INT PRIMARY KEY)")
        if spec.replica:
            await mesh.databases.paired()
        yield found


@asynccontextmanager
async def writer(pair: Pair) -> AsyncIterator[list[int]]:
    """Write numbers while the block runs, each on a connection of its own; yield those that were acknowledged."""
    acked: list[int] = []

    async def write() -> None:
        for number in range(1, 100_000):
            try:
                await pair.query("INSERT INTO t VALUES (%s)", args=(number,))
            except (pymysql.err.MySQLError, OSError, EOFError):
                await asyncio.sleep(0.01)
            else:
                acked.append(number)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(write())]
        yield acked
        for task in tasks:
            task.cancel()


async def eventually(condition: Callable[[], bool], otherwise: str) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, otherwise
        await asyncio.sleep(0.02)
