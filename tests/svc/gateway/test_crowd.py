"""Ordered lists that stand in for sets: beside a set, whatever is done to them."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from svc.gateway.crowd import Crowd, Ids

STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 12)), max_size=60)


@dataclass(frozen=True, eq=False)
class One:
    id: str


@given(STEPS)
def test_ids_are_a_set_in_order(steps: list[tuple[bool, int]]) -> None:
    """To be added twice, or left out without having been there, is harmless."""
    ids, model = Ids(), set[str]()
    for is_added, number in steps:
        (ids.add if is_added else ids.discard)(str(number))
        (model.add if is_added else model.discard)(str(number))
        assert list(ids) == sorted(model)
        assert [each in ids for each in ("0", "5", "zz")] == [each in model for each in ("0", "5", "zz")]


@given(STEPS)
def test_a_crowd_is_a_set_in_the_order_of_ids(steps: list[tuple[bool, int]]) -> None:
    """Another one of the same id is not taken for it."""
    everybody = [One(f"{number:02d}") for number in range(13)]
    crowd: Crowd[One] = Crowd()
    model = set[One]()
    for is_added, number in steps:
        (crowd.add if is_added else crowd.discard)(everybody[number])
        (model.add if is_added else model.discard)(everybody[number])
        crowd.discard(One("05"))
        assert list(crowd) == sorted(model, key=lambda each: each.id)
