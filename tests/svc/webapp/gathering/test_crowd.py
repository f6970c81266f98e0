"""When those who come back wait for one another: rules without a clock."""

from __future__ import annotations

from svc.webapp.gathering.asks import Ask, AskRules, Asks
from svc.webapp.gathering.crowd import Crowd, CrowdRules
from svc.webapp.priority import Priority, Turn

RULES = CrowdRules(asks=10.0, gap_s=0.3, glance_s=0.02)


def returning(key: str) -> Ask:
    return Ask((key,), Turn(Priority.BOOT, is_patient=True))


def reads_of(asks: Asks[Ask], per_s: int, seconds: float) -> tuple[int, float]:
    """Return how many reads of 2 ms a steady stream takes, and the longest that one waited."""
    came: dict[Ask, float] = {}
    reads, longest = 0, 0.0
    for number in range(int(per_s * seconds)):
        now = number / per_s
        ask = returning(f"k{number}")
        asks.join(ask)
        came[ask] = now
        read = asks.begin(now)
        if read is not None:
            reads += 1
            longest = max(longest, *(now - came[each] for each in read.asks))
            asks.end(read)
    return reads, longest


def test_a_crowd_of_any_size_is_a_few_reads_a_second() -> None:
    """And none of it waits for longer than the time between two reads."""
    for per_s in (200, 1_000):
        reads, longest = reads_of(Asks(AskRules(crowd=RULES)), per_s, 5.0)
        assert reads < 10 + 5.0 / RULES.gap_s + 2
        assert longest <= RULES.gap_s + 1 / per_s + 1e-6


def test_a_few_who_come_back_wait_for_nobody() -> None:
    """Each has its own read at once."""
    reads, longest = reads_of(Asks(AskRules(crowd=RULES)), 8, 5.0)
    assert (reads, longest) == (40, 0.0)


def test_whoever_was_not_here_before_is_not_held_back_and_takes_the_crowd_along() -> None:
    """The read that does not wait serves all."""
    asks = Asks[Ask](AskRules(crowd=RULES))
    for number in range(20):
        asks.join(returning(f"k{number}"))
    read = asks.begin(0.0)
    assert read is not None
    asks.end(read)
    later = [returning("a"), returning("b")]
    for ask in later:
        asks.join(ask)
    assert asks.begin(0.05) is None
    due_s = asks.due_s(0.05)
    assert due_s is not None
    assert abs(due_s - 0.25) < 1e-9
    new = Ask(("c",), Turn(Priority.BOOT))
    asks.join(new)
    assert asks.due_s(0.05) == 0.0
    read = asks.begin(0.05)
    assert read is not None
    assert read.asks == [*later, new]


def test_one_alone_hardly_waits_however_many_there_were() -> None:
    """Somebody who asks again and again, each time with the answer in hand, is no crowd."""
    crowd = Crowd(RULES)
    crowd.began(1_000, 1.0)
    assert abs(crowd.wait_s(1, 1.0) - RULES.glance_s) < 1e-9
    assert crowd.wait_s(1, 1.0 + RULES.glance_s) == 0.0
    assert crowd.wait_s(2, 1.0 + RULES.glance_s) > 0.0
    assert crowd.wait_s(500, 1.0 + RULES.gap_s) == 0.0
    assert crowd.wait_s(500, 60.0) == 0.0
