"""Twins of what surrounds the conversations of an edge: the truth about them, a webapp that reads it, a feed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from parley.event.v1 import event_pb2 as event_pb
from parley.webapp.v1 import webapp_service_pb2 as webapp
from svc.edge.conversations.activity import Activity
from svc.edge.conversations.asking import Asking
from svc.edge.conversations.members import Members
from svc.edge.conversations.table import Far
from svc.edge.following import Following
from svc.edge.freshness import Freshness
from svc.kit.clock import ManualClock
from svc.kit.errors import NotFoundError, ParleyError
from svc.kit.lifecycle import Tasks

TEAM = "T0000000001"


@dataclass
class Conversation:
    """The truth about one conversation."""

    id: str
    clock: ManualClock
    log: list[event_pb.Event] = field(default_factory=list)
    latest_us: int = 0
    members: set[str] = field(default_factory=set)
    rosters: list[frozenset[str]] = field(default_factory=lambda: [frozenset()])
    """Members as of each offset."""
    fars: list[Far] = field(default_factory=lambda: [Far(0, 0)])
    committed_at: list[float] = field(default_factory=lambda: [0.0])

    @property
    def far(self) -> Far:
        """How far it has come."""
        return self.fars[-1]

    def message(self) -> None:
        """Someone says something."""
        self.latest_us = 1_700_000_000_000_000 + len(self.log) + 1
        self._commit(event_pb.Event(message_ts_us=self.latest_us))

    def edit(self) -> None:
        """Someone changes something that was said."""
        self._commit(event_pb.Event())

    def remove(self, left_us: int) -> None:
        """Someone takes back what was said last."""
        self.latest_us = left_us
        self._commit(event_pb.Event(latest_message_ts_us=left_us))

    def join(self, *user_ids: str) -> None:
        """Some come."""
        self.members |= set(user_ids)
        self._commit(event_pb.Event(membership_change=event_pb.MembershipChange(joined_user_ids=user_ids)))

    def leave(self, *user_ids: str) -> None:
        """Some go."""
        self.members -= set(user_ids)
        self._commit(event_pb.Event(membership_change=event_pb.MembershipChange(left_user_ids=user_ids)))

    def as_of(self, at: float) -> int:
        """The highest offset that was committed by then."""
        return max(offset for offset, when in enumerate(self.committed_at) if when <= at)

    def _commit(self, event: event_pb.Event) -> None:
        event.channel_id, event.offset = self.id, len(self.log) + 1
        self.log.append(event)
        self.fars.append(Far(event.offset, self.latest_us))
        self.rosters.append(frozenset(self.members))
        self.committed_at.append(self.clock.now())


class TwinWebapp:
    """Reads the truth; `gate` holds reads up, `way_back` what they found, `failures` are raised one after the other."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self.gate = asyncio.Event()
        self.gate.set()
        self.way_back = asyncio.Event()
        self.way_back.set()
        self.failures: list[ParleyError] = []
        self.reads: list[tuple[str, ...]] = []
        self.loads: list[str] = []
        self.page = 3

    async def read(self, channel_ids: Sequence[str]) -> Mapping[str, Far]:
        """See asking.ActivityReader."""
        self.reads.append(tuple(channel_ids))
        await self._pass()
        found = {each: self._town[each].far for each in channel_ids if each in self._town.conversations}
        await asyncio.sleep(0)
        await self.way_back.wait()
        return found

    async def members(
        self, team_id: str, channel_id: str, timeout_s: float
    ) -> AsyncGenerator[webapp.ListMembersResponse, None]:
        """See members.MemberSource: pages read one after the other, while others change them."""
        self.loads.append(channel_id)
        await self._pass()
        if team_id != TEAM or channel_id not in self._town.conversations:
            raise NotFoundError(f"no {channel_id}")
        conversation = self._town[channel_id]
        head, after = conversation.far.head, ""
        yield webapp.ListMembersResponse(head_offset=head)
        while page := sorted(each for each in conversation.members if each > after)[: self.page]:
            yield webapp.ListMembersResponse(user_ids=page)
            after = page[-1]
            await self._pass()

    async def _pass(self) -> None:
        await asyncio.sleep(0)
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)


@dataclass
class _Followed:
    refs: int
    position: int
    level_at: float = -1e9


