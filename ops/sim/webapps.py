"""The simulated webapps: everything behind their HTTP and gRPC faces is real, composed as `svc.webapp.main` does."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import cast

from discovery.view import Instance
from ops.sim.changes import Changes
from ops.sim.consul import Watch
from ops.sim.database import MemoryDatabase
from ops.sim.errands import Errands, errands_of
from ops.sim.face import Reads, Rules
from ops.sim.lines import PublishStub
from ops.sim.lookups import NoCache
from ops.sim.mesh import Mesh, Process
from ops.sim.serving import Serving
from ops.sim.world import Host
from svc.kit.errors import UnavailableError
from svc.webapp.commit.admin_link import AdminPools, run_admin_stream
from svc.webapp.commit.committer import run_committer
from svc.webapp.commit.effects import Effects, Stores, Writes
from svc.webapp.commit.log import Guard
from svc.webapp.commit.mentions import run_mentions
from svc.webapp.commit.publisher import Publisher, run_publisher
from svc.webapp.commit.sweeping import run_sweepers
from svc.webapp.domain.conversations.directory import Directory
from svc.webapp.domain.services import Services
from svc.webapp.due import run_due_items
from svc.webapp.gate import Gate
from svc.webapp.servicer import WebappServicer
from svc.webapp.store.app_places import AppPlaceStore
from svc.webapp.store.apps import AppStore
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.files import FileStore
from svc.webapp.store.outbox import OutboxStore
from svc.webapp.store.user import UserStore
from svc.webapp.store.workspace import WorkspaceStore


class WebappProcess(Process):
    """A webapp: commits, publishes, sweeps, reads logs."""

    def __init__(self, mesh: Mesh, host: Host) -> None:
        super().__init__(mesh, host)
        database = MemoryDatabase(mesh.mysql, host)
        self.stores = Stores(
            WorkspaceStore(database),
            ChannelStore(database),
            UserStore(database),
            OutboxStore(database),
            AppStore(database),
            FileStore(database),
        )
        lookups = NoCache(self.stores.users, self.stores.channels)
        self._reads = Reads(lookups, self.stores)
        self.serving = Serving(self, self.rng, self.stores, lookups, AppPlaceStore(database))
        gate = Gate(clock=host.clock, rng=self.rng)
        self.servicer = WebappServicer(cast(Services, self._reads), gate, apps=self.serving.face)
        self.rules: Rules
        self.changes: Changes
        self.errands: Errands
        self.publisher: Publisher
        self._database = database
        self._lookups = lookups
        self._admins = Watch(mesh.consul, host, "admin", lambda _: None)
        self._gateways = Watch(mesh.consul, host, "gateway", lambda _: None)
        self._is_leaving, self._has_left = asyncio.Event(), asyncio.Event()
        host.spawn(self._serve(), "main")

    def gateway(self) -> str:
        """Return the gateway that a client is sent to. Raises UnavailableError."""
        ids = self._gateways.ids
        if not ids:
            raise UnavailableError("there is no gateway")
        return self.rng.choice(ids)

    def _count_refusal(self, guard: Guard, is_repeated: bool) -> None:
        self.mesh.world.counts["changes: repeated" if is_repeated else f"changes: refused by {guard}"] += 1

    async def _serve(self) -> None:
        clock, outbox = self.host.clock, self.stores.outbox
        async with AsyncExitStack() as up:
            pools = cast(AdminPools, _AdminPools(self, self._admins))
            link = await up.enter_async_context(run_admin_stream(pools, clock, self.rng))
            self.publisher = await up.enter_async_context(run_publisher(link, outbox, clock, self.rng))
            committer = await up.enter_async_context(
                run_committer(self._database, self.publisher.offer, clock, self.rng)
            )
            effects = Effects(committer.commit, self.stores, self._lookups)
            await up.enter_async_context(run_sweepers(outbox, self.publisher, effects, clock))
            mentions = await up.enter_async_context(run_mentions(self.stores.users, self.stores.channels, outbox))
            writes = Writes(committer.commit, effects, outbox, mentions)
            directory = Directory(self._lookups, self.stores.channels, self.stores.workspaces)
            self.rules = self._reads.messages = Rules(writes, directory)
            self.changes = Changes(writes, self.stores.channels, self._count_refusal)
            self.errands = errands_of(self, self._lookups, directory, self.rules, writes)
            if self.mesh.scenario.errands:
                due = self.errands.due()
                await up.enter_async_context(run_due_items(due, clock))
            await up.enter_async_context(self.serving.ready())
            self.mesh.consul.register("webapp", self.host)
            async with self.serving.owning():
                await self._is_leaving.wait()
            self._has_left.set()
            await asyncio.get_running_loop().create_future()

    async def give_back(self) -> None:
        """See Process: as in svc.webapp.main, while it is on the ring still."""
        self._is_leaving.set()
        await self._has_left.wait()


class _AdminPools:
    """See admin_link.AdminPools: one admin of those in view, another one than the last."""

    def __init__(self, webapp: Process, admins: Watch) -> None:
        self._webapp = webapp
        self._admins = admins

    def pick(self, tier: str, avoid: frozenset[str] = frozenset()) -> Instance:
        """See AdminPools."""
        ids = self._admins.ids
        usable = [each for each in ids if each not in avoid] or ids
        if not usable:
            raise UnavailableError(f"no {tier} is there")
        chosen = self._webapp.rng.choice(usable)
        return Instance(chosen, tier, chosen)

    def stub(self, _: object, instance: Instance) -> PublishStub:
        """See AdminPools."""
        return PublishStub(self._webapp, instance.id)
