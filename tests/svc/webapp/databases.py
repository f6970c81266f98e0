"""A real MariaDB with the three keyspaces, and the parts of a webapp's store over it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ops.local.mariadb import Dsns, Mariadb
from ops.local.ports import Ports
from ops.local.process import Process
from ops.local.server import start
from parley.event.v1 import event_pb2
from svc.kit.clock import SystemClock
from svc.kit.errors import UnavailableError
from svc.webapp.cache.cache import Cache, run_cache
from svc.webapp.cache.lookups import Lookups
from svc.webapp.cache.routes.null import Null
from svc.webapp.cache.routes.route import Route
from svc.webapp.commit.committer import Committer, run_committer
from svc.webapp.commit.effects import Effects, Stores, Writes
from svc.webapp.commit.publisher import Publisher, run_publisher
from svc.webapp.migrate import DsnConfig, migrate
from svc.webapp.store.apps import AppStore
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.files import FileStore
from svc.webapp.store.outbox import OutboxStore
from svc.webapp.store.pools import PoolLimits, Pools, open_pools
from svc.webapp.store.user import UserStore
from svc.webapp.store.workspace import WorkspaceStore


class DatabaseServer:
    """A MariaDB that a test may stop, kill and start again; its data outlives that."""

    def __init__(self, folder: Path, port: int) -> None:
        self._server = Mariadb(folder / "data", folder / "log", port, "test")
        self._process: Process | None = None

    @property
    def dsns(self) -> Dsns:
        """Where the keyspaces are."""
        return self._server.dsns

    async def start(self) -> None:
        """Return once it takes connections."""
        self._process = await start(self._server)

    async def stop(self) -> None:
        """Shut it down in order."""
        if self._process is not None:
            await self._process.stop()
        self._process = None

    async def kill(self) -> None:
        """Kill it without a word."""
        if self._process is not None:
            await self._process.kill()
        self._process = None


@asynccontextmanager
async def database_server(folder: Path) -> AsyncIterator[DatabaseServer]:
    """Run a MariaDB while the block runs."""
    ports = Ports()
    server = DatabaseServer(folder, ports.claim_free())
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        ports.close()


@asynccontextmanager
async def migrated(server: DatabaseServer, limits: PoolLimits | None = None) -> AsyncIterator[Pools]:
    """Yield pools on empty, migrated keyspaces."""
    dsns = DsnConfig(server.dsns.workspace, server.dsns.channel, server.dsns.user).dsns()
    async with open_pools(dsns, SystemClock(), limits) as pools:
        await migrate(pools)
        for database in (pools.workspace, pools.channel, pools.user):
            for (table,) in await database.rows("SHOW TABLES"):
                # Quicker than making the tables again: DDL waits for the disk.
                if table != "schema_migrations":
                    await database.execute(f"DELETE FROM `{table}`")
        yield pools


@dataclass
class RecordingLink:
    """An admin that takes everything, or refuses it, and remembers."""

    published: list[event_pb2.Event] = field(default_factory=list)
    refuses: bool = False
    undelivered: set[str] = field(default_factory=set)
    """Channels whose events it cannot deliver."""
    hanging: set[str] = field(default_factory=set)
    """Channels that have a subscriber which hangs: a batch with an event of theirs is taken, and not answered."""

    async def publish(self, events: Sequence[event_pb2.Event]) -> Sequence[int]:
        """Take a batch."""
        await asyncio.sleep(0)
        if self.refuses:
            raise UnavailableError("no admin")
        left = [index for index, event in enumerate(events) if event.channel_id in self.undelivered]
        self.published += [event for index, event in enumerate(events) if index not in left]
        if any(event.channel_id in self.hanging for event in events):
            await asyncio.Event().wait()
        return left

    def places(self, channel_id: str) -> list[int]:
        """Offsets of a channel in the order in which they came."""
        return [event.offset for event in self.published if event.channel_id == channel_id]


@dataclass
class Webapp:
    """A webapp's store, as its composition root joins it."""

    pools: Pools
    stores: Stores
    link: RecordingLink
    publisher: Publisher
    committer: Committer
    cache: Cache
    lookups: Lookups
    effects: Effects
    writes: Writes


@asynccontextmanager
async def webapp(pools: Pools, link: RecordingLink | None = None, route: Route | None = None) -> AsyncIterator[Webapp]:
    """Yield a running store; its cache keeps nothing unless the test gives it a route."""
    clock, rng, link = SystemClock(), random.Random(7), link or RecordingLink()
    stores = Stores(
        WorkspaceStore(pools.workspace),
        ChannelStore(pools.channel),
        UserStore(pools.user),
        OutboxStore(pools.channel),
        AppStore(pools.workspace),
        FileStore(pools.workspace),
    )
    async with AsyncExitStack() as stack:
        cache = await stack.enter_async_context(run_cache(route or Null(), clock, rng))
        lookups = Lookups(cache, stores.workspaces, stores.channels, stores.users)
        publisher = await stack.enter_async_context(run_publisher(link, stores.outbox, clock, rng))
        committer = await stack.enter_async_context(
            run_committer(pools.channel, publisher.offer, clock, rng, forget=lookups.forget_writes)
        )
        effects = Effects(committer.commit, stores, lookups)
        writes = Writes(committer.commit, effects, stores.outbox)
        yield Webapp(pools, stores, link, publisher, committer, cache, lookups, effects, writes)
