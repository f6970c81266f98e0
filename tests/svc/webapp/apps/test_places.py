"""How far an app has come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from svc.webapp.apps.places import Places, pack, unpack


def test_the_durable_place_is_below_what_is_under_way() -> None:
    """Whatever was delivered above it: it would be delivered again, and nothing is missed."""
    places = Places()
    places.start("C1", 10)
    for offset, parts in ((11, 2), (12, 0), (13, 1)):
        assert places.is_next("C1", offset)
        places.take("C1", offset, parts)
    assert dict(places.positions()) == {"C1": 10}
    places.done("C1", 13)
    places.done("C1", 11)
    assert dict(places.positions()) == {"C1": 10}
    places.done("C1", 11)
    assert dict(places.positions()) == {"C1": 13}
    places.done("C1", 11)
    assert dict(places.positions()) == {"C1": 13}


def test_what_is_beyond_is_read_from_the_log_in_turns() -> None:
    """A channel that has more is behind until it was read; one that was left is not."""
    places = Places()
    places.start("C1", 0, head=5)
    places.start("C2", 3)
    places.reaches("C2", 4)
    places.reaches("C3", 9)
    assert places.behind(1) == {"C1": 0}
    assert places.behind(1) == {"C2": 3}
    places.take("C2", 4, 0)
    assert places.behind(9) == {"C1": 0}
    places.stop("C1")
    assert not places.is_behind
    assert places.is_read("C1", 99)
    places.start("C4", 7, head=9)
    places.level("C4")
    assert not places.is_behind


def test_changes_are_noticed_for_the_saving() -> None:
    """Of what was read, delivered, followed and left."""
    places = Places()
    places.start("C1", 0)
    assert places.is_changed
    places.is_changed = False
    places.take("C1", 1, 1)
    assert places.is_changed
    places.is_changed = False
    places.done("C1", 1)
    assert places.is_changed
    places.is_changed = False
    places.stop("C1")
    assert places.is_changed


@given(st.dictionaries(st.text("C0123456789", min_size=9, max_size=11), st.integers(0, 2**62), max_size=50))
def test_what_was_packed_comes_out_again(positions: dict[str, int]) -> None:
    """All of it."""
    assert unpack(pack(positions.items())) == positions
