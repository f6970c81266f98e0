"""Who is in conversations: streamed from the webapp once, told by the conversation's events from then on.

A load names the offset of the conversation that was read before any member, and the conversation is followed from
there, so a join during the load is not missed but applied after it. Which conversations are held is bounded by their
members in all; the one asked for longest ago goes first.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

from discovery.stubs import StubPools
from parley.edge.v1 import edge_service_pb2 as pb
from parley.event.v1 import event_pb2 as event_pb
from parley.webapp.v1 import webapp_service_pb2 as webapp
from parley.webapp.v1.webapp_service_pb2_grpc import WebappServiceStub
from svc.edge.conversations.rosters import Roster
from svc.edge.following import Following
from svc.edge.freshness import FRESH_S, Freshness
from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.errors import FailedPreconditionError, NotFoundError, ParleyError, UnavailableError
from svc.kit.lifecycle import Tasks

LOADS_MAX = 4
"""Loads at once; the others wait for their turn within their time."""

LOAD_TIMEOUT_S = 5.0
"""For a load with all its tries: 200,000 members are 40 parts."""

LEVEL_TIMEOUT_S = 0.5
"""How long a caller waits for a conversation that is not vouched for, before it is told to ask elsewhere."""

RETRY_BASE_S, RETRY_CAP_S = 0.05, 0.5

log = logging.getLogger(__name__)


class MemberSource(Protocol):
    """Where members come from: a webapp, or a twin of one."""

    def members(self, team_id: str, channel_id: str, timeout_s: float) -> AsyncGenerator[webapp.ListMembersResponse]:
        """Stream the parts of a conversation's members. Raises errors of the tree, NotFoundError when there is none."""
        ...


class WebappMembers:
    """Streams through `pools`, which must follow the webapp tier. Never repeats a call: the loads here do."""

    def __init__(self, pools: StubPools) -> None:
        self._pools = pools

    async def members(
        self, team_id: str, channel_id: str, timeout_s: float
    ) -> AsyncGenerator[webapp.ListMembersResponse, None]:
        """See MemberSource."""
        request = webapp.ListMembersRequest(team_id=team_id, channel_id=channel_id)
        parts = self._pools.stream(
            "webapp", WebappServiceStub, lambda stub: stub.ListMembers, request, timeout_s=timeout_s
        )
        async with aclosing(parts):
            async for part in parts:
                yield part


class _Load:
    """A load under way, for all who wait for it."""

    __slots__ = ("failure", "task")

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.failure: ParleyError | None = None


