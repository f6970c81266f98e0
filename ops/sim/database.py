"""MySQL's twin: transactions that lock, wait, fail, and sometimes fail to tell whether they happened.

The stores of webapp run on it unchanged; `statements` knows what each of their statements means. What a transaction
writes is seen by nobody before its commit, and what was committed is never lost. A connection may break before a
statement, before the commit or after it; the caller cannot tell the last two apart.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pymysql

from ops.sim.statements import read, write
from ops.sim.tables import Tables
from ops.sim.world import Host, World
from svc.webapp.store.failures import translate
from svc.webapp.store.pools import Database, Rows, Transaction
from svc.webapp.store.statements import Statement

LOST = 2013
DUPLICATE = 1062
LOCK_WAIT_S = 3.0
APP_PLACES = "app_places"
"""One lock for all of its rows: there are few."""


@dataclass(slots=True)
class Trouble:
    """Shares of what goes wrong, 0 to 1; set by a scenario."""

    statement: float = 0.0
    before_commit: float = 0.0
    after_commit: float = 0.0
    conflict: float = 0.0


class MemoryMysql:
    """The server: what is committed, who holds which head's lock, and whether it answers at all."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tables = Tables()
        self.trouble = Trouble()
        self.is_down = False
        self.on_commit: Callable[[Host], None] = lambda _: None
        """Told after each commit of a process that wrote events."""
        self.host = Host(world, "mysql")
        self.dice = world.rng("mysql")
        self._holders: dict[str, MemoryTransaction] = {}
        self._queues: dict[str, deque[tuple[MemoryTransaction, asyncio.Future[None]]]] = {}

    def latency(self) -> float:
        """Return how long a statement takes, in seconds."""
        draw = self.dice.random()
        return 0.0003 + 0.002 * draw if draw < 0.97 else 0.01 + 0.05 * self.dice.random()

    def check(self, share: float) -> None:
        """Raise what a driver raises when the connection is gone: always while the server is down."""
        if self.is_down or (share and self.dice.random() < share):
            self.world.counts["mysql: connection lost"] += 1
            raise lost()

    async def lock(self, transaction: MemoryTransaction, channel_id: str) -> None:
        """Wait for a head's lock, in turn. Raises OperationalError 1205 after LOCK_WAIT_S."""
        holder = self._holders.get(channel_id)
        if holder is None:
            self._holders[channel_id] = transaction
        elif holder is not transaction:
            turn = asyncio.get_running_loop().create_future()
            self._queues.setdefault(channel_id, deque()).append((transaction, turn))
            self.world.counts["mysql: lock waited for"] += 1
            try:
                async with asyncio.timeout(LOCK_WAIT_S):
                    await turn
            except TimeoutError:
                raise refused(1205, "Lock wait timeout exceeded") from None
        transaction.locked.append(channel_id)

    def release(self, transaction: MemoryTransaction) -> None:
        """Give a transaction's locks to whoever waits."""
        for channel_id in transaction.locked:
            if self._holders.get(channel_id) is not transaction:
                continue
            del self._holders[channel_id]
            queue = self._queues.get(channel_id, ())
            while queue:
                waiter, turn = queue.popleft()
                if not turn.done() and waiter.host.is_alive:
                    self._holders[channel_id] = waiter
                    # Until the waiter hears of it the lock is its own, also when it dies first.
                    waiter.locked.append(channel_id)
                    self.world.at(self.world.now, waiter.host, _wake, turn)
                    break
        transaction.locked.clear()


