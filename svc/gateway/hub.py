"""Pure: which connections follow which channel, and which of them get an event.

Every subscription has a definite start: an offset up to which the connection has everything. One that starts below
what the channel has reached gets the difference from the log while live events wait above the hole; one that starts
above it (webapp knew more than the feed) is passed over until the channel gets there. Both are a `Follower` of their
own until they are level, and an ordinary member of the channel from then on.

What a user's own channel says about subscriptions is applied at the connection right where the event stands in its
order, between two events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from parley.event.v1 import event_pb2 as event_pb
from svc.feed.follower import Follower, Handed, HoldBudget
from svc.gateway import frames
from svc.gateway.followed import Channel
from svc.gateway.members import Follows, Member, Onlooker, PushAll, push_each
from svc.gateway.prefetch.audience import Audience, named
from svc.gateway.pushes import position_of, push_position, push_returning, push_transient
from svc.gateway.resume import Replay, dropped_frame, failed_frames, positions_frames
from svc.gateway.returning import Returning
from svc.kit.telemetry import span_from


class Hub:
    """The index of channels and connections. Consumer of the feed (see uplinks.Consumer)."""

    def __init__(
        self,
        feed: Follows,
        now: Callable[[], float],
        on_behind: Callable[[Member], None],
        on_stale: Callable[[Member], None],
        onlooker: Onlooker,
        push_all: PushAll = push_each,
    ) -> None:
        """Take two requests that are heard soon, and not from within, who hears of events before the members do, and
        the way to all members of a channel.

        `on_behind(member)`: read `missing(member)` from the log. `on_stale(member)`: what it should follow is not known
        any more, so its session must begin anew.
        """
        self._feed = feed
        self._now = now
        self._on_behind = on_behind
        self._on_stale = on_stale
        self._onlooker = onlooker
        self._push_all = push_all
        self._budget = HoldBudget()
        self._channels: dict[str, Channel] = {}
        self._members: dict[str, Member] = {}
        self._replays: dict[Member, Replay] = {}
        self._returning: dict[Member, Returning] = {}
        self.events_in = 0
        self.frames_out = 0

    def __len__(self) -> int:
        return len(self._channels)

    def enter(self, member: Member) -> None:
        """Let a connection's id be known as the origin of posts."""
        self._members[member.id] = member

    def leave(self, member: Member) -> None:
        """Forget a connection, and the channels that nobody else follows."""
        self._members.pop(member.id, None)
        self._replays.pop(member, None)
        self._returning.pop(member, None)
        for channel_id in tuple(member.channels):
            self.part(member, channel_id)

    def join(self, member: Member, channel_id: str, after: int, head: int = 0, *, is_sure: bool = True) -> None:
        """Let a connection follow a channel from offset `after`; harmless when it does already.

        `head`, if it is above `after`: what the channel is known to have reached. When nobody follows it yet, it is
        followed from there, and the connection catches up alone: at its own pace, and nobody who joins has to wait.
        Unless it `is_sure` that there is such an offset as `after`, it is followed from `head` in any case.
        """
        if channel_id in member.channels or member.id not in self._members:
            return
        channel = self._channels.get(channel_id)
        if channel is None:
            position = max(after, head) if is_sure else head
            channel = self._channels[channel_id] = Channel(channel_id, position)
            self._feed.follow(channel_id, position)
        member.channels.add(channel.id)
        if after == channel.position and not self._is_held(member, channel_id):
            channel.add(member)
            return
        follower = Follower(after, self._budget)
        if channel.waiting is None:
            channel.waiting = {}
        channel.waiting[member] = follower
        if after < channel.position:
            follower.miss(channel.position, self._now())
            self._on_behind(member)

    def replay(self, member: Member, replay: Replay) -> None:
        """Let a resumed session take what it joined meanwhile from its user's own channel; before that is joined."""
        if member.id in self._members:
            self._replays[member] = replay

    def is_replaying(self, member: Member) -> bool:
        """Tell whether a resumed session still waits for word of channels, and may yet get it."""
        replay = self._replays.get(member)
        return replay is not None and bool(replay.waiting) and self._own_position(member) < replay.bound

    def settle(self, member: Member) -> None:
        """Let a resumed session follow what its user's own channel has no word of, from the heads that were listed."""
        replay = self._replays.get(member)
        if replay is not None and (rest := replay.rest()):
            self._begin(member, rest)

    def come_back(self, member: Member, returning: Returning) -> None:
        """Let a session that returns follow its user's own channel; what that says is noted until `settle_return`."""
        if member.id in self._members:
            self._returning[member] = returning
            after = min(returning.own, returning.own_start)
            self.join(member, member.user_id, after, returning.own_start, is_sure=False)

    def is_level(self, member: Member) -> bool:
        """Tell whether a session that returns has heard all that its user's own channel has said."""
        channel, follower = self._channels.get(member.user_id), self._follower(member, member.user_id)
        if channel is None or follower is None or not follower.is_whole or follower.last < channel.position:
            return False
        return self._feed.is_level(member.user_id)

    def settle_return(self, member: Member) -> None:
        """Let a session that returns, and is level, follow the rest, and be as any other."""
        said, starts = self._returning.pop(member).settled(member.user_id)
        for frame in said:
            member.push(frame)
        for start in starts:
            self.join(member, start.channel_id, start.after, start.head, is_sure=False)
        if (follower := self._follower(member, member.user_id)) is not None:
            self._level(member.user_id, member, follower)

    def positions(self, member: Member) -> dict[str, int] | None:
        """Return what a session follows, with how far that has come here; None while that is not settled."""
        replay, own = self._replays.get(member), self._own_position(member)
        is_settled = replay is None or (not replay.waiting and own >= replay.bound)
        if not is_settled or member in self._returning or member.user_id not in member.channels:
            return None
        return {each: self._channels[each].position for each in member.channels} | {member.user_id: own}

    def part(self, member: Member, channel_id: str) -> None:
        """Let a connection follow a channel no longer; harmless when it does not."""
        if channel_id not in member.channels:
            return
        member.channels.discard(channel_id)
        channel = self._channels[channel_id]
        channel.discard(member)
        if channel.waiting is not None:
            follower = channel.waiting.pop(member, None)
            if follower is not None:
                follower.close()
            channel.waiting = channel.waiting or None
        if not channel.members and channel.waiting is None:
            del self._channels[channel_id]
            self._feed.unfollow(channel_id)
            self._onlooker.unfollowed(channel_id)

    def deliver(self, events: Sequence[event_pb.Event]) -> None:
        """Push events to whoever follows their channel. See uplinks.Consumer."""
        self.events_in += len(events)
        for event in events:
            channel = self._channels.get(event.channel_id)
            if channel is None:
                continue
            if event.traceparent:
                with span_from(event.traceparent, "gateway.push", **{"parley.channel": event.channel_id}):
                    self._deliver(channel, event)
            else:
                self._deliver(channel, event)

    def lost(self, channel_id: str, last: int) -> None:
        """Tell all followers of a channel that events up to `last` are gone. See uplinks.Consumer."""
        channel = self._channels.get(channel_id)
        if channel is None:
            return
        channel.position = max(channel.position, last)
        self._onlooker.unfollowed(channel_id)
        for member in tuple(channel.members):
            self._lose(member, channel_id, last)
        for member, follower in tuple((channel.waiting or {}).items()):
            follower.miss(last, self._now())
            self._level(channel_id, member, follower)

    def missing(self, member: Member, limit: int) -> list[tuple[str, int]]:
        """Return at most `limit` (channel, offset) to read the log after; `read` or `failed` must follow for each."""
        missing: list[tuple[str, int]] = []
        for channel_id in member.channels:
            follower = self._follower(member, channel_id)
            if follower is not None and follower.due_at is not None:
                missing.append((channel_id, follower.reading()))
                if len(missing) == limit:
                    break
        return missing

    def failed(self, member: Member, channel_ids: Iterable[str]) -> None:
        """Note that these could not be read; `missing` gives them again."""
        for channel_id in channel_ids:
            follower = self._follower(member, channel_id)
            if follower is not None:
                follower.failed(self._now())

    def read(
        self, member: Member, channel_id: str, log: Sequence[event_pb.Event], head: int, is_truncated: bool
    ) -> int:
        """Hand what the log had to a connection that is behind; return how many events that were."""
        follower = self._follower(member, channel_id)
        if follower is None:
            return 0
        handed: Handed = follower.read(log, head, is_truncated, self._now())
        if handed.is_loss:
            first = handed.events[0].offset if handed.events else follower.last + 1
            self._lose(member, channel_id, first - 1)
        for event in handed.events:
            self._push_one(event, member)
        self._level(channel_id, member, follower)
        return len(handed.events)

    def _lose(self, member: Member, channel_id: str, last: int) -> None:
        starts = [(channel_id, last)]
        if channel_id == member.user_id:
            replay = self._replays.get(member)
            if replay is None or last > replay.bound:
                # Changes of subscriptions were among what is gone.
                self._on_stale(member)
            else:
                # The list is newer than those; only from where the joined ones start is gone with them.
                starts += replay.rest()
        for frame in failed_frames(starts, member.is_aware):
            member.push(frame)
        for joined_id, after in starts[1:]:
            self.join(member, joined_id, after)

    def _begin(self, member: Member, starts: Sequence[tuple[str, int]]) -> None:
        if member.is_aware:
            for frame in positions_frames(starts):
                member.push(frame)
        for channel_id, after in starts:
            self.join(member, channel_id, after)

    def _own_position(self, member: Member) -> int:
        follower = self._follower(member, member.user_id)
        channel = self._channels.get(member.user_id)
        return follower.last if follower is not None else channel.position if channel is not None else 0

    def _follower(self, member: Member, channel_id: str) -> Follower | None:
        channel = self._channels.get(channel_id)
        return channel.waiting.get(member) if channel is not None and channel.waiting else None

    def _deliver(self, channel: Channel, event: event_pb.Event) -> None:
        if not event.offset:
            self.frames_out += push_transient(event, channel, self._returning, self._push_all)
            return
        if event.offset != channel.position + 1:
            # The channel was left and joined again within this batch. What it begins with now brings this event too.
            return
        channel.position = event.offset
        if event.kind != event_pb.EVENT_KIND_MESSAGE:
            self._onlooker.passed(event)
        if channel.audience is not None and event.payload:
            self._introduce(event, channel.audience)
        self._push(event, channel.members)
        if channel.waiting is not None:
            self._deliver_to_waiting(channel, event)

    def _deliver_to_waiting(self, channel: Channel, event: event_pb.Event) -> None:
        now = self._now()
        for member, follower in list((channel.waiting or {}).items()):
            for handed in follower.take(event, now):
                self._push_one(handed, member)
            self._level(event.channel_id, member, follower)

    def _level(self, channel_id: str, member: Member, follower: Follower) -> None:
        """Make a connection that has reached the channel an ordinary member of it."""
        channel = self._channels.get(channel_id)
        if channel is None or channel.waiting is None or channel.waiting.get(member) is not follower:
            return
        if not follower.is_whole:
            if follower.due_at is not None:
                self._on_behind(member)
        elif follower.last == channel.position and not self._is_held(member, channel_id):
            del channel.waiting[member]
            channel.waiting = channel.waiting or None
            channel.add(member)
        # Else the log was ahead of the feed: the member is passed over until the channel gets there.

    def _introduce(self, event: event_pb.Event, audience: Audience) -> None:
        strangers = audience.strangers(event)
        if strangers and self._onlooker.introduce(event, strangers, audience.members):
            audience.familiar(strangers)

    def _is_held(self, member: Member, channel_id: str) -> bool:
        return channel_id == member.user_id and member in self._returning

    def _push_one(self, event: event_pb.Event, member: Member) -> None:
        if self._returning and self._is_held(member, event.channel_id):
            push_returning(event, member, self._returning[member])
            return
        if member.met is not None and event.payload:
            self._onlooker.introduce(event, named(event), (member,))
        self._push(event, (member,))

    def _push(self, event: event_pb.Event, members: Iterable[Member]) -> None:
        if event.kind == event_pb.EVENT_KIND_USER and event.HasField("revocation"):
            for member in tuple(members):
                member.revoke(event.revocation.token_prefixes)
        if event.kind == event_pb.EVENT_KIND_USER and event.HasField("subscription_change"):
            for member in tuple(members):
                self._push_change(event, member)
            return
        if not event.payload:
            push_position(event, members)
            return
        origin = self._members.get(event.origin_connection_id) if event.origin_connection_id else None
        frame = frames.text_frame(event.payload)
        self.frames_out += self._push_all(members, frame, origin)

    def _push_change(self, event: event_pb.Event, member: Member) -> None:
        """Apply a change of subscriptions; who keeps positions learns of them before it learns of the event.

        The other way round a connection that breaks in between would have lost the change.
        """
        change = event.subscription_change
        replay = self._replays.get(member)
        if replay is not None:
            change = replay.change(event.offset, change)
            if event.offset >= replay.bound and not replay.waiting:
                del self._replays[member]
        removed = [channel_id for channel_id in change.removed_channel_ids if channel_id in member.channels]
        if removed and member.is_aware:
            member.push(dropped_frame(removed))
        added = {each.channel_id: each.offset for each in change.added if each.channel_id not in member.channels}
        self._begin(member, list(added.items()))
        if event.payload:
            member.push(frames.text_frame(event.payload))
            self.frames_out += 1
        elif member.is_aware:
            member.push(position_of(event))
        for channel_id in removed:
            self.part(member, channel_id)
        if added or removed:
            self._onlooker.moved(member)
