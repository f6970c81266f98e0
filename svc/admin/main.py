"""Composition root of an admin server: `python -m svc.admin.main`.

Reads downward as start-up; unwinding is shutdown: out of Consul first, then the drain, then the server.
"""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack

from opentelemetry import metrics

from discovery.front import Discovery
from discovery.registrar import new_instance_id
from discovery.ring import Ring
from discovery.ring_watcher import RingWatcher
from parley.channel.v1.channel_service_pb2_grpc import ChannelServiceStub
from svc.admin.config import AdminConfig
from svc.admin.links import Links
from svc.admin.metrics import watch_router
from svc.admin.router import Router
from svc.admin.servicer import AdminServicer
from svc.kit.clock import SystemClock
from svc.kit.errors import UnavailableError
from svc.kit.lifecycle import Tasks, background, run, terminated
from svc.kit.rpc import rpc_server
from svc.kit.telemetry import telemetry

TIER = "admin"
CHANNEL_SERVERS_MAX = 8_192
"""Members of the largest ring; each has a line and its reader."""

log = logging.getLogger(__name__)


async def serve(config: AdminConfig) -> None:
    """Run an admin server until SIGTERM or SIGINT."""
    clock = SystemClock()
    instance_id = new_instance_id(TIER, config.instance)
    async with AsyncExitStack() as up:
        shown = up.enter_context(telemetry(TIER, instance_id, config.instance))
        discovery = await up.enter_async_context(Discovery(config.instance, clock))
        ring = await discovery.ring("channel")
        lines = await up.enter_async_context(Tasks("lines to channel servers", limit=2 * CHANNEL_SERVERS_MAX))
        router = Router(config.router, lambda owner: links.ready(owner))
        links = Links(router, clock, lambda owner: _stub(discovery, ring, owner), ring.watcher.suspect, lines)
        watch_router(metrics.get_meter("parley.admin"), router)
        up.callback(ring.subscribe(lambda newest: _move(router, links, newest, clock.now())))

        readers = await up.enter_async_context(Tasks("stream readers", limit=2 * config.publishers_max))
        servicer = AdminServicer(router, links, clock, config, readers)
        server = await up.enter_async_context(rpc_server(config.instance, [servicer.service()]))
        await up.enter_async_context(background("ticks", servicer.run()))
        up.push_async_callback(servicer.drain, config.drain_s)
        meta = {"metrics_port": str(shown.metrics_port)}
        await up.enter_async_context(discovery.registered(TIER, instance_id, server, meta))
        log.info("admin %s serves at %s", instance_id, server.address)
        await terminated()


def _move(router: Router, links: Links, ring: Ring, now: float) -> None:
    router.move(ring, now)
    links.follow(ring.members)
    log.info("%r", ring)


def _stub(discovery: Discovery, ring: RingWatcher, owner: str) -> ChannelServiceStub:
    instance = ring.instance(owner)
    if instance is None:
        raise UnavailableError(f"{owner} is not on the ring any more")
    return discovery.pools.stub(ChannelServiceStub, instance)


def main() -> None:
    """Run as a process: `python -m svc.admin.main`."""
    run(serve, AdminConfig)


if __name__ == "__main__":
    main()
