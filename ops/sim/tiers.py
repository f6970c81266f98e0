"""Simulated processes between webapps and gateways: admins and channel servers, composed as their `main.py` does."""

from __future__ import annotations

from discovery.fence import Fence
from ops.sim.audit import AuditedTable
from ops.sim.consul import Watch, confirmed
from ops.sim.lines import PublishStub
from ops.sim.mesh import Mesh, Process
from ops.sim.world import Host
from svc.admin.config import AdminConfig
from svc.admin.links import Links
from svc.admin.router import Router
from svc.admin.servicer import AdminServicer
from svc.channel.ownership import Ownership
from svc.channel.servicer import ChannelServicer
from svc.kit.config import InstanceConfig
from svc.kit.lifecycle import Tasks

CONFIRMS_A_FENCE_TIME = 3
"""As svc.channel.main has it."""
CHANNEL_TICK_S = 0.2
ADMIN_TICK_S = 0.2
"""Real ones are shorter; what is due is done this much later, which harms nobody and spares most of the steps."""


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
            lambda owner: PublishStub(self, owner),
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
