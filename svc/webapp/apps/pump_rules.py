"""Bounds of one app: what it may have under way, and how what it does not take is tried again. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from svc.webapp.apps.posting import PostingRules
from svc.webapp.apps.window import WindowRules

__all__ = ["PumpRules"]


@dataclass(frozen=True, slots=True)
class PumpRules:
    """Bounds of one app."""

    pending_max: int = 256
    """Events read and not delivered."""
    pending_bytes_max: int = 4 * 1024 * 1024
    age_max_s: float = 3600.0
    """Older events are not for apps any more: what a bot says to them would come too late."""
    read_channels_max: int = 16
    read_events_max: int = 50
    """Of each channel: what one read of the log brings."""
    leave_s: float = 2.0
    """How long answers are waited for before the app goes to another owner."""
    window: WindowRules = field(default_factory=WindowRules)
    """Of what goes over its sockets."""
    posting: PostingRules = field(default_factory=PostingRules)
    """Of what goes to its URL."""
