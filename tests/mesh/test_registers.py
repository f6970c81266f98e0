"""The model by which the cache is judged."""

from __future__ import annotations

import pytest

from tests.mesh.registers import UNKNOWN, Register

BOUND_S = 2.0


def register(*writes: tuple[str, str, float, float]) -> Register:
    """Return a register with writes (value, writer, began, acked), first "old"."""
    found = Register("old", BOUND_S)
    for value, writer, began, acked in writes:
        found.begin(value, writer, began).acked = acked
    return found


@pytest.mark.parametrize(
    ("reader", "began", "allowed"),
    [
        ("ada", 0.5, {"old", "new"}),
        ("ada", 1.5, {"old", "new"}),
        ("ada", 2.1, {"new"}),
        ("grace", 2.1, {"old", "new"}),
        ("grace", 3.9, {"old", "new"}),
        ("grace", 4.1, {"new"}),
    ],
)
def test_the_writer_sees_it_once_it_is_acknowledged_and_others_a_little_later(
    reader: str, began: float, allowed: set[str]
) -> None:
    """Ada writes from 1 to 2."""
    one = register(("new", "ada", 1.0, 2.0))
    assert {value for value in ("old", "new") if one.is_allowed(value, reader, began, began + 1)} == allowed


def test_what_was_not_begun_is_seen_by_nobody() -> None:
    """A read that ended before."""
    assert not register(("new", "ada", 1.0, 2.0)).is_allowed("new", "grace", 0.2, 0.5)


def test_writes_at_once_are_seen_in_either_order_and_later_ones_after_earlier_ones() -> None:
    """Two of different people overlap; a third comes after both."""
    two = register(("a", "ada", 1.0, 3.0), ("b", "grace", 2.0, 4.0))
    assert two.is_allowed("a", "ada", 9.0, 9.1)
    assert two.is_allowed("b", "ada", 9.0, 9.1)
    assert not two.is_allowed("old", "ada", 9.0, 9.1)
    three = register(("a", "ada", 1.0, 3.0), ("b", "grace", 2.0, 4.0), ("c", "ada", 5.0, 6.0))
    assert [three.is_allowed(value, "ada", 7.0, 7.1) for value in "abc"] == [False, False, True]


def test_a_write_whose_outcome_nobody_knows_may_be_seen_or_not() -> None:
    """Long afterwards too: it may have waited somewhere."""
    one = register(("new", "ada", 1.0, UNKNOWN), ("b", "ada", 2.0, 3.0))
    assert one.is_allowed("new", "ada", 9.0, 9.1)
    assert one.is_allowed("b", "ada", 9.0, 9.1)
    assert not one.is_allowed("old", "ada", 9.0, 9.1)
