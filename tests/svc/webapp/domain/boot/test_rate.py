"""The rate of boots finds what is borne, by itself, and nobody starves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from svc.webapp.domain.boot.rate import BootClass, BootRate, BootRules

RULES = BootRules(rate_max=400.0, rate_start=400.0, rate_min=5.0, rise=20.0, edge_share_min=0.8, boot_s_max=1.0)
TICK_S = 0.01


def rate_at(now: float = 0.0, rules: BootRules = RULES) -> BootRate:
    return BootRate(rules, now, Random(1))


def begin(rate: BootRate, who: BootClass, now: float) -> bool:
    """Boot in no time; tell whether it was let."""
    if rate.take(who, now):
        return False
    rate.ends(now, now)
    return True


def test_it_is_cut_once_a_window_however_much_goes_wrong() -> None:
    """What a cut does is seen in the window after it."""
    rate = rate_at()
    for _ in range(100):
        rate.note_served(False, 0.0, 0.1)
        rate.note_database(True, 0.1)
    rate.note_served(True, 0.0, 0.6)
    assert rate.rate == 400.0 * 0.7
    rate.note_served(True, 0.0, 0.7)
    assert rate.rate == 400.0 * 0.7


def test_it_rises_by_steps_and_not_above_its_limit() -> None:
    """Additive increase, multiplicative decrease."""
    rate = rate_at()
    for step in range(100):
        rate.note_database(True, step * 0.51)
    assert rate.rate == RULES.rate_min
    start = 100 * 0.51 + 1.0
    rate.note_database(False, start)
    seen = []
    for step in range(1, 30):
        rate.note_database(False, start + step * 0.51)
        seen.append(rate.rate)
    assert all(0 <= after - before <= RULES.rise * 1.03 for before, after in pairwise(seen))
    assert seen[-1] == RULES.rate_max


def test_a_loop_that_is_late_for_most_of_a_window_is_a_cut() -> None:
    """One hiccup is none; after a cut the next verdict is on what came after it."""
    late, hiccup = rate_at(), rate_at()
    for tick in range(1, 12):
        now = 0.5 + tick * 0.05
        late.note_loop(0.1, now)
        hiccup.note_loop(0.3 if tick == 5 else 0.001, now)
    assert late.rate == 400.0 * 0.7
    assert hiccup.rate == 400.0


def test_while_the_loop_is_very_late_only_one_boots_at_a_time() -> None:
    """Whatever tokens are left; and all is as before when it is in time again."""
    rate = rate_at()
    rate.note_loop(0.4, 0.1)
    assert rate.take(BootClass.RESUME, 0.1) == 0.0
    assert rate.take(BootClass.RESUME, 0.1) > 0.0
    rate.note_loop(0.0, 0.2)
    assert rate.take(BootClass.RESUME, 0.2) == 0.0


def test_each_cause_alone_is_enough_for_a_cut() -> None:
    """A cold edge, a slow database, slow boots; a boot or two prove nothing."""
    cold, slow, few = rate_at(), rate_at(), rate_at()
    for number in range(10):
        cold.note_served(number < 7, 0.0, 0.1)
        slow.take(BootClass.COLD, 0.0)
        slow.ends(0.0, 1.5)
    few.note_served(False, 0.0, 0.1)
    for each in (cold, slow, few):
        each.note_database(False, 2.1)
    assert cold.rate < 400.0
    assert slow.rate < 400.0
    assert few.rate == 400.0


def test_without_edges_boots_go_on_at_what_the_rows_bear() -> None:
    """That they serve nothing is no harm by itself: below, only what is slow cuts."""
    rate = rate_at()
    rates = []
    for window in range(1, 60):
        for _ in range(10):
            rate.note_served(False, window * 0.5, window * 0.5 + 0.1)
        rates.append(rate.rate)
    assert min(rates) >= RULES.rate_cold
    assert max(rates[30:]) < 2 * RULES.rate_cold
    for window in range(60, 120):
        rate.note_database(True, window * 0.5 + 0.1)
    assert rate.rate == RULES.rate_min


def test_who_resumes_goes_before_who_reconnects_and_these_before_who_begins() -> None:
    """Of one crowd that asks at the same moment, the most welcome get the most."""
    rate = rate_at()
    got: Counter[BootClass] = Counter()
    for _ in range(600):
        for who in reversed(BootClass):
            got[who] += not rate.take(who, 0.0)
    assert got[BootClass.RESUME] > got[BootClass.RECONNECT] > got[BootClass.COLD] > 0


def test_nobody_starves() -> None:
    """However many resume for however long, those who begin have a tenth of the rate."""
    rate = rate_at()
    got: Counter[BootClass] = Counter()
    for tick in range(1_000):
        now = tick * TICK_S
        for _ in range(50):
            got[BootClass.RESUME] += begin(rate, BootClass.RESUME, now)
        got[BootClass.COLD] += begin(rate, BootClass.COLD, now)
    assert got[BootClass.COLD] >= 0.08 * 400.0 * 10
    assert got[BootClass.RESUME] >= 0.7 * 400.0 * 10


def test_who_is_refused_is_told_different_times_sooner_for_the_more_welcome() -> None:
    """Who was refused together must not come back together."""
    rate = rate_at()
    told: dict[BootClass, list[float]] = {who: [] for who in BootClass}
    for _ in range(2_000):
        for who in BootClass:
            after_s = rate.take(who, 0.0)
            told[who] += [after_s] if after_s else []
    for times in told.values():
        assert 0.5 <= min(times) < max(times) <= 20.5
        assert max(times) - min(times) > 1.0
    mean = {who: sum(times) / len(times) for who, times in told.items()}
    assert mean[BootClass.RESUME] < mean[BootClass.RECONNECT] < mean[BootClass.COLD]


@dataclass
class Storm:
    """Clients that boot, wait as they are told, and come again, before servers that lose a part of what they can do.

    A server makes `capacity` boots a second and falls behind above it: a boot takes as long as the line before it, and
    one that takes longer than `patience_s` is work for nothing, because its client has gone and comes again.
    """

    rate: BootRate
    capacity: float
    rng: Random = field(default_factory=lambda: Random(3))
    patience_s: float = 5.0
    done: int = 0
    wasted: int = 0
    line: list[tuple[float, float]] = field(default_factory=list)
    waiting: list[float] = field(default_factory=list)
    credit: float = 0.0

    def run(self, clients: int, seconds: float, edge_share: float = 1.0, start: float = 0.0) -> list[int]:
        """Return boots done in each second."""
        self.waiting += [start + self.rng.uniform(0.0, 0.5) for _ in range(clients)]
        by_second = [0] * int(seconds)
        for tick in range(int(seconds / TICK_S)):
            now = start + tick * TICK_S
            due = [at for at in self.waiting if at <= now]
            self.waiting = [at for at in self.waiting if at > now]
            for _ in due:
                after_s = self.rate.take(BootClass.RESUME, now)
                if after_s:
                    self.waiting.append(now + after_s)
                else:
                    self.line.append((now, now))
            by_second[int(now - start)] += self._work(now, edge_share)
        return by_second

    def _work(self, now: float, edge_share: float) -> int:
        self.credit = min(1.0, self.credit) + self.capacity * TICK_S
        before = self.done
        while self.credit >= 1.0 and self.line:
            self.credit -= 1.0
            began, _ = self.line.pop(0)
            self.rate.ends(began, now)
            self.rate.note_served(self.rng.random() < edge_share, began, now)
            self.rate.note_database(len(self.line) > self.capacity, now)
            if now - began > self.patience_s:
                self.wasted += 1
                self.waiting.append(now + self.rng.uniform(0.5, 2.0))
            else:
                self.done += 1
        return self.done - before


def test_a_storm_recovers_by_itself_and_never_stops_making_boots() -> None:
    """2,000 clients before a server of 60 boots a second: all are served, in little more than the work takes."""
    storm = Storm(rate_at(), capacity=60.0)
    by_second = storm.run(2_000, 60)
    assert storm.done == 2_000
    served = next(second for second in range(60) if sum(by_second[: second + 1]) == 2_000)
    assert served <= 2_000 / 60 * 1.5
    # Goodput: after the first seconds, and until the last are served, never below half of what it bears.
    assert min(by_second[2 : served - 2]) >= 30
    assert storm.wasted <= 40


def test_without_a_rate_the_same_storm_does_work_for_nothing() -> None:
    """What the test above would not show if it were too easy."""
    all_in = BootRules(rate_max=1e9, rate_start=1e9, rate_min=1e8, rise=1e9, edge_share_min=0.0, boot_s_max=1e3)
    open_door = rate_at(rules=all_in)
    storm = Storm(open_door, capacity=60.0)
    storm.run(2_000, 60)
    assert storm.wasted >= 1_000


def test_after_a_storm_the_rate_is_what_it_was() -> None:
    """An edge that was cold for some seconds leaves no trace a quarter of a minute later."""
    storm = Storm(rate_at(), capacity=300.0)
    storm.run(600, 4, edge_share=0.1)
    cut = storm.rate.rate
    assert cut < 200.0
    for second in range(30):
        storm.run(20, 1, start=4.0 + second)
    assert storm.rate.rate == RULES.rate_max


def test_a_quiet_minute_mends_as_much_as_a_busy_one() -> None:
    """A rate that was cut an hour ago must not meet the next storm."""
    rate = rate_at()
    for step in range(100):
        rate.note_database(True, step * 0.51)
    rate.note_database(False, 52.0)
    rate.note_database(False, 112.0)
    assert rate.rate == RULES.rate_max


def test_a_storm_after_a_quiet_time_begins_gently_and_gets_more_while_all_is_well() -> None:
    """Others are here, who must not notice it; whoever is refused shows that more are wanted."""
    rules = BootRules(rate_max=400.0, rate_start=100.0, rise=40.0)
    storm = Storm(rate_at(rules=rules), capacity=1_000.0)
    by_second = storm.run(2_000, 30)
    assert by_second[0] <= 130
    assert max(by_second) > 200
    assert storm.done == 2_000
    for second in range(20):
        storm.run(5, 1, start=30.0 + second)
    assert storm.rate.rate == rules.rate_start


def test_to_look_whether_there_is_room_takes_none() -> None:
    """Who is not known yet may be nobody: it must not keep out those who are."""
    rate = rate_at()
    assert not any(rate.check(BootClass.RESUME, 0.0) for _ in range(10_000))
    let_in = 0
    while begin(rate, BootClass.RESUME, 0.0):
        assert let_in < RULES.rate_max
        let_in += 1
    assert let_in > 10
    assert rate.check(BootClass.RESUME, 0.0) > 0.0
