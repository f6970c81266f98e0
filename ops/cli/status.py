"""`parley status`: what Consul says about every instance."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from ops.cli.instances import describe, print_instances
from ops.cli.output import CliError, emit_json, json_option
from ops.cli.target import consul_address, var_option
from ops.local.catalog import Catalog, CatalogError, Listed
from ops.local.spec import TIERS

HELP = """Show every instance of every tier as Consul sees it: tier, id, zone, address, health.

Asks the Consul of the mesh that runs here, or the one at PARLEY_CONSUL_ADDR. Exit code 1 when an instance does not
pass or a tier has none at all.

\b
Examples:
  parley status
  parley status --json | jq '.instances[] | select(.health != "passing")'
"""


@click.command("status", help=HELP)
@var_option
@json_option
def command(var: Path, *, as_json: bool) -> None:
    """Show the mesh."""
    address = consul_address(var)
    try:
        listed = asyncio.run(_read(address))
    except CatalogError as error:
        raise CliError(str(error), "parley doctor looks further.") from error
    instances = [describe(each) for each in listed]
    absent = [tier for tier in TIERS if not any(each["tier"] == tier for each in instances)]
    healthy = not absent and all(each["health"] == "passing" for each in instances)
    if as_json:
        emit_json({"ok": healthy, "consul_addr": address, "instances": instances, "absent": absent})
    else:
        rows = [{"tier": tier, "id": "-", "zone": "-", "address": "-", "health": "missing"} for tier in absent]
        print_instances([*instances, *rows])
    raise SystemExit(0 if healthy else 1)


async def _read(address: str) -> list[Listed]:
    async with Catalog(address) as catalog:
        return await catalog.read((*TIERS, "memcached"))
