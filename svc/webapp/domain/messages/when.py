"""When a reminder is for: a moment, a number of seconds, or a few words. Pure.

Understood, of what comes once: unix seconds (a number above a day's seconds is a moment, below it a span from now), `in
20 minutes`, `in 2 months`, `tomorrow`, `today at 5pm`, `at 14:30`, `friday at 10am`, `next week`, `on june 1st`, `the
15th at noon`, `12/25`, `2027-01-31`. What comes again is in `every`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from svc.webapp.domain.messages.every import MONTH_DAY, ORDINAL, WEEKDAY, every, month_of, weekday_of
from svc.webapp.domain.messages.recurrence import Recurrence, clamped, recurrence_of, second_of
from svc.webapp.domain.refusal import Refused

__all__ = ["When", "is_time", "when"]

DAY_S = 86_400
AHEAD_S_MAX = 5 * 366 * DAY_S
"""Slack's limit: five years ahead."""
MORNING = time(9, 0)
"""A day without a time means its morning."""
YEARS_TRIED = 9
"""Between two 29ths of February lie at most eight years."""

_UNITS_S = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3_600, "hr": 3_600, "day": DAY_S, "week": 7 * DAY_S}
_UNITS_MONTHS = {"month": 1, "year": 12}
_SPAN = re.compile(rf"in (\d{{1,6}}|an?) ({'|'.join([*_UNITS_S, *_UNITS_MONTHS])})s?")
_CLOCK = r"(?:at )?(?:(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))? ?(?P<half>am|pm)?|(?P<word>noon|midnight))"
_CLOCKED = (
    re.compile(rf"(?P<rest>){_CLOCK}"),
    re.compile(rf"(?P<rest>.+?),? {_CLOCK}"),
    re.compile(rf"{_CLOCK},? (?P<rest>.+)"),
)
_WEEKDAY = re.compile(rf"(?:on |next |this )?{WEEKDAY}")
_OF_MONTH = re.compile(rf"(?:on )?the {ORDINAL}")
_OF_YEAR = re.compile(rf"(?:on )?{MONTH_DAY}(?:,? (?P<year>\d{{4}}))?")
_SLASHED = re.compile(r"(?:on )?(?P<number>\d{1,2})/(?P<day>\d{1,2})(?:/(?P<year>\d{4}|\d{2}))?")
_ISO = re.compile(r"(?:on )?(?P<year>\d{4})-(?P<number>\d{2})-(?P<day>\d{2})")


@dataclass(frozen=True, slots=True)
class When:
    """The first time, unix seconds; and how it goes on."""

    at_s: int
    recurrence: Recurrence | None = None

    def again(self, wanted: Mapping[str, object], zone: tzinfo) -> When:
        """Return it with the rule that a call's `recurrence` says: from the first of its days on. Refused as
        `recurrence_of`.
        """
        first = datetime.fromtimestamp(self.at_s, zone)
        rule = recurrence_of(wanted, first)
        return When(self.at_s if rule.is_on(first.date()) else rule.after(self.at_s, zone), rule)


def when(wanted: str, now_s: int, zone: tzinfo) -> When:
    """Return what `wanted` means to somebody in `zone`. Refused `cannot_parse`, `time_in_past`, `time_too_far`."""
    words = " ".join(wanted.lower().split()).rstrip(".")
    try:
        found = _found(words, now_s, zone)
    except (OverflowError, ValueError):  # a year that no calendar has
        raise Refused("time_too_far") from None
    if found is None:
        raise Refused("cannot_parse")
    if found.at_s <= now_s:
        raise Refused("time_in_past")
    if found.at_s - now_s > AHEAD_S_MAX:
        raise Refused("time_too_far")
    return found


def is_time(words: str) -> bool:
    """Whether words say when, if only for somebody long ago."""
    try:
        when(words, 0, UTC)
    except Refused as refusal:
        return refusal.code != "cannot_parse"
    return True


def _found(words: str, now_s: int, zone: tzinfo) -> When | None:
    at_s = _number(words, now_s) or _span(words, now_s, zone)
    if at_s:
        return When(at_s)
    now = datetime.fromtimestamp(now_s, zone)
    for rest, clock in _clocked(words):
        rule = every(rest, now.date(), clock)
        if rule is not None:
            return When(rule.after(now_s, zone), rule)
        at = [second_of(day, clock, zone) for day in _days(rest, now.date())]
        if at:
            return When(next((each for each in at if each > now_s), at[0]))
    return None


def _number(words: str, now_s: int) -> int:
    if not re.fullmatch(r"\d{1,11}(\.\d*)?", words, re.ASCII):
        return 0
    number = int(words.partition(".")[0])
    return now_s + number if number <= DAY_S else number


def _span(words: str, now_s: int, zone: tzinfo) -> int:
    found = _SPAN.fullmatch(words)
    if found is None:
        return 0
    count = 1 if found[1].startswith("a") else int(found[1])
    if found[2] in _UNITS_S:
        return now_s + count * _UNITS_S[found[2]]
    now = datetime.fromtimestamp(now_s, zone)
    years, month = divmod(now.month - 1 + count * _UNITS_MONTHS[found[2]], 12)
    return second_of(clamped(now.year + years, month + 1, now.day), now.time(), zone)


def _clocked(words: str) -> Iterator[tuple[str, time]]:
    """Yield what may be meant: the words without a time of day, and the time of day."""
    if words:
        yield words, MORNING
    for pattern in _CLOCKED:
        found = pattern.fullmatch(words)
        clock = _clock(found) if found is not None else None
        if found is not None and clock is not None:
            yield found["rest"], clock


def _clock(found: re.Match[str]) -> time | None:
    """Return the time of day; None when there is none such."""
    if found["word"]:
        return time(12) if found["word"] == "noon" else time(0)
    hour, minute, half = int(found["hour"]), int(found["minute"] or 0), found["half"]
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _days(words: str, today: date) -> Iterator[date]:
    """Yield the days that words may mean, in order: the first that is not over is meant. None when they name no day."""
    if words in ("", "today"):
        yield today
    if words in ("", "tomorrow"):
        yield today + timedelta(days=1)
    elif words == "next week":
        yield today + timedelta(days=7 - today.weekday())
    elif words == "next month":
        yield (today.replace(day=28) + timedelta(days=7)).replace(day=1)
    elif found := _WEEKDAY.fullmatch(words):
        ahead = (weekday_of(found["weekday"]) - today.weekday()) % 7
        yield today + timedelta(days=ahead or 7)
    elif found := _OF_MONTH.fullmatch(words):
        yield from (each for n in range(3) if (each := _of_month(today, n, int(found["day"]))))
    elif found := _OF_YEAR.fullmatch(words):
        day = int(found["day"] or found["day_first"])
        month = month_of(found["month"] or found["month_last"])
        yield from _of_year(today, found["year"], month, day)
    elif found := _SLASHED.fullmatch(words) or _ISO.fullmatch(words):
        yield from _of_year(today, found["year"], int(found["number"]), int(found["day"]))


def _of_month(today: date, later: int, day: int) -> date | None:
    years, month = divmod(today.month - 1 + later, 12)
    return _date(today.year + years, month + 1, day)


def _of_year(today: date, year: str | None, month: int, day: int) -> Iterator[date]:
    """Yield a day of the year given (two digits: of this century), or of this and the next ones."""
    years = (
        range(today.year, today.year + YEARS_TRIED) if year is None else [int(year) + (2000 if len(year) == 2 else 0)]
    )
    yield from (each for one in years if (each := _date(one, month, day)))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
