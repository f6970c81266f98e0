"""GTIDs as sets."""

from __future__ import annotations

import pytest

from ops.database.positions import Position


@pytest.mark.parametrize(
    ("mine", "theirs", "beyond", "distance"),
    [
        ("", "", "", 0),
        ("0-1-5", "", "0-1-5", 5),
        ("0-1-5", "0-1-5", "", 0),
        ("0-1-5", "0-1-9", "", 0),
        ("0-1-9", "0-1-5", "0-1-9", 4),
        # What the old primary wrote alone, after the new one went on from 100.
        ("0-1-105", "0-1-100,0-2-120", "0-1-105", 0),
        ("0-1-100,0-2-120", "0-1-100,0-2-120,0-1-130", "", 0),
        ("0-1-4,7-1-3", "0-1-4", "7-1-3", 3),
    ],
)
def test_what_one_server_has_that_another_lacks(mine: str, theirs: str, beyond: str, distance: int) -> None:
    """Compared number by number of each domain and server; counted by domain."""
    assert str(Position.parse(mine).beyond(Position.parse(theirs))) == beyond
    assert Position.parse(mine).distance(Position.parse(theirs)) == distance


def test_a_position_of_several_lists_is_what_any_of_them_names() -> None:
    """What a server logged, and what it got before it had a log."""
    assert str(Position.parse("0-1-5,0-2-3", "0-2-9", "")) == "0-1-5,0-2-9"
    assert not Position.parse("")


def test_what_is_no_gtid_is_refused() -> None:
    """MySQL's own GTIDs look different, and nothing here works on them."""
    with pytest.raises(ValueError, match="no GTID"):
        Position.parse("3E11FA47-71CA-11E1-9E33-C80AA9429562:23")
