"""One database server as an operator talks to it: under a short deadline, by a user of its own with narrow powers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiomysql
import pymysql

from ops.database.positions import Position
from ops.database.status import Reach, Replication, SemiSync, Status

CONNECT_S = 1.0
"""A server on this machine or next to it greets within milliseconds: one that takes longer hangs."""

ASK_S = 2.0
"""Deadline of a look at a server."""

STATEMENT_S = 10.0
"""Deadline of a statement that changes something: SET GLOBAL read_only waits for commits, they wait for a replica."""

DIVERGED = frozenset({1236})
"""The source cannot continue where the replica stands: it has not, or no longer, what was asked for."""

SECRET = re.compile(r"(PASSWORD=)'[^']*'")
STATEMENT_SHOWN = 200
"""Characters of a statement in a message."""

WAITING = "Waiting for semi-sync ACK%"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Two users: `ops` changes roles, `replication` is what a replica logs in with. See docs/database.md for grants."""

    ops_password: str
    replication_password: str
    ops_user: str = "parley_ops"
    replication_user: str = "parley_repl"


class NodeError(Exception):
    """A server did not do what was asked; `reach` says whether it is there at all."""

    def __init__(self, address: str, reach: Reach, message: str) -> None:
        super().__init__(f"{address}: {message}")
        self.address = address
        self.reach = reach


class Session:
    """An open connection."""

    def __init__(self, address: str, connection: Any) -> None:
        self.address = address
        self._connection = connection

    async def rows(self, sql: str, args: Sequence[Any] = (), within_s: float = ASK_S) -> list[dict[str, Any]]:
        """Run a statement and return its rows by column. Raises NodeError."""
        async with self._asking(sql, within_s), self._connection.cursor(aiomysql.DictCursor) as cursor:
            await cursor.execute(sql, args or None)
            return list(await cursor.fetchall() or ())

    async def batches(self, sql: str, size: int, within_s: float) -> AsyncIterator[Sequence[Sequence[Any]]]:
        """Yield a statement's rows, `size` at a time, without holding more; `within_s` for each batch."""
        async with self._connection.cursor(aiomysql.SSCursor) as cursor:
            async with self._asking(sql, within_s):
                await cursor.execute(sql)
            while True:
                async with self._asking(sql, within_s):
                    batch = await cursor.fetchmany(size)
                if not batch:
                    return
                yield batch

    @asynccontextmanager
    async def _asking(self, sql: str, within_s: float) -> AsyncIterator[None]:
        """Put a deadline and a name on what the driver does."""
        try:
            async with asyncio.timeout(within_s):
                yield
        except TimeoutError:
            raise NodeError(self.address, Reach.SILENT, f"no answer in {within_s:g} s to: {shown(sql)}") from None
        except (pymysql.err.MySQLError, OSError, EOFError) as error:
            raise NodeError(self.address, Reach.UP, f"{_reason(error)} ({shown(sql)})") from error

    async def run(self, *statements: str, within_s: float = STATEMENT_S) -> None:
        """Run statements that change something, one after the other. Raises NodeError."""
        for statement in statements:
            await self.rows(statement, within_s=within_s)

    async def value(self, expression: str) -> Any:
        """Return the value of one expression."""
        return (await self.rows(f"SELECT {expression} AS value"))[0]["value"]

    async def status(self) -> Status:
        """Return how the server is."""
        variables = (
            await self.rows(
                "SELECT @@server_id AS server_id, @@read_only AS read_only, @@gtid_binlog_state AS binlog_state,"
                " @@gtid_slave_pos AS slave_pos, @@gtid_current_pos AS current_pos"
            )
        )[0]
        return Status(
            self.address,
            Reach.UP,
            server_id=variables["server_id"],
            read_only=bool(variables["read_only"]),
            has=Position.parse(variables["binlog_state"], variables["slave_pos"]),
            position=variables["current_pos"],
            semi_sync=await self._semi_sync(),
            replication=_replication(await self.rows("SHOW SLAVE STATUS")),
        )

    async def _semi_sync(self) -> SemiSync:
        found = {row["Variable_name"].lower(): row["Value"] for row in await self.rows("SHOW STATUS LIKE 'Rpl_semi%'")}
        settings = (
            await self.rows(
                "SELECT @@rpl_semi_sync_master_enabled AS enabled, @@rpl_semi_sync_master_timeout AS timeout_ms,"
                " @@rpl_semi_sync_master_wait_no_slave AS waits_without,"
                " (SELECT COALESCE(MAX(TIME_MS), 0) FROM information_schema.PROCESSLIST WHERE STATE LIKE %s)"
                " AS oldest_ms",
                (WAITING,),
            )
        )[0]
        return SemiSync(
            enabled=bool(settings["enabled"]),
            status=found.get("rpl_semi_sync_master_status") == "ON",
            clients=int(found.get("rpl_semi_sync_master_clients", 0)),
            waits_without=bool(settings["waits_without"]),
            timeout_s=settings["timeout_ms"] / 1000,
            oldest_wait_s=float(settings["oldest_ms"]) / 1000,
        )


