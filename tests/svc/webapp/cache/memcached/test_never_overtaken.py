"""By chance: two processes read, fill and delete on one node that hangs and dies; no read is older than a deletion."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from svc.webapp.cache.memcached.node import Node
from tests.svc.webapp.cache.memcached.clients import PATIENT, client
from tests.svc.webapp.cache.nodes import CacheServer, cache_server

KEYS = [f"k{i}" for i in range(20)]
SECONDS = 4.0
LIMITS = replace(PATIENT, deadline_s=0.02, undeleted_max=8, probe_cap_s=0.05)
"""Short deadlines and a short memory, so that all of it happens often."""


class World:
    """Rows that count their writes, and what readers may not see any more."""

    def __init__(self, rng: random.Random, nodes: tuple[Node, Node]) -> None:
        self.rng = rng
        self.nodes = nodes
        self.rows: Counter[str] = Counter()
        self.acked: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()

    async def write(self) -> None:
        """Change a row, delete it from the node, tell the other process what did not get through, and only then ack."""
        key, (here, there) = self.rng.choice(KEYS), self.rng.sample(self.nodes, 2)
        self.rows[key] += 1
        version = self.rows[key]
        undelivered = await here.delete([key], self.rng.choice([0, 0, 30]))
        self.seen["undelivered" if undelivered else "deleted"] += 1
        for keys in undelivered.values():
            there.undelivered(keys)
        self.acked[key] = max(self.acked[key], version)

    async def read(self) -> None:
        """Read a key like a webapp does: what is stale or missing is loaded, slowly, and filled by whoever may."""
        key, node = self.rng.choice(KEYS), self.rng.choice(self.nodes)
        oldest = self.acked[key]
        (found,) = await node.get([key], 10)
        if found is None:
            self.seen["unanswered"] += 1
            return
        if found.value is not None and not found.is_stale:
            self.seen["hit"] += 1
            assert int(found.value) >= oldest, f"{key}: read {found.value!r} after {oldest} was acked"
        if found.lease is not None:
            value = b"%d" % self.rows[key]
            await asyncio.sleep(self.rng.choice([0, 0.001, 0.03]))
            found.lease.fill(value, 60, 1)
            self.seen["filled"] += 1

    async def disturb(self, server: CacheServer) -> None:
        """Let the node hang for moments shorter and longer than it takes to give it up, or lose everything."""
        await asyncio.sleep(self.rng.uniform(0.05, 0.2))
        if self.rng.random() < 0.2:
            await server.stop()
            await server.start()
            return
        await server.hang()
        await asyncio.sleep(self.rng.choice([0.01, 0.03, 0.15]))
        server.go_on()


@pytest.mark.mesh
async def test_no_read_is_older_than_a_deletion_that_was_acked_before_it(tmp_path: Path) -> None:
    """However late the node does what it was told; the seed is in the failure."""
    seed = random.randrange(1 << 30)
    ends_at = asyncio.get_running_loop().time() + SECONDS
    async with cache_server(tmp_path) as server, client(server.address) as _:
        async with client(server.address, LIMITS) as one, client(server.address, LIMITS) as two:
            world = World(random.Random(seed), (one, two))

            async def repeat(what: str) -> None:
                while asyncio.get_running_loop().time() < ends_at:
                    if what == "disturb":
                        await world.disturb(server)
                    else:
                        await (world.write() if what == "write" else world.read())
                        await asyncio.sleep(world.rng.choice([0, 0.001, 0.005]))

            try:
                async with asyncio.TaskGroup() as group:
                    for what in ("disturb", *["write"] * 4, *["read"] * 20):
                        group.create_task(repeat(what))
            except* AssertionError as failed:
                raise AssertionError(f"seed {seed}: {failed.exceptions[0]}") from failed
    assert min(world.seen[each] for each in ("undelivered", "deleted", "unanswered", "hit", "filled")) > 20, world.seen
    assert one.counts.flushes + two.counts.flushes > 0
