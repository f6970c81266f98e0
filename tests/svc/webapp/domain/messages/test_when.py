"""When reminders are for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from svc.webapp.domain.messages.recurrence import Recurrence
from svc.webapp.domain.messages.when import when
from svc.webapp.domain.refusal import Refused

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
"""A Wednesday."""
NOW = int(NOON.timestamp())


def utc(month: int, day: int, hour: int = 9, minute: int = 0, year: int = 2026) -> datetime:
    """Return a moment; without a time of day the morning."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "at"),
    [
        (str(NOW + 100_000), NOON + timedelta(seconds=100_000)),
        ("600", NOON + timedelta(minutes=10)),
        ("in 20 minutes", NOON + timedelta(minutes=20)),
        ("In  an  hour", NOON + timedelta(hours=1)),
        ("in 2 days", NOON + timedelta(days=2)),
        ("in a month", utc(4, 4, 12)),
        ("in 11 months", utc(2, 4, 12, year=2027)),
        ("tomorrow", utc(3, 5)),
        ("tomorrow at 9am", utc(3, 5)),
        ("tomorrow at 12:30 am", utc(3, 5, 0, 30)),
        ("today at 5pm", utc(3, 4, 17)),
        ("at 14:30", utc(3, 4, 14, 30)),
        ("at 9am", utc(3, 5)),
        ("10am tomorrow", utc(3, 5, 10)),
        ("on friday at noon", utc(3, 6, 12)),
        ("fri 10", utc(3, 6, 10)),
        ("next wednesday", utc(3, 11)),
        ("next week", utc(3, 9)),
        ("next month", utc(4, 1)),
        ("june 1st", utc(6, 1)),
        ("on the 2nd of march at 8pm", utc(3, 2, 20, year=2027)),
        ("March 4 at 1pm", utc(3, 4, 13)),
        ("4 mar, 2027", utc(3, 4, year=2027)),
        ("the 15th at noon", utc(3, 15, 12)),
        ("on the 31st", utc(3, 31)),
        ("on the 3rd", utc(4, 3)),
        ("12/25", utc(12, 25)),
        ("12/25/27 at 18:00", utc(12, 25, 18, year=2027)),
        ("2027-01-31", utc(1, 31, year=2027)),
        ("february 29", utc(2, 29, year=2028)),
    ],
)
def test_moments_spans_and_a_few_words_are_understood(words: str, at: datetime) -> None:
    """A number up to a day is a span, beyond it a moment."""
    found = when(words, NOW, UTC)
    assert (datetime.fromtimestamp(found.at_s, UTC), found.recurrence) == (at, None)


WORKDAYS = (0, 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("words", "at", "rule"),
    [
        ("every day", utc(3, 5), Recurrence("daily", 9, 0)),
        ("daily at 5pm", utc(3, 4, 17), Recurrence("daily", 17, 0)),
        ("at 7:30 every day", utc(3, 5, 7, 30), Recurrence("daily", 7, 30)),
        ("every Thursday", utc(3, 5), Recurrence("weekly", 9, 0, weekdays=(3,))),
        ("every weekday at 9am", utc(3, 5), Recurrence("weekly", 9, 0, weekdays=WORKDAYS)),
        ("weekdays at noon", utc(3, 5, 12), Recurrence("weekly", 12, 0, weekdays=WORKDAYS)),
        ("every weekend", utc(3, 7), Recurrence("weekly", 9, 0, weekdays=(5, 6))),
        ("every mon, wed and fri at 10:15", utc(3, 6, 10, 15), Recurrence("weekly", 10, 15, weekdays=(0, 2, 4))),
        ("every tuesday and thursday", utc(3, 5), Recurrence("weekly", 9, 0, weekdays=(1, 3))),
        ("on mondays", utc(3, 9), Recurrence("weekly", 9, 0, weekdays=(0,))),
        ("every week", utc(3, 11), Recurrence("weekly", 9, 0, weekdays=(2,))),
        ("every week on sunday", utc(3, 8), Recurrence("weekly", 9, 0, weekdays=(6,))),
        ("every month", utc(4, 4), Recurrence("monthly", 9, 0, day=4)),
        ("every month on the 31st", utc(3, 31), Recurrence("monthly", 9, 0, day=31)),
        ("every 15th at 2pm", utc(3, 15, 14), Recurrence("monthly", 14, 0, day=15)),
        ("on the 1st of every month", utc(4, 1), Recurrence("monthly", 9, 0, day=1)),
        ("every year", utc(3, 4, year=2027), Recurrence("yearly", 9, 0, day=4, month=3)),
        ("every year on june 1", utc(6, 1), Recurrence("yearly", 9, 0, day=1, month=6)),
        ("every 25th of december at 6pm", utc(12, 25, 18), Recurrence("yearly", 18, 0, day=25, month=12)),
    ],
)
def test_what_comes_again_is_understood(words: str, at: datetime, rule: Recurrence) -> None:
    """Days of the week, of the month and of the year, each at a time of day."""
    found = when(words, NOW, UTC)
    assert (datetime.fromtimestamp(found.at_s, UTC), found.recurrence) == (at, rule)


