"""What the last look at a primary proves about its death."""

from __future__ import annotations

import pytest

from ops.database.status import Reach, SemiSync, Status
from ops.database.watch import Watch
from tests.ops.database.made import dead, primary, replica, semi_sync


def looked(status: Status, *replicas: Status, at: float = 100.0, before: Watch | None = None) -> Watch:
    """Return the watch after a look that took a tenth of a second."""
    return (before or Watch()).seen(status, replicas, at, at + 0.1)


@pytest.mark.parametrize(
    ("state", "sure_until"),
    [
        (semi_sync(), 103.0),
        (semi_sync(oldest_wait_s=2.2), 100.8),
        (semi_sync(oldest_wait_s=9.0), 0.0),
        (semi_sync(status=False), 0.0),
        (semi_sync(enabled=False), 0.0),
        # Then the end of the replica's connection turns it off at once.
        (semi_sync(waits_without=False), 0.0),
    ],
)
def test_a_look_is_good_for_as_long_as_no_commit_can_time_out(state: SemiSync, sure_until: float) -> None:
    """It turns itself off when a commit has waited for the timeout; the oldest has waited for some of it already."""
    assert looked(primary(semi_sync=state), replica()).sure_until == pytest.approx(sure_until)


def test_being_on_is_not_enough_before_a_replica_has_caught_up() -> None:
    """What was acknowledged while it was off is still on the primary alone."""
    behind = looked(primary("0-1-10"), replica("0-1-7", replica("0-1-7").replication))
    assert looked(primary("0-1-12"), replica("0-1-10")).sure_until == 0.0
    assert behind.sure_until == 103.0, "what is received need not be applied"
    assert looked(primary("0-1-12"), replica("0-1-12"), at=101.0).sure_until == 104.0


def test_looks_that_overlap_prove_the_time_between_them() -> None:
    """Under load a replica is always a little behind; nothing was acknowledged without it all the same."""
    first = looked(primary(), replica())
    second = looked(primary("0-1-20"), replica("0-1-15"), at=102.9, before=first)
    assert second.sure_until == pytest.approx(105.9)
    late = looked(primary("0-1-20"), replica("0-1-15"), at=103.1, before=first)
    assert late.sure_until == 0.0, "in the gap it may have been off"


def test_a_death_soon_after_a_good_look_is_safe_however_late_the_failover() -> None:
    """It counts when it was first found dead, not when somebody gets up to deal with it."""
    watch = looked(dead(), at=101.0, before=looked(primary(), replica()))
    assert watch.gone_by == 101.1
    assert watch.is_sure(now=5_000.0)
    again = looked(dead(), at=200.0, before=watch)
    assert again.gone_by == 101.1


def test_a_death_that_nobody_saw_in_time_is_not_safe() -> None:
    """The watcher was away, or looked too late."""
    watch = looked(primary(), replica())
    assert watch.is_sure(now=102.9)
    assert not watch.is_sure(now=103.1)
    assert not looked(dead(), at=103.0, before=watch).is_sure(now=103.2)


def test_a_hung_primary_is_not_a_dead_one() -> None:
    """It may go on later."""
    watch = looked(dead(Reach.SILENT), at=101.0, before=looked(primary(), replica()))
    assert watch.gone_by == 0.0


def test_a_watch_survives_the_kv() -> None:
    """What is not one is refused."""
    watch = looked(dead(), at=101.0, before=looked(primary(), replica()))
    assert Watch.parse(watch.encode()) == watch
    for wrong in (b"{}x", b'{"a": 1}', b"[]"):
        with pytest.raises(ValueError):
            Watch.parse(wrong)
