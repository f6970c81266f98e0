"""How far behind its primary a replica is, and whether it may be asked. Pure.

`Seconds_Behind_Master` counts whole seconds of the primary's clock, and says 0 when the replica is cut off from a
primary that it has caught up with. Instead, the primary is asked now and then for its GTID position; a replica that has
applied a position has everything that was committed before the primary was asked for it. So it is known up to when a
replica is complete, on our own clock, whatever is under way. Source: MariaDB Knowledge Base, "Global Transaction ID".
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["LagRules", "Position", "ReplicaHealth", "Trail", "covers", "parse_position"]

Position = Mapping[int, int]
"""The highest sequence number of each replication domain; they rise over all servers that were ever its primary."""

_GTID = re.compile(r"(\d+)-(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class LagRules:
    """When a replica is used. Seconds."""

    lag_max_s: float = 2.0
    """A replica that may lack something older is left out. `store.query` says which reads count on this."""
    lag_back_s: float = 1.0
    """It comes back when it lacked nothing older than this…"""
    back_after_s: float = 3.0
    """…for this long, so that one that keeps falling behind is not asked each time that it catches up."""
    probe_s: float = 0.25
    """How often positions are asked for; the lag of a replica that keeps up is measured as about this."""
    probe_timeout_s: float = 0.5
    """A server that does not say where it is within this is hung, or dead."""
    trail_max: int = 32
    """Positions of the primary that are remembered: four times the longest lag that matters."""


def parse_position(text: str) -> dict[int, int]:
    """Return a list such as `0-1-100,2-1-7` by domain. Raises ValueError for another form."""
    found: dict[int, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        gtid = _GTID.fullmatch(part)
        if gtid is None:
            raise ValueError(f"{part!r} is no GTID")
        domain, _, number = map(int, gtid.groups())
        found[domain] = max(number, found.get(domain, 0))
    return found


def covers(applied: Position, wanted: Position) -> bool:
    """Tell whether a server that has applied a position has all of another. Never of an empty one: no binary log."""
    return bool(wanted) and all(applied.get(domain, 0) >= number for domain, number in wanted.items())


class Trail:
    """Where the primary was, lately."""

    def __init__(self, rules: LagRules) -> None:
        self._marks: deque[tuple[float, Position]] = deque(maxlen=rules.trail_max)

    def note(self, asked_at: float, position: Position) -> None:
        """Remember what the primary answered to a question put at `asked_at`."""
        self._marks.append((asked_at, position))

    def complete_until(self, applied: Position) -> float | None:
        """Return up to when a server has everything that was committed; None when it is not known."""
        return next((asked_at for asked_at, position in reversed(self._marks) if covers(applied, position)), None)

    def forget(self) -> None:
        """Begin anew: another server is the primary."""
        self._marks.clear()


class ReplicaHealth:
    """Whether one replica may be asked. Left out at once, taken back with patience; out to begin with."""

    def __init__(self, rules: LagRules) -> None:
        self._rules = rules
        self._complete_until: float | None = None
        self._good_since: float | None = None
        self._is_out = True

    def observed(self, now: float, complete_until: float | None) -> None:
        """Take in what a probe found."""
        if self.lag_s(now) > self._rules.lag_max_s:
            # It was out by age since the last probe, which counts as well.
            self.failed()
        self._complete_until = complete_until
        lag_s = self.lag_s(now)
        if lag_s > self._rules.lag_max_s:
            self.failed()
        elif lag_s > self._rules.lag_back_s:
            self._good_since = None
        else:
            self._good_since = now if self._good_since is None else self._good_since
            if now - self._good_since >= self._rules.back_after_s:
                self._is_out = False

    def failed(self) -> None:
        """It did not answer, or not in time: leave it out."""
        self._is_out = True
        self._good_since = None

    def lag_s(self, now: float) -> float:
        """Return how old the oldest thing may be that it lacks; infinite while nothing is known."""
        return float("inf") if self._complete_until is None else now - self._complete_until

    def is_usable(self, now: float) -> bool:
        """Tell whether it may be asked now. What is known of it ages: without probes it is out soon as well."""
        return not self._is_out and self.lag_s(now) <= self._rules.lag_max_s
