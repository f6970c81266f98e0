"""Instances as verbs show them: a table for people, plain values for programs."""

from __future__ import annotations

from ops.cli.output import health_colour, print_table
from ops.local.catalog import Listed

COLUMNS = ("TIER", "ID", "ZONE", "ADDRESS", "HEALTH")


def describe(listed: Listed) -> dict[str, str]:
    """Return an instance as other programs see it."""
    instance = listed.instance
    ports = {name: port for name in ("http_port", "ws_port", "metrics_port") if (port := instance.meta.get(name))}
    return {
        "tier": instance.tier,
        "id": instance.id,
        "zone": instance.zone,
        "address": instance.address,
        "health": listed.health,
        **ports,
    }


def print_instances(instances: list[dict[str, str]]) -> None:
    """Print the table of instances."""
    rows = [tuple(instance[column.lower()] for column in COLUMNS) for instance in instances]
    print_table(COLUMNS, rows, health_colour)
