"""Overload in virtual time: three times what a store can do, a stall, a slow store. What matters goes on."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from svc.webapp.priority import Priority
from tests.svc.webapp.overloads import CONNECTIONS, WAITING_MAX, Load, Ours, Plain, World

POST, READ, BOOT, TRANSIENT, BACKGROUND = Priority
USUAL: Load = {POST: 0.2, READ: 0.35, BOOT: 0.1, TRANSIENT: 0.05, BACKGROUND: 0.0005}
"""Seven tenths of the capacity."""
CROWD: Load = {POST: 0.8, READ: 1.2, BOOT: 0.6, TRANSIENT: 0.4, BACKGROUND: 0.0005}
"""Three times the capacity."""
SEEDS = (1, 2)


def during(load: Load, since: float, until: float) -> Callable[[float], Load]:
    return lambda now: load if since <= now < until else USUAL


def ours(world: World, until: float) -> Ours:
    line = Ours(world)
    world.line = line
    world.run(until)
    return line


@pytest.mark.parametrize("seed", SEEDS)
def test_at_three_times_the_capacity_all_posts_are_served_and_the_rest_is_used_for_reads(seed: int) -> None:
    """The store does all that it can, for what matters most, and boots and the transient are told to come back."""
    world = World(during(CROWD, 10, 40), seed)
    line = ours(world, 60)
    assert world.share(11, 40, POST) >= 0.99
    assert sum(world.served(priority, 11, 40) for priority in Priority) >= 0.9
    assert world.share(11, 40, TRANSIENT) <= world.share(11, 40, BOOT) < world.share(11, 40, READ)
    assert world.share(11, 40, BACKGROUND) >= 0.9, "housekeeping goes on"
    assert line.longest <= WAITING_MAX


@pytest.mark.parametrize("seed", SEEDS)
def test_classes_are_shed_from_the_least_important_up(seed: int) -> None:
    """The load rises by degrees: at each, a class is served no better than the one above it; posts to the last."""

    def rising(now: float) -> Load:
        return {priority: share * (1 + now / 10) for priority, share in USUAL.items()}

    world = World(rising, seed)
    ours(world, 60)
    for since in range(0, 55, 5):
        shares = [world.share(since, since + 5, priority) for priority in (POST, READ, BOOT, TRANSIENT)]
        assert all(higher >= lower - 0.02 for higher, lower in pairwise(shares)), (since, shares)
    assert world.share(5, 10, READ, BOOT, TRANSIENT) < 0.9
    assert world.share(0, 35, POST) >= 0.99, "until posts alone are more than it can do"


@pytest.mark.parametrize("seed", SEEDS)
def test_when_all_are_posts_the_store_still_does_nine_tenths_of_what_it_can(seed: int) -> None:
    """Three times the capacity in posts alone: those that are served are served in time."""
    world = World(during({**USUAL, POST: 3.0}, 10, 40), seed)
    ours(world, 60)
    assert world.served(POST, 11, 40) >= 0.9
    assert max(took_s for second in range(11, 40) for took_s in world.seconds[POST][second].took_s) < 2.5


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("crowd", [CROWD, {**USUAL, POST: 3.0}, {**USUAL, BOOT: 2.6}], ids=["mixed", "posts", "boots"])
def test_when_the_crowd_is_gone_posts_and_reads_are_as_before_within_seconds(crowd: Load, seed: int) -> None:
    """Those who were refused come back when they were told to, for ten to fifteen seconds; then it is as it was.

    Boots come back until they are in: they get what the others leave, which is used to the full until they all are.
    """
    world = World(during(crowd, 10, 40), seed)
    ours(world, 75)
    assert all(world.share(second, second + 1, POST, READ) >= 0.98 for second in range(58, 70))
    while_boots_wait = [second for second in range(40, 70, 5) if world.share(second, second + 5, BOOT) < 0.8]
    assert while_boots_wait
    assert all(sum(world.served(p, second, second + 5) for p in Priority) >= 0.85 for second in while_boots_wait)


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_is_as_before_once_all_have_booted(seed: int) -> None:
    """A crowd of ten seconds: a minute later nobody is refused anything, and the limit is where it was."""
    world = World(during(CROWD, 10, 20), seed)
    line = ours(world, 100)
    assert all(world.share(second, second + 1) >= 0.98 for second in range(80, 96))
    assert line.limiter.limit == CONNECTIONS


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_stall_everything_is_as_before_within_seconds(seed: int) -> None:
    """Nothing is answered for five seconds: posts are well at once, reads when those who waited have come back."""
    world = World(lambda _: USUAL, seed)
    world.stalls = (20.0, 25.0)
    ours(world, 70)
    assert all(world.share(second, second + 1, POST) >= 0.99 for second in range(26, 66))
    assert all(world.share(second, second + 1, READ) >= 0.98 for second in range(36, 66))
    assert all(world.share(second, second + 1) >= 0.98 for second in range(50, 66))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_store_that_is_four_times_slower_serves_the_posts(seed: int) -> None:
    """It can do a quarter: the posts, and little else. The limit goes down, and comes back up with the store."""
    world = World(lambda _: USUAL, seed)
    world.slower = lambda now: 4.0 if 20 <= now < 50 else 1.0
    line = Ours(world)
    world.line = line
    limits: list[int] = []
    world.at(45.0, lambda: limits.append(line.limiter.limit))
    world.run(80)
    assert world.share(21, 50, POST) >= 0.98
    assert limits[0] <= CONNECTIONS // 2
    assert all(world.share(second, second + 1, POST, READ) >= 0.98 for second in range(65, 76))
    assert line.limiter.limit == CONNECTIONS


def test_the_plain_way_breaks_and_stays_broken_after_the_crowd_has_gone() -> None:
    """First come, first served; who is refused asks again; each use waits, so each request ends half-way: for ever.

    Without this, the other tests might pass because nothing is hard here.
    """
    world = World(during(CROWD, 10, 40))
    world.line = Plain(world)
    world.run(75)
    assert world.share(0, 9) >= 0.99
    assert sum(world.served(priority, 15, 40) for priority in Priority) < 0.2
    assert sum(world.served(priority, 60, 70) for priority in Priority) < 0.2
