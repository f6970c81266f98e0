"""The simulated processes behind the gateways: webapps, admins, channel servers, composed as their `main.py` does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Any, cast

from discovery.fence import Fence
from discovery.view import Instance
from ops.sim.audit import AuditedTable
from ops.sim.changes import Changes
from ops.sim.consul import Watch, confirmed
from ops.sim.database import MemoryDatabase
from ops.sim.face import Reads, Rules
from ops.sim.mesh import Mesh, Process
from ops.sim.wires import Handler, Stream
from ops.sim.world import Host
from parley.channel.v1 import channel_service_pb2 as channel_pb
from svc.admin.config import AdminConfig
from svc.admin.links import Links
from svc.admin.router import Router
from svc.admin.servicer import AdminServicer
from svc.channel.ownership import Ownership
from svc.channel.servicer import ChannelServicer
from svc.kit.config import InstanceConfig
from svc.kit.errors import UnavailableError
from svc.kit.lifecycle import Tasks
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.admin_link import AdminPools, run_admin_stream
from svc.webapp.commit.committer import run_committer
from svc.webapp.commit.effects import Effects, Stores, Writes
from svc.webapp.commit.log import Guard
from svc.webapp.commit.mentions import run_mentions
from svc.webapp.commit.publisher import Publisher, run_publisher
from svc.webapp.commit.sweeping import run_sweepers
from svc.webapp.domain.services import Services
from svc.webapp.gate import Gate
from svc.webapp.servicer import WebappServicer
from svc.webapp.store.apps import AppStore
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.files import FileStore
from svc.webapp.store.outbox import OutboxStore
from svc.webapp.store.rows import Membership, Prefs, User
from svc.webapp.store.user import UserStore
from svc.webapp.store.workspace import WorkspaceStore

CONFIRMS_A_FENCE_TIME = 3
"""As svc.channel.main has it."""
CHANNEL_TICK_S = 0.2
ADMIN_TICK_S = 0.2
"""Real ones are shorter; what is due is done this much later, which harms nobody and spares most of the steps."""


class NoCache(Lookups):
    """Look-ups without a cache, of users that all exist."""

    def __init__(self, users: UserStore) -> None:
        """Remember nothing."""
        self._users = users

    async def user(self, team_id: str, user_id: str) -> User | None:
        """See Lookups."""
        return User(user_id, team_id, user_id.lower())

    async def followed(self, user_id: str, head: int) -> Sequence[Membership]:
        """See Lookups."""
        return await self._users.memberships(user_id)

    async def prefs(self, user_id: str, head: int = 0) -> Prefs:
        """See Lookups. Nobody chooses anything here."""
        return Prefs(user_id)

    async def forget(self, changed: Iterable[str]) -> None:
        """See Lookups."""


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
        lookups = NoCache(self.stores.users)
        self._reads = Reads(lookups, self.stores)
        self.servicer = WebappServicer(cast(Services, self._reads), Gate(clock=host.clock, rng=self.rng))
        self.rules: Rules
        self.changes: Changes
        self.publisher: Publisher
        self._database = database
        self._lookups = lookups
        self._admins = Watch(mesh.consul, host, "admin", lambda _: None)
        self._gateways = Watch(mesh.consul, host, "gateway", lambda _: None)
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
            self.rules = self._reads.messages = Rules(writes)
            self.changes = Changes(writes, self.stores.channels, self._count_refusal)
            self.mesh.consul.register("webapp", self.host)
            await asyncio.get_running_loop().create_future()


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

    def stub(self, _: object, instance: Instance) -> _PublishStub:
        """See AdminPools."""
        return _PublishStub(self._webapp, instance.id)


class _PublishStub:
    """A stub whose Publish opens a stream to a process."""

    def __init__(self, caller: Process, server_id: str) -> None:
        self._caller = caller
        self._server_id = server_id

    def Publish(self, requests: AsyncIterator[Any] | None = None) -> Stream:  # noqa: N802 - gRPC's name
        """Open the stream."""
        return connect(self._caller, self._server_id, lambda servicer: cast(Handler, servicer.Publish), requests)


def connect(
    caller: Process, server_id: str, method: Callable[[Any], Handler], requests: AsyncIterator[Any] | None = None
) -> Stream:
    """Open a stream to a method of another process's servicer."""
    mesh = caller.mesh
    server = mesh.processes.get(server_id)
    return Stream(
        mesh.network,
        caller.host,
        server.host if server is not None else None,
        lambda: method(cast(Any, server).servicer),
        requests,
        parse=_parse,
    )


def _parse(frame: Any) -> Any:
    return channel_pb.AttachResponse.FromString(frame) if isinstance(frame, bytes) else frame


class AdminProcess(Process):
    """An admin: routes publishes."""

    def __init__(self, mesh: Mesh, host: Host) -> None:
        super().__init__(mesh, host)
        clock = host.clock
        config = AdminConfig(instance=InstanceConfig(secret="sim"), router=mesh.scenario.router)  # noqa: S106
        self.router = Router(config.router, lambda owner: self.links.ready(owner), self.rng)
        tasks = Tasks("admin", limit=1_000)
        self.links = Links(
            self.router,
            clock,
            lambda owner: _PublishStub(self, owner),
            lambda owner: self._ring.suspect(owner),
            tasks,
            self.rng,
        )
        self.servicer = AdminServicer(self.router, self.links, clock, config, tasks)
        self._ring = Watch(mesh.consul, host, "channel", self._move)
        host.every(ADMIN_TICK_S, self.servicer.tick)
        mesh.consul.register("admin", host)

    def _move(self, ring: Watch) -> None:
        self.router.move(ring.ring, self.host.clock.now())
        self.links.follow(ring.ring.members)

    async def drain(self) -> None:
        """See Process."""
        await self.servicer.drain(1.0)


class ChannelProcess(Process):
    """A channel server."""

    def __init__(self, mesh: Mesh, host: Host) -> None:
        super().__init__(mesh, host)
        scenario, clock = mesh.scenario, host.clock
        self.table = AuditedTable(
            mesh,
            Ownership(host.name, scenario.fence_s, clock.wall_us),
            scenario.tail,
            scenario.fanout,
            scenario.publish,
        )
        self.servicer = ChannelServicer(
            self.table, clock, scenario.fanout, scenario.publish, Tasks("stream readers", limit=1_000)
        )
        Watch(mesh.consul, host, "channel", self._move)
        host.every(CHANNEL_TICK_S, self.servicer.tick)
        mesh.consul.register("channel", host)
        self.fence = Fence(scenario.fence_s)
        confirmed(mesh.consul, host, self.fence, scenario.fence_s / CONFIRMS_A_FENCE_TIME)
        self.table.ownership.trust(self.fence)

    def _move(self, watch: Watch) -> None:
        self.table.move(watch.ring, self.host.clock.now())

    async def drain(self) -> None:
        """See Process."""
        await self.servicer.drain(1.0)
