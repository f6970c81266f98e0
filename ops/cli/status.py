"""`parley status`: what Consul says about every instance."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path

import click

from ops.cli import edges
from ops.cli.databases import Group, credentials, print_databases, survey
from ops.cli.instances import describe, print_instances
from ops.cli.output import CliError, emit_json, json_option
from ops.cli.target import consul_address, var_option
from ops.local.catalog import Catalog, CatalogError, Listed
from ops.local.spec import TIERS
from ops.local.state import load
from svc.kit.errors import ParleyError

HELP = """Show every instance of every tier as Consul sees it: tier, id, zone, address, health; the databases, where
there is a replica: who is the primary, and whether its loss would lose anything; and what each edge holds: workspaces,
bytes of their models, conversations followed; loads, those that failed, and answers refused as they might be old.

Asks the Consul of the mesh that runs here, or the one at PARLEY_CONSUL_ADDR. Exit code 1 when an instance does not
pass, a tier has none at all, or a database raises an alarm. A mesh may do without search: where none was started here,
that is said, and is no trouble.

\b
Examples:
  parley status
  parley status --json | jq '.instances[] | select(.health != "passing")'
"""


OPTIONAL = ("search",)
"""Tiers that a mesh may do without, and most of it does not notice."""


@click.command("status", help=HELP)
@var_option
@json_option
def command(var: Path, *, as_json: bool) -> None:
    """Show the mesh."""
    address = consul_address(var)
    try:
        listed, databases, held = asyncio.run(_read(address, var))
    except (CatalogError, ParleyError, ValueError) as error:
        raise CliError(str(error), "parley doctor looks further.") from error
    instances = [describe(each) for each in listed]
    state = load(var)
    without = [tier for tier in TIERS if not any(each["tier"] == tier for each in instances)]
    absent = missing_of(without, state.children if state is not None else ())
    alarms = [alarm for group in databases for alarm in group.alarms]
    healthy = not absent and not alarms and all(each["health"] == "passing" for each in instances)
    if as_json:
        found = {"ok": healthy, "consul_addr": address, "instances": instances, "absent": absent}
        found["without"] = [tier for tier in without if tier not in absent]
        told = [{"alarm": alarm.trouble.value, "database": alarm.address, "detail": alarm.detail} for alarm in alarms]
        found["databases"] = [each for group in databases for each in group.describe()]
        emit_json({**found, "alarms": told, "edges": [each.describe() for each in held]})
    else:
        blank = {"id": "-", "zone": "-", "address": "-"}
        rows = [{"tier": tier, **blank, "health": "missing" if tier in absent else "none"} for tier in without]
        print_instances([*instances, *rows])
        print_databases(databases)
        edges.print_edges(held)
    raise SystemExit(0 if healthy else 1)


def missing_of(without: Collection[str], started: Collection[str]) -> list[str]:
    """Return which of the tiers that have no instance ought to have one. `started`: names of what runs here."""
    return [tier for tier in without if tier not in OPTIONAL or any(name.startswith(f"{tier}-") for name in started)]


async def _read(address: str, var: Path) -> tuple[list[Listed], list[Group], list[edges.Held]]:
    async with Catalog(address) as catalog:
        listed = await catalog.read((*TIERS, "memcached"))
    held = await edges.survey([each.instance for each in listed])
    return listed, await survey(address, credentials(var)), held
