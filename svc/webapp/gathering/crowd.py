"""Pure: when those who come back wait for one another, so that a crowd of them is a few reads.

Who shares a read is whoever asks while one is under way, and that is few of five hundred a second when a read takes two
milliseconds: a gateway's death would be a thousand reads of each kind within seconds. A client that comes back has its
screen already and can wait a moment; so when many such ask, the next read for them alone begins some time after the one
before. It costs each of them that much at most, for each kind that it needs, and bounds what a storm of any size asks
of the database. Who is alone in waiting is no crowd, and goes on at once, or nearly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Crowd", "CrowdRules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdRules:
    """What is a crowd, and what it waits."""

    asks: float = 10.0
    """Asks of those who come back within about a second; with more of them they are a crowd."""
    gap_s: float = 0.4
    """Between two reads for a crowd alone. A boot needs up to four kinds, opening its session three."""
    glance_s: float = 0.02
    """Between two reads while one alone waits: within this, more of a crowd come."""


class Crowd:
    """Those who come back and ask for one kind of read. `now`: monotonic seconds."""

    def __init__(self, rules: CrowdRules) -> None:
        """Nobody has come."""
        self._rules = rules
        self._asks = 0.0
        self._at = 0.0
        self._read_at = float("-inf")

    def began(self, asks: int, now: float) -> None:
        """Learn that a read began which so many of them share."""
        self._asks = self._recent(now) + asks
        self._at = self._read_at = now

    def wait_s(self, waiting: int, now: float) -> float:
        """Return how long the next read waits if it is for so many of them, and nobody else."""
        rules = self._rules
        if self._recent(now) < rules.asks:
            return 0.0
        return max(0.0, self._read_at + (rules.gap_s if waiting > 1 else rules.glance_s) - now)

    def _recent(self, now: float) -> float:
        """Return how many asked in about the last second: each counts less the longer ago it was."""
        return self._asks * math.exp(min(0.0, self._at - now))
