"""What a judge says: the ways to break the promise, single cases, and the whole. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Wrong(Enum):
    """A way to break the promise, and the figure that counts it."""

    LOST = "lost"
    """Acknowledged, and missing: from a stream that was owed it, or from history."""
    DUPLICATED = "duplicated"
    """Delivered twice to one application, or stored twice for one client_msg_id."""
    REORDERED = "reordered"
    """Delivered after a later event of its channel."""
    GAP = "unexplained_gaps"
    """An offset that is missing from a stream, with no `resume_failed` that explains it, or from the log itself."""
    LEAKED = "leaked"
    """Delivered to somebody who is no member."""
    INVENTED = "invented"
    """Delivered, and not in the log; or under another offset, ts or text than was acknowledged."""
    DIVERGED = "diverged"
    """What the Web API shows of a message, or of what is on it, is not what the log amounts to."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One case: where it was seen (a stream's name, "log" or "history"), and which event."""

    wrong: Wrong
    where: str
    channel_id: str
    offset: int
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge found. `expected` and `delivered` count acknowledged messages, once for each stream owed them."""

    expected: int
    delivered: int
    violations: tuple[Violation, ...]

    def count(self, wrong: Wrong) -> int:
        """Return how many violations of a kind there are."""
        return sum(violation.wrong is wrong for violation in self.violations)

    @property
    def is_clean(self) -> bool:
        """Whether the promise was kept."""
        return not self.violations
