"""The front door of following channels: follow, unfollow, and events come to the consumer, once and in order."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from discovery.ring import Ring
from parley.channel.v1 import channel_service_pb2 as channel_pb
from parley.event.v1 import event_pb2 as event_pb
from svc.feed.filler import Filler, LogReader
from svc.feed.follower import HoldBudget
from svc.feed.lines import Line, Lines, Stream, lines_of
from svc.feed.plan import Cause, Plan
from svc.feed.positions import Positions
from svc.feed.uplinks import Consumer, Uplink
from svc.kit.clock import Clock
from svc.kit.lifecycle import background

AttachStream = Stream[channel_pb.AttachRequest, channel_pb.AttachResponse]
AttachLine = Line[channel_pb.AttachRequest, channel_pb.AttachResponse]
AttachLines = Lines[channel_pb.AttachRequest, channel_pb.AttachResponse]

ASK_REST_S = 0.01
"""Between two times of asking a server for subscriptions: those of a crowd that comes back are asked for together."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who attaches: an instance id, fresh for each process start, and its zone."""

    instance_id: str
    zone: str


@dataclass(frozen=True, slots=True)
class FeedStats:
    """Counts since the start, and sizes now; for metrics."""

    channels: int
    unsettled: int
    uplinks_open: int
    holes: int
    duplicates: int
    log_reads: int
    events_filled: int
    losses: int
    asked: dict[Cause, int]


