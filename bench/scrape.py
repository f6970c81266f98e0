"""Metrics of a mesh's instances."""

from __future__ import annotations

import aiohttp

from ops.local.mesh import Mesh
from ops.scrape import totals


async def metric(mesh: Mesh, instance: str, name: str) -> float:
    """Return the sum of a counter or gauge of one instance, over its labels; 0 when it has none of this name."""
    found = await mesh.instance(instance)
    async with aiohttp.ClientSession() as http:
        return (await totals(http, f"127.0.0.1:{found.instance.meta['metrics_port']}")).get(name, 0.0)
