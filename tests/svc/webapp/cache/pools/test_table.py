"""Tables and placement: what is refused, what moves, how fast it is asked."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.webapp.cache.pools.placement import SLOTS, Placement, Ranking, moves, slot
from svc.webapp.cache.pools.table import (
    Mode,
    Seat,
    Table,
    TableError,
    is_address,
    listed_table,
    parse_table,
)


def table(count: int, version: int = 1) -> Table:
    """Return a table of settled seats."""
    return Table(version, {str(n): Seat(f"n{n}:11211") for n in range(1, count + 1)})


seats = st.builds(
    Seat,
    node=st.sampled_from(["a:1", "b:2", "[::1]:3"]),
    warm=st.sampled_from(["", "c:4"]),
    old=st.lists(st.just("d:5"), max_size=1).map(tuple),
    mode=st.sampled_from([Mode.SETTLED, Mode.YOUNG, Mode.WARMING]),
    why=st.sampled_from(["", "dead", "order:17"]),
)


@given(seat=seats, version=st.integers(1, 10**6), rate=st.floats(0, 1), retired=st.lists(st.just("e:6"), max_size=1))
def test_a_table_is_read_as_it_was_written(seat: Seat, version: int, rate: float, retired: list[str]) -> None:
    """And what a later release adds is left out."""
    written = Table(version, {"1": seat}, retired=tuple(retired), rate=rate, done=("7",))
    assert parse_table(written.dump()) == written
    assert parse_table(written.dump().replace(b'{\n "version"', b'{"colour": "blue", "version"')) == written


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("", "no JSON"),
        ("[]", "object with `seats`"),
        ('{"version": 1, "seats": {}}', "0 seats"),
        ('{"version": 0, "seats": {"1": {"node": "a:1"}}}', "version 0"),
        ('{"version": 1, "seats": {"1": {"node": "a"}}}', "'a' is not host:port"),
        ('{"version": 1, "seats": {"1": {"node": "a:99999"}}}', "not host:port"),
        ('{"version": 1, "seats": {"1": {"node": "a:1"}, "2": {"node": "a:1"}}}', "in seat 1 and in seat 2"),
        ('{"version": 1, "seats": {"1": {"node": "a:1", "mode": "hot"}}}', "no mode 'hot'"),
        ('{"version": 1, "seats": {"1": {"node": "a:1", "mode": "joining"}}}', "no seat is read"),
        ('{"version": 1, "seats": {"1": {"node": "a:1"}}, "rate": 95}', "rate 95"),
        ('{"version": 1, "seats": {"1": {"node": "a:1", "old": "b:1"}}}', "old is no list"),
    ],
)
def test_a_table_that_nobody_may_follow_says_what_is_wrong(data: str, says: str) -> None:
    """Followers keep the one before."""
    with pytest.raises(TableError, match=says):
        parse_table(data.encode())


@pytest.mark.parametrize(
    ("text", "good"),
    [("h:1", True), ("10.0.0.1:11211", True), ("[::1]:7", True), ("h", False), ("h:0", False), ("::1:7", False)],
)
def test_addresses_are_host_and_port(text: str, good: bool) -> None:
    """Orders are typed by people."""
    assert is_address(text) is good


def test_of_two_nodes_listed_for_one_seat_the_lower_address_has_it() -> None:
    """In every webapp the same one."""
    found = listed_table([("1", "b:1"), ("1", "a:1"), ("2", "c:1"), ("3", "c:1")])
    assert {name: seat.node for name, seat in found.seats.items()} == {"1": "a:1", "2": "c:1"}


def test_keys_that_are_much_alike_are_spread_evenly() -> None:
    """The fullest of eight seats has a tenth more than its share at most."""
    placement = Placement(table(8))
    places = Counter(placement.place(slot(f"m1:C{n:06}:U{n % 7:06}")) for n in range(20_000))
    assert max(places.values()) < 20_000 / 8 * 1.1


def test_a_new_seat_takes_its_share_and_moves_nothing_else() -> None:
    """One key in nine, of all others evenly."""
    before, after = Placement(table(8)), Placement(table(9))
    for number in range(SLOTS):
        one, two = before.place(number), after.place(number)
        assert one is not None
        assert two is not None
        assert two.seat in (one.seat, "9")
    assert moves(table(8), table(9)) == pytest.approx(1 / 9, rel=0.1)


def test_a_node_that_takes_the_seat_of_another_moves_no_key() -> None:
    """That is what seats are for."""
    before = table(8)
    after = before.with_seat("3", Seat("new:1"))
    assert moves(before, after) == 0
    assert after.version == 2


def test_a_key_is_read_where_its_seat_says_and_deleted_wherever_it_may_be() -> None:
    """All modes of a seat that has the best claim to a key."""
    key = next(f"k{n}" for n in range(100) if Ranking(["1", "2"]).rank(slot(f"k{n}"))[0] == 0)
    expected = {
        Mode.SETTLED: ("1", "a:1", "", (("a:1",),)),
        Mode.JOINING: ("2", "b:1", "", (("b:1",), ("a:1",))),
        Mode.WARMING: ("1", "a:1", "b:1", (("b:1",), ("a:1",))),
        Mode.FILLED: ("1", "a:1", "", (("b:1",), ("a:1",))),
        Mode.YOUNG: ("1", "a:1", "", (("a:1", "b:1"),)),
        Mode.DRAINING: ("1", "a:1", "", (("a:1",), ("b:1",))),
        Mode.COOLING: ("2", "b:1", "a:1", (("a:1",), ("b:1",))),
        Mode.LEAVING: ("2", "b:1", "", (("a:1",), ("b:1",))),
    }
    for mode, (seat, node, warm, stages) in expected.items():
        place = Placement(Table(1, {"1": Seat("a:1", mode=mode), "2": Seat("b:1")})).place(slot(key))
        assert place is not None
        assert (place.seat, place.node, place.warm, place.stages) == (seat, node, warm, stages), mode


def test_a_source_hears_of_a_deletion_before_whoever_is_filled_from_it() -> None:
    """Else it could hand over, between the two, what was just deleted there."""
    table = Table(1, {"1": Seat("b:1", warm="a:1", next="c:1", old=("o:1",))})
    place = Placement(table).place(0)
    assert place is not None
    assert place.stages == (("o:1", "a:1"), ("b:1",), ("c:1",))


def test_everybody_hears_of_deletions_while_there_is_no_table() -> None:
    """Consul's list reaches webapps at different times, and nobody keeps them apart."""
    place = Placement(table(3, version=0)).place(0)
    assert place is not None
    assert set(place.holders) == {"n1:11211", "n2:11211", "n3:11211"}


def test_a_table_without_seats_places_nothing() -> None:
    """Consul has listed nobody yet."""
    assert Placement(Table()).place(0) is None


def test_a_key_is_placed_in_a_microsecond() -> None:
    """It is done for every key of every read; three would be too many."""
    placement = Placement(table(8))
    keys = [f"m1:C{n:06}:U{n:06}" for n in range(5_000)]
    for key in keys:
        placement.place(slot(key))
    best = min(_timed(placement, keys) for _ in range(5))
    assert best < 3e-6


def _timed(placement: Placement, keys: list[str]) -> float:
    began = time.perf_counter()
    for key in keys:
        placement.place(slot(key))
    return (time.perf_counter() - began) / len(keys)
