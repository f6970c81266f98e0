"""`parley failover`: make the replica of the database the primary."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from discovery.consul import ConsulClient
from ops.cli.databases import credentials
from ops.cli.output import CliError, emit_json, json_option, print_table, say
from ops.cli.target import consul_address, var_option
from ops.database.directory import Directory
from ops.database.failover import Failover, FailoverError, Plan, plan
from ops.database.node import Credentials
from ops.database.topology import KEYSPACES
from svc.kit.errors import ParleyError

HELP = """Make a replica the primary: of a database that died, or before one is taken out of service.

Says what it will do, then: fences the old primary if it answers (read-only, connections cut), waits until the replica
has applied what it received, writes the new topology to Consul, where webapps read it, opens the new primary and
writes to it. A primary that answered becomes a replica; a dead one does when it is started again.

Refuses when acknowledged writes could be lost, or when the old primary may still be alive, and says which; --force
does it all the same. Takes a fraction of a second; the replica has 5 s to catch up.

Logs in as parley_ops with a password that follows from the installation's secret; with PARLEY_MYSQL_OPS_USER,
PARLEY_MYSQL_OPS_PASSWORD, PARLEY_MYSQL_REPL_USER and PARLEY_MYSQL_REPL_PASSWORD where the databases run elsewhere.

\b
Examples:
  parley failover --dry-run
  parley failover
  parley failover --keyspace channel --to 10.0.0.7:3306
  parley failover --json | jq .took_s
"""


@click.command("failover", help=HELP)
@click.option(
    "--keyspace",
    "keyspaces",
    type=click.Choice([*KEYSPACES, "all"]),
    multiple=True,
    default=("all",),
    show_default=True,
    help="Which; those that share a server move together.",
)
@click.option("--to", default="", metavar="HOST:PORT", help="The replica to promote, where there are several.")
@click.option("--force", is_flag=True, help="Go on although something may be lost.")
@click.option("--dry-run", is_flag=True, help="Look and say what would happen; change nothing.")
@var_option
@json_option
def command(keyspaces: tuple[str, ...], to: str, var: Path, *, force: bool, dry_run: bool, as_json: bool) -> None:
    """Change places."""
    chosen = KEYSPACES if "all" in keyspaces else tuple(dict.fromkeys(keyspaces))
    address, login = consul_address(var), credentials(var)
    try:
        found = asyncio.run(_run(address, login, chosen, to, force=force, dry_run=dry_run))
    except FailoverError as error:
        if as_json and error.risks:
            risks = [
                {"danger": risk.danger.value, "detail": risk.detail, "advice": risk.advice} for risk in error.risks
            ]
            emit_json({"ok": False, "error": str(error), "hint": error.hint, "risks": risks})
            raise SystemExit(1) from error
        raise CliError(str(error), error.hint) from error
    except (ParleyError, ValueError) as error:
        raise CliError(str(error), "Is Consul up? parley doctor looks further.") from error
    if as_json:
        emit_json({"ok": True, **found})
    elif not dry_run:
        _print(found)
    if dry_run:
        raise SystemExit(1 if found["risks"] and not force else 0)


async def _run(
    address: str, login: Credentials, keyspaces: tuple[str, ...], to: str, *, force: bool, dry_run: bool
) -> dict[str, Any]:
    async with ConsulClient(address) as consul:
        directory = Directory(consul)
        planned = await plan(directory, login, keyspaces, to)
        for line in planned.lines():
            say(line)
        if dry_run:
            return _as_json(planned)
        return (await Failover(directory, login, planned, say).run(force=force)).as_json()


def _as_json(planned: Plan) -> dict[str, Any]:
    return {
        "keyspaces": list(planned.entries),
        "from": planned.primary.address,
        "to": planned.replica.address,
        "old_primary": planned.primary.reach.value,
        "position": planned.replica.position,
        "risks": [
            {"danger": risk.danger.value, "detail": risk.detail, "advice": risk.advice} for risk in planned.risks
        ],
    }


def _print(found: dict[str, Any]) -> None:
    steps = ", ".join(f"{name} {took_ms} ms" for name, took_ms in found["steps_ms"].items())
    rows = [
        ("primary", f"{found['to']} (was {found['from']})"),
        ("keyspaces", ", ".join(found["keyspaces"])),
        ("epoch", str(found["epoch"])),
        ("position", found["position"] or "-"),
        ("took", f"{found['took_s']:.2f} s: {steps}"),
        *(("note", note) for note in found["notes"]),
    ]
    print_table(("WHAT", "VALUE"), rows)
