"""Databases as verbs show them: who is primary and who follows, and what is wrong with that."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from discovery.consul import ConsulClient
from ops.cli.output import health_colour, print_table
from ops.database.alarms import Alarm, alarms
from ops.database.directory import Directory
from ops.database.node import Credentials, Node
from ops.database.status import Status
from ops.database.topology import Topology, groups
from ops.local import state

COLUMNS = ("DATABASE", "ROLE", "KEYSPACES", "SEMI-SYNC", "BEHIND", "POSITION", "HEALTH")


def credentials(var: Path) -> Credentials:
    """Return how to log in to the databases: as the environment says, else as the installation on `var` does."""
    own = state.ops_credentials(os.environ.get("PARLEY_SECRET") or state.known_secret(var))
    return Credentials(
        os.environ.get("PARLEY_MYSQL_OPS_PASSWORD", own.ops_password),
        os.environ.get("PARLEY_MYSQL_REPL_PASSWORD", own.replication_password),
        os.environ.get("PARLEY_MYSQL_OPS_USER", own.ops_user),
        os.environ.get("PARLEY_MYSQL_REPL_USER", own.replication_user),
    )


@dataclass(frozen=True, slots=True)
class Group:
    """The servers of some keyspaces, and what is wrong with them."""

    keyspaces: tuple[str, ...]
    topology: Topology
    statuses: Mapping[str, Status]
    alarms: tuple[Alarm, ...]

    def describe(self) -> list[dict[str, str]]:
        """Return each server as other programs see it, the primary first."""
        return [self._one(address) for address in self.topology.servers]

    def _one(self, address: str) -> dict[str, str]:
        status = self.statuses[address]
        wrong = [alarm.detail for alarm in self.alarms if alarm.address == address]
        behind_s = status.replication.behind_s if status.replication else None
        semi_sync = ("on" if status.semi_sync.holds else "OFF") if address == self.topology.primary else "-"
        return {
            "database": address,
            "role": "primary" if address == self.topology.primary else "replica",
            "keyspaces": ", ".join(self.keyspaces),
            "semi-sync": semi_sync if self.topology.replicas and status.is_up else "-",
            "behind": "-" if behind_s is None else f"{behind_s:.0f} s",
            "position": status.position or "-",
            "health": "; ".join(wrong) or "passing",
        }


async def survey(consul_addr: str, login: Credentials) -> list[Group]:
    """Look at every database that Consul's topologies name; nothing where there are none.

    Raises the kit's errors when Consul does not answer, ValueError on a broken topology.
    """
    async with ConsulClient(consul_addr) as consul:
        entries = await Directory(consul).read()
    topologies = {keyspace: entry.topology for keyspace, entry in entries.items() if entry.topology is not None}
    found = []
    for together in groups(topologies).values():
        topology = topologies[together[0]]
        seen = await asyncio.gather(*(Node(address, login).status() for address in topology.servers))
        statuses = {status.address: status for status in seen}
        found.append(Group(together, topology, statuses, alarms(topology, statuses)))
    return found


def print_databases(groups: list[Group]) -> None:
    """Print the table of databases; nothing where none is known."""
    rows = [tuple(one[column.lower()] for column in COLUMNS) for group in groups for one in group.describe()]
    if rows:
        print()
        print_table(COLUMNS, rows, health_colour)
