"""The MariaDBs of a mesh: one by itself, or a primary and its replica, each kept in the role that Consul gives it.

A server of a pair starts read-only. It is opened, or made to follow, when it has started and whenever the topology in
Consul changes, by a failover from elsewhere as well; in between it is left alone and looked at twice a second. The data
of a replica that cannot follow any more is set aside, and made anew from the primary.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ops.database import roles
from ops.database.copy import copy
from ops.database.directory import Directory, StaleError
from ops.database.failover import FailoverError, Outcome, fail_over
from ops.database.lookout import Lookout
from ops.database.node import Credentials, Node, NodeError
from ops.database.roles import DivergedError
from ops.database.topology import KEYSPACES, Topology
from ops.database.watch import INTERVAL_S
from ops.local.errors import LocalError
from ops.local.mariadb import Dsns, Mariadb
from ops.local.members import Members, Progress
from ops.local.remembered import Remembered, recall
from ops.local.replication import OPS_DATABASE, Role
from svc.kit.errors import ParleyError

COPIED = tuple(f"parley_{keyspace}" for keyspace in KEYSPACES)

CONSUL_WAIT_S = 30.0
"""Consul has this long to answer at a start; the mesh itself gives it no longer."""

CATCH_UP_S = 3.0
"""How long a primary that came back waits for its replica before it is opened."""

SETTLE_S = 30.0
"""How long whoever starts a server waits for its role; making a replica anew takes longer and goes on without them."""

POLL_S = 0.02


class Databases:
    """All of them. `changed` is called when the primary is another one."""

    def __init__(
        self,
        servers: Sequence[Mariadb],
        credentials: Credentials | None,
        var: Path,
        members: Members,
        directory: Directory,
        progress: Progress,
        changed: Callable[[], None],
    ) -> None:
        """Take one server without `credentials`, or a pair (or what is left of one) with them."""
        self._servers = {server.name: server for server in servers}
        self._var = var
        self._members = members
        self._directory = directory
        self._progress = progress
        self._changed = changed
        self.credentials = credentials
        self._remembered = (recall(var) if credentials else None) or Remembered()
        self._topology: Topology | None = None
        self._lookout = Lookout(directory, progress)
        self._settled: dict[str, tuple[int, int]] = {}
        for server in servers if credentials else ():
            server.choose_role = partial(self._role, server)

    @property
    def names(self) -> list[str]:
        """All servers."""
        return list(self._servers)

    @property
    def primary(self) -> str:
        """The name of the server that takes writes."""
        return self._remembered.primary if self.credentials else next(iter(self._servers), "")

    @property
    def dsns(self) -> Dsns:
        """Where the keyspaces are, that is: the primary."""
        return self._servers[self.primary].dsns

    @property
    def topology(self) -> Topology | None:
        """Who is what; None for a server by itself."""
        return self._topology

    async def start(self) -> None:
        """Start all, with the roles that they had, and tell Consul. Raises LocalError."""
        if self.credentials is None:
            for name in self._servers:
                await self._members.launch(name)
            return
        await self._resume()
        async with asyncio.TaskGroup() as group:
            for name in self._servers:
                group.create_task(self._members.launch(name))
        try:
            await self._pair()
        except (NodeError, StaleError, ParleyError) as error:
            raise LocalError(f"The databases did not find their roles: {error}", "See docs/database.md.") from error

    async def run(self) -> None:
        """Keep every server in its role, and look whether all is well, until cancelled."""
        while self._topology is not None:
            try:
                await self._turn(await self._current())
            except (NodeError, LocalError, StaleError, ParleyError, ValueError) as error:
                self._progress(f"databases: {str(error).splitlines()[0]}")
            await asyncio.sleep(INTERVAL_S)

    async def settled(self, name: str) -> None:
        """Return once a server that was started has its role; at once while there is no primary to follow.

        Raises LocalError after 30 s.
        """
        deadline = time.monotonic() + SETTLE_S
        while self.credentials is not None and self._settled.get(name) != self._generation(name):
            if self._members.process(self.primary) is None:
                return
            if time.monotonic() > deadline:
                raise LocalError(f"{name} has not found its role in {SETTLE_S:.0f} s.", "parley doctor looks further.")
            await asyncio.sleep(POLL_S)

    async def paired(self) -> None:
        """Return once no acknowledged write is on one server alone any more. Raises LocalError after 30 s."""
        deadline = time.monotonic() + SETTLE_S
        while self._topology is not None and not self._lookout.is_sure(self._topology.primary):
            if time.monotonic() > deadline:
                raise LocalError(f"No replica has caught up with {self.primary} in {SETTLE_S:.0f} s.", "parley status")
            await asyncio.sleep(POLL_S)

    async def fail_over(self, say: Progress) -> Outcome:
        """Put the replica in the primary's place, as `parley failover` does; return what was done.

        Raises LocalError when it is refused or fails.
        """
        assert self.credentials is not None, "a server by itself has no other place"
        try:
            outcome = await fail_over(self._directory, self.credentials, KEYSPACES, say=say)
        except FailoverError as error:
            raise LocalError(str(error), error.hint) from error
        self._adopt(outcome.topology)
        return outcome

    def address(self, name: str) -> str:
        """Return where a server is, `host:port`."""
        return self._servers[name].address

    def node(self, name: str) -> Node:
        """Return a server of a pair as an operator talks to it."""
        assert self.credentials is not None, "a server by itself has no operator"
        return Node(self.address(name), self.credentials)

    async def _resume(self) -> None:
        """Find out who was the primary: what Consul says counts, if it is about the servers of the last run."""
        known = await self._in_consul()
        by_address = {address: name for name, address in self._remembered.addresses.items()}
        if known is not None and known.epoch >= self._remembered.epoch and known.primary in by_address:
            is_lossy = known.is_lossy or self._remembered.is_lossy
            self._remember(epoch=known.epoch, primary=by_address[known.primary], is_lossy=is_lossy)
        elif known is not None:
            self._remember(epoch=max(known.epoch, self._remembered.epoch))
        if self.primary not in self._servers:
            raise LocalError(
                f"{self.primary} was the primary, and this mesh has only {', '.join(self._servers)}.",
                "Start it with --replica, as before.",
            )

    async def _in_consul(self) -> Topology | None:
        """Return Consul's word, waiting until it answers."""
        deadline = time.monotonic() + CONSUL_WAIT_S
        while True:
            try:
                entries = await self._directory.read()
                return next((entry.topology for entry in entries.values() if entry.topology), None)
            except ValueError as error:
                raise LocalError(f"Consul's topology of the database is broken: {error}") from error
            except ParleyError as error:
                if time.monotonic() > deadline:
                    raise LocalError(f"Consul does not answer: {error}", "parley doctor") from error
            await asyncio.sleep(POLL_S)

    async def _pair(self) -> None:
        """Give everybody a role, then tell the world."""
        primary = self._servers[self.primary]
        replicas = tuple(server for server in self._servers.values() if server is not primary)
        for server in replicas:
            await self._follow(server.name)
        await roles.become_primary(self.node(primary.name), has_replica=bool(replicas))
        entries = await self._directory.read()
        topology = Topology(self._remembered.epoch + 1, primary.address, tuple(each.address for each in replicas))
        await self._directory.replace(entries, topology)
        self._adopt(topology)
        for name in self._servers:
            self._settled[name] = self._generation(name)

    def _adopt(self, topology: Topology) -> None:
        """Take a topology for true, and remember it."""
        was = self._topology
        self._topology = topology
        addresses = {name: server.address for name, server in self._servers.items()}
        primary = next(name for name, address in addresses.items() if address == topology.primary)
        is_lossy = topology.is_lossy or self._remembered.is_lossy
        self._remember(epoch=topology.epoch, primary=primary, addresses=addresses, is_lossy=is_lossy)
        if was is None or was.primary != topology.primary:
            self._progress(f"{primary} at {topology.primary} is the primary database (epoch {topology.epoch})")
            self._changed()

    def _remember(self, **changes: object) -> None:
        self._remembered = dataclasses.replace(self._remembered, **changes)  # type: ignore[arg-type]
        self._remembered.save(self._var)

    async def _role(self, server: Mariadb) -> Role:
        """Return what a server is to be started as: by its name at the mesh's start, later as Consul says."""
        follower = Role.SUSPECT if self._remembered.is_lossy else Role.REPLICA
        if self._topology is None:
            return Role.PRIMARY if server.name == self.primary else follower
        try:
            topology = await self._current()
        except (ParleyError, ValueError, LocalError):
            topology = self._topology  # without Consul nobody can have changed it
        follower = Role.SUSPECT if self._remembered.is_lossy else Role.REPLICA  # which the line above may have changed
        return Role.PRIMARY if server.address == topology.primary else follower

    async def _current(self) -> Topology:
        """Return Consul's word, taken for true; a Consul that lost its data is told again."""
        assert self._topology is not None, "not started"
        entries = await self._directory.read()
        found = {entry.topology for entry in entries.values() if entry.topology is not None}
        if not found:
            await self._directory.replace(entries, self._topology)
        newest = max(found, key=lambda topology: topology.epoch, default=self._topology)
        if newest != self._topology:
            if newest.primary not in (server.address for server in self._servers.values()):
                raise LocalError(f"Consul has the primary at {newest.primary}, which is no server of this mesh.")
            self._adopt(newest)
        return self._topology

    async def _turn(self, topology: Topology) -> None:
        """Bring everybody who is not yet in it into their role, then look."""
        for name in self._servers:
            generation = self._generation(name)
            if generation[0] and self._settled.get(name) != generation:
                try:
                    await (self._open(name) if name == self.primary else self._follow(name))
                except NodeError as error:  # the others need their roles all the same, and this one is tried again
                    self._progress(f"{name} has no role yet: {error}")
                else:
                    self._settled[name] = generation
        statuses = await self._lookout.look(topology, {node.address: node for node in map(self.node, self._servers)})
        for name in self._servers:
            replication = statuses[self._servers[name].address].replication
            if replication is not None and replication.is_diverged:
                await self._renew(name, replication.io_error)

    async def _open(self, name: str) -> None:
        """Make a server take writes, once its replicas have what it brought back from a crash, if they are there."""
        whole = self._remembered.whole
        followers = [self.node(each) for each in whole if each != name and self._members.process(each) is not None]
        for follower in followers:
            await roles.become_replica(follower, self.node(name))
        deadline = time.monotonic() + CATCH_UP_S
        has = (await self.node(name).status()).has
        while followers and time.monotonic() < deadline:
            statuses = [await follower.status() for follower in followers]
            if any(status.is_in_step and not has.beyond(status.received) for status in statuses):
                break
            await asyncio.sleep(POLL_S)
        await roles.become_primary(self.node(name), has_replica=bool(followers))

    async def _follow(self, name: str) -> None:
        """Make a server follow the primary, giving it the data first when it has none, or others than it may have."""
        if name not in self._remembered.whole:
            await self._seed(name)
        try:
            await roles.become_replica(self.node(name), self.node(self.primary))
        except DivergedError as error:
            if not error.is_own:
                raise  # it is the primary that lost something: nothing may be thrown away
            await self._renew(name, str(error))
        if self._remembered.is_lossy:
            self._remember(is_lossy=False)  # what it had alone is on the side now

    async def _renew(self, name: str, why: str) -> None:
        """Set a replica's data aside, and make it anew."""
        self._progress(f"{name} cannot follow the primary: {why}")
        await self._members.stop([name])
        aside = self._servers[name].set_aside()
        self._progress(f"{name}: its data is kept in {aside}, and it is made anew")
        self._remember(whole=tuple(each for each in self._remembered.whole if each != name))
        await self._members.launch(name)
        await self._seed(name)
        await roles.become_replica(self.node(name), self.node(self.primary))

    async def _seed(self, name: str) -> None:
        """Give a server all the data of the primary."""
        began = time.monotonic()
        copied = await copy(self.node(self.primary), self.node(name), (*COPIED, OPS_DATABASE), _silent)
        self._remember(whole=(*self._remembered.whole, name))
        self._progress(f"{name} has a copy of {copied.rows} rows ({time.monotonic() - began:.1f} s)")

    def _generation(self, name: str) -> tuple[int, int]:
        """Return what makes a role a new one: another process, or another topology."""
        process = self._members.process(name)
        return (process.pid if process else 0, self._topology.epoch if self._topology else 0)


def _silent(_: str) -> None:
    """Leave the tables unsaid; the sum is told."""
