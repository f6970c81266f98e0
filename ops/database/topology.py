"""Where the primary of a keyspace is: the JSON under `parley/mysql/<keyspace>` in Consul's KV. Pure.

Webapps follow that key; without it they go by their settings alone. It changes at a mesh's start and by a failover,
each time by compare-and-set with the epoch one higher, so that of two failovers at once one is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from svc.webapp.store import topology as followed

KEYSPACES = ("workspace", "channel", "user")

PREFIX = "parley/mysql/"


def key(keyspace: str) -> str:
    """Return the KV key of a keyspace's topology."""
    return PREFIX + keyspace


@dataclass(frozen=True, slots=True)
class Topology:
    """One keyspace's servers, `host:port` each. A higher epoch is newer."""

    epoch: int
    primary: str
    replicas: tuple[str, ...] = ()
    is_lossy: bool = False
    """Whether it came about by a failover forced past a risk: what older servers have may be nowhere else."""

    @classmethod
    def parse(cls, value: bytes) -> Topology:
        """Return what the KV holds, by the rules of those who follow it. Raises ValueError saying what is wrong."""
        found = followed.parse(value)
        return cls(found.epoch, found.primary, found.replicas, bool(json.loads(value).get("lossy")))

    def encode(self) -> bytes:
        """Return the value for the KV."""
        fields = {"epoch": self.epoch, "primary": self.primary, "replicas": list(self.replicas)}
        return json.dumps({**fields, "lossy": True} if self.is_lossy else fields).encode()

    @property
    def servers(self) -> tuple[str, ...]:
        """All of them, the primary first."""
        return (self.primary, *self.replicas)

    def promoted(self, address: str, *, is_lossy: bool = False) -> Topology:
        """Return the next topology, in which `address` is the primary and everybody else a replica."""
        others = tuple(server for server in self.servers if server != address)
        return Topology(self.epoch + 1, address, others, is_lossy)


def groups(topologies: Mapping[str, Topology]) -> dict[str, tuple[str, ...]]:
    """Return the keyspaces that live on each primary: they can only move together."""
    found: dict[str, tuple[str, ...]] = {}
    for keyspace, topology in topologies.items():
        found[topology.primary] = (*found.get(topology.primary, ()), keyspace)
    return found
