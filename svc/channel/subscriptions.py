"""Who follows which channel. Pure; the one structure that a channel nobody publishes to costs.

A channel followed by one subscriber costs a dictionary entry that points to a tuple shared by all such channels.
"""

from __future__ import annotations

from collections.abc import Iterable

from svc.channel.fanout import Attachment

NOBODY: tuple[Attachment, ...] = ()


class Subscriptions:
    """Channel to attachments. Each attachment's own set of channels is kept in step (`Attachment.channels`)."""

    def __init__(self) -> None:
        self._followers: dict[str, tuple[Attachment, ...]] = {}

    def __len__(self) -> int:
        """How many channels are followed by anybody."""
        return len(self._followers)

    def followers(self, channel_id: str) -> tuple[Attachment, ...]:
        """Return the attachments that follow a channel, in the order of their subscribing."""
        return self._followers.get(channel_id, NOBODY)

    def add(self, channel_id: str, attachment: Attachment) -> None:
        """Let `attachment` follow the channel. Idempotent."""
        if channel_id in attachment.channels:
            return
        before = self._followers.get(channel_id)
        self._followers[channel_id] = attachment.solo if before is None else (*before, attachment)
        attachment.channels.add(channel_id)

    def remove(self, channel_ids: Iterable[str], attachment: Attachment) -> None:
        """Let `attachment` follow these channels no longer; those that it does not follow are ignored."""
        for channel_id in channel_ids:
            if channel_id in attachment.channels:
                attachment.channels.discard(channel_id)
                self._drop(channel_id, attachment)

    def remove_all(self, attachment: Attachment) -> None:
        """Forget an attachment."""
        for channel_id in attachment.channels:
            self._drop(channel_id, attachment)
        attachment.channels = set()
        attachment.leaving = {}

    def _drop(self, channel_id: str, attachment: Attachment) -> None:
        left = tuple(other for other in self._followers[channel_id] if other is not attachment)
        if not left:
            del self._followers[channel_id]
        else:
            self._followers[channel_id] = left[0].solo if len(left) == 1 else left
