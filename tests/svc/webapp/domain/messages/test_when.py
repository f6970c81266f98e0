"""When reminders are for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from svc.webapp.domain.messages.when import reminder_time
from svc.webapp.domain.refusal import Refused

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
"""A Wednesday."""
NOW = int(NOON.timestamp())


@pytest.mark.parametrize(
    ("words", "at"),
    [
        (str(NOW + 100_000), NOON + timedelta(seconds=100_000)),
        ("600", NOON + timedelta(minutes=10)),
        ("in 20 minutes", NOON + timedelta(minutes=20)),
        ("In  an  hour", NOON + timedelta(hours=1)),
        ("in 2 days", NOON + timedelta(days=2)),
        ("tomorrow", datetime(2026, 3, 5, 9, 0, tzinfo=UTC)),
        ("tomorrow at 9am", datetime(2026, 3, 5, 9, 0, tzinfo=UTC)),
        ("tomorrow at 12:30 am", datetime(2026, 3, 5, 0, 30, tzinfo=UTC)),
        ("today at 5pm", datetime(2026, 3, 4, 17, 0, tzinfo=UTC)),
        ("at 14:30", datetime(2026, 3, 4, 14, 30, tzinfo=UTC)),
        ("at 9am", datetime(2026, 3, 5, 9, 0, tzinfo=UTC)),
        ("10am tomorrow", datetime(2026, 3, 5, 10, 0, tzinfo=UTC)),
        ("on friday at noon", datetime(2026, 3, 6, 12, 0, tzinfo=UTC)),
        ("next wednesday", datetime(2026, 3, 11, 9, 0, tzinfo=UTC)),
    ],
)
def test_moments_spans_and_a_few_words_are_understood(words: str, at: datetime) -> None:
    """A number up to a day is a span, beyond it a moment."""
    assert reminder_time(words, NOW, UTC) == int(at.timestamp())


def test_words_are_of_the_users_own_clock() -> None:
    """Nine in the morning is another moment in Tokyo."""
    tokyo = ZoneInfo("Asia/Tokyo")
    assert reminder_time("tomorrow at 9am", NOW, tokyo) == int(datetime(2026, 3, 5, 9, tzinfo=tokyo).timestamp())


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("soon", "cannot_parse"),
        ("", "cannot_parse"),
        ("every day at 9am", "cannot_parse"),
        ("tomorrow at 13pm", "cannot_parse"),
        ("tomorrow at 25:00", "cannot_parse"),
        ("100000", "time_in_past"),
        ("today at 9am", "time_in_past"),
        (str(NOW + 10 * 366 * 86_400), "time_too_far"),
    ],
)
def test_what_is_no_time_to_come_is_refused(words: str, code: str) -> None:
    """Nothing that repeats, nothing gone by."""
    with pytest.raises(Refused) as caught:
        reminder_time(words, NOW, UTC)
    assert caught.value.code == code
