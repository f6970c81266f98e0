"""Events on their way over sockets, as transcripts: what leaves, when, and to whom."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from svc.webapp.apps.window import Connections, Window, WindowRules
from tests.svc.webapp.apps.items import item

RULES = WindowRules(under_way_max=4)


def make(*connections: str) -> tuple[Connections, Window]:
    """Return a window over these connections."""
    there = Connections()
    for each in connections:
        there.opened(each)
    return there, Window(there, RULES)


def sent(window: Window, now: float = 0.0) -> list[tuple[str, int]]:
    """Return (connection, offset) of what leaves now."""
    return [(connection, each.offset) for connection, each in window.next(now)]


def test_events_leave_in_order_to_the_connection_with_the_least_under_way() -> None:
    """As many as may be unanswered; an answer makes room for the next."""
    _, window = make("a", "b")
    for number in range(1, 7):
        window.add(item(number))
    assert sent(window) == [("a", 1), ("b", 2), ("a", 3), ("b", 4)]
    assert sent(window) == []
    assert window.acked("C1:2") is not None
    assert window.acked("C1:2") is None, "acknowledging twice means nothing"
    assert window.acked("nothing") is None
    assert sent(window) == [("b", 5)]
    assert (len(window), window.under_way) == (5, 4)


def test_without_a_connection_everything_waits() -> None:
    """And leaves in order once there is one."""
    connections, window = make()
    window.add(item(1))
    assert sent(window) == []
    assert not connections.are_open
    connections.opened("a")
    assert sent(window) == [("a", 1)]


def test_what_is_not_answered_goes_to_another_connection_three_times_at_most() -> None:
    """Then it is given up, and what comes after has not waited for it."""
    _, window = make("a", "b")
    window.add(item(1))
    assert sent(window, 0.0) == [("a", 1)]
    tried = []
    for attempt in range(1, 4):
        assert window.tick(3.0 * attempt - 0.1) == []
        assert window.tick(3.0 * attempt) == []
        ((connection, again),) = window.next(3.0 * attempt)
        tried.append((connection, again.attempts, again.reason))
    assert tried == [("b", 1, "timeout"), ("a", 2, "timeout"), ("b", 3, "timeout")]
    assert [each.offset for each in window.tick(12.0)] == [1]
    assert (len(window), window.size, window.next_due()) == (0, 0, None)


def test_a_late_answer_counts_while_the_event_waits_for_its_next_try() -> None:
    """It is not sent again."""
    _, window = make("a")
    window.add(item(1))
    assert sent(window) == [("a", 1)]
    window.tick(3.0)
    assert window.acked("C1:1") is not None
    assert sent(window, 3.0) == []
    assert (len(window), window.size) == (0, 0)


def test_what_a_connection_takes_away_goes_out_first_and_has_lost_no_attempt() -> None:
    """In its order, before what has not been sent yet."""
    connections, window = make("a")
    for number in range(1, 6):
        window.add(item(number))
    assert [offset for _, offset in sent(window)] == [1, 2, 3, 4]
    window.acked("C1:2")
    assert window.lost(connections.closed("a"), 1.0) == []
    connections.opened("b")
    again = list(window.next(1.0))
    assert [(each.offset, each.attempts) for _, each in again] == [(1, 0), (3, 0), (4, 0), (5, 0)]
    assert window.tick(3.5) == [], "the deadlines of the lost tries mean nothing"
    assert window.under_way == 4


def test_an_event_that_ends_every_connection_is_told_from_the_others_and_given_up() -> None:
    """Whatever reads the second one dies of it; what was lost with it goes out alone, and is answered."""
    connections, window = make()
    for number in (1, 2, 3):
        window.add(item(number))
    given_up, answered, now = [], list[int](), 0.0
    for number in range(40):
        name, now = f"c{number}", now + 10.0
        connections.opened(name)
        while batch := sent(window, now):
            if any(offset == 2 for _, offset in batch):
                break
            for _, offset in batch:
                window.acked(f"C1:{offset}")
                answered.append(offset)
        given_up += window.lost(connections.closed(name), now)
    assert ([each.offset for each in given_up], answered) == ([2], [1, 3])
    assert len(window) == 0


def test_connections_that_break_again_and_again_within_a_short_time_cost_no_event() -> None:
    """Something else is wrong then."""
    connections, window = make()
    for number in (1, 2, 3):
        window.add(item(number))
    for number in range(100):
        connections.opened(f"c{number}")
        assert sent(window, number * 0.1)
        assert window.lost(connections.closed(f"c{number}"), number * 0.1) == []
    connections.opened("good")
    came = []
    while batch := sent(window, 11.0):
        came += [offset for _, offset in batch]
        for offset in came:
            window.acked(f"C1:{offset}")
    assert came == [1, 2, 3]


def test_a_connection_that_leaves_gets_nothing_new() -> None:
    """What it has may still be answered."""
    connections, window = make("a", "b")
    window.add(item(1))
    assert sent(window) == [("a", 1)]
    connections.leaving("a")
    for number in (2, 3):
        window.add(item(number))
    assert sent(window) == [("b", 2), ("b", 3)]
    assert window.acked("C1:1") is not None
    connections.leaving("b")
    window.add(item(4))
    assert sent(window) == []
    assert len(connections) == 2


def test_what_is_too_old_is_dropped_and_the_rest_can_go_another_way() -> None:
    """In the order in which it was committed."""
    _, window = make("a")
    for number in range(1, 8):
        window.add(item(number))
    assert len(sent(window)) == 4
    assert [each.offset for each in window.drop_older(6_000_000)] == [5]
    assert [each.offset for each in window.clear()] == [1, 2, 3, 4, 6, 7]
    assert (len(window), window.size) == (0, 0)


@given(st.lists(st.tuples(st.sampled_from(["add", "ack", "lose", "open", "tick", "late"]), st.integers(0, 40))))
def test_nothing_is_lost_or_answered_twice(steps: list[tuple[str, int]]) -> None:
    """Whatever happens: each event is answered once, given up, or still there."""
    connections, window = make("c0")
    added, settled, names, now = 0, list[int](), ["c0"], 0.0
    for what, number in steps:
        now += 0.5
        if what == "add":
            added += 1
            window.add(item(added))
        elif what == "ack" and added:
            acked = window.acked(f"C1:{number % added + 1}")
            settled += [acked.offset] if acked else []
        elif what == "lose" and names:
            settled += [each.offset for each in window.lost(connections.closed(names.pop(number % len(names))), now)]
        elif what == "open":
            names.append(f"c{now}")
            connections.opened(names[-1])
        elif what == "late":
            now += 3.0
        settled += [each.offset for each in window.tick(now)]
        assert all(connection in names for connection, _ in window.next(now))
        assert window.under_way <= RULES.under_way_max
    settled += [each.offset for each in window.clear()]
    assert sorted(settled) == list(range(1, added + 1))
    assert window.size == 0
