"""Composition root of a channel server: `python -m svc.channel.main`.

Reads downward as start-up; unwinding is shutdown: out of Consul first, then the drain, then the server.
"""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack

from opentelemetry import metrics

from discovery.front import Discovery
from discovery.registrar import new_instance_id
from discovery.ring import Ring
from svc.channel.config import ChannelConfig
from svc.channel.metrics import watch_table
from svc.channel.ownership import Ownership
from svc.channel.servicer import ChannelServicer
from svc.channel.table import ChannelTable
from svc.kit.clock import Clock, SystemClock
from svc.kit.lifecycle import Tasks, background, run, terminated
from svc.kit.rpc import rpc_server
from svc.kit.telemetry import telemetry

TIER = "channel"
CONFIRMS_A_FENCE_TIME = 3
"""How often Consul is asked about us in each fence time: two answers may be lost before ownership is in doubt."""

log = logging.getLogger(__name__)


async def serve(config: ChannelConfig) -> None:
    """Run a channel server until SIGTERM or SIGINT."""
    clock = SystemClock()
    instance_id = new_instance_id(TIER, config.instance)
    async with AsyncExitStack() as up:
        shown = up.enter_context(telemetry(TIER, instance_id, config.instance))
        discovery = await up.enter_async_context(Discovery(config.instance, clock))
        table = ChannelTable(
            Ownership(instance_id, config.fence_s, clock.wall_us), config.tail, config.fanout, config.publish
        )
        watch_table(metrics.get_meter("parley.channel"), table)
        ring = await discovery.ring(TIER)
        up.callback(ring.subscribe(lambda newest: _move(table, newest, clock)))

        streams_max = config.fanout.attachments_max + config.publish.publishers_max
        readers = await up.enter_async_context(Tasks("stream readers", limit=2 * streams_max))
        servicer = ChannelServicer(table, clock, config.fanout, config.publish, readers)
        server = await up.enter_async_context(rpc_server(config.instance, [servicer.service()]))
        await up.enter_async_context(background("ticks", servicer.run()))
        up.push_async_callback(servicer.drain, config.drain_s)
        mine = await up.enter_async_context(
            discovery.registered(
                TIER,
                instance_id,
                server,
                {"metrics_port": str(shown.metrics_port)},
                fence_s=config.fence_s,
                confirm_interval_s=config.fence_s / CONFIRMS_A_FENCE_TIME,
            )
        )
        table.ownership.trust(mine.fence)
        log.info("channel server %s serves at %s", instance_id, server.address)
        await terminated()


def _move(table: ChannelTable, ring: Ring, clock: Clock) -> None:
    adopted, released = table.move(ring, clock.now())
    log.info("%r: %d slots adopted, %d released", ring, adopted, released)


def main() -> None:
    """Run as a process: `python -m svc.channel.main`."""
    run(serve, ChannelConfig)


if __name__ == "__main__":
    main()
