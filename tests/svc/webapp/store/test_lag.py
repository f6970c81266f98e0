"""When a replica may be asked, second by second; all pure."""

from __future__ import annotations

import pytest

from svc.webapp.store.lag import LagRules, ReplicaHealth, Trail, covers, parse_position

RULES = LagRules(lag_max_s=2.0, lag_back_s=1.0, back_after_s=3.0)


def test_positions_are_read_and_compared_by_domain() -> None:
    """The number counts, whoever was the primary then; a server without a log never counts as kept up with."""
    assert parse_position("0-1-100,2-1-7") == {0: 100, 2: 7}
    assert parse_position("0-1-100, 0-2-90") == {0: 100}
    assert parse_position("") == {}
    assert covers({0: 5}, {0: 5})
    assert covers({0: 6, 1: 1}, {0: 5})
    assert not covers({0: 4, 1: 9}, {0: 5})
    assert not covers({0: 5}, {0: 5, 1: 1})
    assert not covers({0: 5}, {})
    with pytest.raises(ValueError, match="no GTID"):
        parse_position("0-1")


def test_a_replica_is_complete_up_to_the_newest_position_that_it_has() -> None:
    """Also when it stands still because the primary does."""
    trail = Trail(RULES)
    assert trail.complete_until({0: 9}) is None
    for asked_at, number in ((10.0, 100), (11.0, 110), (12.0, 110), (13.0, 130)):
        trail.note(asked_at, {0: number})
    assert trail.complete_until({0: 99}) is None
    assert trail.complete_until({0: 100}) == 10.0
    assert trail.complete_until({0: 129}) == 12.0
    assert trail.complete_until({0: 200}) == 13.0
    trail.forget()
    assert trail.complete_until({0: 200}) is None


def test_the_trail_is_bounded() -> None:
    """The oldest positions go."""
    trail = Trail(LagRules(trail_max=3))
    for second in range(9):
        trail.note(float(second), {0: second + 1})
    assert trail.complete_until({0: 7}) == 6.0
    assert trail.complete_until({0: 6}) is None


def play(*steps: tuple[float, float | None]) -> list[bool]:
    """Tell a replica's health at each time up to when it is complete (None: no answer), and return who is usable."""
    health, usable = ReplicaHealth(RULES), []
    for now, complete_until in steps:
        if complete_until is None:
            health.failed()
        else:
            health.observed(now, complete_until)
        usable.append(health.is_usable(now))
    return usable


def test_a_new_replica_is_asked_once_it_has_kept_up_for_a_while() -> None:
    """Three seconds without a gap."""
    assert play((0, 0), (1, 1), (2, 2), (2.9, 2.9), (3, 3), (4, 4)) == [False, False, False, False, True, True]


@pytest.mark.parametrize("trouble", [1.9, None])
def test_a_lagging_or_dead_one_is_left_out_at_once_and_comes_back_with_patience(trouble: float | None) -> None:
    """Over two seconds of lag, or no answer; then three good seconds in a row."""
    steps: list[tuple[float, float | None]] = [(0, 0), (2, 2), (3, 3), (4, trouble), (5, 5), (7, 7), (7.9, 7.9), (8, 8)]
    assert play(*steps) == [False, False, True, False, False, False, False, True]


def test_one_that_flaps_stays_out() -> None:
    """Each time that it falls behind the count begins anew, also when it is not far behind."""
    steps: list[tuple[float, float | None]] = [
        (0, 0),
        (2, 2),
        (2.5, 1.0),
        (3, 3),
        (5, 5),
        (5.5, None),
        (6, 6),
        (8.9, 8.9),
    ]
    assert play(*steps) == [False] * 8


def test_a_little_lag_leaves_nobody_out() -> None:
    """Between the two bounds who is in stays in."""
    assert play((0, 0), (2, 2), (3, 3), (4, 2.5), (4.5, 3), (5, 4.5)) == [False, False, True, True, True, True]


def test_what_is_known_of_a_replica_ages() -> None:
    """When nobody looks any more it is out by itself."""
    health = ReplicaHealth(RULES)
    for now in (0.0, 1.5, 3.0):
        health.observed(now, now)
    assert [health.is_usable(now) for now in (3.0, 5.0, 5.1)] == [True, True, False]
    assert health.lag_s(4.5) == 1.5
    assert ReplicaHealth(RULES).lag_s(1.0) == float("inf")


def test_who_was_out_by_age_comes_back_with_patience_too() -> None:
    """No probe saw the lag: it was over when the next one came."""
    assert play((0, 0), (2, 2), (3, 3), (5.5, 5.5), (7, 7), (8.5, 8.5)) == [False, False, True, False, False, True]


def test_an_unknown_position_is_no_position() -> None:
    """Behind everything that is remembered, or of a primary that says nothing."""
    health = ReplicaHealth(RULES)
    for now in (0.0, 1.5, 3.0):
        health.observed(now, now)
    health.observed(4.0, None)
    assert not health.is_usable(4.0)
