"""What the rows promise, in C and in Python alike."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from discovery.ring import slot
from svc.channel.rows.plain import NOT_OWNED, NUMBERS
from tests.svc.channel.rows.twins import (
    PLENTY,
    TWINS,
    everywhere,
    follow,
    standing,
    subscribe_frame,
    unsubscribe_frame,
)

ODD = ("c1", "Ç", "C" * 12, "C0123456789A", "x" * 64, "ü" * 64, "C 1", "频道")
"""Ids that nobody mints, and that the contract allows."""

pytestmark = pytest.mark.parametrize("twin", TWINS)


def test_whoever_follows_a_channel_is_found_in_the_order_of_following(twin: Any) -> None:
    """One, a few, and more than fit beside each other."""
    rows = twin.Rows(everywhere(), PLENTY)
    numbers = [rows.add(name) for name in "abcdefghij"]
    assert rows.followers("C1") == ()
    for count, number in enumerate(numbers, start=1):
        follow(rows, number, ("C1", 0))
        follow(rows, number, ("C1", 0))
        assert rows.followers("C1") == tuple("abcdefghij"[:count])
        assert rows.count(number) == 1
    assert len(rows) == rows.followed == 1


def test_who_is_dropped_follows_nothing_any_more(twin: Any) -> None:
    """At once; the rows go, and its number comes again, when all have been looked at."""
    rows = twin.Rows(everywhere(), PLENTY)
    a, b = rows.add("a"), rows.add("b")
    follow(rows, a, *((f"C{n}", 0) for n in range(100)))
    follow(rows, b, ("C7", 0))
    rows.drop(a)
    assert [rows.followers("C7"), rows.followers("C8")] == [("b",), ()]
    c = rows.add("c")
    assert rows.followers("C8") == ()
    while rows.sweep(10):
        pass
    assert len(rows) == rows.followed == 1
    assert rows.add("d") != c
    assert rows.followers("C8") == ()


def test_numbers_come_free_again(twin: Any) -> None:
    """Those who go make room for those who come."""
    rows = twin.Rows(everywhere(), PLENTY)
    for _ in range(NUMBERS):
        follow(rows, rows.add("a"), ("C1", 0))
    with pytest.raises(IndexError):
        rows.add("a")
    for number in range(100):
        rows.drop(number)
    while rows.sweep(10_000):
        pass
    for _ in range(100):
        rows.add("b")
    with pytest.raises(IndexError):
        rows.add("c")
    with pytest.raises((IndexError, KeyError)):
        rows.count(5_000)


def test_an_attachment_is_held_while_it_has_a_number_and_no_longer(twin: Any) -> None:
    """Nothing is kept of those who left, whoever follows."""
    rows = twin.Rows(everywhere(), PLENTY)
    somebody = object()
    before = sys.getrefcount(somebody)
    number = rows.add(somebody)
    follow(rows, number, ("C1", 0))
    assert rows.followers("C1") == (somebody,)
    rows.drop(number)
    assert sys.getrefcount(somebody) == before


def test_a_frame_says_what_it_has_before_anything_is_done(twin: Any) -> None:
    """And what is none is called so."""
    rows = twin.Rows(everywhere(), PLENTY)
    assert tuple(rows.heading(subscribe_frame(("C1", 1), ("ü" * 40, 1 << 63)))) == (3, 1 << 63, 2, 2, 40)
    assert tuple(rows.heading(subscribe_frame()))[2:] == (0, 64, 0)
    assert tuple(rows.heading(subscribe_frame(("", 1))))[2:] == (1, 0, 0)
    whole = subscribe_frame(("C1", 1), ("C2", 300))
    for broken in (b"\x1a\x03\x0a\x01\xff", whole[:-1], b"\xff" * 11, b"\x1a\xff\xff\xff\xff\x0f", b"\x1b", b"\x07"):
        with pytest.raises(ValueError, match="not what the contract says"):
            rows.heading(broken)
    assert tuple(rows.heading(whole + b"\x98\x06\x05\xa2\x06\x02hi"))[2] == 2, "a newer peer may say more"


def test_channels_of_others_and_those_beyond_the_limit_are_refused(twin: Any) -> None:
    """Again is not one more; the frame is answered as a whole."""
    since = everywhere()
    since[slot("C1")] = NOT_OWNED
    rows = twin.Rows(since, PLENTY)
    a = rows.add("a")
    assert follow(rows, a, ("C1", 0), ("C2", 0), ("C3", 0), ("C4", 0), ("C2", 0), limit=2) == (
        [("C2", 0), ("C3", 0), ("C2", 0)],
        ["C1", "C4"],
        [],
    )
    assert follow(rows, a, ("C2", 0), is_refused=True) == ([], ["C2"], [])
    assert rows.count(a) == 2


def test_what_is_left_lingers_until_it_is_let_go(twin: Any) -> None:
    """And is not left when it is followed again in time; nor early when it is left once more after that."""
    rows = twin.Rows(everywhere(), PLENTY)
    a, b = rows.add("a"), rows.add("b")
    follow(rows, a, *((each, 0) for each in ("C1", "C2", "C3", *ODD)))
    follow(rows, b, ("C1", 0))
    first = rows.leave(unsubscribe_frame("C1", "C2", "C3", "C9", "C1", *ODD), a, 1)
    assert not rows.leave(unsubscribe_frame("C1", "C9"), a, 2)
    assert rows.followers("C1") == ("a", "b")
    follow(rows, a, ("C2", 0), ("C3", 0))
    second = rows.leave(unsubscribe_frame("C3"), a, 2)
    rows.let_go(first, a, 1)
    assert [rows.followers(each) for each in ("C1", "C2", "C3")] == [("b",), ("a",), ("a",)]
    assert not any(rows.followers(each) for each in ODD)
    rows.let_go(second, a, 2)
    assert [rows.count(a), rows.followers("C3"), len(rows)] == [1, (), 2]


def test_a_run_at_rest_answers_for_itself(twin: Any) -> None:
    """Proven at its head when it is vouched for; unproven, with the head, in all other places."""
    rows = twin.Rows(everywhere(), PLENTY)
    a = rows.add("a")
    for name, is_vouched in (("C1", True), ("C2", False), ("c3", True)):
        assert rows.activate(name) is None
        assert follow(rows, a, (name, 7)) == ([], [], [(name, 7)])
        assert rows.settle(name, 5, 7, 1, is_vouched)
    big = (1 << 64) - 1
    rows.settle("C4", big, big, 1, True)
    assert follow(rows, a, ("C1", 7), ("C1", 6), ("C1", 8), ("C2", 7), ("c3", 7), ("C4", big), ("C4", 1)) == (
        [("C1", 7), ("C1", 7), ("C2", 7), ("C4", big)],
        [],
        [],
    )
    assert [tuple(rows.activate(name)) for name in ("C1", "C2")] == [(5, 7, 1, True), (5, 7, 1, False)]
    assert rows.activate("C1") is None, "it is the caller's now"


def test_a_run_from_before_its_slot_was_adopted_is_void(twin: Any) -> None:
    """Whatever was known then, somebody else may have taken more."""
    since = everywhere(generation=4)
    rows = twin.Rows(since, PLENTY)
    a = rows.add("a")
    rows.settle("C1", 1, 9, 4, True)
    since[slot("C1")] = 5
    assert follow(rows, a, ("C1", 9)) == ([("C1", 0)], [], [])
    assert rows.activate("C1") is None
    rows.settle("C2", 1, 9, 3, True)
    rows.want_sweep()
    while rows.sweep(100):
        pass
    assert len(rows) == 1, "nobody follows it, and it is void"


def test_what_is_forgotten_leaves_nothing_but_its_followers(twin: Any) -> None:
    """Rows are for what is followed, kept by the caller, or at rest."""
    rows = twin.Rows(everywhere(), PLENTY)
    a = rows.add("a")
    follow(rows, a, ("C1", 0))
    for name in ("C1", "C2", "c3"):
        rows.activate(name)
        rows.settle(name, 1, 1, 1, True)
        rows.forget(name)
    assert len(rows) == 1
    assert follow(rows, a, ("C1", 1)) == ([("C1", 0)], [], [])


def test_what_nobody_follows_makes_room_and_is_counted(twin: Any) -> None:
    """What is followed, or kept by the caller, does not."""
    rows = twin.Rows(everywhere(), 3)
    a = rows.add("a")
    follow(rows, a, ("C1", 0))
    rows.activate("C2")
    rows.settle("C3", 1, 1, 1, True)
    assert follow(rows, a, ("C4", 0), ("C5", 0)) == ([("C4", 0)], ["C5"], [])
    assert rows.heads_dropped == 1
    assert rows.activate("C6") is None
    assert rows.settle("C6", 1, 1, 1, True) is False
    assert [rows.followers("C1"), rows.followers("C4"), len(rows)] == [("a",), ("a",), 3]


def test_subscriptions_that_nobody_vouches_for_are_found_by_slot(twin: Any) -> None:
    """Not those that are being left, nor those of channels at rest that are vouched for."""
    rows = twin.Rows(everywhere(), PLENTY)
    a, b = rows.add("a"), rows.add("b")
    rows.settle("C1", 1, 4, 1, False)
    follow(rows, a, ("C1", 0))
    follow(rows, b, ("C1", 0))
    assert standing(rows, slot("C1")) == [("a", "C1", 4, False), ("b", "C1", 4, False)]
    rows.leave(unsubscribe_frame("C1"), a, 1)
    assert standing(rows, slot("C1")) == [("b", "C1", 4, False)]
    rows.activate("C1")
    assert standing(rows, slot("C1")) == [("b", "C1", 0, True)]
    rows.settle("C1", 1, 4, 1, True)
    assert rows.standing(slot("C1"))[0] == 1
    assert standing(rows, slot("C1")) == []
    for name in ODD:
        follow(rows, a, (name, 0))
        assert ("a", name, 0, False) in standing(rows, slot(name))
