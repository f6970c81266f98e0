"""Pure: how many uses of a shared store to allow at once, judged by how long it takes to answer.

A store has a number of requests that it can work on; more only wait inside it, where nothing knows which matters more.
That number is found as TCP finds a window: one more while answers come as quickly as they used to, fewer by the ratio
in which they have become slower. After Netflix's concurrency-limits (Gradient2: a tolerated ratio of the present to a
long-term time; "Performance Under Load", 2018), with four changes for pools that are small:

- the time of a window is that of its quicker quarter: a few heavy queries, or waits for a lock, are no slowness;
- below `calm_s` nothing is slow, whatever it used to be: a busy event loop alone makes 1 ms look like 10;
- the long-term time falls at once and rises by 0.1 % a second, so that an overload of minutes is not learnt as normal;
- decreases are not smoothed, and growth is one a window: from floor to ceiling in seconds, not minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

SAMPLES_MAX = 256
"""Times kept of one window; a quarter of 256 is known well enough."""


@dataclass(frozen=True, slots=True)
class LimitRules:
    """How the limit moves."""

    floor: int
    """Never fewer than this: what is left must be able to notice that the store has recovered."""
    ceiling: int
    tolerance: float = 2.0
    """Times slower than usual that is still fine; raising it lets more queue inside the store."""
    calm_s: float = 0.02
    """An answer within this is never slow. Twenty times a look-up by key, and still nothing that a person notices."""
    window_s: float = 0.25
    samples_min: int = 8
    """A window with fewer is left open, up to four times as long."""
    rise_per_s: float = 0.001
    """Growth of the long-term time: what became twice as slow for good is normal after 12 minutes."""


class GradientLimit:
    """The limit of one store. Begins at its ceiling."""

    def __init__(self, rules: LimitRules) -> None:
        if not 1 <= rules.floor <= rules.ceiling:
            raise ValueError(f"1 <= floor <= ceiling, not {rules.floor} and {rules.ceiling}")
        self._rules = rules
        self._limit = float(rules.ceiling)
        self._usual_s = 0.0
        self._window: list[float] = []
        self._since = 0.0
        self._busiest = 0
        self._learnt_at = 0.0
        self.is_slow = False
        """Whether the answers of the last window were slow. The limit alone does not say so: it stays low while nobody
        needs more."""

    @property
    def limit(self) -> int:
        """Uses to allow at once."""
        return int(self._limit)

    @property
    def usual_s(self) -> float:
        """The long-term time of the quicker quarter; 0 until it is known."""
        return self._usual_s

    @property
    def slow_s(self) -> float:
        """What is longer than this is slow."""
        return max(self._rules.calm_s, self._rules.tolerance * self._usual_s)

    def sample(self, took_s: float, in_use: int, now: float, *, was_cut: bool = False) -> None:
        """Learn that one use took `took_s` while `in_use` were under way, itself included.

        `was_cut`: it was ended before its answer, so it says something only if that was slow already.
        """
        if was_cut and took_s <= self.slow_s:
            return
        if not self._window:
            self._since, self._busiest = now, 0
        if len(self._window) < SAMPLES_MAX:
            self._window.append(took_s)
        self._busiest = max(self._busiest, in_use)
        open_s = now - self._since
        patience = 1 if len(self._window) >= self._rules.samples_min else 4
        if open_s >= patience * self._rules.window_s:
            self._close(now)

    def _close(self, now: float) -> None:
        rules = self._rules
        quick_s = sorted(self._window)[len(self._window) // 4]
        self._window.clear()
        self.is_slow = bool(self._usual_s) and quick_s > self.slow_s
        if self.is_slow:
            self._limit = max(rules.floor, self._limit * max(0.5, self.slow_s / quick_s))
        elif self._busiest * 2 >= self._limit:
            # A limit that nobody reaches says nothing of what the store could bear.
            self._limit = min(rules.ceiling, self._limit + 1)
        self._learn(quick_s, now)

    def _learn(self, quick_s: float, now: float) -> None:
        if not self._usual_s or quick_s < self._usual_s:
            self._usual_s = quick_s
        else:
            risen = self._usual_s * (1.0 + self._rules.rise_per_s * (now - self._learnt_at))
            self._usual_s = min(quick_s, risen)
        self._learnt_at = now
