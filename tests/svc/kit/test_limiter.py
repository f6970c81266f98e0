"""The limit follows a store's answers: down when they become slow, up again in seconds, not for a few heavy ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from svc.kit.limiter import GradientLimit, LimitRules

RULES = LimitRules(floor=2, ceiling=16)


class Store:
    """Answers whose times a test decides; 200 a second."""

    def __init__(self, rules: LimitRules = RULES) -> None:
        self.limiter = GradientLimit(rules)
        self.now = 1000.0

    def answers(self, seconds: float, took_s: Callable[[int], float], in_use: int | None = None) -> int:
        for number in range(int(seconds * 200)):
            self.now += 0.005
            self.limiter.sample(took_s(number), in_use or self.limiter.limit, self.now)
        return self.limiter.limit


def always(took_s: float) -> Callable[[int], float]:
    return lambda _: took_s


def test_a_store_that_became_slow_gets_fewer_and_soon_after_its_recovery_all() -> None:
    """Within a second down to the floor, within six up to the ceiling."""
    store = Store()
    assert store.answers(5, always(0.005)) == 16
    assert store.answers(1, always(0.5)) == 2
    assert store.answers(6, always(0.005)) == 16


def test_a_steady_limit_lies_where_answers_are_as_slow_as_is_tolerated() -> None:
    """A store of four workers at 10 ms: eight at once take twice as long, which is what is tolerated."""
    store = Store()
    store.answers(5, always(0.01), in_use=1)
    seen = [store.answers(0.5, lambda _: 0.01 * max(1, store.limiter.limit / 4)) for _ in range(60)]
    assert min(seen[20:]) >= 6
    assert max(seen[20:]) <= 9


def test_a_few_heavy_queries_are_no_slowness() -> None:
    """Half of the answers a hundred times slower: the quicker quarter is as it was."""
    store = Store()
    store.answers(5, always(0.002))
    assert store.answers(10, lambda n: 0.2 if n % 2 else 0.002) == 16


def test_what_is_quick_is_never_slow() -> None:
    """Ten times the usual is still under the 20 ms that nobody notices: a busy event loop is no overload of MySQL."""
    store = Store()
    store.answers(5, always(0.001))
    assert store.answers(30, always(0.012)) == 16


def test_an_overload_of_minutes_is_not_learnt_as_normal() -> None:
    """Five minutes at 300 ms, and the limit is still at its floor; yet what is so for good becomes the usual."""
    store = Store()
    store.answers(5, always(0.03))
    assert store.answers(300, always(0.3)) == 2
    assert store.limiter.usual_s < 0.045
    store = Store()
    store.answers(5, always(0.03))
    store.answers(1200, always(0.08))
    assert store.limiter.limit == 16


def test_a_quiet_store_keeps_its_limit() -> None:
    """Nobody came near it, so nothing says that it might be higher; nor do a few slow ones lower it below the floor."""
    store = Store()
    store.answers(5, always(0.005))
    store.answers(1, always(0.5))
    assert store.answers(10, always(0.005), in_use=1) == 3


def test_a_store_is_slow_while_its_answers_are_not_while_its_limit_is_low() -> None:
    """Nobody needs more, so the limit stays where it fell to; who asks whether the store is slow must hear that it is
    not any more."""
    store = Store()
    seen = []
    for seconds, took_s, in_use in ((5, 0.005, None), (1, 0.5, None), (2, 0.005, 1)):
        limit = store.answers(seconds, always(took_s), in_use)
        seen.append((store.limiter.is_slow, limit))
    assert seen == [(False, 16), (True, 2), (False, 3)]


def test_what_was_cut_short_counts_only_when_it_was_slow_already() -> None:
    """A caller that leaves after 1 ms says nothing; one that leaves after 5 s does."""
    store = Store()
    store.answers(5, always(0.03))
    for _ in range(200):
        store.now += 0.005
        store.limiter.sample(0.001, 16, store.now, was_cut=True)
    assert store.limiter.usual_s == pytest.approx(0.03)
    for _ in range(400):
        store.now += 0.005
        store.limiter.sample(5.0, 16, store.now, was_cut=True)
    assert store.limiter.limit == 2


def test_a_store_that_is_slow_from_the_first_answer_is_taken_as_it_is() -> None:
    """There is nothing to compare it with."""
    assert Store().answers(10, always(0.2)) == 16


def test_rules_that_contradict_each_other_are_refused() -> None:
    """A floor over the ceiling."""
    with pytest.raises(ValueError, match="floor"):
        GradientLimit(LimitRules(floor=3, ceiling=2))
