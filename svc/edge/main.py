"""Composition root of an edge: reads downward as start-up, unwinds as shutdown."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack

from discovery.front import Discovery
from discovery.registrar import new_instance_id
from discovery.ring import Ring
from parley.edge.v1 import edge_service_pb2_grpc as rpc
from svc.edge.config import EdgeConfig
from svc.edge.conversations.activity import Activity
from svc.edge.conversations.asking import Asking, WebappActivity
from svc.edge.conversations.members import Members, WebappMembers
from svc.edge.following import Following
from svc.edge.freshness import PING_EVERY_S, Freshness
from svc.edge.loader import Loader
from svc.edge.metrics import measure, measure_following
from svc.edge.ownership import Ownership
from svc.edge.servicer import EdgeServicer, Neighbours
from svc.edge.source import WebappSource
from svc.edge.workspaces import Workspaces
from svc.feed.discovered import discovered_feed, following
from svc.feed.feed import Subscriber
from svc.feed.metrics import observe_feed
from svc.kit.clock import SystemClock
from svc.kit.lifecycle import Tasks, run, terminated
from svc.kit.rpc import Service, rpc_server
from svc.kit.telemetry import telemetry

TIER = "edge"
READS_MAX = 1_000
"""Loads of members, under way or waiting for their turn; beside them two reads of how far channels have come."""

log = logging.getLogger(__name__)


async def serve(config: EdgeConfig) -> None:
    """Be an edge until a signal: leave the ring, let callers turn elsewhere, stop serving, stop following."""
    clock = SystemClock()
    instance_id = new_instance_id(TIER, config.instance)
    async with AsyncExitStack() as up:
        telemetry_here = up.enter_context(telemetry(TIER, instance_id, config.instance))
        disco = await up.enter_async_context(Discovery(config.instance, clock))
        await disco.watch("webapp")
        ring = await disco.ring(TIER, config.instance.zone, has_fallback=False)
        ownership = Ownership(instance_id, ring.ring)
        loader = Loader(WebappSource(disco.pools), config.model, config.hold.loads_max, clock)
        # Twice the workspaces: a load that was called off lives on for a moment beside the next one.
        loads = await up.enter_async_context(Tasks("edge loads", limit=2 * config.hold.workspaces_max))
        subscriber = Subscriber(instance_id, config.instance.zone)
        feed = await discovered_feed(disco, subscriber, clock, ping_every_s=PING_EVERY_S)
        followed, reader = Following(feed), WebappActivity(disco.pools)
        reads = await up.enter_async_context(Tasks("edge reads", limit=READS_MAX))
        freshness = Freshness(feed, Asking(reader, clock, reads), clock)
        activity = Activity(config.follow.conversations_max, reader, followed, feed, clock, reads)
        members = Members(config.follow.members_max, WebappMembers(disco.pools), followed, freshness, clock, reads)
        workspaces = Workspaces(config.hold, loader, followed, freshness, ownership, clock, loads)
        for part in (workspaces, activity, members):
            followed.add(part)
        await up.enter_async_context(following(disco, feed, followed))
        observe_feed(feed)

        def ring_changed(now: Ring) -> None:
            ownership.ring = now
            workspaces.ring_changed()

        up.callback(ring.subscribe(ring_changed))
        servicer = EdgeServicer(workspaces, ownership, Neighbours(activity, members), config.answers)
        measure(workspaces, loader, servicer)
        measure_following(activity, members, freshness, followed)
        service = Service(
            "parley.edge.v1.EdgeService", lambda server: rpc.add_EdgeServiceServicer_to_server(servicer, server)
        )
        server = await up.enter_async_context(rpc_server(config.instance, [service]))
        up.push_async_callback(clock.sleep, config.drain_s)
        meta = {"metrics_port": str(telemetry_here.metrics_port)}
        await up.enter_async_context(disco.registered(TIER, instance_id, server, meta))
        log.info("%s serves at %s", instance_id, server.address)
        await terminated()


def main() -> None:
    """Run as a process: `python -m svc.edge.main`."""
    run(serve, EdgeConfig)


if __name__ == "__main__":
    main()
