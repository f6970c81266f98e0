"""A token bucket: something may happen so often, and what was not used may be saved up. Pure.

For a fixed rate that one party has. Where the rate is found by trying, or several kinds share it with reserves, the
rules are of another sort: see `svc.gateway.admission` and `svc.webapp.domain.boot.rate`.
"""

from __future__ import annotations

__all__ = ["TokenBucket"]


class TokenBucket:
    """At most `burst` tokens, `per_s` new ones a second. 64 bytes."""

    __slots__ = ("_at", "_burst", "_per_s", "_tokens")

    def __init__(self, per_s: float, burst: int, now: float) -> None:
        """Start full at `now` (monotonic seconds). `per_s` is above 0."""
        self._per_s = per_s
        self._burst = burst
        self._tokens = float(burst)
        self._at = now

    def take(self, now: float, count: int = 1) -> float:
        """Take `count` tokens and return 0, or return after how many seconds there will be as many.

        Never more than `burst` are asked for, or who wants more would wait for ever.
        """
        count = min(count, self._burst)
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._per_s)
        self._at = now
        if self._tokens < count:
            return (count - self._tokens) / self._per_s
        self._tokens -= count
        return 0.0
