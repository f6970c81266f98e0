"""Following channels in a simulation: how a process attaches to channel servers, and what is asked of its feed."""

from __future__ import annotations

from typing import cast

from ops.sim.consul import Watch
from ops.sim.lines import connect
from ops.sim.mesh import Process
from svc.feed.feed import AttachStream, Feed


def attached(process: Process, ring: Watch, server_id: str) -> AttachStream:
    """Open a stream to a channel server that `ring` has. Raises LookupError."""
    if server_id not in ring.ids:
        raise LookupError(f"{server_id} is not on the ring any more")
    return cast(AttachStream, connect(process, server_id, lambda servicer: servicer.Attach))


class Following:
    """See mesh.Subscriber."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def standing(self, server_id: str, channel_id: str) -> object | None:
        """See Subscriber."""
        channel = self._feed._plan._channels.get(channel_id)
        return channel if channel is not None and server_id in channel.at else None

    def holds(self, channel_id: str, offset: int) -> bool:
        """See Subscriber."""
        positions = self._feed._positions
        follower = positions._gaps.get(channel_id)
        is_missed = follower is not None and follower._gap is not None and follower._gap.head >= offset
        return is_missed or positions._lasts[channel_id] >= offset
