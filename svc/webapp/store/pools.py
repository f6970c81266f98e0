"""Connections to MySQL: one bounded pool a keyspace, every statement under a deadline, errors as the kit names them.

A pool of our own over aiomysql's connections: theirs has no step after connecting, and keeps a connection whose
statement was cancelled half-way. A read whose pooled connection turns out to be dead (MariaDB was restarted) is tried
once more on a fresh one; a write never is, for it may have happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiomysql
import pymysql

from svc.kit.clock import Clock
from svc.webapp.store.admission import Admission
from svc.webapp.store.dsn import Dsn
from svc.webapp.store.failures import connection_lost, translate
from svc.webapp.store.query import KEYSPACES, Keyspace
from svc.webapp.store.sql import render

__all__ = ["Database", "PoolLimits", "Pools", "Rows", "Transaction", "open_pools"]

Rows = Sequence[Sequence[Any]]

_ON_CONNECT = (
    # No gap locks, so that writers of different channels never wait for each other.
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    # A value that does not fit is an error, never cut to size.
    "SET SESSION innodb_lock_wait_timeout = 3, sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
)


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Bounds of one keyspace's pool."""

    connections_max: int = 8
    """More than a few a core of the database help nobody: a small pool queues here instead of there."""
    waiting_max: int = 1024
    """Callers that may wait for a connection, by class; the others get ResourceExhaustedError. See `admission`."""
    acquire_s: float = 2.0
    """How long one waits at most; then ResourceExhaustedError."""
    connect_s: float = 2.0
    statement_s: float = 5.0
    """Deadline of one statement; past it the connection is closed and DeadlineError raised."""
    idle_s: float = 300.0
    """A connection unused for longer is replaced: firewalls and servers forget them silently."""


