"""A keyspace's replicas: which of them may be asked now, and asking one. `lag` has the rules; this is their shell.

Positions are asked for over connections of their own, which wait in no line: an overload must not look like a lag.
Nothing is asked while there is no replica.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pymysql
from opentelemetry import metrics

from svc.kit.clock import Clock
from svc.kit.errors import DeadlineError, ParleyError, UnavailableError
from svc.webapp.store.admission import Admission
from svc.webapp.store.connections import Connections
from svc.webapp.store.dsn import Dsn
from svc.webapp.store.failures import translate
from svc.webapp.store.lag import LagRules, Position, ReplicaHealth, Trail, parse_position
from svc.webapp.store.limits import PoolLimits
from svc.webapp.store.statements import Rows, Statements

__all__ = ["Replica", "Replicas"]

log = logging.getLogger(__name__)

STATEMENT_S = 1.0
"""Deadline of a read: what may go to a replica is short, and a hung one is left out after the first."""
APPLIED = "SELECT @@global.gtid_slave_pos"
WRITTEN = "SELECT @@global.gtid_binlog_pos"


class Probe:
    """Asks one server for a position, over one connection."""

    def __init__(self, dsn: Dsn, clock: Clock, rules: LagRules) -> None:
        timeout_s = rules.probe_timeout_s
        self.connections = Connections(dsn, clock, connect_s=timeout_s, statement_s=timeout_s, idle_s=60.0)
        self._timeout_s = timeout_s

    async def ask(self, sql: str) -> Position:
        """Return the position. Raises the driver's errors, TimeoutError, ValueError."""
        async with asyncio.timeout(self._timeout_s):
            connection = self.connections.take() or await self.connections.connect()
            keep = False
            try:
                ((text,),) = await Statements(connection, self._timeout_s).rows(sql)
                keep = True
                return parse_position(str(text or ""))
            finally:
                self.connections.give_back(connection, keep=keep)


class Replica:
    """One of them."""

    def __init__(self, keyspace: str, dsn: Dsn, clock: Clock, limits: PoolLimits, rules: LagRules) -> None:
        self.dsn = dsn
        self.health = ReplicaHealth(rules)
        self.probe = Probe(dsn, clock, rules)
        name = f"{keyspace} replica"
        self.admission = Admission(name, limits.connections_max, limits.waiting_max, limits.acquire_s, clock)
        self._connections = Connections(
            dsn, clock, connect_s=STATEMENT_S, statement_s=STATEMENT_S, idle_s=limits.idle_s
        )

    async def rows(self, sql: str, args: Sequence[Any]) -> Rows:
        """Run a SELECT. Raises the driver's errors, TimeoutError, ResourceExhaustedError."""
        async with self.admission.slot() as slot:
            connection = self._connections.take()
            if connection is None:
                slot.is_measured = False
                connection = await self._connections.connect()
            keep = False
            try:
                found = await Statements(connection, STATEMENT_S).rows(sql, args)
                keep = True
                return found
            finally:
                self._connections.give_back(connection, keep=keep)

    def close(self) -> None:
        """Close its idle connections."""
        self._connections.close()
        self.probe.connections.close()


class Replicas:
    """All of one keyspace. Empty until `use`; `run` keeps watch on them."""

    def __init__(self, keyspace: str, clock: Clock, limits: PoolLimits, rules: LagRules | None = None) -> None:
        """`rules`: how far one may be behind."""
        self.keyspace = keyspace
        self.rules = rules or LagRules()
        self._clock = clock
        self._limits = limits
        self._primary: Probe | None = None
        self._trail = Trail(self.rules)
        self._members: dict[Dsn, Replica] = {}
        self._are_any = asyncio.Event()
        meter = metrics.get_meter(__name__)
        self._reads = meter.create_counter("parley.webapp.store.replica.reads", description="reads, by who answered")

    def use(self, primary: Dsn, replicas: Sequence[Dsn]) -> None:
        """Take these replicas of this primary from now on. New ones are asked once they are known to keep up."""
        if self._primary is None or self._primary.connections.dsn != primary:
            if self._primary is not None:
                self._primary.connections.close()
            self._primary = Probe(primary, self._clock, self.rules)
            self._trail.forget()
        for dsn in self._members.keys() - set(replicas):
            self._members.pop(dsn).close()
        for dsn in replicas:
            if dsn not in self._members:
                self._members[dsn] = Replica(self.keyspace, dsn, self._clock, self._limits, self.rules)
        if self._members:
            self._are_any.set()
        else:
            self._are_any.clear()

    @property
    def lags_s(self) -> Mapping[str, float]:
        """By address: how old the oldest thing may be that a replica lacks; infinite: not known."""
        now = self._clock.now()
        return {f"{dsn.host}:{dsn.port}": replica.health.lag_s(now) for dsn, replica in self._members.items()}

    @property
    def usable(self) -> list[Replica]:
        """Those that may be asked now."""
        now = self._clock.now()
        return [replica for replica in self._members.values() if replica.health.is_usable(now)]

    async def rows(self, sql: str, args: Sequence[Any]) -> Rows | None:
        """Ask one of those that keep up; None when there is none, or it fails, and the primary has to be asked.

        Raises the kit's errors for what is not the replica's fault.
        """
        usable = self.usable
        if not usable:
            return None
        replica = min(usable, key=lambda each: each.admission.in_use)
        try:
            found = await replica.rows(sql, args)
        except (pymysql.err.MySQLError, OSError, EOFError, ParleyError) as error:
            failure = translate(error, self.keyspace)
            if isinstance(failure, UnavailableError | DeadlineError):
                log.warning("%s: %r is left out: %s", self.keyspace, replica.dsn, failure)
                replica.health.failed()
            elif replica.health.is_usable(self._clock.now()):
                # Overloaded, or the statement's own fault: the primary is not there for what is too much here.
                raise failure from error
            self._reads.add(1, {"keyspace": self.keyspace, "answered": "primary"})
            return None
        self._reads.add(1, {"keyspace": self.keyspace, "answered": "replica"})
        return found

    async def run(self) -> None:
        """Keep watch for ever."""
        while True:
            await self._are_any.wait()
            await self.look()
            await self._clock.sleep(self.rules.probe_s)

    async def look(self) -> None:
        """Ask everybody once where they are."""
        primary = self._primary
        if primary is None:
            return
        asked_at = self._clock.now()
        position = await self._ask(primary, WRITTEN)
        if position and primary is self._primary:
            self._trail.note(asked_at, position)
        async with asyncio.TaskGroup() as group:
            for replica in tuple(self._members.values()):
                group.create_task(self._observe(replica))

    async def _observe(self, replica: Replica) -> None:
        was_usable = replica.health.is_usable(self._clock.now())
        applied = await self._ask(replica.probe, APPLIED)
        now = self._clock.now()
        if applied is None:
            replica.health.failed()
        else:
            replica.health.observed(now, self._trail.complete_until(applied))
        if replica.health.is_usable(now) != was_usable:
            log.warning(
                "%s: %r is %s, %.1f s behind",
                self.keyspace,
                replica.dsn,
                "left out" if was_usable else "asked",
                replica.health.lag_s(now),
            )

    async def _ask(self, probe: Probe, sql: str) -> Position | None:
        try:
            return await probe.ask(sql)
        except (pymysql.err.MySQLError, OSError, EOFError, ValueError) as error:
            log.debug("%s: %r does not say where it is: %s", self.keyspace, probe.connections.dsn, error)
            return None

    def close(self) -> None:
        """Close all connections."""
        for replica in self._members.values():
            replica.close()
        if self._primary is not None:
            self._primary.connections.close()
