"""Pure: how many boots a second one webapp lets begin, and whose.

After a failure everybody comes back at once. What that costs is known only while it happens: from a warm edge a boot
is a query or two, from a cold one a dozen, and what the database bears depends on what else it does. So the rate is
found as TCP finds a window (additive increase, multiplicative decrease: Chiu & Jain 1989; Jacobson 1988): from a rate
that leaves half of a core to others, a little more in each window in which all was well and somebody was refused, a
good part less in one in which it was not: when the edge served too few of the boots, when the database was slow, when
the loop of this process came late to everything (then those who are here wait as well), or when boots themselves took
too long. What the edge does not serve is only likely to be too much: while everything else is well, that alone does
not cut below what the rows can be asked for. After a cut nothing counts that began before it, so there is at most one
cut in the time that a boot takes. And no more boots are under way than the rate lets begin in the longest time that
one may take: more would only wait, unseen.

Who is let in: a boot takes a token. Each class has a share of the tokens that nobody else takes, so that none starves;
what the shares do not take, and the rest, is common. Of that the last part is left to those who resume, the part before
to those who reconnect: they have users in front of them who saw it work a moment ago, and cost the least.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from random import Random

from svc.kit.config import setting

__all__ = ["BootClass", "BootRate", "BootRules", "Window"]


class BootClass(IntEnum):
    """Who boots, the most welcome first."""

    RESUME = 0
    """Has positions, and gets a delta."""
    RECONNECT = 1
    """Was here a moment ago."""
    COLD = 2
    """Begins."""


SHARES: Mapping[BootClass, float] = {BootClass.RESUME: 0.2, BootClass.RECONNECT: 0.1, BootClass.COLD: 0.1}
"""Of the rate, what each class has for itself."""

RESERVES: Mapping[BootClass, float] = {BootClass.RESUME: 0.0, BootClass.RECONNECT: 0.25, BootClass.COLD: 0.5}
"""Of the common tokens, what is left to those before each class."""

BURST_S = 0.15
"""Tokens kept, in seconds of the rate: those of one class, and the common ones."""

SAMPLES_MIN = 5
"""Boots in a window that say anything of a share."""

TIMES_MAX = 1_000
"""Times of boots that are kept of one window."""

LATE_STOP = 3.0
"""How many times as late as it may be the loop is when none begins but the only one: a burst has outrun the windows."""

CUT = 0.7
"""What is left of the rate after a bad window: three cuts and it is a third."""


@dataclass(frozen=True, slots=True)
class BootRules:
    """How the rate moves."""

    rate_max: float = setting(
        "PARLEY_WEBAPP_BOOTS_PER_S",
        default=400.0,
        minimum=1.0,
        help="boots a second that this webapp ever lets begin; about what a core makes",
    )
    rate_start: float = setting(
        "PARLEY_WEBAPP_BOOTS_START_PER_S",
        default=200.0,
        minimum=0.1,
        help="boots a second that are let begin when many come after a quiet time: about half of a core",
    )
    rate_min: float = setting(
        "PARLEY_WEBAPP_BOOTS_MIN_PER_S",
        default=5.0,
        minimum=0.1,
        help="boots a second that are let begin however bad it is: what is left must notice that it is better",
    )
    rise: float = setting(
        "PARLEY_WEBAPP_BOOTS_RISE",
        default=40.0,
        minimum=0.1,
        help="boots a second that are added in each half second in which all was well and some were refused",
    )
    edge_share_min: float = setting(
        "PARLEY_WEBAPP_BOOTS_EDGE_SHARE",
        default=0.8,
        minimum=0.0,
        maximum=1.0,
        help="share of boots that the edge must serve; with fewer, what is let begin is cut",
    )
    rate_cold: float = setting(
        "PARLEY_WEBAPP_BOOTS_COLD_PER_S",
        default=40.0,
        minimum=0.1,
        help="boots a second that are let begin though edges serve few of them, while all else is well; each costs the"
        " database a dozen queries",
    )
    boot_s_max: float = setting(
        "PARLEY_WEBAPP_BOOT_S_MAX",
        default=1.5,
        minimum=0.01,
        help="seconds that the middle boot may take; with longer ones, what is let begin is cut",
    )
    loop_late_s_max: float = setting(
        "PARLEY_WEBAPP_BOOTS_LOOP_LATE_S_MAX",
        default=0.08,
        minimum=0.001,
        help="seconds that the event loop may be late, usually; above it what is let begin is cut, at thrice it stops",
    )
    window_s: float = setting(
        "PARLEY_WEBAPP_BOOTS_WINDOW_S",
        default=0.5,
        minimum=0.05,
        help="seconds between decisions about the rate; longer than a boot takes while all is well",
    )


@dataclass(slots=True)
class Window:
    """What was seen since the last decision."""

    since: float
    served_by_edge: int = 0
    served_by_rows: int = 0
    was_database_slow: bool = False
    is_troubled: bool = False
    """Whether something was wrong that a cut may have mended already: no reason for another, nor for more."""
    took_s: list[float] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    refused: int = 0

    def is_cold(self, rules: BootRules) -> bool:
        """Tell whether the edges served too few of the boots."""
        served = self.served_by_edge + self.served_by_rows
        return served >= SAMPLES_MIN and self.served_by_edge < rules.edge_share_min * served

    def is_bad(self, rules: BootRules) -> bool:
        """Tell whether it was too much for anybody: for the database, for this process, or for those who booted."""
        is_slow = len(self.took_s) >= SAMPLES_MIN and _middle(self.took_s) > rules.boot_s_max
        return is_slow or self.was_database_slow or _middle(self.late_s) > rules.loop_late_s_max


class BootRate:
    """The rate of one webapp, and its tokens. `now`: monotonic seconds."""

    def __init__(self, rules: BootRules, now: float, rng: Random) -> None:
        """Begin as after a quiet time."""
        self._rules = rules
        self._rng = rng
        self.rate = self._quiet_rate
        self._filled_at = now
        self._own = {each: self.rate * share * BURST_S for each, share in SHARES.items()}
        self._common = self._common_max
        self._window = Window(now)
        self._cut_at = now - rules.window_s
        self._round_trip_s = rules.window_s
        self._refused_last = 0
        self._late_s = 0.0
        self.under_way = 0
        """Boots that have begun and not ended."""

    @property
    def _quiet_rate(self) -> float:
        return min(self._rules.rate_start, self._rules.rate_max)

    @property
    def _common_max(self) -> float:
        return max(2.0, self.rate * (1.0 - sum(SHARES.values())) * BURST_S)

    def take(self, who: BootClass, now: float) -> float:
        """Let a boot begin and return 0; or return after how many seconds it may try again. One that begins `ends`."""
        self._settle(now)
        if self._has_room and self._take(who):
            self.under_way += 1
            return 0.0
        self._window.refused += 1
        return self._retry_after_s(who)

    def check(self, who: BootClass, now: float) -> float:
        """Return 0 if a boot could begin, else after how many seconds it may try again; nothing is taken for it."""
        self._settle(now)
        if self._has_room and self._could_take(who):
            return 0.0
        self._window.refused += 1
        return self._retry_after_s(who)

    def ends(self, began: float, now: float) -> None:
        """Learn that a boot is over, however it went."""
        self.under_way -= 1
        self._settle(now)
        took_s = now - began
        if began < self._cut_at:
            self._window.is_troubled |= took_s > self._rules.boot_s_max
        elif len(self._window.took_s) < TIMES_MAX:
            self._window.took_s.append(took_s)

    def note_served(self, by_edge: bool, began: float, now: float) -> None:
        """Learn by whom a boot was served."""
        self._settle(now)
        if began < self._cut_at:
            return
        if by_edge:
            self._window.served_by_edge += 1
        else:
            self._window.served_by_rows += 1

    def note_database(self, is_slow: bool, now: float) -> None:
        """Learn whether the database takes longer than it used to."""
        self._settle(now)
        # What a cut does to it is seen when what began before is over.
        self._window.is_troubled |= is_slow
        self._window.was_database_slow |= is_slow and now - self._cut_at >= self._round_trip_s

    def note_loop(self, late_s: float, now: float) -> None:
        """Learn how late the loop was just now; to be told many times in a window."""
        self._settle(now)
        self._late_s = late_s
        if now - self._cut_at >= self._rules.window_s and len(self._window.late_s) < TIMES_MAX:
            self._window.late_s.append(late_s)

    @property
    def _has_room(self) -> bool:
        if not self.under_way:
            return True
        is_stuck = self._late_s > LATE_STOP * self._rules.loop_late_s_max
        return not is_stuck and self.under_way < self.rate * self._rules.boot_s_max

    def _take(self, who: BootClass) -> bool:
        if not self._could_take(who):
            return False
        if self._own[who] >= 1.0:
            self._own[who] -= 1.0
        else:
            self._common -= 1.0
        return True

    def _could_take(self, who: BootClass) -> bool:
        return self._own[who] >= 1.0 or self._common >= 1.0 + RESERVES[who] * self._common_max

    def _settle(self, now: float) -> None:
        self._fill(now)
        if now - self._window.since < self._rules.window_s:
            return
        window, self._window = self._window, Window(now)
        rules = self._rules
        self._round_trip_s = max(rules.window_s, _middle(window.took_s))
        if window.is_bad(rules):
            self._cut_at = now
            self.rate = max(rules.rate_min, self.rate * CUT)
        elif window.is_cold(rules):
            self._cut_at = now
            self.rate = max(min(self.rate, rules.rate_cold), self.rate * CUT)
        elif not window.is_troubled:
            self.rate = self._raised(window, now)
        self._refused_last = window.refused

    def _raised(self, window: Window, now: float) -> float:
        """Return the rate after a window in which all was well: more if it was too little, else as in quiet times."""
        # In a quiet hour nobody asks, and a window is as long as that.
        step = self._rules.rise * (now - window.since) / self._rules.window_s
        if window.refused:
            return min(self._rules.rate_max, self.rate + step)
        if self.rate < self._quiet_rate:
            return min(self._quiet_rate, self.rate + step)
        return max(self._quiet_rate, self.rate - step)

    def _fill(self, now: float) -> None:
        new = self.rate * max(0.0, now - self._filled_at)
        self._filled_at = now
        common = new
        for each, share in SHARES.items():
            limit = max(1.0, self.rate * share * BURST_S)
            kept = min(limit, self._own[each] + new * share)
            common -= max(0.0, kept - self._own[each])
            self._own[each] = kept
        self._common = min(self._common_max, self._common + common)

    def _retry_after_s(self, who: BootClass) -> float:
        """Return a time in which all who were refused find room, spread over it, sooner for who is more welcome."""
        waiting = max(self._window.refused, self._refused_last)
        spread_s = min(20.0, 1.0 + (1 + who) * waiting / self.rate)
        return self._rng.uniform(0.5, 0.5 + spread_s)


def _middle(times: list[float]) -> float:
    return sorted(times)[len(times) // 2] if times else 0.0
