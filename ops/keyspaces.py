"""Webapp's rules over a mesh's databases, for commands that work beside the mesh: seeding, tokens, the demo workspace.

What they commit is published by the webapps: events lie in the outbox until a sweeper takes them, a second later.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from random import SystemRandom

from ops.local.mariadb import Dsns
from parley.event.v1 import event_pb2
from svc.kit.clock import Clock, SystemClock
from svc.kit.lifecycle import background
from svc.kit.tokens import SECRET_BYTES_MIN, Signer
from svc.webapp import migrate
from svc.webapp.assembly import assemble, stores_of
from svc.webapp.cache.cache import run_cache
from svc.webapp.cache.lookups import Lookups
from svc.webapp.cache.memcached.node import Node
from svc.webapp.cache.routes.all_sync import AllSync
from svc.webapp.cache.routes.null import Null
from svc.webapp.cache.routes.operations import Operations
from svc.webapp.commit.committer import run_committer
from svc.webapp.commit.effects import Effects, Writes
from svc.webapp.domain.connect import Connector, ConnectSettings
from svc.webapp.domain.people.presence import Presence
from svc.webapp.domain.services import Services
from svc.webapp.files.config import FileConfig
from svc.webapp.files.vault import open_vault
from svc.webapp.priority import Priority, Turn, begin
from svc.webapp.store.bulk import Bulk
from svc.webapp.store.outbox import OutboxStore
from svc.webapp.store.pools import open_pools

CACHE_WAIT_S = 0.5
"""How long to wait for memcached: without it, what webapps hold of a revoked token lives for up to a minute."""


@dataclass(frozen=True, slots=True)
class Workbench:
    """What a command works with."""

    services: Services
    bulk: Bulk


class _Nobody:
    """A presence tier for commands, which never ask."""

    async def presence(self, user_id: str) -> Presence:
        """Return away."""
        return Presence()

    async def active_among(self, user_ids: Sequence[str]) -> Sequence[str]:
        """Return nobody."""
        return ()


@dataclass(slots=True)
class _LeftToSweepers:
    """Publishes nothing: the outbox has it, and webapps take it over after a second. Revocations should not wait."""

    urgent: list[tuple[str, int]] = field(default_factory=list)

    def publish(self, events: Sequence[event_pb2.Event]) -> None:
        """Take committed events."""
        self.urgent.extend((event.channel_id, event.offset) for event in events if event.HasField("revocation"))

    async def hasten(self, outbox: OutboxStore) -> None:
        """Let webapps find at their next look what cannot wait."""
        for channel_id, offset in self.urgent:
            await outbox.hasten(channel_id, offset)


@asynccontextmanager
async def workspace_rules(
    dsns: Dsns, memcached_addrs: Sequence[str] = (), files: FileConfig | None = None
) -> AsyncIterator[Workbench]:
    """Yield the rules over these databases; without `files` no file is taken in.

    Raises FailedPreconditionError when their schema is not ours, UnavailableError when the files' folder is not there.
    """
    clock, rng = SystemClock(), SystemRandom()
    config = migrate.DsnConfig(dsns.workspace, dsns.channel, dsns.user)
    # A command has its connections to itself, and would rather wait than be told to come back.
    begin(Turn(Priority.POST))
    async with AsyncExitStack() as up:
        pools = await up.enter_async_context(open_pools(config.dsns(), clock))
        await migrate.check(pools)
        stores = stores_of(pools)
        nodes = [Node(address, clock, rng) for address in memcached_addrs]
        for node in nodes:
            await up.enter_async_context(background(f"memcached {node.address}", node.run()))
        await _connected(nodes, clock)
        # Commands read the database; what they change has to be forgotten wherever a webapp may have it.
        cache = await up.enter_async_context(run_cache(Operations(Null(), AllSync(nodes or [Null()])), clock, rng))
        lookups = Lookups(cache, stores.workspaces, stores.channels, stores.users)
        left = _LeftToSweepers()
        committer = await up.enter_async_context(
            run_committer(pools.channel, left.publish, clock, rng, forget=lookups.forget_writes)
        )
        writes = Writes(committer.commit, Effects(committer.commit, stores, lookups), stores.outbox)
        signer = Signer("-" * SECRET_BYTES_MIN)  # no command opens a socket, so no ticket is ever signed with it
        connector = Connector(ConnectSettings("", ""), tuple, signer, clock, rng)
        vault = await up.enter_async_context(open_vault(files, signer, clock)) if files is not None else None
        services = assemble(stores, lookups, writes, clock, connector, _Nobody(), vault=vault)
        yield Workbench(services, Bulk(pools))
        await left.hasten(stores.outbox)


async def _connected(nodes: Sequence[Node], clock: Clock) -> None:
    deadline = clock.now() + CACHE_WAIT_S
    while not all(node.alive for node in nodes) and clock.now() < deadline:
        await clock.sleep(0.01)
