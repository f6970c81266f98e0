"""What comes again comes on each of its days, once, on its user's own clock."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.webapp.domain.messages.recurrence import Recurrence, clamped

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Asia/Gaza",
)
"""With an hour, half an hour, and a whole day that are skipped; with changes at midnight."""
DAYS = st.dates(date(2009, 1, 1), date(2037, 1, 1))


def rules() -> st.SearchStrategy[Recurrence]:
    """Rules of all frequencies."""
    clock = {"hour": st.integers(0, 23), "minute": st.integers(0, 59)}
    day = st.integers(1, 31)
    weekdays = st.sets(st.integers(0, 6), min_size=1).map(lambda some: tuple(sorted(some)))
    return st.one_of(
        st.builds(Recurrence, st.just("daily"), **clock),
        st.builds(Recurrence, st.just("weekly"), **clock, weekdays=weekdays),
        st.builds(Recurrence, st.just("monthly"), **clock, day=day),
        st.builds(Recurrence, st.just("yearly"), **clock, day=st.integers(1, 29), month=st.integers(1, 12)),
    )


def is_day_of(rule: Recurrence, day: date) -> bool:
    """Say anew whether a rule has a day."""
    match rule.frequency:
        case "daily":
            return True
        case "weekly":
            return day.weekday() in rule.weekdays
        case "monthly":
            return day == clamped(day.year, day.month, rule.day)
        case _:
            return day.month == rule.month and day == clamped(day.year, day.month, rule.day)


@given(rules(), st.sampled_from(ZONES), DAYS, st.integers(0, 86_399))
def test_the_next_one_is_later_and_nothing_lies_between(rule: Recurrence, name: str, day: date, second: int) -> None:
    """Each day of the rule has an occurrence: at its time of day or, where there is none such, after the gap."""
    zone = ZoneInfo(name)
    after_s = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + second
    at_s = rule.after(after_s, zone)
    assert at_s > after_s
    moments = set()
    for n in range(-2, 370 if rule.frequency == "yearly" else 35):
        one = datetime.fromtimestamp(after_s, zone).date() + timedelta(days=n)
        if is_day_of(rule, one):
            moments.add(int(datetime(one.year, one.month, one.day, rule.hour, rule.minute, tzinfo=zone).timestamp()))
    assert at_s == min(each for each in moments if each > after_s)
    assert rule.after(at_s - 1, zone) == at_s


@pytest.mark.parametrize(
    ("after", "at"),
    [
        ("2026-03-28T12:00+01:00", "2026-03-29T03:30+02:00"),  # 02:30 is not shown on that day
        ("2026-03-29T12:00+02:00", "2026-03-30T02:30+02:00"),
        ("2026-10-24T12:00+02:00", "2026-10-25T02:30+02:00"),  # shown twice: the first
        ("2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"),
    ],
)
def test_the_hours_that_a_year_lacks_and_has_twice(after: str, at: str) -> None:
    """Every day has half past two once."""
    rule, zone = Recurrence("daily", 2, 30), ZoneInfo("Europe/Berlin")
    found = rule.after(int(datetime.fromisoformat(after).timestamp()), zone)
    assert found == int(datetime.fromisoformat(at).timestamp())


def test_short_months_and_years_have_it_on_their_last_day() -> None:
    """The 31st is the 28th of February; the 29th of February too, three years of four."""
    monthly, yearly = Recurrence("monthly", 9, 0, day=31), Recurrence("yearly", 9, 0, day=29, month=2)
    at = int(datetime(2027, 1, 31, 9, tzinfo=UTC).timestamp())
    assert datetime.fromtimestamp(monthly.after(at, UTC), UTC) == datetime(2027, 2, 28, 9, tzinfo=UTC)
    assert datetime.fromtimestamp(yearly.after(at, UTC), UTC) == datetime(2027, 2, 28, 9, tzinfo=UTC)


@given(rules())
def test_a_kept_rule_is_the_rule(rule: Recurrence) -> None:
    """As JSON, and back."""
    assert Recurrence.kept(orjson.loads(orjson.dumps(asdict(rule)))) == rule
