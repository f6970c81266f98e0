"""What a ticket vouches for is told by a digest, and read as carefully as whatever comes from outside."""

from __future__ import annotations

from typing import Any

import pytest

from svc.shapes.vouching import Vouched, digest

POSITIONS = {"U0000000001": 3, "T0000000001": 9, "C0000000001": 12}


def test_positions_are_known_by_their_digest_in_any_order_and_no_others_are() -> None:
    """An offset more, a channel more or less: looked up."""
    vouched = Vouched(3, False, (digest(POSITIONS),))
    assert vouched.covers(dict(reversed(POSITIONS.items())))
    for other in ({**POSITIONS, "C0000000001": 13}, {**POSITIONS, "C0000000002": 1}, {"U0000000001": 3}, {}):
        assert not vouched.covers(other)


def test_a_ticket_says_it_in_a_list_that_is_read_back() -> None:
    """Through JSON."""
    vouched = Vouched(3, True, (digest(POSITIONS), digest({})))
    assert Vouched.of_claim(vouched.claim()) == vouched


@pytest.mark.parametrize("claim", [None, [], [1], {"own_head": 1}, "x", [1, 0, 2], ["1", 0, "a"]])
def test_what_is_not_understood_vouches_for_nothing(claim: Any) -> None:
    """A webapp of another version may say more, or nothing."""
    assert Vouched.of_claim(claim) is None
