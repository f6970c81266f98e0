"""Schema changes against a real MariaDB."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from svc.kit.clock import SystemClock
from svc.kit.errors import FailedPreconditionError, InternalError, UnavailableError
from svc.webapp import migrate as module
from svc.webapp.migrate import DsnConfig, Migration, check, migrate, migrations
from svc.webapp.store.pools import PoolLimits, Pools, open_pools
from svc.webapp.store.query import KEYSPACES
from tests.svc.webapp.databases import DatabaseServer
from tests.svc.webapp.writes import CHANNEL

ALL = [f"{keyspace}/{each.number:04d}_{each.name}" for keyspace in KEYSPACES for each in migrations(keyspace)]
NEWER = 9_999
USER_COUNT = len(migrations("user"))


def test_the_changes_are_numbered_and_cut_into_statements() -> None:
    """Comments and blank lines are no statements."""
    for keyspace in KEYSPACES:
        first = migrations(keyspace)[0]
        assert (first.number, first.name, len(first.checksum)) == (1, "initial", 64)
        assert all(statement.startswith("CREATE TABLE") for statement in first.statements)


@pytest.fixture
async def empty(mariadb: DatabaseServer) -> AsyncIterator[Pools]:
    """Keyspaces with no tables at all; they are whole again afterwards."""
    dsns = DsnConfig(mariadb.dsns.workspace, mariadb.dsns.channel, mariadb.dsns.user).dsns()
    async with open_pools(dsns, SystemClock()) as pools:
        await drop(pools)
        yield pools
        await drop(pools)


async def drop(pools: Pools) -> None:
    """Drop every table."""
    for keyspace in KEYSPACES:
        for (table,) in await pools.of(keyspace).rows("SHOW TABLES"):
            await pools.of(keyspace).execute(f"DROP TABLE `{table}`")


@pytest.mark.mesh
async def test_two_at_once_apply_each_change_once(empty: Pools) -> None:
    """One waits for the other, then finds nothing to do; a third time there is nothing either."""
    with pytest.raises(FailedPreconditionError, match=r"has 0 of \d+ schema changes.*python -m svc\.webapp\.migrate"):
        await check(empty)
    first, second = await asyncio.gather(migrate(empty), migrate(empty))
    assert sorted(first + second) == sorted(ALL)
    assert await migrate(empty) == []
    await check(empty)


@pytest.mark.mesh
async def test_heads_learn_of_the_newest_message_that_is_to_be_read(
    empty: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a database from before: replies that only their thread shows do not count, nor do notices."""
    monkeypatch.setattr(module, "migrations", lambda keyspace: migrations(keyspace)[:2])
    await migrate(empty)
    rows = ((1, "", 0, 0), (2, "", 1, 1), (3, "channel_join", 0, 0), (4, "", 1, 0))
    for channel_id, stamps in ((CHANNEL, rows), ("C0000000002", rows[2:]), ("C0000000003", ())):
        await empty.channel.execute("INSERT INTO heads VALUES (%s, 9, 9)", (channel_id,))
        for ts_us, subtype, thread_ts_us, broadcast in stamps:
            await empty.channel.execute(
                "INSERT INTO messages (channel_id, ts_us, `offset`, user_id, bot_id, subtype, text, thread_ts_us,"
                " reply_broadcast, client_msg_id, extra) VALUES (%s, %s, 1, 'U', '', %s, '', %s, %s, '', '')",
                (channel_id, ts_us, subtype, thread_ts_us, broadcast),
            )
    monkeypatch.undo()
    await migrate(empty)
    found = await empty.channel.rows("SELECT last_message_us FROM heads ORDER BY channel_id")
    assert [row[0] for row in found] == [2, 0, 0]


@pytest.mark.mesh
async def test_messages_from_before_are_at_their_own_revision(empty: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has changed them, so who read one may change it."""
    monkeypatch.setattr(module, "migrations", lambda keyspace: migrations(keyspace)[:3])
    await migrate(empty)
    for offset in (7, 8):
        await empty.channel.execute(
            "INSERT INTO messages (channel_id, ts_us, `offset`, user_id, bot_id, subtype, text, thread_ts_us,"
            " reply_broadcast, client_msg_id, extra) VALUES (%s, %s, %s, 'U', '', '', '', 0, 0, '', '')",
            (CHANNEL, 100 + offset, offset),
        )
    monkeypatch.undo()
    await migrate(empty)
    rows = await empty.channel.rows("SELECT `offset`, revision FROM messages ORDER BY ts_us")
    assert [tuple(row) for row in rows] == [(7, 7), (8, 8)]


@pytest.mark.mesh
async def test_a_changed_file_and_a_newer_database_are_refused(empty: Pools) -> None:
    """Both by the migration and by the check at start."""
    await migrate(empty)
    await empty.user.execute("UPDATE schema_migrations SET checksum = 'other'")
    for refuse in (migrate, check):
        with pytest.raises(FailedPreconditionError, match="user: change 1 was applied from another file"):
            await refuse(empty)
    for each in migrations("user"):
        await empty.user.execute(
            "UPDATE schema_migrations SET checksum = %s WHERE number = %s", (each.checksum, each.number)
        )
    row = "INSERT INTO schema_migrations (number, name, checksum, complete) VALUES (%s, 'next', 'x', 1)"
    await empty.user.execute(row, (NEWER,))
    for refuse in (migrate, check):
        with pytest.raises(
            FailedPreconditionError,
            match=f"has {USER_COUNT + 1} changes, this version knows {USER_COUNT}; run a newer one",
        ):
            await refuse(empty)


@pytest.mark.mesh
async def test_a_change_that_failed_half_way_is_not_passed_over(empty: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    """DDL cannot be rolled back, so somebody has to look."""
    broken = Migration(1, "broken", ("CREATE TABLE a (id INT)", "CREATE TABLE b (id NONSENSE)"), "sum")
    monkeypatch.setattr(module, "migrations", lambda keyspace: [broken])
    with pytest.raises(InternalError, match="NONSENSE"):
        await migrate(empty)
    with pytest.raises(FailedPreconditionError, match="workspace: change 1 failed half-way"):
        await migrate(empty)


@pytest.mark.mesh
async def test_the_command_says_what_it_applied(empty: Pools, mariadb: DatabaseServer) -> None:
    """`python -m svc.webapp.migrate`, with DSNs from the environment."""

    def run(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "svc.webapp.migrate"]
        return subprocess.run(command, env=os.environ | environ, capture_output=True, text=True, check=False)

    await drop(empty)
    first = await asyncio.to_thread(run, mariadb.dsns.environ())
    assert (first.returncode, first.stdout.splitlines()) == (0, [f"applied {name}" for name in ALL])
    second = await asyncio.to_thread(run, mariadb.dsns.environ())
    assert (second.returncode, second.stdout) == (0, "nothing to apply\n")
    third = await asyncio.to_thread(run, {})
    assert third.returncode == 1
    assert "PARLEY_MYSQL_WORKSPACE_DSN is not set" in third.stderr


@pytest.mark.mesh
async def test_without_a_database_the_check_says_so_soon() -> None:
    """A webapp that starts before its database gets an error that is worth trying again."""
    dsn = "mysql://nobody@127.0.0.1:1/none"
    async with open_pools(DsnConfig(dsn, dsn, dsn).dsns(), SystemClock(), PoolLimits(connect_s=1)) as pools:
        with pytest.raises(UnavailableError):
            await check(pools)
