"""What edges hold, as verbs show it: read from their metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from discovery.view import Instance
from ops.cli.output import print_table
from ops.scrape import totals

__all__ = ["Held", "print_edges", "survey"]

COLUMNS = ("EDGE", "ZONE", "WORKSPACES", "MODELS", "CONVERSATIONS", "LOADS", "FAILED", "REFUSALS")


@dataclass(frozen=True, slots=True)
class Held:
    """What one edge holds now, and what became of loads and answers since it started."""

    instance: Instance
    metrics: Mapping[str, float] | None
    """By name; None when the edge's metrics did not answer."""

    def describe(self) -> dict[str, str | int | None]:
        """Return it as other programs see it; numbers are None when the edge did not answer."""
        return {"edge": self.instance.id, "zone": self.instance.zone, **{key: self._number(key) for key in METRICS}}

    def _number(self, key: str) -> int | None:
        return None if self.metrics is None else int(self.metrics.get(METRICS[key], 0.0))

    def row(self) -> tuple[str, ...]:
        """Return it as people see it."""
        numbers = {key: self._number(key) for key in METRICS}
        size = numbers["model_bytes"]
        shown = numbers | {"model_bytes": None if size is None else f"{size / 1e6:.1f} MB"}
        return (
            self.instance.id,
            self.instance.zone or "-",
            *("-" if each is None else str(each) for each in shown.values()),
        )


METRICS = {
    "workspaces": "parley_edge_workspaces",
    "model_bytes": "parley_edge_model_bytes",
    "conversations": "parley_edge_conversations",
    "loads": "parley_edge_loads",
    "load_failures": "parley_edge_load_failures",
    "refusals": "parley_edge_refusals",
}


async def survey(instances: Sequence[Instance]) -> list[Held]:
    """Ask every edge among `instances`, all at once; within some seconds, whatever is wrong with them."""
    async with aiohttp.ClientSession() as http:
        edges = [each for each in instances if each.tier == "edge"]
        return await asyncio.gather(*(_held(http, each) for each in edges))


async def _held(http: aiohttp.ClientSession, instance: Instance) -> Held:
    port = instance.meta.get("metrics_port")
    if not port:
        return Held(instance, None)
    try:
        return Held(instance, await totals(http, f"{instance.address.rpartition(':')[0]}:{port}"))
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return Held(instance, None)


def print_edges(held: Sequence[Held]) -> None:
    """Print the table of edges, under a line of its own; nothing when there are none."""
    if held:
        print()
        print_table(COLUMNS, [each.row() for each in held])
