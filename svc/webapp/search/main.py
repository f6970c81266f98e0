"""Composition root of a search instance: reads downward as start-up, unwinds as shutdown."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from discovery.front import Discovery
from discovery.registrar import new_instance_id
from parley.search.v1 import search_service_pb2_grpc as rpc
from svc.kit.clock import SystemClock
from svc.kit.lifecycle import background, run, terminated
from svc.kit.rpc import Service, rpc_server
from svc.kit.telemetry import telemetry
from svc.webapp import migrate
from svc.webapp.search.answering import Answering
from svc.webapp.search.config import SearchConfig
from svc.webapp.search.feeder import Feeder
from svc.webapp.search.generations import Generations
from svc.webapp.search.metrics import lag_recorder, measure
from svc.webapp.search.servicer import SearchServicer
from svc.webapp.search.tantivy_index import TantivyIndex
from svc.webapp.store.feed_reads import FeedReads
from svc.webapp.store.follow import followed
from svc.webapp.store.pools import PoolLimits, open_pools

TIER = "search"

log = logging.getLogger(__name__)


async def serve(config: SearchConfig) -> None:
    """Be a search instance until a signal: leave discovery, finish the answers under way, stop feeding the index."""
    clock = SystemClock()
    instance_id = new_instance_id(TIER, config.instance)
    async with AsyncExitStack() as up:
        telemetry_here = up.enter_context(telemetry(TIER, instance_id, config.instance))
        disco = await up.enter_async_context(Discovery(config.instance, clock))
        limits = PoolLimits(connections_max=config.mysql_connections)
        pools = await up.enter_async_context(open_pools(config.mysql.dsns(), clock, limits))
        await up.enter_async_context(followed(pools, disco.kv))
        await migrate.check(pools)
        folder = Path(config.directory) / (config.instance.name or TIER)
        generations = Generations(folder, partial(TantivyIndex, free_bytes_min=config.free_bytes_min))
        up.callback(generations.close)
        # Left before the folder is: whatever is being written is written first.
        writing = up.enter_context(ThreadPoolExecutor(1, "feeding"))
        threads = up.enter_context(ThreadPoolExecutor(config.threads, "searches"))
        feeder = Feeder(FeedReads(pools.channel), generations, clock, config.feed, writing, lag_recorder())
        answering = Answering(generations, config.weights, clock, threads, config.threads + config.waiting_max)
        measure(generations, feeder, answering, clock)
        await up.enter_async_context(background("feeding the index", feeder.run()))
        servicer = SearchServicer(instance_id, answering, generations, feeder)
        service = Service(
            "parley.search.v1.SearchService", lambda server: rpc.add_SearchServiceServicer_to_server(servicer, server)
        )
        server = await up.enter_async_context(rpc_server(config.instance, [service]))
        up.push_async_callback(clock.sleep, config.drain_s)
        meta = {"metrics_port": str(telemetry_here.metrics_port)}
        await up.enter_async_context(disco.registered(TIER, instance_id, server, meta))
        log.info("%s serves at %s", instance_id, server.address)
        await terminated()


def main() -> None:
    """Run as a process: `python -m svc.webapp.search.main`."""
    run(serve, SearchConfig)


if __name__ == "__main__":
    main()
