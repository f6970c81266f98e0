"""When a reminder is for: a moment, a number of seconds, or a few words. Pure.

Understood: unix seconds (a number above a day's seconds is a moment, below it a span from now), `in 20 minutes`,
`in 2 hours`, `tomorrow`, `today at 5pm`, `tomorrow at 9am`, `at 14:30`, `friday at 10am`, `next monday`. Nothing that
repeats.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

from svc.webapp.domain.refusal import Refused

__all__ = ["reminder_time"]

DAY_S = 86_400
AHEAD_S_MAX = 5 * 366 * DAY_S
"""Slack's limit: five years ahead."""
MORNING = (9, 0)
"""A day without a time means its morning."""

_UNITS_S = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3_600, "hr": 3_600, "day": DAY_S, "week": 7 * DAY_S}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN = re.compile(r"in (\d{1,6}|an?) (second|sec|minute|min|hour|hr|day|week)s?")
_DAY = rf"(?:(?:on |next )?(?P<weekday>{'|'.join(_WEEKDAYS)})|(?P<day>today|tomorrow))"
_CLOCK = r"(?:at )?(?:(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))? ?(?P<half>am|pm)?|(?P<word>noon|midnight))"
_DAY_AND_CLOCK = re.compile(rf"{_DAY}(?:,? {_CLOCK})?")
_CLOCK_AND_DAY = re.compile(rf"{_CLOCK}(?: {_DAY})?")


def reminder_time(wanted: str, now_s: int, zone: tzinfo) -> int:
    """Return the unix second that `wanted` means to somebody in `zone`. Refused `cannot_parse`, `time_in_past`,
    `time_too_far`.
    """
    words = " ".join(wanted.lower().split()).rstrip(".")
    at_s = _number(words, now_s) or _span(words, now_s) or _moment(words, now_s, zone)
    if not at_s:
        raise Refused("cannot_parse")
    if at_s <= now_s:
        raise Refused("time_in_past")
    if at_s - now_s > AHEAD_S_MAX:
        raise Refused("time_too_far")
    return at_s


def _number(words: str, now_s: int) -> int:
    if not re.fullmatch(r"\d{1,11}(\.\d*)?", words, re.ASCII):
        return 0
    number = int(words.partition(".")[0])
    return now_s + number if number <= DAY_S else number


def _span(words: str, now_s: int) -> int:
    found = _SPAN.fullmatch(words)
    if found is None:
        return 0
    count = 1 if found[1].startswith("a") else int(found[1])
    return now_s + count * _UNITS_S[found[2]]


def _moment(words: str, now_s: int, zone: tzinfo) -> int:
    found = _DAY_AND_CLOCK.fullmatch(words) or _CLOCK_AND_DAY.fullmatch(words)
    clock = _clock(found) if found is not None else None
    if found is None or clock is None:
        return 0
    now = datetime.fromtimestamp(now_s, zone)
    at = now.replace(hour=clock[0], minute=clock[1], second=0, microsecond=0)
    if found["weekday"]:
        days = (_WEEKDAYS.index(found["weekday"]) - now.weekday()) % 7
        at += timedelta(days=days or 7)
    elif found["day"] == "tomorrow" or (not found["day"] and at <= now):
        at += timedelta(days=1)
    return int(at.timestamp())


def _clock(found: re.Match[str]) -> tuple[int, int] | None:
    """Return hour and minute; None when there is no such time of day."""
    if found["word"]:
        return (12, 0) if found["word"] == "noon" else (0, 0)
    if not found["hour"]:
        return MORNING
    hour, minute, half = int(found["hour"]), int(found["minute"] or 0), found["half"]
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return (hour, minute) if hour < 24 and minute < 60 else None
