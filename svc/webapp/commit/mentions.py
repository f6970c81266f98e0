"""Mentions, noted for many posts together: in a direct conversation every message has some.

A write's mentions are an effect, remembered with it. Noting each by itself would cost two small transactions a
message; here those of all posts that were committed meanwhile are noted by one statement, looked at once more by
another (`mention_step`), and forgotten by a third. The author does not wait for it: what changes is the count that
others read at their next boot. Bounds: ROWS_MAX mentions wait; beyond it, after an error and in a webapp that dies, the
effects are still there when they are due, and a sweeper carries them out.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from opentelemetry import metrics

from svc.kit.errors import ParleyError
from svc.kit.lifecycle import background
from svc.kit.mailbox import Mailbox
from svc.webapp.commit.mention_step import note_mentions
from svc.webapp.priority import Priority, at
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.outbox import OutboxStore
from svc.webapp.store.user import UserStore

__all__ = ["Mentioned", "Mentions", "run_mentions"]

log = logging.getLogger(__name__)

WRITES_MAX = 10_000
ROWS_MAX = 50_000
"""What may wait: some seconds of posts, as many as are acknowledged before a sweeper takes over."""
WRITES_A_STATEMENT = 500
ROWS_A_STATEMENT = 2_000
"""A statement of 80 KB, and 20 ms."""

Mentioned = tuple[str, int, tuple[str, ...]]
"""Conversation, ts of the message (and of the write whose only effect this is), users."""


class Mentions:
    """Notes mentions behind the requests. A crash loses none: they lie in the outbox."""

    def __init__(self, users: UserStore, channels: ChannelStore, outbox: OutboxStore) -> None:
        """See `run_mentions`."""
        self._users = users
        self._channels = channels
        self._outbox = outbox
        self._mailbox: Mailbox[Mentioned] = Mailbox(WRITES_MAX, ROWS_MAX)
        meter = metrics.get_meter(__name__)
        self._batch = meter.create_histogram("parley.webapp.mentions.batch", description="posts noted together")
        self._left = meter.create_counter("parley.webapp.mentions.left", description="posts left to the sweepers")

    def offer(self, mentioned: Mentioned) -> None:
        """Take the mentions of one write; never blocks. When there is no room they are left to the sweepers."""
        if self._mailbox.closed or not self._mailbox.put(mentioned, len(mentioned[2])):
            self._left.add(1)

    async def run(self) -> None:
        """Note what comes, for ever."""
        while True:
            batch = await self._mailbox.take(WRITES_A_STATEMENT, ROWS_A_STATEMENT)
            try:
                await self._note(batch)
            except ParleyError as error:
                self._left.add(len(batch))
                log.warning("mentions of %d posts are left to the sweepers: %s", len(batch), error)

    async def _note(self, batch: Sequence[Mentioned]) -> None:
        rows = [(user_id, channel_id, ts_us) for channel_id, ts_us, user_ids in batch for user_id in user_ids]
        await note_mentions(self._users, self._channels, rows)
        await self._outbox.delete_writes_effects([(channel_id, ts_us) for channel_id, ts_us, _ in batch])
        self._batch.record(len(batch))


@asynccontextmanager
async def run_mentions(users: UserStore, channels: ChannelStore, outbox: OutboxStore) -> AsyncIterator[Mentions]:
    """Yield what notes mentions while the block runs; what waits at its end is left to the sweepers."""
    mentions = Mentions(users, channels, outbox)
    async with background("mentions", at(Priority.POST, mentions.run())):
        yield mentions
