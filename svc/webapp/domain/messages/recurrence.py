"""When something comes again: on days of a calendar, at a time of day on somebody's own clock. Pure.

A day has one occurrence, whatever the clocks do: one that falls into the hour that a zone skips comes as much later as
the clocks go forward, one in the hour that comes twice comes the first time.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from svc.webapp.domain.refusal import Refused

__all__ = ["FREQUENCIES", "WEEKDAYS", "Recurrence", "clamped", "recurrence_of", "second_of"]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FREQUENCIES = ("daily", "weekly", "monthly", "yearly")


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule. What its frequency has no use for is empty."""

    frequency: str
    """One of FREQUENCIES."""
    hour: int
    minute: int
    second: int = 0
    weekdays: tuple[int, ...] = ()
    """Of a weekly one, at least one; 0 is Monday."""
    day: int = 0
    """Of the month, 1 to 31; a month that is shorter has it on its last day."""
    month: int = 0
    """Of a yearly one."""

    @classmethod
    def kept(cls, body: Mapping[str, object]) -> Recurrence:
        """Read a stored one: the fields by name. Raises ValueError or TypeError for what is none."""
        found = cls(**{**body, "weekdays": tuple(body.get("weekdays", ()))})  # type: ignore[arg-type]
        if found.frequency not in FREQUENCIES:
            raise ValueError(f"no frequency: {found.frequency}")
        return found

    @property
    def shape(self) -> dict[str, object]:
        """As reminders.* show it."""
        named = {"weekdays": [WEEKDAYS[each] for each in self.weekdays]} if self.weekdays else {}
        return {"frequency": self.frequency, **named}

    def is_on(self, day: date) -> bool:
        """Whether it comes on a day."""
        return next(self._days(day)) == day

    def after(self, after_s: int, zone: tzinfo) -> int:
        """Return the unix second of the first occurrence later than `after_s`, by the clock of `zone`."""
        clock = time(self.hour, self.minute, self.second)
        # From the day before: clocks that go forward at midnight put its last hour into this day.
        days = self._days(datetime.fromtimestamp(after_s, zone).date() - timedelta(days=1))
        return next(at for at in (second_of(day, clock, zone) for day in days) if at > after_s)

    def _days(self, since: date) -> Iterator[date]:
        """Yield its days from one on, in order, without end."""
        if self.frequency in ("daily", "weekly"):
            while True:
                if not self.weekdays or since.weekday() in self.weekdays:
                    yield since
                since += timedelta(days=1)
        months = 1 if self.frequency == "monthly" else 12
        year, month = since.year, since.month if self.frequency == "monthly" else self.month
        while True:
            day = clamped(year, month, self.day)
            if day >= since:
                yield day
            month += months
            year, month = year + (month - 1) // 12, (month - 1) % 12 + 1


def recurrence_of(wanted: Mapping[str, object], first: datetime) -> Recurrence:
    """Return the rule that a call's `recurrence` means: `{"frequency": …}`, and of a weekly one its `weekdays`, by
    name. All else is as in `first`. Refused `invalid_arguments`.
    """
    frequency = wanted.get("frequency")
    if frequency not in FREQUENCIES:
        raise Refused("invalid_arguments")
    weekdays: tuple[int, ...] = ()
    if frequency == "weekly":
        weekdays = _weekdays(wanted.get("weekdays")) or (first.weekday(),)
    day = first.day if frequency in ("monthly", "yearly") else 0
    month = first.month if frequency == "yearly" else 0
    return Recurrence(str(frequency), first.hour, first.minute, first.second, weekdays, day, month)


def _weekdays(wanted: object) -> tuple[int, ...]:
    names = wanted.split(",") if isinstance(wanted, str) else wanted or []
    if not isinstance(names, list):
        raise Refused("invalid_arguments")
    words = {str(name).strip().lower() for name in names}
    if not words <= set(WEEKDAYS):
        raise Refused("invalid_arguments")
    return tuple(sorted(WEEKDAYS.index(word) for word in words))


def clamped(year: int, month: int, day: int) -> date:
    """Return a day of a month, the last one when it is too short."""
    return date(year, month, min(day, monthrange(year, month)[1]))


def second_of(day: date, clock: time, zone: tzinfo) -> int:
    """Return the unix second at which a clock in `zone` shows a time of a day; see the module for when it never does,
    or twice.
    """
    return int(datetime.combine(day, clock.replace(fold=0), zone).timestamp())
