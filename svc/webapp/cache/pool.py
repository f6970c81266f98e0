"""The nodes of one memcached pool, and which of them has a key: rendezvous hashing over those that Consul lists.

Source: Thaler & Ravishankar 1998. A key moves only when its own node comes or goes; whether a node answers changes
nothing, so that a short absence does not leave old values behind on a stand-in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b
from random import Random

from discovery.view import Snapshot
from svc.kit.clock import Clock
from svc.kit.lifecycle import Tasks
from svc.webapp.cache.memcached.node import Node, NodeLimits
from svc.webapp.cache.routes.asking import delete_everywhere
from svc.webapp.cache.routes.route import Explained, Found, Undelivered

__all__ = ["MAIN_POOL_TAG", "SERVICE", "Pool", "run_pool"]

SERVICE = "memcached"
"""The tier's name; parley-memcached in Consul."""
MAIN_POOL_TAG = "pool:main"
NODES_MAX = 64
"""Hashing a key over more would cost more than the get itself (1 us a node)."""


class Pool:
    """Nodes, each kept connected while it is in the pool."""

    def __init__(self, tasks: Tasks, clock: Clock, rng: Random, limits: NodeLimits | None = None) -> None:
        """See `run_pool`. Starts empty: then everything is a miss."""
        self._tasks = tasks
        self._clock = clock
        self._rng = rng
        self._limits = limits or NodeLimits()
        self._nodes: dict[str, tuple[Node, asyncio.Task[None]]] = {}

    @property
    def nodes(self) -> list[Node]:
        """Those in the pool now."""
        return [node for node, _ in self._nodes.values()]

    def update(self, addresses: Iterable[str]) -> None:
        """Take these nodes (host:port), at most NODES_MAX of them in order of address, and let go of all others."""
        wanted = sorted(set(addresses))[:NODES_MAX]
        for address in set(self._nodes) - set(wanted):
            self._nodes.pop(address)[1].cancel()
        for address in wanted:
            if address not in self._nodes:
                node = Node(address, self._clock, self._rng, self._limits)
                self._nodes[address] = (node, self._tasks.spawn(node.run(), name=f"memcached {address}"))

    def follow(self, snapshot: Snapshot) -> None:
        """Take the nodes that Consul lists; give this to a watcher of SERVICE."""
        self.update(instance.address for instance in snapshot.instances if MAIN_POOL_TAG in instance.tags)

    def node(self, key: str) -> Node | None:
        """Return the node that has a key; None when there are none, or it is away."""
        if not self._nodes:
            return None
        node = self._nodes[self._owner(key)][0]
        return node if node.alive else None

    def _owner(self, key: str) -> str:
        data = key.encode()
        return max(self._nodes, key=lambda address: blake2b(data, digest_size=8, key=address.encode()[:64]).digest())

    async def get(self, keys: Sequence[str], lease_s: int) -> list[Found | None]:
        """See Route."""
        found: list[Found | None] = [None] * len(keys)
        places: dict[str, list[int]] = {}
        for place, key in enumerate(keys):
            if self._nodes:
                places.setdefault(self._owner(key), []).append(place)
        for owner, mine in places.items():
            answers = await self._nodes[owner][0].get([keys[place] for place in mine], lease_s)
            for place, answer in zip(mine, answers, strict=True):
                found[place] = answer
        return found

    async def delete(self, keys: Sequence[str], stale_s: int) -> Undelivered:
        """See Route. On every node: another process may see other nodes, or have seen them when it filled the key."""
        return await delete_everywhere(self.nodes, keys, stale_s)

    def explain(self, key: str) -> Explained:
        """See Route."""
        return Explained("pool", self._owner(key) if self._nodes else "no nodes")


@asynccontextmanager
async def run_pool(clock: Clock, rng: Random, limits: NodeLimits | None = None) -> AsyncIterator[Pool]:
    """Yield a pool whose connections live as long as the block."""
    # Twice: those let go of end a moment later.
    async with Tasks("memcached", 2 * NODES_MAX) as tasks:
        yield Pool(tasks, clock, rng, limits)
