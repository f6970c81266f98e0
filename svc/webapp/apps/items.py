"""What is on its way to an app. Pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Item"]


@dataclass(slots=True, eq=False)
class Item:
    """One event for an app, from when it was read until the app has it or it is given up."""

    id: str
    """Of its envelope."""
    name: str
    """Its type, for metrics and logs."""
    channel_id: str
    offset: int
    """The place that it came from."""
    commit_us: int
    payload: bytes
    """The encoded event_callback."""
    attempts: int = 0
    """Tries that the app did not answer, or answered with a failure."""
    losses: int = 0
    """Times that the connection went away with it unanswered."""
    lost_at: float = 0.0
    """When that first happened (monotonic seconds)."""
    reason: str = ""
    """Why the last try failed; "" for none."""
    tried_at: str = ""
    """The connection that had it last."""

    @property
    def size(self) -> int:
        """Bytes that it takes in memory, about."""
        return len(self.payload) + 400