class Members:
    """Rosters by conversation, the one asked for latest last. `tasks` runs one load for each conversation."""

    def __init__(
        self,
        members_max: int,
        source: MemberSource,
        following: Following,
        freshness: Freshness,
        clock: Clock,
        tasks: Tasks,
    ) -> None:
        """`members_max`: members of all conversations held, with OVERHEAD for each conversation."""
        self._members_max = members_max
        self._source = source
        self._following = following
        self._freshness = freshness
        self._clock = clock
        self._tasks = tasks
        self._turns = asyncio.Semaphore(LOADS_MAX)
        self._held: OrderedDict[str, Roster] = OrderedDict()
        self._loads: dict[tuple[str, str], _Load] = {}
        self.cost = 0
        """What the rosters held take of `members_max`."""
        self.loads = 0
        """Loads that succeeded."""
        self.evicted = 0
        """Conversations forgotten for want of room."""
        self.forgotten = 0
        """Conversations forgotten because events of theirs can never be had."""

    def __len__(self) -> int:
        return len(self._held)

    async def page(
        self, team_id: str, user_id: str, channel_id: str, after_user_id: str, limit: int, *, is_public: bool
    ) -> pb.ListMembersResponse:
        """Return the members above `after_user_id`, at most `limit`, in order of id; as of FRESH_S ago at the most.

        Whoever may not see a conversation (`is_public` false, and no member) is told what is told of one that does not
        exist: NotFoundError. Raises UnavailableError when the members cannot be had, or their changes not be heard;
        FailedPreconditionError when they are more than are held here.
        """
        roster = await self._roster(team_id, channel_id)
        if roster.team_id != team_id or not (is_public or user_id in roster):
            raise _not_found(team_id, channel_id)
        user_ids, has_more = roster.page(after_user_id, limit)
        return pb.ListMembersResponse(user_ids=user_ids, has_more=has_more, total_count=len(roster))

    def deliver(self, events: Sequence[event_pb.Event]) -> None:
        """See following.Part."""
        for event in events:
            roster = self._held.get(event.channel_id)
            if roster is None:
                continue
            change = event.membership_change if event.HasField("membership_change") else None
            before = roster.cost
            if not roster.take(event.offset, change):
                log.error("%s: events before offset %d were not handed on", event.channel_id, event.offset)
                self.forgotten += 1
                self._forget(event.channel_id)
            elif change is not None:
                self.cost += roster.cost - before
                self._make_room(event.channel_id)

    def lost(self, channel_id: str, last: int) -> None:
        """See following.Part: loaded again when someone asks."""
        roster = self._held.get(channel_id)
        if roster is not None and roster.offset < last:
            self.forgotten += 1
            self._forget(channel_id)

    async def _roster(self, team_id: str, channel_id: str) -> Roster:
        """Return a roster that is right now; nothing is awaited after that was found."""
        while True:
            roster = self._held.get(channel_id)
            if roster is None:
                await self._load(team_id, channel_id)
                continue
            if self._is_right(channel_id, roster):
                self._held.move_to_end(channel_id)
                return roster
            await self._freshness.level(channel_id, LEVEL_TIMEOUT_S)

    def _is_right(self, channel_id: str, roster: Roster) -> bool:
        return self._freshness.vouches(channel_id) or self._clock.now() - roster.read_at <= FRESH_S

    async def _load(self, team_id: str, channel_id: str) -> None:
        """Wait for the load of a conversation, which the first one to come begins. Raises what it failed with."""
        load = self._loads.get((team_id, channel_id))
        if load is None:
            load = _Load()
            load.task = self._tasks.spawn(self._run(load, team_id, channel_id), name=f"members of {channel_id}")
            self._loads[team_id, channel_id] = load
        assert load.task is not None, "it was begun above, or by an earlier caller"
        await asyncio.wait({load.task})
        if load.failure is not None:
            raise load.failure.with_traceback(None)

    async def _run(self, load: _Load, team_id: str, channel_id: str) -> None:
        load.failure = UnavailableError(f"members of {channel_id} could not be loaded")
        try:
            roster = await self._persist(team_id, channel_id)
            self._install(channel_id, roster)
            load.failure = None
        except NotFoundError:
            load.failure = _not_found(team_id, channel_id)
        except ParleyError as error:
            load.failure = error
        finally:
            del self._loads[team_id, channel_id]

    async def _persist(self, team_id: str, channel_id: str) -> Roster:
        """Load, trying again what that may help, within LOAD_TIMEOUT_S."""
        backoff, last = Backoff(RETRY_BASE_S, RETRY_CAP_S), "no answer"
        deadline = self._clock.now() + LOAD_TIMEOUT_S
        try:
            async with asyncio.timeout(LOAD_TIMEOUT_S), self._turns:
                while True:
                    try:
                        return await self._try(team_id, channel_id, deadline - self._clock.now())
                    except ParleyError as error:
                        if not error.retryable:
                            raise
                        last = str(error)
                    await self._clock.sleep(backoff.next_s())
        except TimeoutError:
            raise UnavailableError(f"members of {channel_id} could not be loaded: {last}") from None

    async def _try(self, team_id: str, channel_id: str, timeout_s: float) -> Roster:
        roster: Roster | None = None
        began_at = self._clock.now()
        async with aclosing(self._source.members(team_id, channel_id, timeout_s)) as parts:
            async for part in parts:
                if roster is None:
                    roster = Roster(team_id, part.head_offset, began_at)
                roster.extend(part.user_ids)
                if roster.cost > self._members_max:
                    raise FailedPreconditionError(
                        f"{channel_id} has more members than are held here",
                        subject="members_max",
                        limit=self._members_max,
                        actual=roster.cost,
                    )
        if roster is None:
            raise UnavailableError(f"the load of {channel_id} broke off before its first part")
        self.loads += 1
        return roster

    def _install(self, channel_id: str, roster: Roster) -> None:
        self._held[channel_id] = roster
        self.cost += roster.cost
        self._following.follow(channel_id, roster.offset)
        self._make_room(channel_id)

    def _make_room(self, keep: str) -> None:
        """Forget the idlest ones until all fit, but never `keep`, which is put last."""
        if self.cost <= self._members_max:
            return
        self._held.move_to_end(keep)
        while self.cost > self._members_max and len(self._held) > 1:
            self.evicted += 1
            self._forget(next(iter(self._held)))

    def _forget(self, channel_id: str) -> None:
        self.cost -= self._held.pop(channel_id).cost
        self._following.unfollow(channel_id)


def _not_found(team_id: str, channel_id: str) -> NotFoundError:
    return NotFoundError(f"workspace {team_id} has no conversation {channel_id}", subject="channel_id")
