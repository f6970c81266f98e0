"""Which of the committer's lanes a channel is in. Pure.

A lane takes a contiguous range of the hashes by which Vitess shards the channel keyspace (the vindex binary_md5), each
as wide as the others. With as many lanes as shards, or any power of two above that, all channels of a lane are on one
shard, and its transactions too: one that spans shards would be committed shard by shard, and could be half true.
"""

import hashlib

__all__ = ["lane_of"]


def lane_of(channel_id: str, lanes: int) -> int:
    """Return a lane from 0 to `lanes` - 1. All processes agree."""
    digest = hashlib.md5(channel_id.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "big") * lanes >> 64
