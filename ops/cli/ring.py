"""`parley ring`: the placement of channels, computed as every process computes it."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from discovery.consul import ConsulClient
from discovery.ring import SLOTS, Member, Ring, slot
from discovery.ring_watcher import Cell
from discovery.view import Instance, service_name
from ops.cli.output import CliError, emit_json, json_option, print_table
from ops.cli.target import consul_address, var_option
from svc.kit.errors import ParleyError

ROUTED_ID = re.compile(r"[A-Z][0-9A-Z]*")
RINGED_TIERS = ("channel", "presence", "edge")

HELP = """Show the members of a ring and how even their shares are; with KEY, who owns it.

A KEY is anything that events are routed by: a conversation (C..., D..., G...), a workspace (T...), a user (U...).
Edges have a ring in each zone, and a zone without edges uses another zone's: all rings are shown, or that of --zone.
Every process computes the same ring from Consul's healthy members; this command does too, and equal fingerprints mean
equal placements. Exit code 1 when the tier has no healthy member.

\b
Examples:
  parley ring                         the channel servers' ring
  parley ring C024BE91L               which channel server owns a conversation
  parley ring --tier presence U1      which presence server owns a user
  parley ring --tier edge T1          which edge of each zone holds a workspace's model
  parley ring --json | jq .balance
"""


@click.command("ring", help=HELP)
@click.argument("keys", metavar="[KEY]...", nargs=-1)
@click.option("--tier", type=click.Choice(RINGED_TIERS), default="channel", show_default=True, help="Whose ring.")
@click.option("--zone", default="", help="Of edges: the zone that asks.  [default: each that has edges]")
@var_option
@json_option
def command(keys: tuple[str, ...], tier: str, zone: str, var: Path, *, as_json: bool) -> None:
    """Show a ring, or owners on it."""
    for key in keys:
        if not ROUTED_ID.fullmatch(key):
            raise CliError(f"{key!r} is not an id.", "Ids look like C024BE91L; the Web API's answers have them.")
    if zone and tier != "edge":
        raise CliError(f"The ring of the {tier} tier is one for all zones.", "Leave --zone out, or add: --tier edge")
    address = consul_address(var)
    try:
        instances = asyncio.run(_members(address, tier))
    except ParleyError as error:
        raise CliError(str(error), "Is Consul up? parley doctor looks further.") from error
    if not instances:
        raise CliError(f"No {tier} server is healthy in Consul, so nobody owns anything.", "Look at: parley status")
    rings = zone_rings(instances, keys, zone) if tier == "edge" else [describe(_ring(instances), tier, keys)]
    if as_json:
        emit_json({"ok": True, "tier": tier, "rings": rings} if tier == "edge" else rings[0])
    elif keys:
        _print_owners(rings)
    else:
        for each in rings:
            _print_members(each)


def zone_rings(instances: Sequence[Instance], keys: tuple[str, ...], zone: str = "") -> list[dict[str, Any]]:
    """Return the rings of edges as the callers in `zone` see theirs, or in each zone that has edges."""
    zones = [zone] if zone else sorted({each.zone for each in instances})
    return [{"zone": each, **describe(_ring(Cell(each).members(instances)), "edge", keys)} for each in zones]


def _ring(instances: Sequence[Instance]) -> Ring:
    return Ring(Member(each.id, each.weight, each.address, each.zone) for each in instances)


async def _members(address: str, tier: str) -> tuple[Instance, ...]:
    async with ConsulClient(address) as consul:
        return (await consul.health.passing(service_name(tier))).instances


def describe(ring: Ring, tier: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """Return a ring as programs see it: members with slots and shares, balance, owners of `keys`."""
    load = Counter(owner for _, owner in ring.owners())
    total = sum(member.weight for member in ring.members.values())
    members: list[dict[str, Any]] = [
        {
            "id": member.id,
            "zone": member.zone,
            "address": member.address,
            "weight": member.weight,
            "slots": load[member.id],
            "load": round(load[member.id] * total / (SLOTS * member.weight), 4),
        }
        for member in ring.members.values()
    ]
    loads = [member["load"] for member in members]
    return {
        "ok": True,
        "tier": tier,
        "fingerprint": f"{ring.fingerprint:016x}",
        "slots": SLOTS,
        "balance": {"max_over_mean": max(loads), "min_over_mean": min(loads)},
        "members": members,
        "keys": [_owned(ring, key) for key in keys],
    }


def _owned(ring: Ring, key: str) -> dict[str, Any]:
    owner = ring.members[ring.owner(key)]
    return {"key": key, "slot": slot(key), "owner": owner.id, "address": owner.address, "zone": owner.zone}


def _print_owners(rings: Sequence[dict[str, Any]]) -> None:
    if "zone" not in rings[0]:
        columns = ("KEY", "SLOT", "OWNER", "ADDRESS")
        print_table(columns, [_row(each, ("key", "slot", "owner", "address")) for each in rings[0]["keys"]])
        return
    rows = [
        (ring["zone"] or "-", *_row(each, ("key", "slot", "owner", "address")))
        for ring in rings
        for each in ring["keys"]
    ]
    print_table(("FOR ZONE", "KEY", "SLOT", "OWNER", "ADDRESS"), rows)


def _print_members(shown: dict[str, Any]) -> None:
    if "zone" in shown:
        others = sorted({each["zone"] for each in shown["members"]} - {shown["zone"]})
        click.echo(f"Zone {shown['zone'] or '-'}{f', by the edges of {others[0]}' if others else ''}:")
    columns = ("ID", "ZONE", "ADDRESS", "WEIGHT", "SLOTS", "LOAD")
    print_table(columns, [_row(each, tuple(name.lower() for name in columns)) for each in shown["members"]])
    balance = shown["balance"]
    click.echo(
        f"\n{len(shown['members'])} members, {SLOTS} slots, fingerprint {shown['fingerprint']}; "
        f"load of the fullest {balance['max_over_mean']:.2f}, of the emptiest {balance['min_over_mean']:.2f} "
        "(1.00 is the fair share by weight)"
    )


def _row(values: dict[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(values[name]) for name in names)
