"""What lies back is read again only where it is not what was read."""

from __future__ import annotations

from svc.webapp.search.seen import GLANCE_S, NEAR_S, SEEN_MIN, WHOLE_LOOK_S, Looks, Seen, Span
from svc.webapp.store.feed_reads import LogPlace

FED_US = 100_000_000


def test_most_looks_count_a_glance_and_one_in_two_seconds_counts_all() -> None:
    looks = Looks(overlap_s=30.0)
    near_us = FED_US - int(NEAR_S * 1e6)
    whole, glance = Span(FED_US - 30_000_000, near_us), Span(FED_US - int(GLANCE_S * 1e6), near_us)

    def look(now: float) -> tuple[Span, bool]:
        return looks.begin(FED_US, now), looks.is_whole

    assert look(0.0) == (whole, True)
    assert look(WHOLE_LOOK_S - 0.1) == (glance, False)
    assert look(WHOLE_LOOK_S) == (whole, True)
    looks.forget()
    assert look(WHOLE_LOOK_S + 0.1) == (whole, True)


def test_what_was_read_is_counted_by_time_and_known_again() -> None:
    seen, places = Seen(), [LogPlace(us, "C1", number) for number, us in enumerate((30, 10, 20, 20))]
    assert seen.fresh(places) == places
    seen.add(places)
    assert seen.fresh([*places, LogPlace(20, "C2", 1)]) == [LogPlace(20, "C2", 1)]
    assert [seen.count(Span(*span)) for span in ((10, 31), (10, 30), (20, 30), (11, 20), (31, 99))] == [4, 3, 2, 0, 0]


def test_what_is_old_is_forgotten_once_there_is_much() -> None:
    seen = Seen()
    seen.add([LogPlace(us, "C1", us) for us in range(SEEN_MIN)])
    seen.forget_before(10)
    assert len(seen) == SEEN_MIN
    seen.add([LogPlace(SEEN_MIN, "C1", SEEN_MIN)])
    seen.forget_before(10)
    assert len(seen) == seen.count(Span(0, SEEN_MIN + 1)) == SEEN_MIN + 1 - 10
    assert seen.fresh([LogPlace(9, "C1", 9)])
