"""How far conversations have come: asked of the webapp once, and told by their events from then on.

The first boot that names a conversation has it read, with all others that are unknown, and followed from the head that
was read. So the next boot of anybody in it costs no query. What is held is answered from only while the feed vouches
for it (freshness.py), or for as long after it was read; otherwise it is read again, which is what the webapp would do
in the edge's place, but once for all who ask.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from parley.boot.v1 import boot_pb2 as boot
from parley.event.v1 import event_pb2 as event_pb
from svc.edge.conversations.asking import ActivityReader, Asking
from svc.edge.conversations.table import Conversations, Far
from svc.edge.following import Following
from svc.edge.freshness import FRESH_S, Heard
from svc.kit.clock import Clock
from svc.kit.errors import UnavailableError
from svc.kit.lifecycle import Tasks

ROUNDS_MAX = 3
"""How often a caller's channels are read until all that is known of them is fresh at once; one nearly always does."""

log = logging.getLogger(__name__)


class Activity:
    """Activity of at most `conversations_max` conversations; the idlest goes first, and is unfollowed."""

    def __init__(
        self,
        conversations_max: int,
        reader: ActivityReader,
        following: Following,
        feed: Heard,
        clock: Clock,
        tasks: Tasks,
    ) -> None:
        self._held = Conversations(conversations_max)
        self._following = following
        self._feed = feed
        self._clock = clock
        self.asking = Asking(reader, clock, tasks, self._heard)
        self.stale = 0
        """Times that a conversation was asked for whose owner was not heard, or not yet."""
        self.forgotten = 0
        """Conversations forgotten because events of theirs can never be had."""

    @property
    def followed_count(self) -> int:
        """Conversations held and followed."""
        return len(self._held)

    @property
    def evicted(self) -> int:
        """Conversations forgotten for want of room."""
        return self._held.evicted

    async def activities(self, channel_ids: Sequence[str]) -> list[boot.ConversationActivity]:
        """Return how far each channel has come, in the same order; as of FRESH_S ago at the most.

        Does not suspend when all are held and vouched for: 4 us a channel. Raises UnavailableError when others cannot
        be read, ResourceExhaustedError when too many wait for that.
        """
        read: dict[str, tuple[Far, float]] = {}
        for _ in range(ROUNDS_MAX):
            known: dict[str, Far] = {}
            unknown = [each for each in channel_ids if each not in known and not self._knows(each, known, read)]
            if not unknown:
                return [_message(channel_id, known[channel_id]) for channel_id in channel_ids]
            # What is known may go out of date while the rest is read, or have to leave for it: it is looked at again,
            # and then all is read at once.
            asked_at = self._clock.now()
            found = await self.asking.ask(channel_ids if read else unknown)
            read |= {channel_id: (far, asked_at) for channel_id, far in found.items()}
        raise UnavailableError(f"reads of how far channels have come take longer than {FRESH_S:g} s")

    def deliver(self, events: Sequence[event_pb.Event]) -> None:
        """See following.Part."""
        take = self._held.take
        for event in events:
            left_us = event.latest_message_ts_us if event.HasField("latest_message_ts_us") else None
            if not take(event.channel_id, event.offset, event.message_ts_us, left_us):
                log.error("%s: events before offset %d were not handed on", event.channel_id, event.offset)
                self._forget(event.channel_id)

    def lost(self, channel_id: str, last: int) -> None:
        """See following.Part: read again when someone asks."""
        head = self._held.head(channel_id)
        if head is not None and head < last:
            self._forget(channel_id)

    def _knows(self, channel_id: str, known: dict[str, Far], read: Mapping[str, tuple[Far, float]]) -> bool:
        """Put what may be answered of a channel into `known`: what is held, or what was just `read`; False for none."""
        held = self._held.asked(channel_id) or read.get(channel_id)
        if held is None:
            return False
        far, read_at = held
        if not self._feed.vouches(channel_id, FRESH_S) and self._clock.now() - read_at > FRESH_S:
            self.stale += 1
            return False
        known[channel_id] = far
        return True

    def _heard(self, found: Mapping[str, Far], began_at: float) -> None:
        for channel_id, far in found.items():
            is_new = channel_id not in self._held
            gone = self._held.read(channel_id, far, began_at)
            if gone is not None:
                self._following.unfollow(gone)
            if is_new:
                self._following.follow(channel_id, far.head)

    def _forget(self, channel_id: str) -> None:
        if self._held.forget(channel_id):
            self.forgotten += 1
            self._following.unfollow(channel_id)


def _message(channel_id: str, far: Far) -> boot.ConversationActivity:
    return boot.ConversationActivity(channel_id=channel_id, head_offset=far.head, latest_message_ts_us=far.latest_us)
