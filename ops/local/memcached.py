"""Embedded memcached nodes, and their place in Consul: service `parley-memcached`, tagged with their pool.

memcached does not register itself, so the mesh does it, and goes on looking: a Consul that lost its data gets its
nodes back within seconds, as it does from the tiers.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import suppress
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

    def __init__(self, name: str, log: Path, port: int) -> None:
        binary = find_program(MEMCACHED.programs[0])
        if binary is None:
            raise LocalError("memcached is not on this machine.", "./parley bootstrap installs what is missing.")
        self.name = name
        self._binary = binary
        self._log = log
        self._port = port
        self._account = unprivileged(("memcache", "nobody"), (binary, log))

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{HOST}:{self._port}"

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


def registrations(nodes: Sequence[tuple[str, str]], zone: str) -> list[Registration]:
    """Return what Consul is told about nodes, given as (id, address)."""
    started = str(int(time.time()))
    return [
        Registration(
            id=name,
            service=SERVICE,
            host=address.rsplit(":", 1)[0],
            port=int(address.rsplit(":", 1)[1]),
            meta={"zone": zone, "version": "", "started": started},
            tags=(f"pool:{MAIN_POOL}",),
            check="tcp",
            deregister_after_s=DEREGISTER_AFTER_S,
        )
        for name, address in nodes
    ]


async def register(consul: ConsulClient, nodes: Sequence[Registration]) -> None:
    """Make Consul hold exactly these registrations, where it does not."""
    for node in nodes:
        if not await consul.holds(node):
            await consul.register(node)


async def keep_registered(consul: ConsulClient, nodes: Sequence[Registration]) -> None:
    """Go on registering until cancelled; a Consul that is away is asked again at the next turn."""
    while True:
        with suppress(UnavailableError, DeadlineError):  # Consul is away: `parley status` says so
            await register(consul, nodes)
        await asyncio.sleep(RENEW_INTERVAL_S)