class Transaction:
    """One connection inside a transaction. Methods raise the driver's errors, see `failures`."""

    def __init__(self, connection: Any, statement_s: float) -> None:
        self._connection = connection
        self._statement_s = statement_s

    async def rows(self, sql: str, args: Sequence[Any] = ()) -> Rows:
        """Run a statement that answers rows."""
        async with asyncio.timeout(self._statement_s), self._connection.cursor() as cursor:
            await cursor.execute(render(sql, args))
            found: Rows = await cursor.fetchall()
            return found

    async def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Run a statement and return how many rows it changed."""
        async with asyncio.timeout(self._statement_s), self._connection.cursor() as cursor:
            changed: int = await cursor.execute(render(sql, args))
            return changed

    async def begin(self) -> None:
        """Open the transaction."""
        async with asyncio.timeout(self._statement_s):
            await self._connection.begin()

    async def commit(self) -> None:
        """Make it true. When the connection is lost here, nobody knows whether it is."""
        async with asyncio.timeout(self._statement_s):
            await self._connection.commit()

    async def rollback(self) -> None:
        """Make it never have been."""
        async with asyncio.timeout(self._statement_s):
            await self._connection.rollback()


class Database:
    """One keyspace's pool. At most `limits.connections_max` connections; callers queue, bounded, for one."""

    def __init__(self, keyspace: Keyspace, dsn: Dsn, clock: Clock, limits: PoolLimits) -> None:
        """Open nothing yet: connections are made when needed."""
        self.keyspace = keyspace
        self.dsn = dsn
        self.limits = limits
        self._clock = clock
        self._idle: list[tuple[Any, float]] = []
        self.admission = Admission(keyspace, limits.connections_max, limits.waiting_max, limits.acquire_s, clock)
        self._closed = False

    async def rows(self, sql: str, args: Sequence[Any] = ()) -> Rows:
        """Run a SELECT and return its rows. Raises the kit's errors; a dead pooled connection is not one."""
        try:
            try:
                async with self._connection() as connection:
                    return await Transaction(connection, self.limits.statement_s).rows(sql, args)
            except (pymysql.err.MySQLError, OSError, EOFError) as error:
                if not connection_lost(error):
                    raise
                async with self._connection(fresh=True) as connection:
                    return await Transaction(connection, self.limits.statement_s).rows(sql, args)
        except (pymysql.err.MySQLError, OSError, EOFError) as error:
            raise translate(error, self.keyspace) from error

    async def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Run one writing statement, committed by itself; return how many rows it changed. Raises the kit's errors."""
        try:
            async with self._connection() as connection:
                return await Transaction(connection, self.limits.statement_s).execute(sql, args)
        except (pymysql.err.MySQLError, OSError, EOFError) as error:
            raise translate(error, self.keyspace) from error

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[Transaction]:
        """Yield an open transaction that the block commits or rolls back itself; raises the driver's errors.

        A block that leaves it open, or fails, has the connection closed, which rolls it back.
        """
        async with self._connection(is_measured=False) as connection:
            transaction = Transaction(connection, self.limits.statement_s)
            await transaction.begin()
            yield transaction
            if connection.get_transaction_status():
                await transaction.rollback()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Yield a transaction, committed when the block ends well, else rolled back. Raises the kit's errors."""
        try:
            async with self.begun() as transaction:
                yield transaction
                await transaction.commit()
        except (pymysql.err.MySQLError, OSError, EOFError) as error:
            raise translate(error, self.keyspace) from error

    async def close(self) -> None:
        """Close idle connections; busy ones close when they are given back."""
        self._closed = True
        self._drop_idle()

    @asynccontextmanager
    async def _connection(self, *, fresh: bool = False, is_measured: bool = True) -> AsyncIterator[Any]:
        """Lend a connection. It is kept only when the block ended well or with an error answered by the server."""
        async with self.admission.slot(is_measured=is_measured) as slot:
            connection = None if fresh else self._take_idle()
            if connection is None:
                slot.is_measured = False
                if fresh:
                    # One dead connection means a restarted server: the others are dead as well.
                    self._drop_idle()
                connection = await self._connect()
            keep = False
            try:
                yield connection
                keep = True
            finally:
                # An error leaves a transaction, or half an answer, behind: closing is the one sure way out of both.
                if keep and not self._closed and not connection.closed:
                    self._idle.append((connection, self._clock.now()))
                else:
                    connection.close()

    def _take_idle(self) -> Any | None:
        """Return the connection used last that still looks alive (a closed peer is seen without asking it)."""
        oldest = self._clock.now() - self.limits.idle_s
        while self._idle:
            connection, used_at = self._idle.pop()
            reader = connection._reader  # aiomysql's own pool looks at the same place
            if used_at >= oldest and not connection.closed and not reader.at_eof() and reader.exception() is None:
                return connection
            connection.close()
        return None

    def _drop_idle(self) -> None:
        for connection, _ in self._idle:
            connection.close()
        self._idle.clear()

    async def _connect(self) -> Any:
        dsn = self.dsn
        async with asyncio.timeout(self.limits.connect_s):
            connection = await aiomysql.connect(  # type: ignore[no-untyped-call]
                host=dsn.host,
                port=dsn.port,
                user=dsn.user,
                password=dsn.password,
                db=dsn.database,
                unix_socket=dsn.unix_socket or None,
                charset="utf8mb4",
                autocommit=True,
            )
            try:
                for statement in _ON_CONNECT:
                    async with connection.cursor() as cursor:
                        await cursor.execute(statement)
            except BaseException:
                connection.close()
                raise
        return connection


@dataclass(frozen=True, slots=True)
class Pools:
    """The three keyspaces."""

    workspace: Database
    channel: Database
    user: Database

    def of(self, keyspace: Keyspace) -> Database:
        """Return a keyspace's pool by name."""
        return {"workspace": self.workspace, "channel": self.channel, "user": self.user}[keyspace]


@asynccontextmanager
async def open_pools(
    dsns: Mapping[Keyspace, Dsn], clock: Clock, limits: PoolLimits | None = None
) -> AsyncIterator[Pools]:
    """Yield the pools of the three keyspaces; close them on the way out. Connects to nothing by itself."""
    databases = {keyspace: Database(keyspace, dsns[keyspace], clock, limits or PoolLimits()) for keyspace in KEYSPACES}
    try:
        yield Pools(databases["workspace"], databases["channel"], databases["user"])
    finally:
        for database in databases.values():
            await database.close()
