"""A webapp's view of the pools: from the tables in Consul to the routes that reads and deletions take.

A table that is older than the one followed, or gone, is a Consul that lost its data: the keeper puts the newer one
back. One that stays is believed after FALLBACK_S. Without any table Consul's list of nodes is the pool; then deletions
go to all its nodes, and to those that have just left it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import replace
from typing import Protocol

from discovery.kv import KvEntry, KvWatcher
from discovery.view import Instance, Snapshot
from discovery.watcher import ServiceWatcher
from svc.kit.clock import Clock
from svc.kit.errors import DeadlineError
from svc.kit.lifecycle import Tasks
from svc.webapp.cache.pools.nodes import NODES_MAX, Nodes, PoolNode
from svc.webapp.cache.pools.table import SETTLE_S, Mode, Seat, Table, TableError, listed_table, parse_table
from svc.webapp.cache.pools.view import PoolRoutes, PoolRoutesView
from svc.webapp.cache.routes.route import Undelivered

__all__ = ["MAIN", "POOL_TAG", "SERVICE", "SPARE", "FollowedPools", "follow_pools", "pool_of", "seat_of", "table_key"]

log = logging.getLogger(__name__)

SERVICE = "memcached"
"""The tier's name; parley-memcached in Consul."""
POOL_TAG = "pool:"
"""Before a pool's name in the tags of its nodes."""
MAIN = "main"
SPARE = "spare"
"""What is no pool: nodes that wait for a seat in one."""
FALLBACK_S = 10.0
"""The keeper puts a lost table back within two seconds, if there is a keeper that knew it."""
READY_S = 2.0
"""Longest that a start waits for Consul; without it there is no cache for a while."""


class Watches(Protocol):
    """What is used of `discovery.front.Discovery`."""

    async def watch(self, tier: str) -> ServiceWatcher:
        """Return the watcher of a service."""
        ...

    async def kv(self, key: str) -> KvWatcher:
        """Return the watcher of a key."""
        ...


def table_key(pool: str) -> str:
    """Return where a pool's table is in KV."""
    return f"parley/cache/pools/{pool}"


def pool_of(instance: Instance) -> str:
    """Return the pool that a node is registered for, or SPARE; empty when it says nothing."""
    return next((tag.removeprefix(POOL_TAG) for tag in instance.tags if tag.startswith(POOL_TAG)), "")


def seat_of(instance: Instance) -> str:
    """Return the seat that a node is registered for: its meta `seat`, else one that is named after it."""
    return instance.meta.get("seat") or instance.address


class PoolFollower:
    """Decides which table one pool goes by, and keeps its routes in step. Holds one table."""

    def __init__(self, name: str, nodes: Nodes, tasks: Tasks, clock: Clock) -> None:
        """Start without seats."""
        self.routes = PoolRoutes(name)
        self.table = Table()
        """The one that is followed."""
        self._name = name
        self._nodes = nodes
        self._tasks = tasks
        self._clock = clock
        self._newest: bytes | None = None
        self._listed: dict[str, str] = {}
        self._left: dict[str, float] = {}

    def take_table(self, entry: KvEntry) -> None:
        """Follow what KV says now. What makes no sense is logged, and changes nothing."""
        self._newest = entry.value
        if entry.value is None:
            return
        try:
            table = parse_table(entry.value)
        except TableError as error:
            log.error(
                "the table of pool %s makes no sense, keeping version %d: %s", self._name, self.table.version, error
            )
            return
        if table.version >= self.table.version:
            self._follow(table)
        else:
            log.warning("pool %s: version %d after %d", self._name, table.version, self.table.version)
            self._tasks.spawn(self._fall_back(entry.value, table), name=f"fall back {self._name}")

    def take_list(self, snapshot: Snapshot) -> None:
        """Follow Consul's list, as long as there was never a table."""
        listed = {each.address: seat_of(each) for each in snapshot.instances if pool_of(each) == self._name}
        gone = self._listed.keys() - listed.keys()
        self._left = {address: when for address, when in self._left.items() if address not in listed}
        self._left.update(dict.fromkeys(gone, self._clock.now()))
        self._listed = listed
        if self.table.version == 0:
            self._follow_list()
            if gone:
                self._tasks.spawn(self._forget_gone(), name=f"forget gone {self._name}")

    def _follow_list(self) -> None:
        table = listed_table((seat, address) for address, seat in self._listed.items())
        now = self._clock.now()
        left = [address for address, when in self._left.items() if now - when < SETTLE_S]
        seats = {f"({address})": Seat(address, mode=Mode.LEAVING) for address in left}
        self._follow(replace(table, seats={**table.seats, **seats}))

    async def _forget_gone(self) -> None:
        await self._clock.sleep(SETTLE_S)
        if self.table.version == 0:
            self._follow_list()

    async def _fall_back(self, value: bytes, table: Table) -> None:
        await self._clock.sleep(FALLBACK_S)
        if self._newest == value:
            self._follow(table)

    def _follow(self, table: Table) -> None:
        if table != self.table or table.version > 0:
            self.table = table
            self.routes.update(table, self._nodes.want(self._name, table.addresses))


class FollowedPools:
    """The pools of this process. `view` is what routes are built on, see `routes.pool.Pools`."""

    def __init__(self, watches: Watches, nodes: Nodes, tasks: Tasks, clock: Clock) -> None:
        """See `follow_pools`."""
        self._watches = watches
        self._nodes = nodes
        self._tasks = tasks
        self._clock = clock
        self._followers: dict[str, PoolFollower] = {}
        self._ends: list[Callable[[], None]] = []

    async def follow(self, names: Iterable[str]) -> None:
        """Follow these pools from now on; return when their nodes are known, or after READY_S without them."""
        watcher = await self._watches.watch(SERVICE)
        new = [name for name in dict.fromkeys(names) if name not in self._followers]
        keys: list[KvWatcher] = []
        for name in new:
            follower = self._followers[name] = PoolFollower(name, self._nodes, self._tasks, self._clock)
            keys.append(await self._watches.kv(table_key(name)))
            self._ends.append(keys[-1].subscribe(follower.take_table))
            self._ends.append(watcher.subscribe(follower.take_list))
        began = self._clock.now()
        for ready in (*(key.ready for key in keys), watcher.ready):
            with suppress(DeadlineError):
                await ready(max(0.01, READY_S - (self._clock.now() - began)))

    def view(self, name: str, *, warm_up: bool) -> PoolRoutesView:
        """Return the view of a pool that is followed; without `warm_up`, its seats' bare nodes are the readers."""
        return self._followers[name].routes.view(warm_up=warm_up)

    def table(self, name: str) -> Table:
        """Return the table that a pool goes by now; one of version 0 is Consul's list, or nothing."""
        follower = self._followers.get(name)
        return follower.table if follower else Table()

    def close(self) -> None:
        """Follow nothing any more."""
        while self._ends:
            self._ends.pop()()

    def undelivered(self, keys_by_address: Undelivered) -> None:
        """Take the deletions that another webapp could not deliver, see `memcached.node.Node.undelivered`."""
        self._nodes.undelivered(keys_by_address)


@asynccontextmanager
async def follow_pools(watches: Watches, make: Callable[[str], PoolNode], clock: Clock) -> AsyncIterator[FollowedPools]:
    """Yield pools to follow, whose connections live as long as the block. `make` returns the node of an address."""
    async with Tasks("memcached", 2 * NODES_MAX) as tasks:
        pools = FollowedPools(watches, Nodes(make, tasks, clock), tasks, clock)
        with closing(pools):
            yield pools
