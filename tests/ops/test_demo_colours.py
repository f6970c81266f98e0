"""The people of the demo workspace are told apart at a glance."""

from __future__ import annotations

from random import Random

from ops.demo import COLOURS, colour_of, ids_of_colours
from svc.kit.clock import SystemClock
from svc.kit.ids import IdMint


def test_a_colour_is_what_the_web_client_makes_of_an_id() -> None:
    """The same ids and numbers are in web/src/ui/initials.test.ts."""
    assert [colour_of(each) for each in ("U012", "UADA", "U024BE7LH", "U0G9QF9C6")] == [2, 2, 0, 7]


def test_each_has_a_colour_of_its_own_as_long_as_there_are_any() -> None:
    """And an id of its own."""
    for count in (3, COLOURS):
        ids = ids_of_colours(IdMint(SystemClock(), Random(count)), count)
        assert len({colour_of(each) for each in ids}) == len(set(ids)) == count
