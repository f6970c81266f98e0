"""One connection a node, whatever pools and tables it is in: made when it is first wanted, ended a while after the
last one let it go, so that deletions still reach it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from svc.kit.clock import Clock
from svc.kit.lifecycle import Tasks
from svc.webapp.cache.pools.table import SEATS_MAX, SETTLE_S
from svc.webapp.cache.routes.route import Route

__all__ = ["NODES_MAX", "Nodes", "PoolNode"]

NODES_MAX = 4 * SEATS_MAX
"""Connected at once; more are a mistake, and are refused by `Tasks`."""


class PoolNode(Route, Protocol):
    """A leaf: one memcached."""

    async def run(self) -> None:
        """Keep a connection up, for ever."""
        ...

    def undelivered(self, keys: Sequence[str]) -> None:
        """Take deletions that did not get through from another process: they are done before the next read."""
        ...


class Nodes:
    """The nodes of all pools by address. Their tasks end with `tasks`."""

    def __init__(self, make: Callable[[str], PoolNode], tasks: Tasks, clock: Clock) -> None:
        """`make` returns a node that is not yet running. `tasks` has room for 2 * NODES_MAX."""
        self._make = make
        self._tasks = tasks
        self._clock = clock
        self._nodes: dict[str, tuple[PoolNode, asyncio.Task[None]]] = {}
        self._wanted: dict[str, frozenset[str]] = {}

    def want(self, pool: str, addresses: Iterable[str]) -> Mapping[str, PoolNode]:
        """Return these nodes, connecting; those that `pool` wanted before and no pool wants now end SETTLE_S later."""
        before, self._wanted[pool] = self._wanted.get(pool, frozenset()), frozenset(addresses)
        for address in before - self._wanted[pool]:
            self._tasks.spawn(self._end(address), name=f"let go of {address}")
        return {address: self._node(address) for address in sorted(self._wanted[pool])}

    def undelivered(self, keys_by_address: Mapping[str, Sequence[str]]) -> None:
        """Take what other processes could not deliver; nodes that are not ours are none of our business."""
        for address, keys in keys_by_address.items():
            if address in self._nodes:
                self._nodes[address][0].undelivered(keys)

    def _node(self, address: str) -> PoolNode:
        if address not in self._nodes:
            node = self._make(address)
            self._nodes[address] = node, self._tasks.spawn(node.run(), name=f"memcached {address}")
        return self._nodes[address][0]

    async def _end(self, address: str) -> None:
        await self._clock.sleep(SETTLE_S)
        if not any(address in wanted for wanted in self._wanted.values()) and address in self._nodes:
            self._nodes.pop(address)[1].cancel()
