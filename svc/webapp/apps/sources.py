"""Where a pump reads: what the bot's user follows, and the logs of that, straight from the stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from parley.event.v1 import event_pb2 as event_pb
from svc.feed.filler import ChannelLog
from svc.webapp.apps.audience import Told
from svc.webapp.cache.lookups import Lookups
from svc.webapp.domain.apps.model import App
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import ConversationKind
from svc.webapp.store.user import UserStore

__all__ = ["Listed", "LogRun", "Sources", "StoreLog", "StoreSources"]


@dataclass(frozen=True, slots=True)
class Listed:
    """What a bot's user follows."""

    starts: Mapping[str, int | None]
    """Channels, each with the offset from which on it is the bot's; None for its own and its workspace's."""
    kinds: Mapping[str, ConversationKind]
    """Of those that are conversations."""
    heads: Mapping[str, int]
    """Of those that have events. The user's own was read before anything else."""

    def start(self, channel_id: str, had: int | None) -> int:
        """Return from where a channel is followed of which everything up to `had` was delivered; None: nothing was."""
        joined = self.starts[channel_id]
        if joined is None:
            return self.heads.get(channel_id, 0) if had is None else had
        # Joined anew since: what came between is not the bot's.
        return joined if had is None else max(joined, had)


@dataclass(frozen=True, slots=True)
class LogRun:
    """A run of a channel's log."""

    channel_id: str
    events: Sequence[Told]
    head: int
    is_truncated: bool
    """Whether retention has dropped some of what was asked for; `events` is then empty."""
    left_from: int = 0
    """Where what is left begins then; beyond the head when nothing is."""


class Sources(Protocol):
    """What a pump reads. All raise ParleyError."""

    async def listed(self, app: App) -> Listed:
        """Return what the app's bot follows."""
        ...

    async def head(self, channel_id: str) -> int:
        """Return how far a channel has come."""
        ...

    async def kind(self, channel_id: str) -> ConversationKind | None:
        """Return what a conversation is; None when there is none."""
        ...

    async def logs(self, after: Mapping[str, int], limit: int) -> Sequence[LogRun]:
        """Return at most `limit` events of each channel after the offset given."""
        ...


class StoreSources:
    """The database (see Sources)."""

    def __init__(self, channels: ChannelStore, users: UserStore, lookups: Lookups) -> None:
        self._channels = channels
        self._users = users
        self._lookups = lookups

    async def listed(self, app: App) -> Listed:
        """See Sources. As for a session: the user's own channel first, so that what comes later is told there."""
        own = [app.user_id, app.team_id]
        own_heads = await self._channels.heads(own)
        rows = await self._users.memberships(app.user_id)
        heads = own_heads | await self._channels.heads([row.channel_id for row in rows])
        starts: dict[str, int | None] = dict.fromkeys(own)
        starts |= {row.channel_id: row.from_offset for row in rows}
        return Listed(starts, {row.channel_id: row.kind for row in rows}, heads)

    async def head(self, channel_id: str) -> int:
        """See Sources."""
        return (await self._channels.heads([channel_id])).get(channel_id, 0)

    async def kind(self, channel_id: str) -> ConversationKind | None:
        """See Sources."""
        found = await self._lookups.conversation(channel_id)
        return found.kind if found is not None else None

    async def logs(self, after: Mapping[str, int], limit: int) -> Sequence[LogRun]:
        """See Sources."""
        pages = await self._channels.logs(after, limit)
        return [
            LogRun(
                page.channel_id,
                [Told(event_pb.Event.FromString(event)) for event in page.events],
                page.head_offset,
                page.truncated,
                page.left_from,
            )
            for page in pages.values()
        ]


class StoreLog:
    """The log for the feed of a webapp, which need not ask another one for it (see svc.feed.filler.LogReader)."""

    def __init__(self, channels: ChannelStore) -> None:
        self._channels = channels

    async def read_log(self, after: Sequence[tuple[str, int]], limit: int) -> Sequence[ChannelLog]:
        """See LogReader."""
        pages = await self._channels.logs(dict(after), limit)
        return [
            ChannelLog(
                channel_id,
                [event_pb.Event.FromString(event) for event in pages[channel_id].events],
                pages[channel_id].head_offset,
                pages[channel_id].truncated,
            )
            for channel_id, _ in after
        ]

    async def read_heads(self, channel_ids: Sequence[str]) -> Mapping[str, int]:
        """See LogReader."""
        return await self._channels.heads(channel_ids)
