"""The cache of a webapp process, from Consul down to the connections: pools and their keeper, routes, relay, cache.

cache ── routes (KV: parley/cache/routes) ── pools (KV: parley/cache/pools/…, else Consul's list) ── nodes
  └─ relay ── other webapps ── their nodes
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from weakref import WeakSet

from opentelemetry import metrics

from discovery.front import Discovery
from svc.kit.clock import Clock
from svc.kit.lifecycle import background
from svc.webapp.cache.cache import Cache, run_cache
from svc.webapp.cache.memcached.counts import NodeCounts, watch_nodes
from svc.webapp.cache.memcached.node import Node
from svc.webapp.cache.policy import Earliness
from svc.webapp.cache.pools.follow import SERVICE, follow_pools
from svc.webapp.cache.pools.keeper import Keeper
from svc.webapp.cache.relay import Hearing, run_relay
from svc.webapp.cache.routes.config import DEFAULT_FILE, read_file
from svc.webapp.cache.routes.reload import ROUTES_KEY, run_routes
from svc.webapp.cache.routes.route import Route

__all__ = ["ProcessCache", "run_process_cache"]


@dataclass(frozen=True, slots=True)
class ProcessCache:
    """What the rest of a webapp needs of it."""

    cache: Cache
    route: Route
    """The way to the nodes, for what is no cached value: numbers that all webapps share."""
    hearing: Hearing
    """Where other webapps' undelivered deletions go."""


@asynccontextmanager
async def run_process_cache(
    disco: Discovery, instance_id: str, routes_file: str, clock: Clock, rng: Random, *, may_keep: bool = True
) -> AsyncIterator[ProcessCache]:
    """Yield the cache of this webapp; everything of it ends with the block.

    `routes_file`: the configuration of routes while Consul's KV has none; "" for the one that comes with us. Raises
    RoutesError or OSError when that one is of no use: a mistake in what one starts with is said at once. Waits for
    Consul a few seconds at most; without it there is no cache for a while, and everything is loaded. `may_keep`:
    whether this process may be the pools' keeper.
    """
    default = read_file(Path(routes_file) if routes_file else DEFAULT_FILE)
    counts, nodes, earliness = NodeCounts(), WeakSet[Node](), Earliness(rng)
    watch_nodes(metrics.get_meter(__name__), counts, lambda: [node.state for node in nodes])
    async with AsyncExitStack() as up:

        def node(address: str) -> Node:
            made = Node(address, clock, rng, counts=counts, early_s=earliness.draw_s)
            nodes.add(made)
            return made

        pools = await up.enter_async_context(follow_pools(disco, node, clock))
        routes = await up.enter_async_context(run_routes(await disco.kv(ROUTES_KEY), default, pools, clock))
        if may_keep:
            keeper = Keeper(disco.consul, await disco.watch(SERVICE), pools, instance_id, clock, rng)
            await up.enter_async_context(background("keep cache pools", keeper.run()))
        webapps = await disco.watch("webapp")
        relay = await up.enter_async_context(
            run_relay(instance_id, lambda: webapps.snapshot.instances, disco.pools, clock)
        )
        cache = await up.enter_async_context(
            run_cache(routes, clock, rng, relay=relay, switches=lambda: routes.switches, earliness=earliness)
        )
        yield ProcessCache(cache, routes, Hearing(cache, pools.undelivered))
