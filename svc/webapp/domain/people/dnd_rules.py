"""When somebody is not to be disturbed: a time of each day, and snoozing. Pure.

The time of day is three preferences, `dnd_enabled`, `dnd_start_hour` and `dnd_end_hour` (`22:00`), in the user's time
zone. Snoozing, and that a session was ended before its time, stand beside the preferences under one name of ours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["KEPT", "SNOOZE_MINUTES_MAX", "Dnd", "dnd_of", "kept", "status"]

Json = dict[str, Any]

KEPT = "dnd"
"""The preference that holds snoozing; nobody sets it by name."""
SNOOZE_MINUTES_MAX = 60 * 24 * 365
NEVER_S = 1
"""What Slack says of times when there are none."""

_HOURS = ("22:00", "08:00")


@dataclass(frozen=True, slots=True)
class Dnd:
    """What a user chose."""

    is_daily: bool = False
    start_minute: int = 22 * 60
    """Of the day, in the user's zone."""
    end_minute: int = 8 * 60
    snooze_until_s: int = 0
    ended_until_s: int = 0
    """Sessions of the day that begin before this were ended by the user."""


def dnd_of(prefs: Mapping[str, object]) -> Dnd:
    """Return what preferences say; what cannot be understood is as if it were not there."""
    kept = prefs.get(KEPT)
    cells = kept if isinstance(kept, dict) else {}
    start, end = (_minute(prefs.get(name), _HOURS[i]) for i, name in enumerate(("dnd_start_hour", "dnd_end_hour")))
    return Dnd(
        is_daily=prefs.get("dnd_enabled") in (True, 1, "1", "true") and start != end,
        start_minute=start,
        end_minute=end,
        snooze_until_s=_seconds(cells.get("snooze_until")),
        ended_until_s=_seconds(cells.get("ended_until")),
    )


def kept(dnd: Dnd) -> Json:
    """Return what is stored under KEPT."""
    return {"snooze_until": dnd.snooze_until_s, "ended_until": dnd.ended_until_s}


def status(dnd: Dnd, tz: str, now_s: int, *, is_own: bool) -> Json:
    """Return the `dnd_status` object: when the session of the day that runs, or comes next, begins and ends.

    `is_own`: with snoozing, which only the user itself is told. To others a snooze looks like a session that runs.
    """
    start_s, end_s = session(dnd, tz, now_s)
    is_snoozing = dnd.snooze_until_s > now_s
    shown: Json = {"dnd_enabled": dnd.is_daily, "next_dnd_start_ts": start_s, "next_dnd_end_ts": end_s}
    if is_own:
        shown["snooze_enabled"] = is_snoozing
        if is_snoozing:
            remaining_s = dnd.snooze_until_s - now_s
            shown |= {
                "snooze_endtime": dnd.snooze_until_s,
                "snooze_remaining": remaining_s,
                "snooze_is_indefinite": False,
            }
    elif is_snoozing:
        ends_s = max(dnd.snooze_until_s, end_s if start_s <= now_s else 0)
        shown = {"dnd_enabled": True, "next_dnd_start_ts": now_s, "next_dnd_end_ts": ends_s}
    return shown


def session(dnd: Dnd, tz: str, now_s: int) -> tuple[int, int]:
    """Return when the session of the day that runs, or comes next, begins and ends; (1, 1) when there is none."""
    if not dnd.is_daily:
        return NEVER_S, NEVER_S
    zone = _zone(tz)
    today = dt.datetime.fromtimestamp(now_s, zone).date()
    for days in range(-1, 4):
        day = today + dt.timedelta(days=days)
        last_day = day if dnd.end_minute > dnd.start_minute else day + dt.timedelta(days=1)
        start_s, end_s = _at(day, dnd.start_minute, zone), _at(last_day, dnd.end_minute, zone)
        if end_s > now_s and start_s >= dnd.ended_until_s and end_s > start_s:
            return start_s, end_s
    return NEVER_S, NEVER_S


def _at(day: dt.date, minute: int, zone: dt.tzinfo) -> int:
    return int(dt.datetime.combine(day, dt.time(minute // 60, minute % 60), zone).timestamp())


def _zone(name: str) -> dt.tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return dt.UTC


def _minute(value: object, default: str) -> int:
    hours, _, minutes = (value if isinstance(value, str) else default).partition(":")
    try:
        found = int(hours) * 60 + int(minutes or 0)
    except ValueError:
        return _minute(default, default)
    return found if 0 <= found < 24 * 60 else _minute(default, default)


def _seconds(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
