"""A real Consul, real memcached nodes, and webapps that follow and keep their pools, on a clock that runs faster."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from discovery.consul import ConsulClient
from discovery.front import Discovery
from ops.local.memcached import CacheNode, CacheNodes, Memcached
from ops.local.ports import Ports
from ops.local.process import Process
from ops.local.server import start
from svc.kit.clock import SystemClock
from svc.kit.lifecycle import background
from svc.webapp.cache.memcached.node import Node
from svc.webapp.cache.pools.follow import SERVICE, FollowedPools, follow_pools, table_key
from svc.webapp.cache.pools.keeper import ORDERS, Keeper
from svc.webapp.cache.pools.orders import Op, Order
from svc.webapp.cache.pools.table import Table, parse_table
from svc.webapp.cache.routes.pool import Pool
from tests.discovery.agents import Agent, settings

SPEED = 8.0


class FastClock(SystemClock):
    """Eight seconds pass in one."""

    def now(self) -> float:
        return time.monotonic() * SPEED

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / SPEED)


class Webapp:
    """What a webapp has of its cache: pools followed, and a keeper."""

    def __init__(self, name: str, pools: FollowedPools, keeper: Keeper) -> None:
        self.name = name
        self.pools = pools
        self.keeper = keeper
        self.pool = Pool(pools.view("main", warm_up=True))

    async def get(self, key: str) -> bytes | None:
        """Return what the pool has."""
        (found,) = await self.pool.get([key], 0)
        return found.value if found is not None else None

    async def read(self, key: str, value: bytes) -> bytes:
        """Return what the pool has, filling it where it has nothing."""
        (found,) = await self.pool.get([key], 10)
        if found is not None and found.value is not None:
            return found.value
        if found is not None and found.lease is not None:
            found.lease.fill(value, 600, 1)
        return value

    def nodes(self) -> dict[str, str]:
        """Return who is in which seat, as this webapp sees it."""
        return {name: seat.node for name, seat in self.pools.table("main").seats.items()}


class Town:
    """Consul and memcached, and what may happen to them."""

    def __init__(self, agent: Agent, consul: ConsulClient, folder: Path, ports: Ports) -> None:
        self.agent = agent
        self.consul = consul
        self.clock = FastClock()
        self.cache = CacheNodes(consul, ())
        self.addresses: dict[str, str] = {}
        self._folder = folder
        self._ports = ports
        self._processes: dict[str, Process] = {}

    async def add(self, name: str, pool: str, seat: str = "") -> str:
        """Start a node and register it; return its address."""
        server = Memcached(name, self._folder / f"{name}.log", self._ports.claim_free(), "az1", pool, seat)
        self._processes[name] = await start(server)
        self.addresses[name] = server.address
        await self.cache.register(CacheNode(name, server.address, pool, seat, "az1"))
        return server.address

    async def kill(self, name: str) -> None:
        """Kill a node, and take it out of Consul as its health check would a second later."""
        await self._processes[name].kill()
        await self.cache.deregister(name)

    async def table(self) -> Table | None:
        """Return the table in KV."""
        value, _ = await self.consul.get(table_key("main"))
        return parse_table(value) if value is not None else None

    async def order(self, op: str, seat: str = "", node: str = "") -> str:
        """Give an order; return its id."""
        id_ = str(time.time_ns())
        order = Order(id_, Op(op), seat, node)
        await self.consul.put(f"{ORDERS}main/{id_}", order.dump())
        return id_

    @asynccontextmanager
    async def webapp(self, name: str) -> AsyncIterator[Webapp]:
        """Run what a webapp has of its cache while the block runs."""
        rng = random.Random(name)
        async with AsyncExitStack() as up:
            disco = await up.enter_async_context(Discovery(settings(self.agent.address), self.clock))
            make = partial(Node, clock=SystemClock(), rng=rng)
            pools = await up.enter_async_context(follow_pools(disco, make, self.clock))
            await pools.follow(["main"])
            keeper = Keeper(disco.consul, await disco.watch(SERVICE), pools, name, self.clock, rng)
            await up.enter_async_context(background("keeper", keeper.run()))
            yield Webapp(name, pools, keeper)

    async def close(self) -> None:
        """End all nodes."""
        for process in self._processes.values():
            await process.kill()


@asynccontextmanager
async def town(agent: Agent, folder: Path, seats: int = 3, spares: int = 1) -> AsyncIterator[Town]:
    """Run nodes `main-1` … and `spare-1` … while the block runs."""
    ports = Ports()
    async with ConsulClient(agent.address) as consul:
        built = Town(agent, consul, folder, ports)
        try:
            for number in range(1, seats + 1):
                await built.add(f"main-{number}", "main", str(number))
            for number in range(1, spares + 1):
                await built.add(f"spare-{number}", "spare")
            yield built
        finally:
            await built.close()
            ports.close()


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until a condition is true. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
