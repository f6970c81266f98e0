"""Hit rates from counters, and orders as they are read."""

from __future__ import annotations

import pytest

from svc.webapp.cache.pools.orders import Op, Order, OrderError, parse_order
from svc.webapp.cache.pools.rates import HitRates


def test_a_rate_is_that_of_the_last_ten_seconds() -> None:
    """What a node did before is over."""
    rates = HitRates()
    for second in range(30):
        hits = 100 * second if second < 15 else 1500
        rates.note("a:1", float(second), hits, 100 * second - hits + 1)
    assert rates.of(["a:1"], 29.0).hit_rate == 0.0
    assert rates.of(["a:1"], 29.0).gets_s == pytest.approx(100)


def test_nodes_are_weighed_by_what_they_are_asked() -> None:
    """A node of ten gets says less than one of a thousand."""
    rates = HitRates()
    for address, hits, misses in (("a:1", 900, 100), ("b:1", 0, 10)):
        rates.note(address, 0.0, 0, 0)
        rates.note(address, 5.0, hits, misses)
    assert rates.of(["a:1", "b:1"], 5.0).hit_rate == pytest.approx(900 / 1010)
    assert rates.of(["b:1"], 5.0).hit_rate is None


def test_a_node_that_started_anew_begins_at_nothing() -> None:
    """Its counters are below what they were."""
    rates = HitRates()
    rates.note("a:1", 0.0, 5000, 5000)
    rates.note("a:1", 1.0, 6000, 5000)
    rates.note("a:1", 2.0, 3, 1)
    rates.note("a:1", 3.0, 103, 101)
    assert rates.of(["a:1"], 3.0).hit_rate == 0.5


def test_a_node_that_is_not_heard_of_does_not_count() -> None:
    """Nor does one that was let go."""
    rates = HitRates()
    rates.note("a:1", 0.0, 0, 0)
    rates.note("a:1", 1.0, 500, 0)
    assert rates.of(["a:1"], 12.0).gets == 0
    rates.keep(["b:1"])
    assert rates.of(["a:1"], 1.0).gets == 0


def test_an_order_is_read_as_it_was_written() -> None:
    """By the keeper, from Consul."""
    order = Order("17", Op.REPLACE, "3", "h:1")
    assert parse_order("17", order.dump()) == order


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{", "is wanted"),
        (b'{"op": "explode"}', "replace, add, drain, spare"),
        (b'{"op": "drain"}', "needs a seat"),
        (b'{"op": "spare"}', "needs a node"),
        (b'{"op": "replace", "seat": "1", "node": "nowhere"}', "host:port"),
        (b'{"op": "drain", "seat": 7}', "must be a name"),
        (b"[]", "is wanted"),
    ],
)
def test_an_order_that_makes_no_sense_says_so(data: bytes, says: str) -> None:
    """It is refused, and answered."""
    with pytest.raises(OrderError, match=says):
        parse_order("1", data)
