"""Hand-made servers: a primary and its replica, with everything in order until a test changes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ops.database.positions import Position
from ops.database.status import Reach, Replication, SemiSync, Status
from ops.database.topology import Topology

PRIMARY, REPLICA = "10.0.0.1:3306", "10.0.0.2:3306"
TOPOLOGY = Topology(3, PRIMARY, (REPLICA,))


def semi_sync(**changes: Any) -> SemiSync:
    """Return semi-synchronous replication that is on."""
    return replace(SemiSync(enabled=True, status=True, clients=1, timeout_s=3.0), **changes)


def primary(has: str = "0-1-10", **changes: Any) -> Status:
    """Return a primary."""
    made = Status(PRIMARY, Reach.UP, server_id=1, read_only=False, has=Position.parse(has), semi_sync=semi_sync())
    return replace(made, **changes)


def dead(reach: Reach = Reach.DEAD) -> Status:
    """Return the primary after its end."""
    return Status(PRIMARY, reach, detail="connection refused")


def replication(received: str = "0-1-10", **changes: Any) -> Replication:
    """Return replication that works."""
    return replace(Replication(PRIMARY, True, True, Position.parse(received), 0.0), **changes)


def replica(has: str = "0-1-10", follows: Replication | None = None, **changes: Any) -> Status:
    """Return a replica."""
    made = Status(REPLICA, Reach.UP, server_id=2, has=Position.parse(has), replication=follows or replication())
    return replace(made, **changes)
