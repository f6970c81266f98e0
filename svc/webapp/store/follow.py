"""Following where the keyspaces' servers are: Consul's KV to the pools. `topology` has the rules.

Consul away, a key that is gone, or a value that makes no sense changes nothing: what was known last goes on.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from discovery.kv import KvEntry, KvWatcher
from svc.kit.errors import DeadlineError
from svc.kit.lifecycle import background
from svc.webapp.store.pools import Database, Pools
from svc.webapp.store.query import KEYSPACES
from svc.webapp.store.topology import Topology, TopologyError, key_of, parse, replaces

__all__ = ["Follower", "followed"]

log = logging.getLogger(__name__)

START_WAIT_S = 2.0
"""How long a start waits for Consul to say where the primaries are. Without it, it begins with its settings."""


class Follower:
    """What one keyspace's pool goes by."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.known: Topology | None = None
        """What was believed last; None while the setting alone counts."""

    def take(self, entry: KvEntry) -> None:
        """Take in what the KV holds now."""
        keyspace = self._database.keyspace
        if entry.value is None:
            if self.known is not None:
                log.warning("%s: its topology is gone from Consul, keeping epoch %d", keyspace, self.known.epoch)
            return
        try:
            found = parse(entry.value)
            if not replaces(found, self.known):
                return
        except TopologyError as error:
            log.error("%s: the topology in Consul is refused: %s", keyspace, error)  # a defect, not an exception
            return
        log.info("%s: epoch %d, primary %s, replicas %s", keyspace, found.epoch, found.primary, found.replicas)
        self.known = found
        self._database.use(found)


@asynccontextmanager
async def followed(pools: Pools, watch: Callable[[str], Awaitable[KvWatcher]]) -> AsyncIterator[None]:
    """Keep the pools at the servers that Consul names while the block runs, and watch how far replicas are behind.

    `watch`: Discovery.kv. Begins after the first answers, or START_WAIT_S.
    """
    async with AsyncExitStack() as stack:
        watchers = [await watch(key_of(keyspace)) for keyspace in KEYSPACES]
        for keyspace, watcher in zip(KEYSPACES, watchers, strict=True):
            database = pools.of(keyspace)
            stack.callback(watcher.subscribe(Follower(database).take))
            await stack.enter_async_context(background(f"replicas {keyspace}", database.replicas.run()))
        try:
            for watcher in watchers:
                await watcher.ready(START_WAIT_S)
        except DeadlineError as error:
            log.warning("beginning with the databases of the settings: %s", error)
        yield