class Feed:
    """Events of followed channels. Every call belongs to the event loop's thread."""

    def __init__(
        self,
        subscriber: Subscriber,
        connect: Callable[[str], AttachStream],
        reader: LogReader,
        clock: Clock,
        budget: HoldBudget | None = None,
        suspect: Callable[[str], None] = lambda _: None,
        rng: random.Random | None = None,
        ping_every_s: float | None = None,
    ) -> None:
        """`connect(server_id)` opens an Attach stream; `suspect(server_id)` hears of servers whose stream broke.

        With `ping_every_s` each line is pinged that often, and `vouches` has an answer.
        """
        self._hello = channel_pb.Hello(subscriber_id=subscriber.instance_id, zone=subscriber.zone)
        self._connect = connect
        self._consumer: Consumer | None = None
        self._clock = clock
        self._suspect = suspect
        self._rng = rng
        self._ping_every_s = ping_every_s
        self._plan = Plan()
        self._positions = Positions(budget)
        self._filler = Filler(self._positions, reader, clock)
        self._uplinks: dict[str, Uplink] = {}
        self._lines: AttachLines | None = None
        self._retry = asyncio.Event()

    def follow(self, channel_id: str, after: int) -> None:
        """Follow a channel from offset `after` (exclusive), or count one more interest if it is followed already."""
        if self._plan.follow(channel_id):
            self._positions.start(channel_id, after)
            self._speak(channel_id)

    def unfollow(self, channel_id: str) -> None:
        """Count one interest less; after the last one nothing of the channel is delivered any more."""
        if self._plan.unfollow(channel_id):
            self._positions.stop(channel_id)
            self._speak_to_all()

    def rewind(self, channel_id: str, after: int) -> None:
        """Deliver a followed channel again from offset `after` (exclusive): someone begins lower than others did.

        Who followed it before sees events again that it has had.
        """
        self._positions.stop(channel_id)
        self._positions.start(channel_id, after)
        self._plan.again(channel_id)
        self._speak_to_all()

    def position(self, channel_id: str) -> int | None:
        """Return the offset up to which a channel was handed on; None when it is not followed."""
        return self._positions.last(channel_id)

    def is_level(self, channel_id: str) -> bool:
        """Tell whether the subscription to a followed channel stands at its owner, and nothing of it is missing or
        unproven: what was fanned out before that was handed on, what is fanned out from now on will be. 1 us.
        """
        return self._positions.is_level(channel_id) and self._plan.stands_at(channel_id) is not None

    def vouches(self, channel_id: str, within_s: float) -> bool:
        """Tell whether all that the owner of a followed channel fanned out until `within_s` seconds ago was handed on.

        That is: the subscription stands at the owner by our ring, nothing of the channel is missing or unproven, and a
        ping sent since then has come back from an owner that takes events and goes by the same ring. Never without
        `ping_every_s`. Not covered: an event that nobody could bring to its owner yet, and, for a fence time, an owner
        that Consul gave up while neither it nor we could hear so. 2 us.
        """
        server_id = self._plan.stands_at(channel_id)
        if server_id is None or not self._positions.is_level(channel_id):
            return False
        uplink = self._uplinks.get(server_id)
        return uplink is not None and uplink.is_level(self._clock.now(), within_s)

    def publish_transient(self, event: event_pb.Event) -> None:
        """Fan out an event with offset 0 to all followers of its channel; dropped where its owner is not reached."""
        ring = self._plan.ring
        uplink = self._uplinks.get(ring.owner(event.channel_id)) if ring.members else None
        if uplink is not None and self._lines is not None:
            uplink.transient(event)
            self._lines.wake(ring.owner(event.channel_id))

    def ring_changed(self, ring: Ring) -> None:
        """Go by this ring of channel servers from now on. An empty one changes nothing: better old owners than none."""
        if not ring.members:
            return
        self._plan.ring_changed(ring)
        if self._lines is not None:
            self._lines.members(ring.members)
        self._speak_to_all()

    def stats(self) -> FeedStats:
        """Return counts and sizes."""
        return FeedStats(
            channels=len(self._plan),
            unsettled=self._plan.unsettled,
            uplinks_open=self._lines.open_count if self._lines is not None else 0,
            holes=self._positions.holes,
            duplicates=self._positions.duplicates,
            log_reads=self._filler.reads,
            events_filled=self._filler.events_filled,
            losses=self._filler.losses,
            asked={cause: self._plan.asked[cause] for cause in Cause},
        )

    def uplink_news(self, server_id: str, *, owes: bool) -> None:
        """See uplinks.UplinkNews."""
        self._speak_to_all()
        if self._lines is not None and owes:
            self._lines.wake(server_id)
        self._filler.wake()
        if self._plan.next_retry() is not None:
            self._retry.set()

    def uplink_lost(self, server_id: str) -> None:
        """See uplinks.UplinkNews."""
        self._suspect(server_id)
        if server_id not in self._plan.ring.members:
            self._uplinks.pop(server_id, None)

    def _speak(self, channel_id: str) -> None:
        ring = self._plan.ring
        if ring.members and self._lines is not None:
            self._lines.wake(ring.owner(channel_id), may_rest=True)

    def _speak_to_all(self) -> None:
        if self._lines is not None:
            for server_id in self._plan.servers_with_news():
                self._lines.wake(server_id, may_rest=True)

    def _line(self, server_id: str) -> AttachLine:
        assert self._consumer is not None, "lines are made inside `running`"
        uplink = Uplink(
            server_id,
            self._hello,
            self._plan,
            self._positions,
            self._consumer,
            self._clock,
            self,
            self._ping_every_s,
        )
        self._uplinks[server_id] = uplink
        return Line(server_id, lambda: self._connect(server_id), uplink, self._clock, self._rng, ASK_REST_S)

    async def _retry_refused(self) -> None:
        while True:
            await self._retry.wait()
            self._retry.clear()
            while (due := self._plan.next_retry()) is not None:
                await self._clock.sleep(due - self._clock.now())
                self._plan.retry_due(self._clock.now())
                self._speak_to_all()

    @asynccontextmanager
    async def running(self, consumer: Consumer) -> AsyncIterator[Feed]:
        """Run the lines and loops of this feed, delivering to `consumer`, for the length of a block."""
        self._consumer = consumer
        async with AsyncExitStack() as up:
            self._lines = await up.enter_async_context(lines_of(self._line, "uplinks"))
            if self._plan.ring.members:
                self._lines.members(self._plan.ring.members)
            await up.enter_async_context(background("feed log reads", self._filler.run(consumer)))
            await up.enter_async_context(background("feed retries", self._retry_refused()))
            yield self
