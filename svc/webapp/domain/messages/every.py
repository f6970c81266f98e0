"""Words for what comes again: `every thursday`, `every weekday`, `on the 15th of every month`. Pure."""

from __future__ import annotations

import re
from datetime import date, time

from svc.webapp.domain.messages.recurrence import WEEKDAYS, Recurrence

__all__ = ["MONTH_DAY", "ORDINAL", "WEEKDAY", "every", "month_of", "weekday_of"]

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_NAMED_DAY = (
    r"mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
)
WEEKDAY = rf"(?P<weekday>{_NAMED_DAY})"
_NAMED_MONTH = "|".join(rf"{name[:3]}(?:{name[3:]})?" if len(name) > 3 else name for name in _MONTHS)
_NUMBER = r"\d{1,2}"
ORDINAL = rf"(?P<day>{_NUMBER})(?:st|nd|rd|th)"
MONTH_DAY = (
    rf"(?:(?P<month>{_NAMED_MONTH}) (?P<day>{_NUMBER})(?:st|nd|rd|th)?"
    rf"|(?:the )?(?P<day_first>{_NUMBER})(?:st|nd|rd|th)? (?:of )?(?P<month_last>{_NAMED_MONTH}))"
)
"""With the groups `month` and `day`, or `day_first` and `month_last`."""
_DAILY = re.compile(r"daily|(?:every|each) (?:single )?day")
_WORKDAYS = re.compile(
    r"(?:every |each )(?:weekday|workday)|(?:on )?weekdays|(?:every )?mon(?:day)?(?: to |-)fri(?:day)?"
)
_WEEKEND = re.compile(r"(?:every|each) weekend|(?:on )?weekends")
_WEEKLY = re.compile(r"(?:weekly|(?:every|each) week)(?: on (?P<some>.+))?|(?:every|each) (?P<each>.+)|on (?P<on>.+)")
_MONTHLY = re.compile(
    rf"(?:monthly|(?:every|each) month)(?: on the {ORDINAL})?"
    rf"|(?:every|each) (?P<day_each>{_NUMBER})(?:st|nd|rd|th)(?: of the month)?"
    rf"|(?:on )?the (?P<day_of>{_NUMBER})(?:st|nd|rd|th) of (?:every|each|the) month"
)
_YEARLY = re.compile(rf"(?:yearly|annually|(?:every|each) year)(?: on {MONTH_DAY})?")
_EACH_YEAR = re.compile(rf"(?:every|each) {MONTH_DAY}")


def every(words: str, today: date, clock: time) -> Recurrence | None:
    """Return what words mean that say nothing of the time of day; None when nothing comes again by them."""
    hour, minute = clock.hour, clock.minute
    if _DAILY.fullmatch(words):
        return Recurrence("daily", hour, minute)
    weekdays = _weekdays(words, today)
    if weekdays:
        return Recurrence("weekly", hour, minute, weekdays=weekdays)
    if found := _MONTHLY.fullmatch(words):
        day = int(found["day"] or found["day_each"] or found["day_of"] or today.day)
        return Recurrence("monthly", hour, minute, day=day) if 1 <= day <= 31 else None
    if found := _YEARLY.fullmatch(words) or _EACH_YEAR.fullmatch(words):
        day = int(found["day"] or found["day_first"] or today.day)
        named = found["month"] or found["month_last"]
        month = month_of(named) if named else today.month
        return Recurrence("yearly", hour, minute, day=day, month=month) if _is_day(month, day) else None
    return None


def weekday_of(name: str) -> int:
    """Return the number of a weekday, by its name or the beginning of it."""
    return next(n for n, weekday in enumerate(WEEKDAYS) if weekday.startswith(name[:3]))


def month_of(name: str) -> int:
    """Return the number of a month, by its name or the beginning of it."""
    return next(n for n, month in enumerate(_MONTHS, 1) if month.startswith(name[:3]))


def _weekdays(words: str, today: date) -> tuple[int, ...]:
    if _WORKDAYS.fullmatch(words):
        return tuple(range(5))
    if _WEEKEND.fullmatch(words):
        return 5, 6
    found = _WEEKLY.fullmatch(words)
    if found is None:
        return ()
    if not (found["some"] or found["each"] or found["on"]):
        return (today.weekday(),)
    # "on friday" is the next one alone, "on fridays" all of them.
    listed, ending = (found["on"], "s") if found["on"] else (found["some"] or found["each"], "s?")
    names = re.split(r",? and |, ?", listed)
    if not all(re.fullmatch(rf"(?:{_NAMED_DAY}){ending}", name) for name in names):
        return ()
    return tuple(sorted({weekday_of(name) for name in names}))


def _is_day(month: int, day: int) -> bool:
    try:
        date(2000, month, day)  # a leap year
    except ValueError:
        return False
    return True
