"""What is read of a channel's log at once."""

from dataclasses import dataclass

__all__ = ["LogPage"]


@dataclass(frozen=True, slots=True)
class LogPage:
    """A run of one channel's log, in offset order with no hole."""

    channel_id: str
    events: tuple[bytes, ...]
    """Serialised parley.event.v1.Event."""
    head_offset: int
    """Highest offset of the channel, 0 when it has no event."""
    truncated: bool
    """True when retention dropped events that were asked for; `events` is then empty."""
    left_from: int = 0
    """Of a truncated page: where what is left begins; beyond the head when nothing is."""
