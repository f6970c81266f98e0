"""The clients that are compared, each driven the way it is fastest: ours, aiomcache, and pymemcache in threads.

All ask the same two nodes for the same keys. Each caller asks one node, so that placement, which is no part of a
client, costs nobody anything.
"""

from __future__ import annotations

import asyncio
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol, TypeAlias

import aiomcache
import uvloop
from pymemcache.client.base import Client as ThreadClient

from svc.kit.clock import SystemClock
from svc.kit.lifecycle import background
from svc.webapp.cache.memcached.node import Node

__all__ = ["Client", "Load", "Sample", "clients", "fill"]

LEASE_S = 10
"""Ours asks as the webapp does: with a lease on a miss, the time to live, and what loading took."""
TTL_S = 3600
CALLS_MIN = 2
"""Of one run, however long each takes: percentiles are of at least two."""

Batch: TypeAlias = Sequence[Any]
"""Keys, as the client takes them."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked for at once: `callers` at a time, each for `batch` keys of one node."""

    callers: int
    batch: int
    connections: int
    """A node; threads need one each."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run."""

    gets_per_s: float
    latencies_s: list[float]
    """Of every call."""


class Client(Protocol):
    """One of those compared."""

    name: str

    def run(self, load: Load, batches: Sequence[Sequence[Batch]], seconds: float) -> Sample:
        """Ask for the batches of each node, over and over."""
        ...

    def loads(self, load: Load) -> list[Load]:
        """Return the ways to drive it that may be the fastest, with at most as many keys in flight."""
        ...


def fill(ports: Sequence[int], values: Sequence[Mapping[Any, bytes]]) -> None:
    """Store values on each node, as plain items, and read them back."""
    for port, items in zip(ports, values, strict=True):
        client = ThreadClient(("127.0.0.1", port))
        held: dict[bytes | str, bytes] = dict(items.items())
        client.set_many(held, expire=TTL_S, noreply=False)
        if client.get_many(list(items)) != items:
            raise RuntimeError(f"the node on port {port} does not hold what was stored")
        client.close()


class _OnLoop(ABC):
    """Drives a client whose calls are coroutines, on uvloop as the webapp is."""

    name = ""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports

    @abstractmethod
    async def open(self, up: AsyncExitStack, port: int, load: Load) -> Callable[[Batch], Awaitable[Any]]:
        """Return how to ask one node for a batch."""

    def run(self, load: Load, batches: Sequence[Sequence[Batch]], seconds: float) -> Sample:
        """See Client."""
        return uvloop.run(self._run(load, batches, seconds))

    async def _run(self, load: Load, batches: Sequence[Sequence[Batch]], seconds: float) -> Sample:
        async with AsyncExitStack() as up:
            asks = [await self.open(up, port, load) for port in self._ports]
            latencies: list[float] = []

            async def call(ask: Callable[[Batch], Awaitable[Any]], batches: Sequence[Batch]) -> None:
                clock, add = time.perf_counter, latencies.append
                while True:
                    for batch in batches:
                        began = clock()
                        await ask(batch)
                        ended = clock()
                        add(ended - began)
                        if ended > ends_at and len(latencies) >= CALLS_MIN:
                            return

            began_at = time.perf_counter()
            ends_at = began_at + seconds
            async with asyncio.TaskGroup() as group:
                for caller in range(load.callers):
                    node = caller % len(asks)
                    group.create_task(call(asks[node], batches[node]))
            took_s = time.perf_counter() - began_at
        return Sample(len(latencies) * load.batch / took_s, latencies)


class Ours(_OnLoop):
    """svc.webapp.cache.memcached: one connection a node, whatever the load."""

    name = "ours"

    async def open(self, up: AsyncExitStack, port: int, load: Load) -> Callable[[Batch], Awaitable[Any]]:
        node = Node(f"127.0.0.1:{port}", SystemClock(), Random(port))
        await up.enter_async_context(background("node", node.run()))
        while not node.alive:
            await asyncio.sleep(0.001)
        return lambda batch: node.get(batch, LEASE_S)

    def loads(self, load: Load) -> list[Load]:
        """See Client. Nothing to choose."""
        return [Load(load.callers, load.batch, 1)]


class Aiomcache(_OnLoop):
    """aiomcache: each call has a connection of the pool to itself."""

    name = "aiomcache"

    async def open(self, up: AsyncExitStack, port: int, load: Load) -> Callable[[Batch], Awaitable[Any]]:
        client = aiomcache.Client("127.0.0.1", port, pool_size=load.connections)
        up.push_async_callback(client.close)
        if load.batch == 1:
            return lambda batch: client.get(batch[0])
        return lambda batch: client.multi_get(*batch)

    def run(self, load: Load, batches: Sequence[Sequence[Batch]], seconds: float) -> Sample:
        """See Client. Its keys are bytes."""
        encoded = [[[key.encode() for key in batch] for batch in each] for each in batches]
        return super().run(load, encoded, seconds)

    def loads(self, load: Load) -> list[Load]:
        """See Client. More connections, or fewer."""
        return [Load(load.callers, load.batch, count) for count in (1, 2, 8, 32) if 2 * count <= max(2, load.callers)]


class PymemcacheThreads:
    """pymemcache: a thread and a connection for each caller, as many of them as are fastest."""

    name = "pymemcache_threads"

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports

    def run(self, load: Load, batches: Sequence[Sequence[Batch]], seconds: float) -> Sample:
        """See Client."""
        latencies: list[list[float]] = [[] for _ in range(load.callers)]
        ready = threading.Barrier(load.callers + 1)

        def call(caller: int) -> None:
            node = caller % len(self._ports)
            client = ThreadClient(("127.0.0.1", self._ports[node]), no_delay=True)
            ask: Callable[[Any], Any] = client.get_many if load.batch > 1 else client.get
            asked: Sequence[Any] = batches[node] if load.batch > 1 else [batch[0] for batch in batches[node]]
            clock, mine = time.perf_counter, latencies[caller]
            ask(asked[0])  # connects
            ready.wait()
            ends_at = clock() + seconds
            while clock() < ends_at or len(mine) < CALLS_MIN:
                for each in asked:
                    began = clock()
                    ask(each)
                    ended = clock()
                    mine.append(ended - began)
                    if ended > ends_at and len(mine) >= CALLS_MIN:
                        break
            client.close()

        threads = [threading.Thread(target=call, args=(caller,)) for caller in range(load.callers)]
        for thread in threads:
            thread.start()
        ready.wait()
        began_at = time.perf_counter()
        for thread in threads:
            thread.join()
        took_s = time.perf_counter() - began_at
        joined = [latency for each in latencies for latency in each]
        return Sample(len(joined) * load.batch / took_s, joined)

    def loads(self, load: Load) -> list[Load]:
        """See Client. More threads, or fewer: each has one call in flight."""
        counts = {min(load.callers, count) for count in (1, 2, 4, 8, 32, 100)}
        return [Load(count, load.batch, max(1, count // 2)) for count in sorted(counts)]


def clients(ports: Sequence[int]) -> list[Client]:
    """Return all of them, on these nodes."""
    return [Ours(ports), Aiomcache(ports), PymemcacheThreads(ports)]
