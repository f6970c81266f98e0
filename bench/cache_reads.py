"""How often webapps found in the cache what they looked for: their own counters, read several times a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from ops.local.mesh import Mesh
from svc.kit.lifecycle import background

INTERVAL_S = 0.5
METRIC = "parley_webapp_cache_reads"
FOUND = frozenset({"hit", "refresh", "stale"})


class CacheReads:
    """Readings of (monotonic seconds, found, asked), summed over all webapps."""

    def __init__(self) -> None:
        self._readings: list[tuple[float, float, float]] = []

    def hit_rate(self, since: float, until: float) -> float:
        """Return the share of reads between two instants that were found; 1 when there were none."""
        inside = [reading for reading in self._readings if since <= reading[0] <= until]
        if len(inside) < 2 or inside[-1][2] <= inside[0][2]:
            return 1.0
        return (inside[-1][1] - inside[0][1]) / (inside[-1][2] - inside[0][2])

    def hit_rate_min(self, since: float, until: float, width_s: float) -> float:
        """Return the lowest hit rate of any window of this width."""
        ends = [reading[0] for reading in self._readings if since + width_s <= reading[0] <= until]
        return min((self.hit_rate(end - width_s - INTERVAL_S / 2, end) for end in ends), default=1.0)

    @classmethod
    @asynccontextmanager
    async def watching(cls, mesh: Mesh) -> AsyncIterator[CacheReads]:
        """Yield what is read for as long as the block lasts."""
        reads = cls()
        found = [await mesh.instance(name) for name in mesh.names("webapp")]
        urls = [f"http://127.0.0.1:{each.instance.meta['metrics_port']}/metrics" for each in found]

        async def read(http: aiohttp.ClientSession) -> None:
            while True:
                counts = [await _counts(http, url) for url in urls]
                hits, asked = (sum(column) for column in zip(*counts, strict=True))
                reads._readings.append((time.monotonic(), hits, asked))
                await asyncio.sleep(INTERVAL_S)

        async with aiohttp.ClientSession() as http, background("count cache reads", read(http)):
            yield reads


async def _counts(http: aiohttp.ClientSession, url: str) -> tuple[float, float]:
    """Return how many reads of one webapp were found, and how many there were."""
    async with http.get(url) as answer:
        families = text_string_to_metric_families(await answer.text())
        samples = [sample for family in families for sample in family.samples if sample.name == f"{METRIC}_total"]
    return sum(s.value for s in samples if s.labels["result"] in FOUND), sum(s.value for s in samples)