def test_words_are_of_the_users_own_clock() -> None:
    """Nine in the morning is another moment in Tokyo."""
    tokyo = ZoneInfo("Asia/Tokyo")
    for words in ("tomorrow at 9am", "every day at 9am"):
        assert when(words, NOW, tokyo).at_s == int(datetime(2026, 3, 5, 9, tzinfo=tokyo).timestamp())


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("soon", "cannot_parse"),
        ("", "cannot_parse"),
        ("every", "cannot_parse"),
        ("every blue moon", "cannot_parse"),
        ("every 32nd", "cannot_parse"),
        ("every february 30", "cannot_parse"),
        ("every friday and soon", "cannot_parse"),
        ("on fridays and soon", "cannot_parse"),
        ("february 30", "cannot_parse"),
        ("13/25", "cannot_parse"),
        ("tomorrow at 13pm", "cannot_parse"),
        ("tomorrow at 25:00", "cannot_parse"),
        ("every day at 25:00", "cannot_parse"),
        ("100000", "time_in_past"),
        ("today at 9am", "time_in_past"),
        ("2025-12-25", "time_in_past"),
        (str(NOW + 10 * 366 * 86_400), "time_too_far"),
        ("june 1 2040", "time_too_far"),
        ("in 999999 years", "time_too_far"),
    ],
)
def test_what_is_no_time_to_come_is_refused(words: str, code: str) -> None:
    """Nothing gone by, nothing that only sounds like a time."""
    with pytest.raises(Refused) as caught:
        when(words, NOW, UTC)
    assert caught.value.code == code


def test_a_rule_that_is_given_begins_on_its_first_day() -> None:
    """The time says from when on, and the time of day; to the second, where it does."""
    first = when(str(NOW + 61), NOW, UTC)
    daily = first.again({"frequency": "daily"}, UTC)
    assert (daily.at_s, daily.recurrence) == (NOW + 61, Recurrence("daily", 12, 1, 1))
    weekly = first.again({"frequency": "weekly", "weekdays": ["friday", "Monday"]}, UTC)
    assert weekly.recurrence == Recurrence("weekly", 12, 1, 1, weekdays=(0, 4))
    assert datetime.fromtimestamp(weekly.at_s, UTC) == utc(3, 6, 12, 1) + timedelta(seconds=1)
    assert first.again({"frequency": "weekly"}, UTC).recurrence == Recurrence("weekly", 12, 1, 1, weekdays=(2,))
    assert first.again({"frequency": "yearly"}, UTC).recurrence == Recurrence("yearly", 12, 1, 1, day=4, month=3)


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"frequency": "hourly"},
        {"frequency": "weekly", "weekdays": ["fryday"]},
        {"frequency": "weekly", "weekdays": 5},
    ],
)
def test_a_rule_that_is_none_is_refused(wanted: dict[str, object]) -> None:
    """As arguments that cannot be read."""
    with pytest.raises(Refused) as caught:
        when("600", NOW, UTC).again(wanted, UTC)
    assert caught.value.code == "invalid_arguments"
