"""Which server of a keyspace takes writes, and which have copies: what Consul's KV says, and when to believe it. Pure.

The value of `parley/mysql/<keyspace>` is JSON: {"epoch": 3, "primary": "host:port", "replicas": ["host:port", …]}.
Whoever makes another server the primary raises the epoch, so a lower one is old news from a server of Consul's that
lags. Replicas may come and go within an epoch. Without the key the setting's DSN is the primary, and there is no
replica; a key that went away changes nothing any more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from svc.webapp.store.query import Keyspace

__all__ = ["Topology", "TopologyError", "key_of", "parse", "replaces"]


class TopologyError(ValueError):
    """What the KV holds is not a topology, or contradicts the one before."""


@dataclass(frozen=True, slots=True)
class Topology:
    """A keyspace's servers, each `host:port`."""

    epoch: int
    primary: str
    replicas: tuple[str, ...] = ()


def key_of(keyspace: Keyspace) -> str:
    """Return the KV key of a keyspace."""
    return f"parley/mysql/{keyspace}"


def parse(value: bytes) -> Topology:
    """Return what a value says. Raises TopologyError. Fields that we do not know are let pass."""
    try:
        document = json.loads(value)
    except ValueError as error:
        raise TopologyError(f"not JSON: {error}") from error
    if not isinstance(document, Mapping):
        raise TopologyError("not an object")
    epoch, primary, replicas = (document.get(name) for name in ("epoch", "primary", "replicas"))
    if not isinstance(epoch, int) or isinstance(epoch, bool) or epoch < 1:
        raise TopologyError(f"epoch is {epoch!r}, not a number from 1")
    if replicas is None:
        replicas = []
    if not isinstance(replicas, list):
        raise TopologyError(f"replicas is {replicas!r}, not a list")
    checked = [address(each) for each in (primary, *replicas)]
    if len(set(checked)) < len(checked):
        raise TopologyError("a server is named twice")
    return Topology(epoch, checked[0], tuple(checked[1:]))


def address(value: object) -> str:
    """Return a `host:port` as it is. Raises TopologyError."""
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise TopologyError(f"{value!r} is not host:port")
    return str(value)


def replaces(found: Topology, known: Topology | None) -> bool:
    """Tell whether what was found is news. Raises TopologyError when it names another primary in the same epoch."""
    if known is None or found.epoch > known.epoch:
        return True
    if found.epoch < known.epoch or found == known:
        return False
    if found.primary != known.primary:
        raise TopologyError(f"epoch {found.epoch} has two primaries, {known.primary} and {found.primary}")
    return True
