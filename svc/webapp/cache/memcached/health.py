"""When a node counts as dead, when it is probed, and when it counts as alive again. Pure: told the time.

After Mcrouter's TKO ("technical knockout"): a node that hangs must not cost every request a deadline.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from random import Random

from svc.kit.backoff import Backoff

__all__ = ["Health", "NodeLimits", "NodeState"]


@dataclass(frozen=True, slots=True)
class NodeLimits:
    """Bounds of one node."""

    deadline_s: float = 0.05
    """An answer comes in 0.2 ms; later than this, asking MySQL is the faster way."""
    connect_s: float = 0.5
    """Of a connection, and of the deletions that come first on it."""
    refresh_s: int = 2
    """With less than this left to live, a value comes with the lease to one caller, while the others go on using it."""
    in_flight_max: int = 8192
    """Keys whose answers are owed; a further get is not sent. At 200 K gets/s, 8 K take the 40 ms that one may wait."""
    in_flight_bytes_max: int = 8 * 1024 * 1024
    """Of requests whose answers are owed: what a node that reads nothing may make us hold."""
    failures_max: int = 3
    """Deadlines missed one after the other until the node counts as dead: 150 ms, once."""
    probe_base_s: float = 0.02
    probe_cap_s: float = 1.0
    """Longest pause between signs of life asked for, jittered: a node that is back is used within a second."""
    undeleted_max: int = 10_000
    """Deletions remembered while the node is away; beyond it, it is emptied when it comes back."""


class NodeState(Enum):
    """What a node is to this process."""

    CONNECTING = "connecting"
    """Before the first attempt has ended."""
    ALIVE = "alive"
    """Asked."""
    TKO = "tko"
    """Left alone, but for probes."""


class Health:
    """One node's state, by what happens to its requests."""

    def __init__(self, limits: NodeLimits, rng: Random) -> None:
        self._failures_max = limits.failures_max
        self._backoff = Backoff(limits.probe_base_s, limits.probe_cap_s, rng)
        self._failures = 0
        self._missed_at = float("-inf")
        self.state = NodeState.CONNECTING

    def answered(self) -> None:
        """Note an answer within its deadline."""
        self._failures = 0
        if self.state is NodeState.ALIVE:
            self._backoff.reset()

    def missed(self, sent_at: float, now: float) -> bool:
        """Note that what was sent at `sent_at` has no answer by its deadline; return whether the node is dead to us.

        Deadlines that ran side by side count as one: a hundred requests in one short stall are no sign of death.
        """
        if sent_at >= self._missed_at:
            self._failures += 1
            self._missed_at = now
        if self._failures >= self._failures_max:
            self.state = NodeState.TKO
        return self.state is NodeState.TKO

    def lost(self) -> None:
        """Note that there is no connection: refused, reset, or ended by us."""
        self.state = NodeState.TKO

    def revived(self) -> None:
        """Note a sign of life, in time, from a node that has been told everything it missed."""
        self.state = NodeState.ALIVE
        self._failures = 0

    def next_probe_s(self) -> float:
        """Return how long to wait before the next probe.

        Grows until the node answers requests in time, not only probes: one that is merely slow passes some of those.
        """
        return self._backoff.next_s()
