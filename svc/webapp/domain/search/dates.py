"""Spans of time as they are typed: `before:2026-03-01`, `on:yesterday`, `during:march`. Pure.

Days are those of who asks. A day, a month or a year is written as 2026-03-01, 2026-03 or 2026, 01/03/2026 (month first
where it can be, as Slack has it), `march`, `march 2026`, `today`, `yesterday`, `week`, `month`, `year`, or a weekday.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, tzinfo

__all__ = ["Bounds", "bounds"]

Bounds = tuple[int, int]
"""Microseconds: from the first on, and below the second; 0 where there is no bound."""

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ISO = re.compile(r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?", re.ASCII)
_WRITTEN = re.compile(r"(\d{1,2})[-/](\d{1,2})[-/](\d{4})", re.ASCII)
_NAMED = re.compile(r"([a-z]{3,9})(?:[\s,]+(\d{4}))?")


def bounds(name: str, value: str, now: datetime) -> Bounds | None:
    """Return what `name:value` means to somebody whose time it is `now` (with a zone); None for what means nothing.

    `before` ends where the span begins, `after` begins where it ends, `on` and `during` are the span.
    """
    zone = now.tzinfo
    assert zone is not None, "a day is a zone's"
    try:
        span = _span(value.strip().lower(), now.date())
        if span is None:
            return None
        first_us, end_us = _us(span[0], zone), _us(span[1], zone)
    except (ValueError, OverflowError):
        return None
    if name == "before":
        return 0, max(1, first_us)
    if name == "after":
        return max(1, end_us), 0
    return max(1, first_us), max(1, end_us)


def _span(value: str, today: date) -> tuple[date, date] | None:
    """Return the first day of a span, and the day after it. Raises ValueError for a day that there is not."""
    if found := _ISO.fullmatch(value):
        year, month, day = int(found[1]), int(found[2] or 0), int(found[3] or 0)
        return _day(date(year, month, day)) if day else _month(year, month) if month else _year(year)
    if found := _WRITTEN.fullmatch(value):
        first, second, year = int(found[1]), int(found[2]), int(found[3])
        return _day(date(year, first, second) if first <= 12 else date(year, second, first))
    return _relative(value, today) or _named(value, today)


def _relative(value: str, today: date) -> tuple[date, date] | None:
    monday = today - timedelta(days=today.weekday())
    known = {
        "today": _day(today),
        "yesterday": _day(today - timedelta(days=1)),
        "week": (monday, monday + timedelta(days=7)),
        "month": _month(today.year, today.month),
        "year": _year(today.year),
    }
    return known.get(value.removeprefix("this ").removeprefix("the "))


def _named(value: str, today: date) -> tuple[date, date] | None:
    """Return the last such month or weekday that has begun."""
    found = _NAMED.fullmatch(value)
    if found is None:
        return None
    month = next((at for at, name in enumerate(_MONTHS, 1) if name.startswith(found[1])), 0)
    if month:
        return _month(int(found[2] or today.year - (month > today.month)), month)
    day = next((at for at, name in enumerate(_DAYS) if name.startswith(found[1]) and not found[2]), None)
    return None if day is None else _day(today - timedelta(days=(today.weekday() - day) % 7))


def _day(day: date) -> tuple[date, date]:
    return day, day + timedelta(days=1)


def _month(year: int, month: int) -> tuple[date, date]:
    return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)


def _year(year: int) -> tuple[date, date]:
    return date(year, 1, 1), date(year + 1, 1, 1)


def _us(day: date, zone: tzinfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp()) * 1_000_000
