"""What the apps of one process did; for metrics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from svc.webapp.apps.ways import Outcome

__all__ = ["Tally"]


@dataclass(slots=True)
class Tally:
    """Counts since the start."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    """Events by what became of them."""
    lost: int = 0
    """Events that were gone from the log when they were read."""
    taken: int = 0
    """Times that an app was taken over."""
    unsaved: int = 0
    """Times that a place could not be saved, for another had taken it."""
