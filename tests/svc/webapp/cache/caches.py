"""Caches for tests: over real memcached nodes or over a shared memory, and a row of the truth to read through them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from svc.kit.clock import SystemClock
from svc.kit.lifecycle import background
from svc.webapp.cache import policy
from svc.webapp.cache.cache import Cache, Relay, run_cache
from svc.webapp.cache.codec import Codec
from svc.webapp.cache.memcached.node import Node, NodeLimits

TEXT: Codec[Any] = Codec(str.encode, bytes.decode)
KEY = f"{policy.CONVERSATION.prefix}:k"
"""Of a class that is never stale."""
USER = f"{policy.USER.prefix}:k"
"""Of a class that may be."""


class Source:
    """A row of the truth that counts its readers, and may be slow."""

    def __init__(self, value: str | None, seconds: float = 0.0) -> None:
        self.value = value
        self.seconds = seconds
        self.loads = 0
        self.read = asyncio.Event()

    async def load(self) -> str | None:
        """Read the row, then take some time to bring it."""
        self.loads += 1
        value = self.value
        self.read.set()
        await asyncio.sleep(self.seconds)
        return value


class Table:
    """Rows of the truth, read together."""

    def __init__(self, rows: Mapping[str, str]) -> None:
        self.rows = dict(rows)
        self.asked: list[Sequence[str]] = []

    async def load(self, keys: Sequence[str]) -> dict[str, str]:
        """Read rows."""
        self.asked.append(tuple(keys))
        await asyncio.sleep(0)
        return {key: self.rows[key] for key in keys if key in self.rows}


@asynccontextmanager
async def caching(address: str, *, relay: Relay | None = None, early_s: int = 2) -> AsyncIterator[tuple[Cache, Node]]:
    """Yield a process's cache over a memcached node, connected."""
    clock, rng = SystemClock(), random.Random(1)
    # A busy machine must not look like a dead node.
    node = Node(address, clock, rng, NodeLimits(deadline_s=0.5), early_s=lambda: early_s)
    async with background("node", node.run()), run_cache(node, clock, rng, relay=relay) as cache:
        await until_alive(node)
        yield cache, node


async def until_alive(node: Node) -> None:
    """Wait until the node is asked."""
    async with asyncio.timeout(5):
        while not node.alive:
            await asyncio.sleep(0.005)
