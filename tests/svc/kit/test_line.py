"""The line: who comes next, who is shed, and that both follow the stated order."""

from __future__ import annotations

import random

import pytest

from svc.kit.line import ClassRules, Line, Settled, Shed, Why

HIGH, LOW, CHORES = 0, 1, 2
CLASSES = (
    ClassRules(share=1.0, waiting_share=1.0, calm_s=2.0, pressed_s=1.0),
    ClassRules(share=0.75, waiting_share=0.5, calm_s=0.5, pressed_s=0.05),
    ClassRules(share=0.25, waiting_share=0.25, calm_s=30.0, pressed_s=30.0, trickle_s=1.0),
)


def line(waiting_max: int = 100) -> Line[str]:
    return Line(CLASSES, waiting_max)


def settle(of: Line[str], now: float, limit: int = 4, gone: tuple[str, ...] = ()) -> Settled[str]:
    return of.settle(limit, now, lambda item: item in gone)


def full(of: Line[str], limit: int = 4, now: float = 0.0) -> Line[str]:
    """Take all slots."""
    while of.enter(HIGH, limit, now):
        pass
    return of


def test_a_class_leaves_the_last_slots_to_those_above_it() -> None:
    """Of four slots the lower class fills three, housekeeping one; the last is for the highest."""
    slots = line()
    assert [slots.enter(LOW, 4, 0.0) for _ in range(4)] == [True, True, True, False]
    assert not slots.enter(CHORES, 4, 0.0)
    assert slots.enter(HIGH, 4, 0.0)
    assert not slots.enter(HIGH, 4, 0.0)
    assert slots.in_use == 4


def test_a_single_slot_is_for_everybody() -> None:
    """A share of one slot is one slot."""
    for rank in (HIGH, LOW, CHORES):
        assert line().enter(rank, 1, 0.0)


def test_the_highest_class_comes_first_and_within_it_the_first() -> None:
    """As long as the line is short of standing."""
    slots = full(line())
    for item, rank in (("low", LOW), ("a", HIGH), ("b", HIGH)):
        slots.join(item, rank, 0.0)
    got: list[str] = []
    for _ in range(2):
        slots.release()
        got += settle(slots, 0.05).granted
    assert got == ["a", "b"]
    slots.release()
    assert not settle(slots, 0.05).granted, "the last slot is not for the lower class"
    slots.release()
    assert list(settle(slots, 0.05).granted) == ["low"]


def test_in_a_standing_line_the_newest_comes_first_and_the_oldest_are_shed() -> None:
    """After 100 ms without an empty moment: in order, nobody would be served in time."""
    slots = full(line())
    for number in range(4):
        slots.join(f"h{number}", HIGH, 0.03 * number)
    assert not slots.is_pressed(HIGH, 0.099)
    assert slots.is_pressed(HIGH, 0.1)
    slots.release()
    assert list(settle(slots, 0.2).granted) == ["h3"]
    settled = settle(slots, 1.04)
    assert list(settled.shed) == [("h0", Why.WAITED), ("h1", Why.WAITED)]
    assert slots.waiting(HIGH) == 1


def test_while_a_class_is_pressed_those_below_it_are_shed_at_once() -> None:
    """But not housekeeping of our own, which waits for its trickle."""
    slots = full(line())
    slots.join("h", HIGH, 0.0)
    slots.join("early", LOW, 0.05)
    with pytest.raises(Shed) as shed:
        slots.join("late", LOW, 0.2)
    assert shed.value.why is Why.BEHIND
    slots.join("chore", CHORES, 0.2)
    assert slots.waiting(CHORES) == 1


def test_pressure_ends_when_the_line_is_empty() -> None:
    """One moment is enough: whoever comes next begins a new count."""
    slots = full(line())
    slots.join("a", HIGH, 0.0)
    assert slots.pressed_s(LOW, 5.0) == 5.0
    slots.release()
    settle(slots, 5.0)
    assert slots.pressed_s(LOW, 5.0) == 0.0
    slots.join("b", HIGH, 5.0)
    assert not slots.is_pressed(HIGH, 5.05)


