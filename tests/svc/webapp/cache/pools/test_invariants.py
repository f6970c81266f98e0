"""What holds whatever happens to a pool: any mixture of orders, deaths, absences, and changes of the keeper."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from svc.webapp.cache.pools.control import Control
from svc.webapp.cache.pools.table import KEPT_S
from tests.svc.webapp.cache.pools.webapps import Webapps
from tests.svc.webapp.cache.pools.world import World, at, nodes, running

EVENTS = st.sampled_from(
    ["replace", "add", "drain", "spare", "kill", "start", "leave", "back", "consul", "keeper", "idle"]
)


@settings(max_examples=60, deadline=None)
@given(events=st.lists(EVENTS, min_size=5, max_size=40), seed=st.integers(0, 2**32))
def test_whatever_happens_no_deletion_misses_a_reader_and_nothing_living_is_thrown_away(
    events: list[str], seed: int
) -> None:
    """Any mixture of orders, deaths, absences and changes of the keeper, with the invariants looked at throughout."""
    rng, world = random.Random(seed), running(4, spares=(11, 12))
    fresh = iter(range(100, 200))
    for event in events:
        _happen(world, event, rng, fresh)
        world.run(rng.choice((0.5, 1, 1, 3, 10, 40)))
        assert world.table is not None
        planned = [seat for seat in world.table.seats.values() if seat.is_changing and seat.why != "dead"]
        planned = [seat for seat in planned if not seat.is_warming]
        assert len(planned) <= 1 + sum(seat.why.startswith("order") and bool(seat.next) for seat in planned)
        assert set(nodes(world)), "a pool is never emptied"
    assert not world.lost
    world.check_deletions(rng.sample(range(16_384), 25))


@settings(max_examples=20, deadline=None)
@given(events=st.lists(EVENTS, min_size=5, max_size=40), seed=st.integers(0, 2**32))
def test_webapps_that_see_different_tables_never_read_what_was_deleted(events: list[str], seed: int) -> None:
    """Every value found is the newest, whatever happens to the pool, however often seats come and go."""
    rng, world = random.Random(seed), running(4, spares=(11, 12))
    fresh, webapps = iter(range(100, 200)), Webapps(world, rng, writes=rng.choice((0.01, 0.1, 0.5)))
    for event in events:
        _happen(world, event, rng, fresh)
        for _ in range(rng.choice((1, 1, 2, 5, 30))):
            webapps.act()
            world.run(1)
        if rng.random() < 0.05:  # an hour passes
            world.run(rng.choice((600, KEPT_S)), tick_s=5)


def test_what_a_node_held_in_an_earlier_life_never_comes_to_light() -> None:
    """It heard of no deletion while it was away, and is emptied before it is read again."""
    world = running(3)
    webapps = Webapps(world, random.Random(1))
    for op in ("drain", "add") * 3:
        world.order(op, "2", "" if op == "drain" else at(2))
        for _ in range(60):
            webapps.act()
            world.run(1)
    assert set(nodes(world)) == {"1", "2", "3"}
    assert webapps.hits > 10_000


def test_the_webapps_of_that_test_find_and_carry_over_values() -> None:
    """A test that never hits proves nothing."""
    world = running(4, spares=(11,))
    webapps = Webapps(world, random.Random(1))
    for _ in range(5):
        webapps.act()
        world.run(1)
    world.order("replace", "1")
    for _ in range(30):
        webapps.act()
        world.run(1)
    assert webapps.hits > 500
    assert webapps.carried > 2


def _happen(world: World, event: str, rng: random.Random, fresh: Iterator[int]) -> None:
    """Let one event happen, to whomever chance chooses."""
    assert world.table is not None
    node, seats, taken = at(next(fresh)), [*sorted(world.table.seats), "77"], sorted(world.table.taken)
    if rng.random() < 0.8:
        world.start(node)
    retired = world.table.retired
    happens: dict[str, Callable[[], object]] = {
        "replace": lambda: world.order("replace", rng.choice(seats), rng.choice(["", node, *retired, *taken])),
        "drain": lambda: world.order("drain", rng.choice(seats)),
        "add": lambda: world.order("add", node=rng.choice([node, node, *retired])),
        "spare": lambda: world.order("spare", node=rng.choice([node, *retired])),
        "kill": lambda: world.kill(rng.choice(taken)),
        "start": lambda: world.start(node, rng.choice(seats)),
        "leave": lambda: world.leave(rng.choice(taken)),
        "back": lambda: world.come_back(rng.choice(taken), rng.choice(seats)),
        "consul": lambda: setattr(world, "consul_answers", not world.consul_answers),
        "keeper": lambda: setattr(world, "control", Control()),
        "idle": lambda: setattr(world, "is_asked", not world.is_asked),
    }
    happens[event]()
