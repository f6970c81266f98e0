"""Metrics of a process, as Prometheus would read them."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

__all__ = ["totals"]

TIMEOUT_S = 2.0
"""A process that is well answers in some ms."""


async def totals(http: aiohttp.ClientSession, address: str) -> Mapping[str, float]:
    """Return the counters and gauges of the process whose metrics are at `host:port`, each summed over its labels.

    Names are without `_total`. Raises aiohttp.ClientError and TimeoutError.
    """
    async with http.get(f"http://{address}/metrics", timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as answer:
        answer.raise_for_status()
        text = await answer.text()
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = sample.name.removesuffix("_total")
            sums[name] = sums.get(name, 0.0) + sample.value
    return sums
