"""What nobody waits for any more ends on the server as well; what may have happened is not done again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from svc.kit.clock import SystemClock
from svc.kit.errors import DeadlineError, UnavailableError
from svc.webapp.store.dsn import Dsn
from svc.webapp.store.pools import Database, PoolLimits, Pools

pytestmark = pytest.mark.mesh

ENDED_S = 1.0
"""How much later than its deadline a statement may be gone from a busy machine's server."""
RUNNING = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE %s AND id <> CONNECTION_ID()"
BURN = "SELECT /* {} */ BENCHMARK(2000000000, MD5('x'))"
INSERT = "INSERT INTO names (team_id, name, channel_id, reserved_s, confirmed) VALUES ('T', %s, 'C', 0, 0)"


def database(pools: Pools, statement_s: float) -> Database:
    """Return another pool of the workspace keyspace."""
    return Database("workspace", pools.workspace.dsn, SystemClock(), PoolLimits(statement_s=statement_s))


async def ends_within(pools: Pools, mark: str, limit_s: float) -> float:
    """Return how long the server still runs a statement."""
    began = time.monotonic()
    async with asyncio.timeout(limit_s):
        while (await pools.workspace.rows(RUNNING, (f"%{mark}%",)))[0][0]:
            await asyncio.sleep(0.02)
    return time.monotonic() - began


async def test_a_statement_past_its_deadline_stops_burning(pools: Pools) -> None:
    """Two billion hashes take minutes."""
    short = database(pools, 0.4)
    with pytest.raises(DeadlineError):
        await short.rows(BURN.format("late"))
    await ends_within(pools, "late", ENDED_S)
    await short.close()


async def test_a_statement_whose_caller_left_stops_burning(pools: Pools) -> None:
    """At its deadline at the latest; the connection that it had is closed."""
    short = database(pools, 0.6)
    task = asyncio.ensure_future(short.rows(BURN.format("left")))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ends_within(pools, "left", 0.4 + ENDED_S)
    await short.close()


async def test_a_write_past_its_deadline_has_not_happened_later(pools: Pools) -> None:
    """The server ends writes too: none comes true after its caller was told that it took too long."""
    short = database(pools, 0.3)
    await pools.workspace.execute(INSERT, ("a",))
    with pytest.raises(DeadlineError):
        await short.execute("UPDATE names SET channel_id = IF(SLEEP(0.8), 'D', 'D') WHERE team_id = 'T'")
    await asyncio.sleep(1.0)
    assert await pools.workspace.rows("SELECT channel_id FROM names") == (("C",),)
    await short.close()


async def test_a_transaction_whose_owner_hangs_lets_go_of_its_locks(pools: Pools) -> None:
    """A stopped webapp must not hold a channel's head for as long as it is stopped."""
    short = database(pools, 1.0)
    await pools.workspace.execute(INSERT, ("a",))
    lock = "SELECT * FROM names WHERE team_id = 'T' AND name = 'a' FOR UPDATE"
    waited_s = 0.0

    async def hang() -> None:
        nonlocal waited_s
        async with short.transaction() as hung:
            await hung.rows(lock)
            began = time.monotonic()
            async with pools.workspace.transaction() as other:
                await other.rows(lock)
            waited_s = time.monotonic() - began
            await hung.rows(lock)

    with pytest.raises(UnavailableError):
        await hang()
    assert 0.5 < waited_s < 2.5
    await short.close()


@asynccontextmanager
async def cutting(port: int, needle: bytes) -> AsyncIterator[int]:
    """Proxy to a port; the first connection whose client sends `needle` is cut once the server has answered."""
    is_cut = False

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal is_cut
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
        is_muted = False

        async def back() -> None:
            while data := await up_reader.read(65536):
                if is_muted:
                    break
                writer.write(data)
            writer.close()

        async with asyncio.TaskGroup() as group:
            group.create_task(back())
            while data := await reader.read(65536):
                if needle in data and not is_cut:
                    is_cut = is_muted = True
                up_writer.write(data)
            up_writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_a_write_is_never_repeated_and_a_read_is_once(pools: Pools) -> None:
    """The connection breaks when the server has done it and before it could say so."""
    for needle, expected in ((b"INSERT INTO names", 1), (b"SELECT name", 1)):
        async with cutting(pools.workspace.dsn.port, needle) as port:
            dsn: Dsn = replace(pools.workspace.dsn, port=port)
            broken = Database("workspace", dsn, SystemClock(), PoolLimits())
            if needle.startswith(b"INSERT"):
                with pytest.raises(UnavailableError):
                    await broken.execute(INSERT, ("a",))
            assert len(await broken.rows("SELECT name FROM names")) == expected
            await broken.close()
