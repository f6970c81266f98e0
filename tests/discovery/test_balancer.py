"""Choosing among stateless instances: zone, load, ejection."""

import random
from collections import Counter

import pytest

from discovery.balancer import EJECT_AFTER, EJECT_BASE_S, Balancer
from discovery.view import Instance
from svc.kit.errors import UnavailableError

NOW = 50.0


def balancer(*instances: Instance, zone: str = "az1") -> Balancer:
    """Return a balancer over these instances."""
    made = Balancer("webapp", zone, random.Random(4))
    made.update(instances)
    return made


def instance(name: str, zone: str = "az1", weight: int = 1) -> Instance:
    """Return a webapp instance."""
    return Instance(name, "webapp", f"{name}:1", zone, weight)


def fail(made: Balancer, name: str, times: int, now: float = NOW) -> None:
    """Let calls to one instance fail."""
    for _ in range(times):
        made.started(name)
        made.finished(name, now, failed=True)


def test_the_own_zone_comes_first_and_leaving_it_is_counted() -> None:
    """Another zone is called only when the own one has nobody, and visibly so."""
    made = balancer(instance("a"), instance("b", "az2"))
    assert {made.pick(NOW).id for _ in range(50)} == {"a"}
    assert made.out_of_zone_picks == 0
    made.update([instance("b", "az2")])
    assert made.pick(NOW).id == "b"
    assert made.out_of_zone_picks == 1


def test_the_less_loaded_of_two_is_picked() -> None:
    """Calls under way push new ones elsewhere; weights say how much each may carry."""
    made = balancer(instance("a"), instance("b"))
    for _ in range(10):
        made.started("a")
    picks = Counter(made.pick(NOW).id for _ in range(200))
    assert picks["b"] > 120
    heavy = balancer(instance("a"), instance("b", weight=3))
    for _ in range(400):
        heavy.started(heavy.pick(NOW).id)
    assert heavy._records["b"].in_flight == pytest.approx(300, rel=0.1)


def test_an_instance_that_fails_in_a_row_is_left_out_and_comes_back() -> None:
    """Ejected after a few failures, for longer each time, and forgiven by one success."""
    made = balancer(instance("a"), instance("b"))
    fail(made, "a", EJECT_AFTER - 1)
    assert made.ejected(NOW) == frozenset()
    fail(made, "a", 1)
    assert made.ejected(NOW) == {"a"}
    assert {made.pick(NOW).id for _ in range(50)} == {"b"}
    later = NOW + EJECT_BASE_S + 0.1
    assert made.ejected(later) == frozenset()
    fail(made, "a", EJECT_AFTER, later)
    assert made.ejected(later + 1.5 * EJECT_BASE_S) == {"a"}
    made.started("a")
    made.finished("a", later, failed=False)
    fail(made, "a", EJECT_AFTER - 1, later + 10)
    assert made.ejected(later + 10) == frozenset()


def test_never_more_than_half_are_ejected() -> None:
    """When everybody fails the fault is elsewhere, and leaving all out helps nobody."""
    made = balancer(*(instance(name) for name in "abcd"))
    for name in "abcd":
        fail(made, name, EJECT_AFTER)
    assert len(made.ejected(NOW)) == 2
    alone = balancer(instance("a"))
    fail(alone, "a", 10)
    assert alone.pick(NOW).id == "a"


def test_an_ejected_zone_is_left_for_another_one() -> None:
    """A sound instance far away beats a broken one nearby."""
    made = balancer(instance("a"), instance("b", "az2"))
    fail(made, "a", EJECT_AFTER)
    assert made.pick(NOW).id == "b"


def test_what_was_just_tried_is_avoided_while_there_is_another() -> None:
    """A retry goes elsewhere."""
    made = balancer(instance("a"), instance("b"))
    assert {made.pick(NOW, frozenset("a")).id for _ in range(20)} == {"b"}
    assert made.pick(NOW, frozenset("ab")).id in {"a", "b"}


def test_a_tier_without_instances_is_unavailable() -> None:
    """And calls that end after their instance left are not counted against anybody."""
    made = balancer()
    made.finished("gone", NOW, failed=True)
    with pytest.raises(UnavailableError, match="webapp"):
        made.pick(NOW)
