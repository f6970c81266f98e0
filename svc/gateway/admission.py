"""Pure: how fast new connections may come in, and who comes first when too many do.

One token bucket for all, with a reserve that only some may touch: a client that resumes takes the last token, one that
reconnects leaves a quarter of the burst, and one that boots from nothing leaves half. So after a gateway's death those
who were connected are served before those who have yet to begin, and each wait is as long as its place in the crowd.

Rate and burst adapt as TCP's window does: halved when opening a session takes too long, since then what sessions need
(webapp, its databases) is busy with those who are in, and regained by so much a second. Source: Chiu & Jain 1989.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from random import Random

from svc.kit.config import setting


class Arrival(Enum):
    """Why a client connects; the value is the share of the burst that it leaves to those before it."""

    RESUME = 0.0
    """It has a token, and needs what it missed."""
    RECONNECT = 0.25
    """It was connected, and knows its workspace."""
    BOOT = 0.5
    """It begins from nothing, which costs the most."""


def arrival_of(flags: Collection[str]) -> Arrival:
    """Return the kind of arrival that a ticket's flags tell."""
    # A cold boot resumes as well, from where it was made; it is no more urgent for that.
    if "resume" in flags and "cold" not in flags:
        return Arrival.RESUME
    return Arrival.RECONNECT if "reconnect" in flags else Arrival.BOOT


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """How fast a gateway takes connections in."""

    admit_per_s: float = setting(
        "PARLEY_GATEWAY_ADMIT_PER_S",
        default=500.0,
        minimum=0.1,
        help="new connections a second at most; each costs about a millisecond here and a query in webapp",
    )
    admit_per_s_min: float = setting(
        "PARLEY_GATEWAY_ADMIT_PER_S_MIN",
        default=250.0,
        minimum=0.1,
        help="new connections a second that are taken in however long opening them takes: 2,000 in 8 s",
    )
    admit_raise_per_s: float = setting(
        "PARLEY_GATEWAY_ADMIT_RAISE_PER_S",
        default=25.0,
        minimum=0.0,
        help="by how much the rate grows each second after it was halved",
    )
    opening_s_max: float = setting(
        "PARLEY_GATEWAY_OPENING_S_MAX",
        default=1.5,
        minimum=0.01,
        help="seconds that opening a session may take; when one takes longer, the rate is halved, once in that time",
    )
    admit_burst: int = setting(
        "PARLEY_GATEWAY_ADMIT_BURST",
        default=4_000,
        minimum=4,
        help="connections taken at once after a quiet time; those that do not resume leave a quarter or half of it",
    )
    retry_after_max_s: int = setting(
        "PARLEY_GATEWAY_RETRY_AFTER_MAX_S", default=60, minimum=1, help="longest Retry-After of a refused client"
    )


class Admission:
    """The bucket. Refused clients are told to come back when their turn is likely, and spread around it."""

    def __init__(self, limits: AdmissionLimits, rng: Random, now: float) -> None:
        """Start with a full bucket at `now` (monotonic seconds)."""
        self._limits = limits
        self._rng = rng
        self._tokens = float(limits.admit_burst)
        self._at = now
        self._cut_at = float("-inf")
        self.rate_per_s = limits.admit_per_s
        """Connections a second now."""
        self._crowd = 0.0
        """Refused clients that are still to come back, if they come when they were told to."""
        self.admitted = dict.fromkeys(Arrival, 0)
        self.refused = dict.fromkeys(Arrival, 0)

    def admit(self, arrival: Arrival, now: float) -> int:
        """Admit one client and return 0, or return after how many whole seconds it should come again."""
        limits = self._limits
        self._refill(now)
        lacking = arrival.value * self._burst + 1.0 - self._tokens
        if lacking <= 0.0:
            self._tokens -= 1.0
            self.admitted[arrival] += 1
            return 0
        self.refused[arrival] += 1
        self._crowd = min(self._crowd + 1.0, self.rate_per_s * limits.retry_after_max_s)
        wait_s = (lacking + self._crowd) / self.rate_per_s
        return min(limits.retry_after_max_s, 1 + int(self._rng.uniform(0.5, 1.5) * wait_s))

    def opened(self, took_s: float, now: float) -> None:
        """Learn how long the opening of a session took, from its turn in the crowd to its subscriptions."""
        limits = self._limits
        if took_s <= limits.opening_s_max or now - self._cut_at < limits.opening_s_max:
            return  # one verdict in the time that it takes to see what the last one did
        self._refill(now)
        self._cut_at = now
        self.rate_per_s = max(self.rate_per_s / 2, min(limits.admit_per_s_min, limits.admit_per_s))
        self._tokens = min(self._tokens, self._burst)

    @property
    def _burst(self) -> float:
        """Return what may come at once, as the rate is now: never less than the lowest rate allows."""
        return max(4.0, self._limits.admit_burst * self.rate_per_s / self._limits.admit_per_s)

    def _refill(self, now: float) -> None:
        limits, passed_s = self._limits, max(0.0, now - self._at)
        self._at = now
        earned = passed_s * self.rate_per_s
        self.rate_per_s = min(limits.admit_per_s, self.rate_per_s + passed_s * limits.admit_raise_per_s)
        self._tokens = min(self._burst, self._tokens + earned)
        self._crowd = max(0.0, self._crowd - earned)
