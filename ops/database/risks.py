"""What a failover could lose, or could break: found before anything is changed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from ops.database.status import Reach, Status
from ops.database.watch import Watch

START_IT = "Start the old primary again if its disk is whole: then nothing is lost."


class Danger(Enum):
    """Kinds of risk; the values are stable names for programs."""

    NOT_KNOWN_DEAD = "primary_may_be_alive"
    UNREPLICATED = "acknowledged_writes_may_be_lost"
    CANNOT_APPLY = "replica_cannot_apply"
    NOT_FOLLOWING = "replica_does_not_follow"
    AHEAD = "replica_diverged"


@dataclass(frozen=True, slots=True)
class Risk:
    """One reason to refuse; `detail` names what may be lost, `advice` how to avoid it."""

    danger: Danger
    detail: str
    advice: str


def risks(primary: Status, replica: Status, watch: Watch | None, now: float) -> tuple[Risk, ...]:
    """Return what speaks against making `replica` the primary; `now` in Unix seconds.

    A primary that answers is fenced and waited for, so nothing of it can be lost. About a dead one only the last look
    tells, None when nobody looked.
    """
    found = [*_following(primary, replica)]
    if primary.is_up:
        return tuple(found)
    if primary.reach is Reach.SILENT:
        detail = f"{primary.address} does not answer, but may be alive ({primary.detail}): it could go on taking writes"
        found.append(Risk(Danger.NOT_KNOWN_DEAD, detail, "Make sure that it is dead (kill -9, power off), then again."))
    found.extend(_unreplicated(replica, watch, now))
    return tuple(found)


def _following(primary: Status, replica: Status) -> Iterator[Risk]:
    replication = replica.replication
    if replication is None or replication.source != primary.address:
        follows = replication.source if replication else "nobody"
        detail = f"{replica.address} follows {follows}, not {primary.address}: it may lack any number of writes"
        yield Risk(Danger.NOT_FOLLOWING, detail, "Choose another with --to, or make it a replica first.")
        return
    if not replication.sql_running:
        missing = replica.received.distance(replica.has)
        detail = f"{replica.address} does not apply what it receives ({replication.sql_error or 'stopped'});"
        yield Risk(
            Danger.CANNOT_APPLY,
            f"{detail} {missing} received transactions would be lost",
            "START SLAVE SQL_THREAD there, after mending what stopped it.",
        )
    if replication.is_diverged:
        yield Risk(Danger.AHEAD, f"{primary.address} refuses it: {replication.io_error}", "Choose another with --to.")


def _unreplicated(replica: Status, watch: Watch | None, now: float) -> Iterator[Risk]:
    has = replica.received
    if watch is None:
        detail = "nobody watched the primary: whether semi-synchronous replication was on when it died is not known"
        yield Risk(Danger.UNREPLICATED, f"{detail}; the replica has {has or 'nothing'}", START_IT)
    elif not watch.is_sure(now):
        state = "may have turned itself off" if watch.sure_until else "was off"
        age_s = max(0.0, (watch.gone_by or now) - watch.at)
        detail = (
            f"semi-synchronous replication {state} when the primary died: last seen {age_s:.1f} s before, it had"
            f" {watch.has or 'nothing'}, and the replica has {has or 'nothing'}. May be lost:"
            f" {watch.has.distance(has)} transactions, and all that it acknowledged after it was last seen"
        )
        yield Risk(Danger.UNREPLICATED, detail, START_IT)
