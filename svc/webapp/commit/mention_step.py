"""Noting whom messages are meant for, and unnoting it when one is removed: right in any order.

A message may be removed before its mentions are noted, which happens behind the posts. So whoever notes looks
afterwards whether the messages are still there to read, and takes back what is not: a removal that he does not see
comes later, and its own step takes the mention away.
"""

from __future__ import annotations

from collections.abc import Sequence

from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.user import UserStore

__all__ = ["note_mentions"]


async def note_mentions(users: UserStore, channels: ChannelStore, rows: Sequence[tuple[str, str, int]]) -> None:
    """Note that messages are meant for users, (user, channel, ts); three statements at the most. Idempotent."""
    if not rows:
        return
    await users.mention(rows)
    there = await channels.to_read_among(sorted({(channel_id, ts_us) for _, channel_id, ts_us in rows}))
    await users.unmention([row for row in rows if row[1:] not in there])
