"""What is wrong with a primary and its replicas, in words for a person. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from ops.database.status import Reach, Status
from ops.database.topology import Topology

LAG_S_MAX = 10.0
"""A replica that applies this late makes a failover longer than it may be: it must apply everything first."""


class Trouble(Enum):
    """Kinds of alarm; the values are stable names for programs."""

    PRIMARY_AWAY = "primary_away"
    PRIMARY_SHUT = "primary_read_only"
    REPLICA_AWAY = "replica_away"
    REPLICA_OPEN = "replica_writable"
    STOPPED = "replication_stopped"
    LAGS = "replica_lags"
    DIVERGED = "replica_diverged"
    ASYNC = "semi_sync_off"
    """Acknowledged writes are on the primary alone."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong, on which server."""

    trouble: Trouble
    address: str
    detail: str
    advice: str

    def __str__(self) -> str:
        """Return it in a line."""
        return f"{self.address}: {self.detail}"


def alarms(topology: Topology, statuses: Mapping[str, Status]) -> tuple[Alarm, ...]:
    """Return everything that is wrong with the servers of a topology; one without replicas has only to be there."""
    found = [*_primary(statuses[topology.primary])]
    for replica in topology.replicas:
        found.extend(_replica(statuses[replica], topology.primary))
    status = statuses[topology.primary]
    if topology.replicas and status.is_up and not status.semi_sync.holds:
        found.append(
            Alarm(
                Trouble.ASYNC,
                status.address,
                "semi-synchronous replication is off: what is acknowledged now is on the primary alone",
                "Bring a replica back; it turns itself on again once one has caught up.",
            )
        )
    return tuple(found)


def _primary(status: Status) -> Iterator[Alarm]:
    if not status.is_up:
        advice = "Start it again, or make a replica the primary: parley failover"
        yield Alarm(Trouble.PRIMARY_AWAY, status.address, f"the primary {_absence(status)}", advice)
    elif status.read_only:
        advice = "A failover may be under way; if none is: parley failover finishes one."
        yield Alarm(Trouble.PRIMARY_SHUT, status.address, "the primary takes no writes (read_only)", advice)


def _replica(status: Status, primary: str) -> Iterator[Alarm]:
    address, replication = status.address, status.replication
    if not status.is_up:
        yield Alarm(Trouble.REPLICA_AWAY, address, f"the replica {_absence(status)}", "Start it again.")
        return
    if not status.read_only:
        detail = "a replica takes writes: read_only is off"
        yield Alarm(Trouble.REPLICA_OPEN, address, detail, "SET GLOBAL read_only = 1 there, and find out who wrote.")
    if replication is not None and replication.is_diverged:
        advice = "It has to be made anew from the primary: docs/database.md"
        yield Alarm(Trouble.DIVERGED, address, f"the primary refuses the replica: {replication.io_error}", advice)
    elif replication is None or replication.source != primary or not status.is_in_step:
        why = (replication.sql_error or replication.io_error if replication else "") or "it does not follow the primary"
        yield Alarm(Trouble.STOPPED, address, f"replication has stopped: {why}", "See docs/database.md.")
    elif (replication.behind_s or 0.0) > LAG_S_MAX:
        detail = f"the replica is {replication.behind_s:.0f} s behind, {LAG_S_MAX:.0f} are allowed"
        yield Alarm(Trouble.LAGS, address, detail, "A failover would take as long. Look for a large transaction.")


def _absence(status: Status) -> str:
    return "is dead: its port refuses" if status.reach is Reach.DEAD else f"does not answer ({status.detail})"