@dataclass(eq=False)
class MemoryTransaction(Transaction):
    """One open transaction of one process."""

    mysql: MemoryMysql
    host: Host
    locked: list[str] = field(default_factory=list)
    writes: list[tuple[str, Sequence[Any]]] = field(default_factory=list)
    claimed: set[tuple[str, int]] = field(default_factory=set)
    is_open: bool = True
    queued: list[tuple[str, Sequence[Any]]] = field(default_factory=list)

    def queue(self, sql: str, args: Sequence[Any] = ()) -> None:
        """See Transaction."""
        self.queued.append((sql, args))

    async def flush(self) -> None:
        """See Transaction."""
        queued, self.queued = self.queued, []
        for sql, args in queued:
            await self.execute(sql, args)

    async def rows_of(self, statements: Sequence[Statement]) -> list[Rows]:
        """See Transaction."""
        return [await self.rows(*each) for each in statements]

    async def rows(self, sql: str, args: Sequence[Any] = ()) -> Rows:
        """See Transaction."""
        await self.flush()
        self.mysql.check(self.mysql.trouble.statement)
        if "FROM app_places" in sql:
            return read(self._own(), sql, args)
        if "FOR UPDATE" not in sql:
            return read(self.mysql.tables, sql, args)
        if "FROM heads" in sql:
            await asyncio.sleep(self.mysql.latency())
            for channel_id in args[0]:
                await self.mysql.lock(self, channel_id)
            return self._heads(read(self.mysql.tables, sql, args), args[0])
        found = [row for row in read(self.mysql.tables, sql, args) if row[:2] not in self.mysql.tables.claimed]
        self.claimed.update((row[0], row[1]) for row in found)
        self.mysql.tables.claimed.update(self.claimed)
        if found:
            await asyncio.sleep(self.mysql.latency())
        return found

    def _own(self) -> Tables:
        """Return the places of apps as this transaction sees them, which holds their lock."""
        places = {key: dict(row) for key, row in self.mysql.tables.app_places.items()}
        seen = Tables(app_places=places)
        for sql, args in self.writes:
            write(seen, sql, args)
        return seen

    def _heads(self, found: Rows, channel_ids: Sequence[str]) -> Rows:
        """Add the heads that this transaction has made."""
        made = {cell for sql, args in self.writes if sql.startswith("INSERT INTO heads") for cell in args[::4]}
        known = {row[0] for row in found}
        return [*found, *((each, 0, 0, 0) for each in channel_ids if each in made and each not in known)]

    async def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        """See Transaction."""
        await self.flush()
        self.mysql.check(self.mysql.trouble.statement)
        if sql.startswith("INSERT INTO requests"):
            used = self.mysql.tables.requests
            if any((args[i], args[i + 1]) in used for i in range(0, len(args), 5)):
                raise refused(DUPLICATE, "Duplicate entry")
        if "app_places" in sql and APP_PLACES not in self.locked:
            await self.mysql.lock(self, APP_PLACES)
        self.writes.append((sql, args))
        return 1

    async def commit(self) -> None:
        """See Transaction."""
        await self.flush()
        mysql, world = self.mysql, self.mysql.world
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        draw, trouble = mysql.dice.random(), mysql.trouble
        if draw < trouble.conflict:
            await asyncio.sleep(mysql.latency())
            raise refused(1213, "Deadlock found")

        def arrive() -> None:
            if not self.is_open:
                return
            loses = draw < trouble.conflict + trouble.before_commit
            if not loses and not mysql.is_down:
                self._apply()
            loses = loses or draw < trouble.conflict + trouble.before_commit + trouble.after_commit
            if loses or mysql.is_down:
                world.counts["commit: outcome unknown"] += 1
                world.trace(self.host, "commit: connection lost", "applied" if not self.is_open else "not applied")
            self.end()
            world.at(world.now + mysql.latency(), self.host, _tell, done, not (loses or mysql.is_down))

        world.at(world.now + mysql.latency(), mysql.host, arrive)
        if not await done:
            raise lost()

    def _apply(self) -> None:
        for sql, args in self.writes:
            write(self.mysql.tables, sql, args)
        self.end()
        if any(sql.startswith("INSERT INTO log") for sql, _ in self.writes):
            self.mysql.on_commit(self.host)

    async def rollback(self) -> None:
        """See Transaction."""
        self._let_go()
        self.writes.clear()
        self.queued.clear()

    def end(self) -> None:
        """Let go of every lock; what was not committed by now is not."""
        if self.is_open:
            self.is_open = False
            self._let_go()
            self.host.on_kill.remove(self.end)

    def _let_go(self) -> None:
        self.mysql.tables.claimed.difference_update(self.claimed)
        self.claimed.clear()
        self.mysql.release(self)


class MemoryDatabase(Database):
    """One process's connections to the server."""

    def __init__(self, mysql: MemoryMysql, host: Host) -> None:
        self._mysql = mysql
        self._host = host

    async def rows(self, sql: str, args: Sequence[Any] = ()) -> Rows:
        """See Database."""
        await asyncio.sleep(self._mysql.latency())
        try:
            self._mysql.check(self._mysql.trouble.statement)
        except pymysql.err.MySQLError as error:
            raise translate(error, "channel") from error
        return read(self._mysql.tables, sql, args)

    async def execute(self, sql: str, args: Sequence[Any] = ()) -> int:
        """See Database."""
        await asyncio.sleep(self._mysql.latency())
        try:
            self._mysql.check(self._mysql.trouble.statement)
        except pymysql.err.MySQLError as error:
            raise translate(error, "channel") from error
        if APP_PLACES in sql:
            async with self.begun() as transaction:
                await self._mysql.lock(cast(MemoryTransaction, transaction), APP_PLACES)
                return write(self._mysql.tables, sql, args)
        return write(self._mysql.tables, sql, args)

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[Transaction]:
        """See Database."""
        self._mysql.check(0)
        transaction = MemoryTransaction(self._mysql, self._host)
        self._host.on_kill.append(transaction.end)
        try:
            yield transaction
        finally:
            if self._host.is_alive:
                transaction.end()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """See Database."""
        try:
            async with self.begun() as transaction:
                yield transaction
                await transaction.commit()
        except (pymysql.err.MySQLError, OSError, EOFError) as error:
            raise translate(error, "channel") from error


def refused(code: int, text: str) -> Exception:
    """Return what a driver raises for an error number."""
    kind = pymysql.err.IntegrityError if code == DUPLICATE else pymysql.err.OperationalError
    error: Exception = kind(code, text)
    return error


def lost() -> Exception:
    """Return what a driver raises when its connection broke."""
    return refused(LOST, "Lost connection to MySQL server during query")


def _wake(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)


def _tell(done: asyncio.Future[bool], is_known: bool) -> None:
    if not done.done():
        done.set_result(is_known)
