"""Composition root of a presence server: reads downward as start-up, unwinds as shutdown."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack

from discovery.front import Discovery
from discovery.registrar import new_instance_id
from discovery.ring import Ring
from parley.presence.v1 import presence_service_pb2_grpc as rpc
from svc.kit.clock import SystemClock
from svc.kit.lifecycle import Tasks, background, run, terminated
from svc.kit.rpc import Service, rpc_server
from svc.kit.telemetry import telemetry
from svc.presence.config import PresenceConfig
from svc.presence.metrics import measure
from svc.presence.roster import Owns
from svc.presence.servicer import PresenceServicer

TIER = "presence"

log = logging.getLogger(__name__)


def owned_by(ring: Ring, instance_id: str) -> Owns:
    """Return what tells the users that `ring` gives to an instance; none while the ring is empty."""
    return lambda user_id: bool(ring.members) and ring.owner(user_id) == instance_id


async def serve(config: PresenceConfig) -> None:
    """Be a presence server until a signal: leave the ring, let gateways go elsewhere, end their lines, stop."""
    clock = SystemClock()
    instance_id = new_instance_id(TIER, config.instance)
    async with AsyncExitStack() as up:
        telemetry_here = up.enter_context(telemetry(TIER, instance_id, config.instance))
        disco = await up.enter_async_context(Discovery(config.instance, clock))
        ring = await disco.ring(TIER)
        # Twice the gateways: while a line is being replaced its reader lives on for a moment.
        lines = await up.enter_async_context(Tasks("presence lines", limit=2 * config.roster.gateways_max))
        servicer = PresenceServicer(config.report, config.roster, owned_by(ring.ring, instance_id), clock, lines)
        up.callback(ring.subscribe(lambda now: servicer.ring_changed(owned_by(now, instance_id))))
        measure(servicer.board)
        await up.enter_async_context(background("presence time", servicer.keep_time()))
        service = Service(
            "parley.presence.v1.PresenceService",
            lambda server: rpc.add_PresenceServiceServicer_to_server(servicer, server),
        )
        server = await up.enter_async_context(rpc_server(config.instance, [service]))
        up.callback(servicer.drain)
        up.push_async_callback(clock.sleep, config.drain_s)
        meta = {"metrics_port": str(telemetry_here.metrics_port)}
        await up.enter_async_context(disco.registered(TIER, instance_id, server, meta))
        log.info("%s serves at %s", instance_id, server.address)
        await terminated()


def main() -> None:
    """Run as a process: `python -m svc.presence.main`."""
    run(serve, PresenceConfig)


if __name__ == "__main__":
    main()
