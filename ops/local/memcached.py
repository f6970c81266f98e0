"""Embedded memcached nodes, and their place in Consul: service `parley-memcached`, tagged with their pool.

memcached does not register itself, so the mesh does it, and goes on looking: a Consul that lost its data gets its
nodes back within seconds, as it does from the tiers. Which node is in which seat is for the webapps to decide; that one
is registered for a seat is a wish.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from discovery.consul import ConsulClient, Registration
from ops.local.accounts import unprivileged
from ops.local.errors import LocalError
from ops.local.ports import HOST
from ops.local.process import Command
from ops.setup.binaries import MEMCACHED, find_program
from svc.kit.errors import DeadlineError, UnavailableError

SERVICE = "parley-memcached"
MAIN_POOL = "main"
GUTTER_POOL = "gutter"
SPARE_POOL = "spare"

# What the webapps have written down about pools whose nodes are gone with the last mesh.
POOL_KEYS = ("parley/cache/pools/", "parley/cache/orders/", "parley/cache/status/")

# A cache of a demo's tokens and memberships; a fleet is sized where it is run.
MEMORY_MB = 64
CONNECTIONS_MAX = 4096

# A Consul without its data is noticed after this long; the tiers look as often.
RENEW_INTERVAL_S = 2.0

# A cache that is stopped for an hour is still the same node; Consul says meanwhile that it does not answer.
DEREGISTER_AFTER_S = 3600.0

PROBE_TIMEOUT_S = 1.0


class Memcached:
    """One node on loopback. A crash loses what it holds, which is a copy of what MySQL has."""

    ready_timeout_s = 10.0

    def __init__(self, name: str, log: Path, port: int, zone: str, pool: str = MAIN_POOL, seat: str = "") -> None:
        binary = find_program(MEMCACHED.programs[0])
        if binary is None:
            raise LocalError("memcached is not on this machine.", "./parley bootstrap installs what is missing.")
        self.name = name
        self.zone = zone
        self.pool = pool
        self.seat = seat
        self._binary = binary
        self._log = log
        self._port = port
        self._account = unprivileged(("memcache", "nobody"), (binary, log))

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{HOST}:{self._port}"

    @property
    def node(self) -> CacheNode:
        """What it is registered as."""
        return CacheNode(self.name, self.address, self.pool, self.seat, self.zone)

    async def prepare(self) -> None:
        """Nothing: memory is all it has."""

    def command(self) -> Command:
        """Return how to run it: TCP on loopback only."""
        limits = ("-m", str(MEMORY_MB), "-c", str(CONNECTIONS_MAX))
        user = ("-u", "root") if os.geteuid() == 0 and not self._account else ()
        argv = (str(self._binary), "-l", HOST, "-p", str(self._port), "-U", "0", *limits, *user)
        return Command(self.name, argv, self._log.parent, self._log, run_as=self._account, stop_timeout_s=3.0)

    async def is_ready(self) -> bool:
        """Say whether it answers."""
        return await answers(self.address)


async def answers(address: str) -> bool:
    """Say whether a memcached answers at `address` (`host:port`)."""
    host, port = address.rsplit(":", 1)
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(b"version\r\n")
                return (await reader.readline()).startswith(b"VERSION")
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


@dataclass(frozen=True, slots=True)
class CacheNode:
    """A node and what it is registered for: a pool and, unless it is spare, a seat in it."""

    name: str
    address: str
    pool: str = MAIN_POOL
    seat: str = ""
    zone: str = ""

    def registration(self) -> Registration:
        """Return what Consul is told about it."""
        host, _, port = self.address.rpartition(":")
        meta = {"zone": self.zone, "version": "", "started": str(int(time.time()))}
        return Registration(
            id=self.name,
            service=SERVICE,
            host=host,
            port=int(port),
            meta={**meta, "seat": self.seat} if self.seat else meta,
            tags=(f"pool:{self.pool}",),
            check="tcp",
            deregister_after_s=DEREGISTER_AFTER_S,
        )


class CacheNodes:
    """The nodes that a mesh keeps registered: `run` goes on doing it until cancelled."""

    def __init__(self, consul: ConsulClient, nodes: Iterable[CacheNode]) -> None:
        self._consul = consul
        self._wanted = {node.name: node.registration() for node in nodes}
        self._talking = asyncio.Lock()  # so that no registration under way lands after a deregistration

    @property
    def names(self) -> list[str]:
        """Those that are to be registered."""
        return list(self._wanted)

    async def register(self, *nodes: CacheNode) -> None:
        """Register more nodes, and all that Consul does not hold as they are. Raises ParleyError."""
        async with self._talking:
            self._wanted |= {node.name: node.registration() for node in nodes}
            for wanted in self._wanted.values():
                if not await self._consul.holds(wanted):
                    await self._consul.register(wanted)

    async def deregister(self, name: str) -> None:
        """Take a node out of Consul, and leave it out; it goes on running. Raises ParleyError."""
        async with self._talking:
            self._wanted.pop(name, None)
            await self._consul.deregister(name)

    async def forget_pools(self) -> None:
        """Delete what webapps wrote about the nodes of an earlier mesh: its ports are not ours. Raises ParleyError."""
        for prefix in POOL_KEYS:
            await self._consul.delete(prefix, recurse=True)

    async def run(self) -> None:
        """Go on registering; a Consul that is away is asked again at the next turn."""
        while True:
            with suppress(UnavailableError, DeadlineError):  # Consul is away: `parley status` says so
                await self.register()
            await asyncio.sleep(RENEW_INTERVAL_S)
