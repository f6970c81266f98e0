"""What a composition root uses: one object that watches, rings, calls and registers.

disco = await up.enter_async_context(Discovery(config.instance, clock))
ring = await disco.ring("channel")
await up.enter_async_context(disco.registered("gateway", instance_id, server, {"ws_port": "8080"}))
"""

import math
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version
from types import TracebackType

from discovery.consul import ConsulClient, Registration
from discovery.kv import KvWatcher
from discovery.probe import tcp_probe
from discovery.registrar import CONFIRM_INTERVAL_S, FENCE_S, Registrar
from discovery.ring import Columns
from discovery.ring_watcher import Cell, RingWatcher
from discovery.stubs import StubPools, grpc_probe
from discovery.view import service_name
from discovery.watcher import ServiceWatcher
from svc.kit.clock import Clock
from svc.kit.config import InstanceConfig
from svc.kit.lifecycle import background
from svc.kit.rpc import RpcServer

NOT_GRPC = frozenset({"memcached"})
"""Services in Consul that are asked by a TCP connection instead of a gRPC health check."""


class Discovery:
    """Discovery for one process: an async context manager; everything it started ends with the block."""

    def __init__(self, instance: InstanceConfig, clock: Clock, rng: random.Random | None = None) -> None:
        """Take the instance's own configuration: its zone and where Consul is."""
        self._instance = instance
        self._clock = clock
        self._rng = rng or random.Random()
        self.consul = ConsulClient(instance.consul_addr)
        """The Consul client, for KV and Consul sessions."""
        self.pools = StubPools(instance.zone, clock, self._rng)
        """Calls to other tiers; those watched or ringed here."""
        self._watchers: dict[str, ServiceWatcher] = {}
        self._rings: dict[tuple[str, Cell | None], RingWatcher] = {}
        self._keys: dict[str, KvWatcher] = {}
        self._columns = Columns()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Discovery":
        """Open the client and the pools; watches nothing yet."""
        await self._stack.enter_async_context(self.consul)
        await self._stack.enter_async_context(self.pools)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the watches, close the stubs, then the client."""
        await self._stack.__aexit__(kind, error, trace)

    async def watch(self, tier: str) -> ServiceWatcher:
        """Return the watcher of a tier (`webapp`, or `memcached`), started the first time it is asked for.

        Does not wait for Consul: use `watcher.ready()` where that is needed. From now on `pools` can call the tier.
        """
        watcher = self._watchers.get(tier)
        if watcher is None:
            probe = tcp_probe if tier in NOT_GRPC else grpc_probe
            watcher = ServiceWatcher(self.consul.health, service_name(tier), self._clock, probe, rng=self._rng)
            self._watchers[tier] = watcher
            self.pools.follow(tier, watcher)
            await self._stack.enter_async_context(background(f"watch {tier}", watcher.run()))
        return watcher

    async def ring(self, tier: str, zone: str | None = None, *, has_fallback: bool = True) -> RingWatcher:
        """Return the ring of a tier (`channel`, `presence`), or of its members in `zone` (`edge`), made once.

        While a zone has no members, those of one other zone are its ring, the same one for all callers of the zone; not
        without `has_fallback`, which is for members: a member owns by the ring of its own zone. From now on `pools`
        finds the tier's owners by this ring, unless it is a member's own.
        """
        cell = None if zone is None else Cell(zone, has_fallback)
        watcher = await self.watch(tier)
        ring = self._rings.get((tier, cell))
        if ring is None:
            ring = self._rings[tier, cell] = RingWatcher(watcher, self._columns, cell)
            if has_fallback:
                self.pools.follow_ring(tier, ring)
        return ring

    async def kv(self, key: str) -> KvWatcher:
        """Return the watcher of a key in Consul's KV, started when it is first asked for; does not wait for Consul."""
        watcher = self._keys.get(key)
        if watcher is None:
            watcher = self._keys[key] = KvWatcher(self.consul.kv, key, self._clock, rng=self._rng)
            await self._stack.enter_async_context(background(f"watch {key}", watcher.run()))
        return watcher

    @asynccontextmanager
    async def registered(
        self,
        tier: str,
        instance_id: str,
        server: RpcServer | str,
        meta: Mapping[str, str],
        *,
        weight: int = 1,
        fence_s: float = FENCE_S,
        confirm_interval_s: float = CONFIRM_INTERVAL_S,
    ) -> AsyncIterator[Registrar]:
        """Keep this instance registered for the block; enter it last, so that it is left first.

        Leaving makes `server` answer NOT_SERVING, then deregisters: an instance that left the catalog while it still
        says SERVING looks like one that Consul has lost, and the last of its tier would be held. A server that is not
        ours is named by its `host:port`. Zone, start time and version are added to `meta`.
        """
        host, _, port = (server if isinstance(server, str) else server.address).rpartition(":")
        started_s = math.floor(self._clock.wall_us() / 1_000_000)
        mine = Registration(
            id=instance_id,
            service=service_name(tier),
            host=host.strip("[]"),
            port=int(port),
            meta={"zone": self._instance.zone, "started": str(started_s), "version": version("parley"), **meta},
            weight=weight,
        )
        registrar = Registrar(
            self.consul,
            mine,
            self._clock,
            stop_serving=None if isinstance(server, str) else partial(server.set_serving, False),
            fence_s=fence_s,
            confirm_interval_s=confirm_interval_s,
            rng=self._rng,
        )
        async with registrar:
            yield registrar