class TwinFeed:
    """Delivers when told to. Level as of when a channel was last delivered to its end."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self.channels: dict[str, _Followed] = {}
        self.consumer: Following | None = None
        self.is_cut_off = False

    def follow(self, channel_id: str, after: int) -> None:
        """See following.Feed."""
        followed = self.channels.setdefault(channel_id, _Followed(0, after))
        followed.refs += 1

    def unfollow(self, channel_id: str) -> None:
        """See following.Feed."""
        self.channels[channel_id].refs -= 1
        if not self.channels[channel_id].refs:
            del self.channels[channel_id]

    def rewind(self, channel_id: str, after: int) -> None:
        """See following.Feed."""
        self.channels[channel_id] = _Followed(self.channels[channel_id].refs, after)

    def position(self, channel_id: str) -> int | None:
        """See following.Feed."""
        followed = self.channels.get(channel_id)
        return None if followed is None else followed.position

    def vouches(self, channel_id: str, within_s: float) -> bool:
        """See freshness.Heard."""
        followed = self.channels.get(channel_id)
        return followed is not None and self._town.clock.now() - followed.level_at <= within_s

    def pump(self, channel_id: str, count: int | None = None) -> None:
        """Deliver the next events of a channel, all of them unless `count` says otherwise."""
        followed = self.channels.get(channel_id)
        if followed is None or self.is_cut_off:
            return
        assert self.consumer is not None
        log = self._town[channel_id].log
        end = len(log) if count is None else min(len(log), followed.position + count)
        events, followed.position = log[followed.position : end], max(end, followed.position)
        if followed.position >= len(log):
            followed.level_at = self._town.clock.now()
        self.consumer.deliver(events)

    def pump_all(self) -> None:
        """Deliver everything."""
        for channel_id in list(self.channels):
            self.pump(channel_id)

    def lose(self, channel_id: str) -> None:
        """Have what was not delivered of a channel lost."""
        followed = self.channels.get(channel_id)
        assert self.consumer is not None
        if followed is not None and not self.is_cut_off and followed.position < len(self._town[channel_id].log):
            followed.position = len(self._town[channel_id].log)
            followed.level_at = self._town.clock.now()
            self.consumer.lost(channel_id, followed.position)


class Town:
    """Conversations, and an edge that answers about them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.conversations: dict[str, Conversation] = {}
        self.webapp = TwinWebapp(self)
        self.feed = TwinFeed(self)
        self.following = self.feed.consumer = Following(self.feed)
        self.activity: Activity
        self.members: Members
        self.freshness: Freshness

    def __getitem__(self, channel_id: str) -> Conversation:
        return self.conversations[channel_id]

    def add(self, channel_id: str, members: Iterable[str] = (), messages: int = 0) -> Conversation:
        """Have one conversation more."""
        made = self.conversations[channel_id] = Conversation(channel_id, self.clock)
        if members:
            made.join(*members)
        for _ in range(messages):
            made.message()
        return made

    async def far(self, *channel_ids: str) -> list[Far]:
        """What the edge says."""
        answers = await self.activity.activities(channel_ids)
        assert [each.channel_id for each in answers] == list(channel_ids)
        return [Far(each.head_offset, each.latest_message_ts_us) for each in answers]

    async def who(self, channel_id: str, user_id: str = "", limit: int = 1000) -> list[str]:
        """What the edge says, over all pages."""
        found: list[str] = []
        while True:
            after = found[-1] if found else ""
            page = await self.members.page(TEAM, user_id, channel_id, after, limit, is_public=not user_id)
            found.extend(page.user_ids)
            if not page.has_more:
                return found

    async def turns(self, count: int = 20) -> None:
        """Let others get on."""
        for _ in range(count):
            await asyncio.sleep(0)


@asynccontextmanager
async def town_of(*channel_ids: str, conversations_max: int = 1_000, members_max: int = 100_000) -> AsyncIterator[Town]:
    """An edge with everything but its gRPC face and its models."""
    town = Town()
    for channel_id in channel_ids:
        town.add(channel_id)
    async with Tasks("edge", limit=1_000) as tasks:
        town.activity = Activity(conversations_max, town.webapp, town.following, town.feed, town.clock, tasks)
        town.freshness = Freshness(town.feed, Asking(town.webapp, town.clock, tasks), town.clock)
        town.members = Members(members_max, town.webapp, town.following, town.freshness, town.clock, tasks)
        town.following.add(town.activity)
        town.following.add(town.members)
        yield town
