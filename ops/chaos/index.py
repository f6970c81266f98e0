"""A record's posts and log, by key and by place: what the judge looks things up in. Pure."""

from __future__ import annotations

from functools import cached_property

from ops.chaos.record import Entry, Outcome, Post, Record


class Index:
    """Look-ups over one record; nothing of it changes."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.posts = {post.key: post for post in record.posts}
        self.acked = {post.key: post for post in record.posts if post.outcome is Outcome.ACKED}
        self.entries: dict[str, dict[int, Entry]] = {
            channel: {entry.offset: entry for entry in entries} for channel, entries in record.log.items()
        }

    @cached_property
    def load(self) -> dict[str, frozenset[int]]:
        """The visible offsets of each conversation since the load began."""
        return {
            channel: frozenset(o for o, e in self.entries.get(channel, {}).items() if e.is_visible and o > base)
            for channel, base in self.record.base.items()
        }

    def entry(self, channel_id: str, offset: int) -> Entry | None:
        """Return what the log holds at a place."""
        return self.entries.get(channel_id, {}).get(offset)

    def post_at(self, channel_id: str, offset: int) -> Post | None:
        """Return the post of the load, whatever its outcome, that is stored at a place."""
        entry = self.entry(channel_id, offset)
        return self.posts.get(entry.key) if entry else None

    def acked_at(self, channel_id: str, offset: int) -> Post | None:
        """Return the acknowledged post of the load that is stored at a place."""
        entry = self.entry(channel_id, offset)
        return self.acked.get(entry.key) if entry else None
