"""The mesh: everything started at once, ready when Consul says so, stopped in order.

Nothing waits for more than it needs: tiers start beside Consul and MariaDB and wait for Consul themselves; only
webapps and search wait, for the schema. A mesh owns its folder, its ports and its children, and leaves none behind.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType

from discovery.consul import ConsulClient
from ops.database.directory import Directory
from ops.local import state
from ops.local.catalog import Catalog, Listed
from ops.local.databases import Databases
from ops.local.errors import LocalError
from ops.local.fleet import Fleet, FleetPlanner
from ops.local.mariadb import Dsns
from ops.local.members import Members, Progress
from ops.local.memcached import CacheNode, CacheNodes
from ops.local.ports import HOST, Ports
from ops.local.process import Command, Process, run_once
from ops.local.remembered import recall
from ops.local.spec import STOP_ORDER, MeshSpec, next_name
from ops.setup.binaries import ROOT
from svc.kit.errors import ParleyError
from svc.kit.lifecycle import Tasks

# Watchers of children, and the loop that keeps memcached registered.
TASKS_MAX = 1_000

MIGRATION_TIMEOUT_S = 120.0


def silent(_: str) -> None:
    """Report to nobody."""


class Mesh:
    """An async context manager; inside the block everything runs and passes its checks.

    Raises LocalError's kinds on the way in (AlreadyRunningError, PortTakenError, ProcessFailedError), with nothing
    left running. Servers are known by name: `consul`, `mariadb`, `memcached-az1-1`, `channel-az1-1`.
    """

    def __init__(self, spec: MeshSpec, progress: Progress = silent) -> None:
        self.spec = dataclasses.replace(spec, var=spec.var.resolve())
        self.secret = ""
        self._progress = progress
        self._stack = AsyncExitStack()
        self._tasks = Tasks("mesh", TASKS_MAX)
        self._members = Members(self._tasks, progress, self._save, supervise=spec.supervise)
        self._schema_ready = asyncio.Event()
        self._started_at = time.time()
        self._is_saved = False

    async def __aenter__(self) -> Mesh:
        var = self.spec.var
        async with AsyncExitStack() as stack:
            stack.enter_context(state.lock(var))
            self.secret = os.environ.get("PARLEY_SECRET") or state.installation_secret(var)
            ports = Ports()
            stack.callback(ports.close)
            self._planner = FleetPlanner(self.spec, ports, self.secret, self._listed_soon)
            self._fleet: Fleet = self._planner.plan()
            self._catalog = await stack.enter_async_context(Catalog(self.consul_addr))
            self._consul = await stack.enter_async_context(ConsulClient(self.consul_addr))
            self._cache_nodes = CacheNodes(self._consul, self._planned_cache_nodes())
            self.databases = self._databases()
            stack.callback(state.forget, var)
            stack.push_async_callback(self._stop_all)
            await stack.enter_async_context(self._tasks)
            await self._start_all()
            self._is_saved = True
            self._save()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_saved = False
        await self._stack.aclose()

    @property
    def consul_addr(self) -> str:
        """Consul's HTTP API, `host:port`."""
        return self._fleet.consul_addr

    @property
    def dsns(self) -> Dsns:
        """Where the keyspaces are: the primary, after a failover another one."""
        return self.databases.dsns if self.databases.names else self._fleet.dsns

    @property
    def memcached_addrs(self) -> tuple[str, ...]:
        """The cache nodes, `host:port` each."""
        return self._fleet.memcached_addrs

    @property
    def web_url(self) -> str:
        """The first webapp, `http://host:port` (https with a certificate); "" without one."""
        return next(iter(self.web_urls.values()), "")

    @property
    def web_urls(self) -> dict[str, str]:
        """Every webapp by name."""
        return self._urls("webapp", "http")

    @property
    def ws_urls(self) -> dict[str, str]:
        """Every gateway by name, `ws://host:port`."""
        return self._urls("gateway", "ws")

    def _urls(self, tier: str, scheme: str) -> dict[str, str]:
        scheme += "s" if self.spec.tls_cert else ""
        return {name: f"{scheme}://{HOST}:{self._fleet.tiers[name].port}" for name in self.names(tier)}

    @property
    def environ(self) -> Mapping[str, str]:
        """The settings that every tier is given: enough to run a tier, or a part of one, inside a test."""
        return self._planner.environ

    def names(self, tier: str = "") -> list[str]:
        """Return the names of a tier's instances, or of everything."""
        if tier:
            return [name for name, each in self._fleet.tiers.items() if each.tier == tier]
        return self._members.names()

    def process(self, name: str) -> Process | None:
        """Return a member's process while it runs."""
        return self._members.process(name)

    def log(self, name: str) -> Path:
        """Return a member's log file."""
        return self._members.server(name).command().log

    async def instances(self, tier: str = "") -> list[Listed]:
        """Return what Consul lists now, healthy or not. Raises CatalogError."""
        return await self._catalog.read((tier,) if tier else (*self.spec.counts, "memcached"))

    async def instance(self, name: str) -> Listed:
        """Return what Consul says about the running start of a tier's instance. Raises LocalError unless it passes."""
        found = await self._fleet.tiers[name].find()
        if found is None:
            raise LocalError(f"Consul does not list {name} as passing.")
        return found

    async def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to a member as an accident would; return when it is dead (SIGKILL), or hangs (SIGSTOP)."""
        process = self.process(name)
        if process is None:
            raise LocalError(f"{name} is not running.")
        if number == signal.SIGSTOP:
            await process.freeze()
            return
        process.signal(number)
        if number == signal.SIGKILL:
            await process.wait()

    async def stop(self, name: str) -> None:
        """Stop a member in order and leave it stopped. Nothing happens when it does not run."""
        await self._members.stop([name])

    async def start(self, name: str) -> None:
        """Start a member that is stopped or dead, on the ports that it had; return when it is ready."""
        if name in (*self.names("webapp"), *self.names("search")):
            await self._schema_ready.wait()
        await self._members.launch(name)
        if name in self.databases.names:
            await self.databases.settled(name)

    async def add(self, tier: str, zone: str) -> str:
        """Start one more instance of a tier; return its name once it is ready."""
        name = next_name(tier, zone, set(self.names()))
        instance = self._planner.tier(name, tier, zone)
        self._fleet.tiers[name] = instance
        self._members.enlist(instance)
        await self.start(name)
        return name

    async def add_cache_node(self, pool: str = "main", seat: str = "") -> str:
        """Start one more memcached, empty, and register it for a pool and a seat; return its name once it answers.

        Without a seat it is a node that waits for one; in the pool `spare` it waits to stand in for any.
        """
        zone = self.spec.zones[0]
        name = next_name("memcached", zone, set(self.names()))
        node = self._planner.cache_node(name, zone, pool, seat)
        self._fleet.memcached.append(node)
        self._members.enlist(node)
        await self.start(name)
        await self._cache_nodes.register(node.node)
        return name

    async def deregister_cache_node(self, name: str) -> None:
        """Take a memcached out of Consul for good, while it goes on running."""
        await self._cache_nodes.deregister(name)

    def cache_address(self, name: str) -> str:
        """Return `host:port` of an embedded memcached. Raises KeyError."""
        return {node.name: node.address for node in self._fleet.memcached}[name]

    def wipe_consul(self) -> None:
        """Delete the data of the embedded Consul, as a lost disk would. Raises LocalError while it runs."""
        if self._fleet.consul is None or self.process("consul") is not None:
            raise LocalError("Only an embedded, stopped Consul can be wiped.")
        self._fleet.consul.wipe()

    def abandon(self) -> None:
        """Kill every child without waiting: the answer to an impatient person."""
        self._members.kill_all()

    def _databases(self) -> Databases:
        is_paired = self.spec.dsns is None and (self.spec.replica or recall(self.spec.var) is not None)
        credentials = state.ops_credentials(self.secret) if is_paired else None
        directory, servers = Directory(self._consul), self._fleet.mariadbs
        return Databases(servers, credentials, self.spec.var, self._members, directory, self._progress, self._save)

    async def _listed_soon(self) -> list[Listed]:
        return await self._catalog.read_soon(tuple(self.spec.counts))

    async def _start_all(self) -> None:
        fleet = self._fleet
        for server in (fleet.consul, *fleet.mariadbs, *fleet.memcached, *fleet.tiers.values()):
            if server is not None:
                self._members.enlist(server)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._start_consul())
                group.create_task(self._start_database())
                for name in (*(node.name for node in fleet.memcached), *fleet.tiers):
                    group.create_task(self.start(name))
        except ExceptionGroup as failures:
            raise _first(failures) from failures

    async def _start_consul(self) -> None:
        """Start Consul with none of an earlier run's registrations, and keep the cache nodes in it."""
        if self._fleet.consul is not None:
            self._fleet.consul.forget_services()
            await self.start("consul")
        try:
            if self._fleet.consul is not None:
                await self._cache_nodes.forget_pools()
            await self._cache_nodes.register()
        except ParleyError as error:
            raise LocalError(f"Consul at {self.consul_addr} does not answer: {error}", "parley doctor") from error
        self._tasks.spawn(self._cache_nodes.run(), name="keep memcached registered")

    def _planned_cache_nodes(self) -> list[CacheNode]:
        return [node.node for node in self._fleet.memcached] or [
            CacheNode(f"memcached-external-{seat}", address, seat=str(seat), zone=self.spec.zones[0])
            for seat, address in enumerate(self.memcached_addrs, 1)
        ]

    async def _start_database(self) -> None:
        await self.databases.start()
        self._tasks.spawn(self.databases.run(), name="databases")
        if self.spec.counts.get("webapp") or self.spec.counts.get("search"):
            began = time.monotonic()
            await run_once(self._migration(), MIGRATION_TIMEOUT_S)
            self._progress(f"schema is up to date ({time.monotonic() - began:.1f} s)")
        self._schema_ready.set()

    def _migration(self) -> Command:
        argv = (sys.executable, "-m", "svc.webapp.migrate")
        environ = {**self.environ, **self.dsns.environ(), "PARLEY_INSTANCE_NAME": "migrate"}
        return Command("migrate", argv, ROOT, self.spec.var / "log" / "migrate.log", environ)

    async def _stop_all(self) -> None:
        if not self.spec.graceful:
            self.abandon()
        elif self._fleet.consul is None:
            for name in self._cache_nodes.names:
                await self._cache_nodes.deregister(name)
        for tier in STOP_ORDER:
            await self._stop_some(tier, self.names(tier))
        await self._stop_some("memcached", [node.name for node in self._fleet.memcached])
        # The primary first: what it commits on its way out still reaches its replica.
        names = sorted(self.databases.names, key=lambda name: name != self.databases.primary)
        for name in (*names, "consul"):
            await self._stop_some(name, [name] if name in self.names() else [])

    async def _stop_some(self, what: str, names: list[str]) -> None:
        running = [name for name in names if name in self._members.names() and self.process(name) is not None]
        if not running:
            return
        began = time.monotonic()
        await self._members.stop(running)
        self._progress(f"{what} stopped ({time.monotonic() - began:.1f} s)")

    def _save(self) -> None:
        """Write what other commands read; nothing before all is up, nor while it goes down."""
        if not self._is_saved:
            return
        state.save(
            self.spec.var,
            state.MeshState(
                pid=os.getpid(),
                started=self._started_at,
                consul_addr=self.consul_addr,
                web_urls=self.web_urls,
                ws_urls=self.ws_urls,
                memcached_addrs=list(self.memcached_addrs),
                dsns=self.dsns.environ(),
                children=self._members.pids(),
            ),
        )


def _first(failures: ExceptionGroup[Exception]) -> Exception:
    """Return the first failure of a group; the others are its consequences, or will be met at the next try."""
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
