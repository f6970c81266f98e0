"""What a channel server counts, for its metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from parley.channel.v1 import channel_service_pb2 as channel_pb2

Reason: TypeAlias = "channel_pb2.RefusalReason.ValueType"


@dataclass(slots=True)
class Counts:
    """What has happened since the start, for the metrics."""

    published: int = 0
    """Persisted events offered, refused ones included."""
    duplicates: int = 0
    deliveries: int = 0
    """Persisted events put into mailboxes, replays left out."""
    transients: int = 0
    """Transient events offered."""
    transients_dropped: int = 0
    holes: int = 0
    """Times that the wait for missing events was given up."""
    cut_off: int = 0
    """Subscribers cut off because they did not acknowledge or read in time."""
    refusals: dict[Reason, int] = field(default_factory=dict)
