"""When to try again, and whether one may: pure arithmetic, no timers.

Full jitter after Brooker, "Exponential Backoff and Jitter" (AWS Architecture Blog, 2015); the budget after the Finagle
`RetryBudget`: retries are a share of calls, so an outage is not multiplied.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


class Backoff:
    """A jittered exponential schedule: the n-th wait is uniform up to min(cap, base * 2^n), at least a tenth of it."""

    def __init__(self, base_s: float = 0.05, cap_s: float = 5.0, rng: random.Random | None = None) -> None:
        self._base_s = base_s
        self._cap_s = cap_s
        self._rng = rng or random.Random()
        self._tries = 0

    def next_s(self) -> float:
        """Return how many seconds to wait before the next try."""
        ceiling = min(self._cap_s, self._base_s * (1 << min(self._tries, 30)))
        self._tries += 1
        # Never zero: a loop that fails at once must not spin.
        return self._rng.uniform(ceiling * 0.1, ceiling)

    def reset(self) -> None:
        """Forget the failures; call after a success."""
        self._tries = 0


@dataclass(slots=True)
class RetryBudget:
    """Allows retries as a share of calls, plus a small steady allowance so that quiet callers may retry at all.

    `ratio` 0.1 is one retry for ten calls; `floor_per_s` retries a second are free. At most `burst` may be saved up.
    """

    ratio: float = 0.1
    floor_per_s: float = 1.0
    burst: float = 100.0
    _tokens: float = 10.0
    _at: float | None = None

    def record_call(self, now: float) -> None:
        """Count a first try."""
        self._refill(now)
        self._tokens = min(self.burst, self._tokens + self.ratio)

    def may_retry(self, now: float) -> bool:
        """Take one retry from the budget; False when there is none left."""
        self._refill(now)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def _refill(self, now: float) -> None:
        if self._at is not None:
            self._tokens = min(self.burst, self._tokens + max(0.0, now - self._at) * self.floor_per_s)
        self._at = now
