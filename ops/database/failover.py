"""The change of places: from the checks, over the fence, to the write that proves the new primary.

    1  look at all servers and at the last watch; refuse what could lose something, unless forced
    2  take the turn: of several failovers of a server at once one goes on, and the others touch nothing
    3  fence the old primary, if it answers: read-only, everybody cut off
    4  let the replica apply all that it received (from a live primary: all that there is)
    5  compare-and-set the topology in Consul, epoch one higher: from here on it counts
    6  open the new primary, and write something to it
    7  let the old primary, if it answers, follow the new one

Whatever fails before step 5 is undone; whatever fails after it is finished by the same command again, or by the mesh,
which brings servers into the role that the topology gives them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from ops.database import roles
from ops.database.directory import Directory, Entry, StaleError
from ops.database.node import STATEMENT_S, Credentials, Node, NodeError, Session
from ops.database.positions import Position
from ops.database.risks import Risk, risks
from ops.database.status import Status
from ops.database.topology import Topology, groups

APPLY_S = 5.0
"""How long the replica may take to apply what it has received; with the rest that stays within 10 s."""

APPLY_POLL_S = 0.005

PROOF = (
    "CREATE TABLE IF NOT EXISTS parley_ops.failovers"
    " (epoch BIGINT NOT NULL PRIMARY KEY, server VARCHAR(255) NOT NULL,"
    " at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) ENGINE=InnoDB"
)

WRITE = "REPLACE INTO parley_ops.failovers (epoch, server) VALUES (%s, %s)"

Say = Callable[[str], None]


class FailoverError(Exception):
    """Nothing was changed, or all was put back, unless the message says otherwise; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "", found: Sequence[Risk] = ()) -> None:
        super().__init__(message)
        self.hint = hint
        self.risks = tuple(found)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a failover will do."""

    entries: dict[str, Entry]
    topology: Topology
    """As it is."""
    primary: Status
    replica: Status
    risks: tuple[Risk, ...]

    def lines(self) -> list[str]:
        """Return it in words."""
        old, new, epoch = self.primary, self.replica, self.topology.epoch + 1
        state = "answers: it is fenced, and the replica waits for all that it has" if old.is_up else old.detail
        return [
            f"keyspaces {', '.join(self.entries)}: from {old.address} to {new.address}, epoch {epoch}",
            f"old primary {old.address}: {state}",
            f"new primary {new.address}: has {new.has or 'nothing'}, received {new.received or 'nothing'}",
            *(f"risk ({risk.danger.value}): {risk.detail}" for risk in self.risks),
        ]


@dataclass(slots=True)
class Outcome:
    """What was done, step by step, with the milliseconds that each took."""

    plan: Plan
    topology: Topology
    """As it is now."""
    cut_off: int = 0
    """Connections of the old primary that were closed."""
    position: str = ""
    """What the new primary had when it took over."""
    notes: list[str] = field(default_factory=list)
    steps: dict[str, int] = field(default_factory=dict)
    took_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "keyspaces": list(self.plan.entries),
            "from": self.plan.primary.address,
            "to": self.plan.replica.address,
            "epoch": self.topology.epoch,
            "old_primary": self.plan.primary.reach.value,
            "connections_cut": self.cut_off,
            "position": self.position,
            "forced_past": [risk.danger.value for risk in self.plan.risks],
            "notes": self.notes,
            "steps_ms": self.steps,
            "took_s": round(self.took_s, 3),
        }


async def plan(
    directory: Directory, credentials: Credentials, keyspaces: Sequence[str], to: str = "", wall: float = 0.0
) -> Plan:
    """Look, and return what a failover of `keyspaces` would do. Changes nothing.

    Raises FailoverError when it cannot be done at all, the kit's errors when Consul does not answer.
    """
    entries = await directory.read(keyspaces)
    every = await directory.read()
    topology = _common(entries, every)
    target = _target(topology, to)
    primary, replica = await Node(topology.primary, credentials).status(), await Node(target, credentials).status()
    if not replica.is_up:
        raise FailoverError(f"The replica {target} cannot take over: {replica.detail}.", "Start it, or name another.")
    watch = await directory.watch(topology.primary)
    return Plan(entries, topology, primary, replica, risks(primary, replica, watch, wall or time.time()))


def _common(entries: dict[str, Entry], every: dict[str, Entry]) -> Topology:
    """Return the topology that these keyspaces share, and that no other keyspace shares."""
    absent = [keyspace for keyspace, entry in entries.items() if entry.topology is None]
    if absent:
        raise FailoverError(
            f"Consul does not say where the servers of {', '.join(absent)} are.",
            "A mesh with a replica writes it: parley up --replica. For servers elsewhere see docs/database.md.",
        )
    found = groups({keyspace: entry.topology for keyspace, entry in every.items() if entry.topology})
    chosen = [set(together) for together in found.values() if set(together) & entries.keys()]
    if len(chosen) > 1:
        listed = "; ".join(", ".join(sorted(together)) for together in chosen)
        raise FailoverError(f"These keyspaces have different primaries ({listed}).", "Name those of one: --keyspace.")
    if chosen[0] != entries.keys():
        together = ", ".join(sorted(chosen[0]))
        raise FailoverError(f"{together} share one server and can only move together.", "Use --keyspace all.")
    topologies = {entry.topology for entry in entries.values() if entry.topology}
    if len(topologies) > 1:
        raise FailoverError("The topologies of keyspaces on one server differ.", "Make them equal in Consul's KV.")
    return topologies.pop()


def _target(topology: Topology, to: str) -> str:
    if to == topology.primary:
        raise FailoverError(f"{to} is the primary already.", "Nothing to do; parley status shows the roles.")
    if to and to not in topology.replicas:
        known = ", ".join(topology.replicas) or "none"
        raise FailoverError(f"{to} is no replica of {topology.primary}; there is {known}.", "Choose one of them.")
    if not to and len(topology.replicas) != 1:
        known = ", ".join(topology.replicas)
        hint = f"--to HOST:PORT, one of {known}." if known else "Start one: parley up --replica."
        raise FailoverError(f"{topology.primary} has {len(topology.replicas) or 'no'} replicas.", hint)
    return to or topology.replicas[0]


class Failover:
    """One change of places, as planned."""

    def __init__(self, directory: Directory, credentials: Credentials, plan: Plan, say: Say) -> None:
        self._directory = directory
        self._plan = plan
        self._say = say
        self._old = Node(plan.primary.address, credentials)
        self._new = Node(plan.replica.address, credentials)
        self._outcome = Outcome(plan, plan.topology)
        self._step_at = 0.0

    async def run(self, *, force: bool = False) -> Outcome:
        """Do it, and return what was done. Raises FailoverError; the kit's errors when Consul does not answer."""
        outcome, began = self._outcome, time.monotonic()
        self._step_at = began
        if self._plan.risks and not force:
            said = "; ".join(risk.detail for risk in self._plan.risks)
            raise FailoverError(f"Refused: {said}.", f"{self._plan.risks[0].advice} Or --force.", self._plan.risks)
        async with AsyncExitStack() as turn:
            await self._take_turn(turn)
            await self._move(force=force)
        outcome.took_s = time.monotonic() - began
        return outcome

    async def _take_turn(self, turn: AsyncExitStack) -> None:
        """Keep others from moving these servers, and see that nobody has since the plan was made.

        Whoever loses the compare-and-set puts back what it did, on servers that the winner is at work on: a fence taken
        from a primary that is none any more. So the second never begins.
        """
        try:
            for node in [self._old, self._new] if self._plan.primary.is_up else [self._new]:
                await turn.enter_async_context(roles.moving(node))
        except NodeError as error:
            raise FailoverError(f"Not begun: {error}.", "Look at parley status, then again.") from error
        if await self._directory.read(list(self._plan.entries)) != self._plan.entries:
            raise FailoverError("Consul's topology of the database has changed meanwhile.", "Look at parley status.")

    async def _move(self, *, force: bool) -> None:
        """Do it, from the fence on: steps 3 to 7."""
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self._put_back)
            target = await self._fence()
            await self._apply(target, force=force)
            topology = self._plan.topology.promoted(self._new.address, is_lossy=bool(self._plan.risks))
            try:
                await self._directory.replace(self._plan.entries, topology)
            except StaleError as error:
                raise FailoverError(f"{error}.", "Look at parley status, and decide anew.") from error
            undo.pop_all()
        self._outcome.topology = topology
        self._did("topology")
        await self._open(topology)

    async def _fence(self) -> Position | None:
        """Shut the old primary; return what it has then, None when it does not answer."""
        if not self._plan.primary.is_up:
            return None
        try:
            async with self._old.session() as session:
                self._outcome.cut_off = await roles.shut(session, self._old)
                found = (await session.status()).has
        except NodeError as error:
            raise FailoverError(f"The old primary could not be fenced: {error}.", "Stop it, then again.") from error
        self._did("fence")
        return found

    async def _apply(self, target: Position | None, *, force: bool) -> None:
        """Wait until the replica has applied what it received, and all of `target`; then stop it."""
        try:
            async with self._new.session() as session:
                if target is None:
                    await session.run("STOP SLAVE IO_THREAD")
                await self._wait(session, target, force=force)
                await session.run("STOP SLAVE")
                self._outcome.position = (await session.status()).position
        except NodeError as error:
            raise FailoverError(f"The replica failed: {error}.", "Look at its log.") from error
        self._did("apply")

    async def _wait(self, session: Session, target: Position | None, *, force: bool) -> None:
        """Wait until all is applied. With `force`, what cannot be is noted as lost."""
        deadline = time.monotonic() + APPLY_S
        while missing := (status := await session.status()).has_yet_to_apply(target):
            is_stuck = status.replication is None or not status.replication.sql_running
            if is_stuck or time.monotonic() > deadline:
                detail = f"{self._new.address} has not applied {missing}" + ("" if is_stuck else f" in {APPLY_S:g} s")
                if not force:
                    raise FailoverError(f"{detail}.", "Wait until it has caught up, then again.")
                self._outcome.notes.append(f"{detail}: lost")
                return
            await asyncio.sleep(APPLY_POLL_S)

    async def _open(self, topology: Topology) -> None:
        """Open the new primary and write to it: the topology is changed, so this must succeed, now or later."""
        old_follows = self._plan.primary.is_up
        try:
            # From a live primary nothing is answered by one server alone: commits wait for it to follow.
            await roles.become_primary(self._new, has_replica=old_follows or len(topology.replicas) > 1)
            self._did("promote")
            await self._bring_along()
            async with self._new.session() as session:
                await session.run(PROOF)
                await session.rows(WRITE, (topology.epoch, self._new.address), within_s=STATEMENT_S)
        except NodeError as error:
            raise FailoverError(
                f"The topology names {self._new.address} as the primary (epoch {topology.epoch}), but: {error}.",
                "Mend it; the mesh that runs it opens it, or: SET GLOBAL read_only = 0 there.",
            ) from error
        self._did("verify")

    async def _bring_along(self) -> None:
        """Let the old primary follow the new one, if it answers; a dead one does so when it is started again."""
        if not self._plan.primary.is_up:
            self._outcome.notes.append(
                f"{self._old.address} was dead: until it is back as a replica, writes are on {self._new.address} alone"
            )
            return
        try:
            await roles.become_replica(self._old, self._new)
        except NodeError as error:
            self._outcome.notes.append(f"the old primary does not follow: {error}")
        self._did("demote")

    async def _put_back(self) -> None:
        """Undo the fence and the pause, after a failure before the topology was changed."""
        self._say("putting back what was changed")
        try:
            async with self._new.session() as session:
                await session.run("START SLAVE")
            if self._plan.primary.is_up:
                async with self._old.session() as session:
                    await session.run("SET GLOBAL read_only = 0")
        except NodeError as error:
            self._say(f"not put back: {error}")

    def _did(self, step: str) -> None:
        now = time.monotonic()
        self._outcome.steps[step] = round((now - self._step_at) * 1000)
        self._say(f"{step}: {self._outcome.steps[step]} ms")
        self._step_at = now


async def fail_over(
    directory: Directory,
    credentials: Credentials,
    keyspaces: Sequence[str],
    *,
    to: str = "",
    force: bool = False,
    say: Say,
) -> Outcome:
    """Plan and do it; see `plan` and `Failover.run`."""
    planned = await plan(directory, credentials, keyspaces, to)
    for line in planned.lines():
        say(line)
    return await Failover(directory, credentials, planned, say).run(force=force)
