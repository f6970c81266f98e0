"""A `pool` handle over the real placement: when seats change, only their share of the keys moves."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from svc.kit.clock import ManualClock
from svc.webapp.cache.pools.table import Seat, Table
from svc.webapp.cache.pools.view import PoolRoutes
from svc.webapp.cache.routes.pool import Pool
from svc.webapp.cache.routes.route import Route
from tests.svc.webapp.cache.twin import Twin

KEYS = [f"m1:C{number:010d}:U{number % 7}" for number in range(600)]


def readers(seats: dict[str, str]) -> dict[str, str]:
    """Return the node that each key is read from, by the handle's own word."""
    clock = ManualClock()
    table = replace(Table(), version=1, seats={name: Seat(address) for name, address in seats.items()})
    nodes: dict[str, Route] = {address: Twin(address, clock) for address in table.addresses}
    routes = PoolRoutes("main")
    routes.update(table, nodes)
    pool = Pool(routes.view(warm_up=True))
    return {key: pool.explain(key).children[0].note.split(",")[0] for key in KEYS}


SEATS = st.dictionaries(st.text("abcdef123", min_size=1, max_size=3), st.none(), min_size=2, max_size=9).map(
    lambda names: {name: f"10.0.0.{number}:11211" for number, name in enumerate(names)}
)


@settings(max_examples=40, deadline=None)
@given(SEATS, st.data())
def test_a_seat_that_goes_moves_its_own_keys_alone(seats: dict[str, str], data: st.DataObject) -> None:
    """And, seen from the other end, a seat that comes. Everybody has about a share."""
    gone = data.draw(st.sampled_from(sorted(seats)))
    before = readers(seats)
    after = readers({name: address for name, address in seats.items() if name != gone})
    moved = {key for key in KEYS if before[key] != after[key]}
    assert moved == {key for key in KEYS if before[key] == seats[gone]}
    assert 0.5 < len(moved) * len(seats) / len(KEYS) < 1.6


@settings(max_examples=20, deadline=None)
@given(SEATS, st.data())
def test_another_node_in_a_seat_moves_that_seats_keys_to_itself(seats: dict[str, str], data: st.DataObject) -> None:
    """No key goes anywhere else."""
    changed = data.draw(st.sampled_from(sorted(seats)))
    before, after = readers(seats), readers({**seats, changed: "new:1"})
    assert all(after[key] == ("new:1" if before[key] == seats[changed] else before[key]) for key in KEYS)
