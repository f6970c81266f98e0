"""Which conversations a boot describes the people of: those with the newest messages. Pure.

Decided in two places that must agree as far as they can: an edge, which sends the people with how far the conversations
have come, and the webapp, which asks again for whom it misses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nlargest

from parley.boot.v1 import boot_pb2 as boot

__all__ = ["newest", "recent_peers"]


def newest(latest: Iterable[tuple[int, str]], limit: int) -> list[str]:
    """Return the ids, of pairs of a newest message's ts (0 for none) and an id, with the newest messages, newest first;
    those without any are left out.
    """
    return [each for latest_us, each in nlargest(limit, latest) if latest_us]


def recent_peers(
    peer_ids: Sequence[str], activities: Sequence[boot.ConversationActivity], limit: int
) -> dict[str, None]:
    """Return the people of the direct messages with the newest messages; `peer_ids` are as BootRequest has them."""
    direct = ((each, peer_id) for peer_id, each in zip(peer_ids, activities, strict=False) if peer_id)
    peers = {each.channel_id: (each.latest_message_ts_us, peer_id) for each, peer_id in direct}
    recent = newest(((latest_us, each) for each, (latest_us, _) in peers.items()), limit)
    return {peers[each][1]: None for each in recent}