def test_a_full_line_makes_room_for_a_higher_class_at_the_cost_of_the_lowest() -> None:
    """Its oldest goes; within one class nobody is displaced."""
    slots = full(line(waiting_max=4))
    for number in range(2):
        slots.join(f"low{number}", LOW, 0.0)
    with pytest.raises(Shed) as shed:
        slots.join("low2", LOW, 0.0)
    assert shed.value.why is Why.FULL
    assert [slots.join(f"high{number}", HIGH, 0.0) for number in range(4)] == [None, None, "low0", "low1"]
    with pytest.raises(Shed) as shed:
        slots.join("high4", HIGH, 0.0)
    assert shed.value.why is Why.FULL
    assert len(slots) == 4


def test_housekeeping_gets_a_slot_a_second_whatever_waits_above_it() -> None:
    """Ten seconds of a store that is full of more important work: ten turns, and a thousand for the others."""
    slots, turns, served = full(line()), 0, 0
    for step in range(1000):
        now = 100.0 + step * 0.01
        slots.join(f"h{step}", HIGH, now)
        if not slots.waiting(CHORES):
            slots.join(f"c{step}", CHORES, now)
        slots.release()
        granted = settle(slots, now).granted
        turns += sum(item.startswith("c") for item in granted)
        served += len(granted)
    assert 10 <= turns <= 11
    assert served == 1000


def test_who_has_gone_or_left_gets_no_slot() -> None:
    """Nobody is served who does not wait any more."""
    slots = full(line())
    for item in ("gone", "left", "there"):
        slots.join(item, HIGH, 0.0)
    assert slots.leave("left", HIGH)
    assert not slots.leave("left", HIGH)
    slots.release()
    assert list(settle(slots, 0.05, gone=("gone",)).granted) == ["there"]
    assert (len(slots), slots.in_use) == (0, 4)


def test_a_lower_limit_takes_effect_as_slots_come_back() -> None:
    """Nothing under way is ended; and a higher one lets several in at once."""
    slots = full(line(), limit=6)
    for number in range(6):
        slots.join(f"h{number}", HIGH, 0.0)
    for _ in range(2):
        slots.release()
        assert settle(slots, 0.01, limit=3).granted == []
    slots.release()
    slots.release()
    assert list(settle(slots, 0.01, limit=3).granted) == ["h0"]
    assert list(settle(slots, 0.01, limit=6).granted) == ["h1", "h2", "h3"]


def test_whatever_happens_slots_are_neither_lost_nor_invented() -> None:
    """Random arrivals, leavings, releases and limits: every item ends once, and nothing exceeds its bound."""
    rng = random.Random(5)
    for _ in range(50):
        slots: Line[str] = line(waiting_max=rng.randrange(1, 30))
        waiting: dict[str, int] = {}
        held, now = 0, 0.0
        for step in range(300):
            now += rng.random() * 0.05
            rank, limit = rng.randrange(3), rng.randrange(1, 9)
            if rng.random() < 0.6:
                if slots.enter(rank, limit, now):
                    held += 1
                    assert slots.in_use <= limit
                else:
                    try:
                        displaced = slots.join(str(step), rank, now)
                    except Shed:
                        continue
                    waiting[str(step)] = rank
                    if displaced is not None:
                        assert waiting.pop(displaced) > rank
            elif held and rng.random() < 0.8:
                slots.release()
                held -= 1
            elif waiting:
                item = rng.choice(list(waiting))
                assert slots.leave(item, waiting.pop(item))
            settled = settle(slots, now, limit)
            held += len(settled.granted)
            for item in (*settled.granted, *(item for item, _ in settled.shed)):
                del waiting[item]
            assert (slots.in_use, len(slots)) == (held, len(waiting))
