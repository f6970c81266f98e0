"""Metrics of a mesh's instances."""

from __future__ import annotations

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from ops.local.mesh import Mesh
from ops.scrape import totals


async def metric(mesh: Mesh, instance: str, name: str) -> float:
    """Return the sum of a counter or gauge of one instance, over its labels; 0 when it has none of this name."""
    found = await mesh.instance(instance)
    async with aiohttp.ClientSession() as http:
        return (await totals(http, f"127.0.0.1:{found.instance.meta['metrics_port']}")).get(name, 0.0)


async def labelled(mesh: Mesh, instance: str, name: str, label: str, value: str) -> float:
    """Return the sum of a counter or gauge of one instance, over the samples with this label; 0 when there are none."""
    found = await mesh.instance(instance)
    url = f"http://127.0.0.1:{found.instance.meta['metrics_port']}/metrics"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        text = await answer.text()
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return sum(
        sample.value
        for sample in samples
        if sample.name.removesuffix("_total") == name and sample.labels.get(label) == value
    )