class Node:
    """A server at `address` (`host:port`); connects anew for each block."""

    def __init__(self, address: str, credentials: Credentials) -> None:
        self.address = address
        self.credentials = credentials

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Yield a connection as the `ops` user. Raises NodeError, saying whether the server is dead or silent."""
        connection = await self._connect()
        try:
            yield Session(self.address, connection)
        except BaseException:
            connection.close()  # half an answer may be on its way
            raise
        with suppress(OSError, EOFError, TimeoutError):
            async with asyncio.timeout(CONNECT_S):
                await connection.ensure_closed()  # with a word of goodbye, or the server's log fills

    async def status(self) -> Status:
        """Return how the server is, also when it cannot be asked."""
        try:
            async with self.session() as session:
                return await session.status()
        except NodeError as error:
            return Status(self.address, error.reach, detail=str(error))

    async def _connect(self) -> Any:
        host, _, port = self.address.rpartition(":")
        try:
            async with asyncio.timeout(CONNECT_S):
                return await aiomysql.connect(  # type: ignore[no-untyped-call]
                    host=host,
                    port=int(port),
                    user=self.credentials.ops_user,
                    password=self.credentials.ops_password,
                    charset="utf8mb4",
                    autocommit=True,
                    init_command="SET SESSION sql_notes = 0",  # "already stopped" is what repeating a step means
                )
        except TimeoutError:
            raise NodeError(self.address, Reach.SILENT, f"no greeting in {CONNECT_S:g} s") from None
        except (pymysql.err.MySQLError, OSError, EOFError) as error:
            reach = _reach(error)
            reason = "connection refused" if reach is Reach.DEAD else _reason(error)
            raise NodeError(self.address, reach, reason) from error


def shown(sql: str) -> str:
    """Return a statement for a message: its beginning, without passwords."""
    return SECRET.sub(r"\1'...'", sql)[:STATEMENT_SHOWN]


def _reach(error: Exception) -> Reach:
    """Return what a failed login says: an answered refusal comes from a live server; a broken line from who knows."""
    if isinstance(error, ConnectionRefusedError) or isinstance(error.__cause__, ConnectionRefusedError):
        return Reach.DEAD
    code = error.args[0] if isinstance(error, pymysql.err.MySQLError) and error.args else 0
    return Reach.UP if isinstance(code, int) and 1000 <= code < 2000 else Reach.SILENT


def _reason(error: Exception) -> str:
    return str(error.args[1]) if isinstance(error, pymysql.err.MySQLError) and len(error.args) > 1 else repr(error)


def _replication(rows: Sequence[Mapping[str, Any]]) -> Replication | None:
    """Read SHOW SLAVE STATUS; None for a server that follows nobody."""
    if not rows:
        return None
    row = rows[0]
    behind = row["Seconds_Behind_Master"]
    return Replication(
        source=f"{row['Master_Host']}:{row['Master_Port']}",
        io_running=row["Slave_IO_Running"] == "Yes",
        sql_running=row["Slave_SQL_Running"] == "Yes",
        received=Position.parse(row["Gtid_IO_Pos"] or ""),
        behind_s=None if behind is None else float(behind),
        io_error=row["Last_IO_Error"] or "",
        sql_error=row["Last_SQL_Error"] or "",
        is_diverged=row["Last_IO_Errno"] in DIVERGED,
    )
