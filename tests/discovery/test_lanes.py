"""The arithmetic beneath the ring, against the same thing written plainly."""

import math
from array import array
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.lanes import SLOTS, Columns, log_table, reciprocal, winners, word_of_slot


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=5), st.integers(0, 1_000))
def test_winners_are_those_that_a_plain_loop_finds(weights: list[int], salt: int) -> None:
    """Lanes neither overflow into each other nor lose a tie."""
    columns = [Columns().words(f"{salt}-{n}", exponential=True) for n in range(len(weights))]
    factors = [reciprocal(weight) for weight in weights]
    plain = [
        min((columns[rank][word_of_slot(place)] * factors[rank], rank) for rank in range(len(weights)))[1]
        for place in range(SLOTS)
    ]
    assert winners(columns, factors) == plain


def test_equal_times_go_to_the_lower_rank_even_at_the_largest_values() -> None:
    """The extremes of time and factor fit their lanes."""
    for word in (0, 1, 2**32 - 1):
        column = array("I", [word] * SLOTS)
        assert winners([column, column, column], [1 << 17] * 3) == [0] * SLOTS
    slow, fast = array("I", [2**32 - 1] * SLOTS), array("I", [2**32 - 2] * SLOTS)
    assert winners([slow, fast], [1 << 17] * 2) == [1] * SLOTS


def test_every_slot_has_a_word_of_its_own() -> None:
    """The layout of halves is a permutation."""
    assert sorted(map(word_of_slot, range(SLOTS))) == list(range(SLOTS))


def test_exponential_times_keep_the_order_of_the_uniform_ones() -> None:
    """So that a fleet of equal weights is placed alike on both paths."""
    uniform = Columns().words("m", exponential=False)
    exponential = Columns().words("m", exponential=True)
    assert sorted(range(SLOTS), key=uniform.__getitem__) == sorted(range(SLOTS), key=exponential.__getitem__)
    mean = sum(exponential) / SLOTS / 2**28
    assert abs(mean - 1) < 0.03


def test_no_entry_of_the_log_table_depends_on_the_platforms_logarithm() -> None:
    """Every exact value is further from a rounding edge than any logarithm is wrong."""
    table = log_table()
    assert all(one < next_one for one, next_one in pairwise(table))
    assert table[-1] < 2**32
    for step in range(1, 4_096):
        exact = -math.log1p(-step / 4_096) * 4_096
        assert 1e-7 < exact % 1 < 1 - 1e-7


def test_the_cache_of_columns_is_bounded_and_changes_nothing() -> None:
    """A cache too small for the fleet costs time only."""
    tiny = Columns(limit=2)
    for n in range(5):
        assert tiny.words(f"m{n}", exponential=False) == Columns().words(f"m{n}", exponential=False)
    assert len(tiny) == 2
