"""Connections to one server, kept between uses. How many there are at once is their owner's concern (`admission`).

A pool of our own over aiomysql's connections: theirs has no step after connecting, keeps a connection whose statement
was cancelled half-way, and cannot be told that the server it belongs to is another one now.
"""

from __future__ import annotations

import asyncio
from typing import Any

import aiomysql

from svc.kit.clock import Clock
from svc.kit.errors import UnavailableError
from svc.webapp.store.dsn import Dsn
from svc.webapp.store.session import READ_ONLY, is_read_only, session_statements

__all__ = ["CUT_S", "Connections"]

CUT_S = 0.3
"""After a move, how long statements on the old server may still take. One that is alive ends most within 0.1 s; one
that hangs would hold every connection, and the committer's lanes, until their deadlines."""


class Connections:
    """Idle connections to the server at `dsn`, and those that were lent."""

    def __init__(self, dsn: Dsn, clock: Clock, *, connect_s: float, statement_s: float, idle_s: float) -> None:
        """Connect to nothing yet. `statement_s`: after which the server gives up on a statement."""
        self.dsn = dsn
        self._clock = clock
        self._connect_s = connect_s
        self._statement_s = statement_s
        self._idle_s = idle_s
        self._idle: list[tuple[Any, float]] = []
        self._lent: set[Any] = set()
        self._stale: set[Any] = set()
        """Lent ones that belong to a server before a move."""
        self._connecting: set[asyncio.Timeout] = set()
        self._cuts: set[asyncio.TimerHandle] = set()
        self._must_write = False
        self._is_closed = False

    def take(self) -> Any | None:
        """Return the idle connection used last that still looks alive (a closed peer is seen without asking it)."""
        oldest = self._clock.now() - self._idle_s
        while self._idle:
            connection, used_at = self._idle.pop()
            reader = connection._reader  # aiomysql's own pool looks at the same place
            if used_at >= oldest and not connection.closed and not reader.at_eof() and reader.exception() is None:
                self._lent.add(connection)
                return connection
            connection.close()
        return None

    async def connect(self) -> Any:
        """Return a new connection. Raises the driver's errors, TimeoutError, or UnavailableError (it is read only)."""
        while True:
            dsn = self.dsn
            try:
                async with asyncio.timeout(self._connect_s) as deadline:
                    self._connecting.add(deadline)
                    try:
                        connection = await self._open(dsn)
                    finally:
                        self._connecting.discard(deadline)
            except TimeoutError:
                if self.dsn == dsn:
                    raise
                continue  # cut short by a move
            if self.dsn == dsn:
                self._lent.add(connection)
                return connection
            connection.close()

    def give_back(self, connection: Any, *, keep: bool) -> None:
        """Take a lent connection back; without `keep` it is in an unknown state and closed."""
        is_stale = connection in self._stale
        self._lent.discard(connection)
        self._stale.discard(connection)
        if keep and not is_stale and not self._is_closed and not connection.closed:
            self._idle.append((connection, self._clock.now()))
        else:
            connection.close()

    def drop_idle(self) -> None:
        """Close the idle ones."""
        for connection, _ in self._idle:
            connection.close()
        self._idle.clear()

    def move(self, dsn: Dsn) -> None:
        """Go to another server, which must take writes: idle connections close, lent ones when given back.

        Those still lent after CUT_S are cut: their users see a lost connection.
        """
        self._must_write = True
        if dsn == self.dsn:
            return
        self.dsn = dsn
        self.drop_idle()
        loop = asyncio.get_running_loop()
        for deadline in self._connecting:
            deadline.reschedule(loop.time())
        if self._lent:
            self._stale |= self._lent
            self._cuts = {cut for cut in self._cuts if cut.when() > loop.time()}
            self._cuts.add(loop.call_later(CUT_S, self._cut, frozenset(self._lent)))

    def _cut(self, connections: frozenset[Any]) -> None:
        for connection in connections & self._stale:
            # Not `close`, which would first wait until a hung server has taken what was written.
            connection._writer.transport.abort()

    def close(self) -> None:
        """Close idle connections; lent ones close when they are given back."""
        self._is_closed = True
        for cut in self._cuts:
            cut.cancel()
        self.drop_idle()

    async def _open(self, dsn: Dsn) -> Any:
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
            async with connection.cursor() as cursor:
                for statement in session_statements(connection.get_server_info(), self._statement_s):
                    await cursor.execute(statement)
                if self._must_write:
                    await cursor.execute(READ_ONLY)
                    ((answer,),) = await cursor.fetchall()
                    if is_read_only(answer):
                        raise UnavailableError(f"{dsn!r} is said to be the primary, and is read only")
        except BaseException:
            connection.close()
            raise
        return connection
