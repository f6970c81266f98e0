"""Which failed tries a fault explains, and how long a failover may take."""

from __future__ import annotations

import pytest

from ops.chaos.faults import PRIMARY, Action, Fault, Struck
from ops.chaos.report import FAILOVER_S_MAX, FOLLOW_S, report
from tests.ops.chaos.runs import record, stream

LOSS = Struck(Fault(20.0, Action.FAIL_OVER, PRIMARY, 1.0), since=21.5, began=20.0, back=21.5)


@pytest.mark.parametrize(
    ("failure", "is_outside"),
    [
        ((19.5, 20.1), False),  # under way when the primary died
        ((20.5, 21.0), False),
        ((21.5 + FOLLOW_S, 30.0), False),  # not everybody had heard
        ((21.6 + FOLLOW_S, 30.0), True),
        ((18.0, 19.9), True),
    ],
)
def test_a_failed_try_is_explained_by_a_fault_that_it_overlaps(
    failure: tuple[float, float], *, is_outside: bool
) -> None:
    """Errors belong inside the failover."""
    found = report("primary-loss", 1, record(stream(1, 2, 3, 4)), (LOSS,), failures=(failure,))
    assert (found.figures["tries_failed"], found.figures["tries_failed_outside"]) == (1, int(is_outside))
    assert found.is_clean is not is_outside


def test_without_a_failover_failed_tries_are_only_counted() -> None:
    """A killed gateway may cost somebody a second try at any time."""
    kill = Struck(Fault(20.0, Action.KILL, "gateway-az1-1"), since=20.0, began=20.0, back=21.0)
    found = report("kill-gateway", 1, record(stream(1, 2, 3, 4)), (kill,), failures=((50.0, 51.0),))
    assert found.figures["tries_failed_outside"] == 1
    assert found.is_clean


def test_a_failover_that_takes_too_long_breaks_the_promise() -> None:
    """From the death of the primary on."""
    slow = Struck(LOSS.fault, since=40.0, began=20.0, back=20.1 + FAILOVER_S_MAX)
    assert not report("primary-loss", 1, record(stream(1, 2, 3, 4)), (slow,)).is_clean
    assert report("primary-loss", 1, record(stream(1, 2, 3, 4)), (LOSS,)).figures["failover_ms_max"] == 1500
