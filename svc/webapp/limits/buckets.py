"""One limit as a number that calls push forward: the generic cell rate algorithm, by additions alone. Pure.

The number is a time in microseconds. Each call adds its interval to it, and is allowed when the number is not ahead of
the clock then. A full bucket is a number a whole burst behind, so that `burst` calls in a row bring it up to now. Time
itself refills it, and nobody has to write anything down for that.

An addition is one atomic step of memcached, which can compare nothing. So two things that the algorithm does in the
same step come after it here, and the bounds say what that costs. What a refused call added is taken back. And a
number that falls behind by more than a burst, because calls come slowly, is set right only when it is half a burst too
far behind: bursts are of up to one and a half times the size.

Source: ITU-T I.371 (generic cell rate algorithm, virtual scheduling).
"""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["Rate", "Verdict", "start_of", "verdict"]

SLACK_PART = 2
"""A number is set right when it is a burst's 1/SLACK_PART too far behind."""
AHEAD_WINDOWS_MAX = 100
"""A crowd of calls brings a number ahead by what each webapp lets through at once, a burst, until those that are
refused are taken back. Further ahead it was brought by a clock gone wrong."""


class Rate(NamedTuple):
    """A limit."""

    interval_us: int
    """Between two calls that go on for ever."""
    burst: int
    """Calls at once, after a while without any; at least 1."""

    @classmethod
    def per_minute(cls, calls: float, *, burst: int) -> Rate:
        """Return a rate of some calls a minute."""
        return cls(max(1, round(60_000_000 / calls)), burst)

    def scaled(self, times: float) -> Rate:
        """Return one of that many times the calls; the burst at least 1."""
        return Rate(max(1, round(self.interval_us / times)), max(1, round(self.burst * times)))

    @property
    def window_us(self) -> int:
        """In which an empty bucket becomes full."""
        return self.interval_us * self.burst

    @property
    def ttl_s(self) -> int:
        """How long a number that nobody touches is of use: afterwards its bucket is full in any case."""
        return math.ceil(self.window_us / 1_000_000) + 1


class Verdict(NamedTuple):
    """What becomes of a call."""

    wait_us: int
    """0: it is allowed. Else: when the next one would be, if nobody else comes."""
    righted: int | None = None
    """What the number is to be instead, unless it was changed since."""


def start_of(rate: Rate, now_us: int) -> int:
    """Return the number after the first call to a full bucket."""
    return now_us - rate.window_us + rate.interval_us


def verdict(rate: Rate, number: int, now_us: int) -> Verdict:
    """Return what the number after a call's addition means for that call.

    A number that no calls can have brought so far ahead must not shut an app out until that time comes.
    """
    wait_us = number - now_us
    if wait_us > rate.window_us * AHEAD_WINDOWS_MAX:
        return Verdict(0, start_of(rate, now_us))
    if wait_us > 0:
        # Most of what is beyond a window is on its way back.
        return Verdict(min(wait_us, rate.window_us))
    full = start_of(rate, now_us)
    return Verdict(0, full if full - number > rate.window_us // SLACK_PART else None)
