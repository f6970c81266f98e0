"""Pools of connections to MySQL: one a keyspace, bounded, statements under deadlines, errors as the kit names them.

A read whose pooled connection turns out to be dead (MariaDB was restarted) is tried once more on a fresh one; a write
never is, for it may have happened. A keyspace's primary may become another server while we run (`use`): statements go
there from then on, and what the old one refuses because it may no longer write is UnavailableError.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pymysql

from svc.kit.clock import Clock
from svc.webapp.store.admission import Admission
from svc.webapp.store.connections import Connections
from svc.webapp.store.dsn import Dsn
from svc.webapp.store.failures import connection_lost, translate
from svc.webapp.store.limits import PoolLimits
from svc.webapp.store.query import KEYSPACES, SETTLED_S, Keyspace
from svc.webapp.store.replicas import Replicas
from svc.webapp.store.sql import render
from svc.webapp.store.statements import Rows, Statements
from svc.webapp.store.topology import Topology

__all__ = ["Database", "PoolLimits", "Pools", "Rows", "Transaction", "open_pools"]

_BEGIN = "BEGIN"


class Transaction(Statements):
    """One connection inside a transaction. Methods raise the driver's errors, see `failures`.

    What is queued goes with the next statement that is waited for, in one packet; so does the BEGIN.
    """

    def __init__(self, connection: Any, statement_s: float) -> None:
        """See Statements."""
        super().__init__(connection, statement_s)
        self._queued = [_BEGIN]

    def queue(self, sql: str, args: Sequence[Any] = ()) -> None:
        """Run a statement whose answer nobody needs, after those before it and before those that follow."""
        self._queued.append(render(sql, args))

    async def flush(self) -> None:
        """Wait until what is queued is done. When it fails, of those behind the failed one nothing was done."""
        if self._queued and self._queued != [_BEGIN]:
            await self._ask(())

    async def commit(self) -> None:
        """Make it true. When the connection is lost here, nobody knows whether it is; what was queued is done before,
        and fails for itself.
        """
        await self.flush()
        async with asyncio.timeout(self._statement_s):
            await self._connection.commit()
        self._queued = [_BEGIN]

    async def rollback(self) -> None:
        """Make it never have been; what follows is another transaction."""
        async with asyncio.timeout(self._statement_s):
            await self._connection.rollback()
        self._queued = [_BEGIN]

    async def _ask(self, texts: Sequence[str]) -> list[Any]:
        queued, self._queued = self._queued, []
        return (await super()._ask([*queued, *texts]))[len(queued) :]


class Database:
    """One keyspace's pool. At most `limits.connections_max` connections; callers queue, bounded, for one."""

    _replicas: Replicas | None = None

    def __init__(self, keyspace: Keyspace, dsn: Dsn, clock: Clock, limits: PoolLimits) -> None:
        """Open nothing yet: connections are made when needed."""
        self.keyspace = keyspace
        self.limits = limits
        self._clock = clock
        self.admission = Admission(keyspace, limits.connections_max, limits.waiting_max, limits.acquire_s, clock)
        self._server = Connections(
            dsn, clock, connect_s=limits.connect_s, statement_s=limits.statement_s, idle_s=limits.idle_s
        )
        self._replicas = Replicas(keyspace, clock, limits)

    @property
    def dsn(self) -> Dsn:
        """Where the primary is."""
        return self._server.dsn

    @property
    def replicas(self) -> Replicas:
        """Its replicas; none until `use` names some."""
        assert self._replicas is not None
        return self._replicas

    @property
    def settled_us(self) -> int:
        """The ts up to which `settled_rows` may be asked now; 0 while there is no replica that could be."""
        if self._replicas is None or not self._replicas.usable:
            return 0
        return self._clock.wall_us() - int(SETTLED_S * 1_000_000)

    def use(self, topology: Topology) -> None:
        """Go to these servers, with the user, password and database that we have.

        On another primary than before: idle connections close, those in use are cut soon if they do not come back, and
        a server that may not write is not connected to.
        """
        primary = self._at(topology.primary)
        self._server.move(primary)
        self.replicas.use(primary, [self._at(address) for address in topology.replicas])

    def _at(self, address: str) -> Dsn:
        host, _, port = address.rpartition(":")
        return replace(self.dsn, host=host.strip("[]"), port=int(port), unix_socket="")

    async def settled_rows(self, sql: str, args: Sequence[Any] = ()) -> Rows:
        """Run a SELECT of what cannot have changed lately: on a replica if one keeps up, else as `rows` does.

        For methods marked `replica` alone; see `query` for what may be asked so.
        """
        found = await self._replicas.rows(sql, args) if self._replicas is not None else None
        return await self.rows(sql, args) if found is None else found

    async def rows(self, sql: str, args: Sequence[Any] = ()) -> Rows:
        """Run a SELECT and return its rows. Raises the kit's errors; a dead pooled connection is not one."""
        try:
            try:
                async with self._connection() as connection:
                    return await Statements(connection, self.limits.statement_s).rows(sql, args)
            except (pymysql.err.MySQLError, OSError, EOFError) as error:
                if not connection_lost(error):
                    raise
                async with self._connection(fresh=True) as connection:
                    return await Statements(connection, self.limits.statement_s).rows(sql, args)
        except (pymysql.err.MySQLError, OSError, EOFError) as error:
            raise translate(error, self.keyspace) from error

    async def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Run one writing statement, committed by itself; return how many rows it changed. Raises the kit's errors."""
        try:
            async with self._connection() as connection:
                return await Statements(connection, self.limits.statement_s).execute(sql, args)
        except (pymysql.err.MySQLError, OSError, EOFError) as error:
            raise translate(error, self.keyspace) from error

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[Transaction]:
        """Yield an open transaction that the block commits or rolls back itself; raises the driver's errors.

        A block that leaves it open, or fails, has the connection closed, which rolls it back.
        """
        async with self._connection(is_measured=False) as connection:
            transaction = Transaction(connection, self.limits.statement_s)
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
        self._server.close()
        self.replicas.close()

    @asynccontextmanager
    async def _connection(self, *, fresh: bool = False, is_measured: bool = True) -> AsyncIterator[Any]:
        """Lend a connection. It is kept only when the block ended well."""
        async with self.admission.slot(is_measured=is_measured) as slot:
            connection = None if fresh else self._server.take()
            if connection is None:
                slot.is_measured = False
                if fresh:
                    # One dead connection means a restarted server: the others are dead as well.
                    self._server.drop_idle()
                connection = await self._server.connect()
            keep = False
            try:
                yield connection
                keep = True
            finally:
                # An error leaves a transaction, or half an answer, behind: closing is the one sure way out of both.
                self._server.give_back(connection, keep=keep)


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
