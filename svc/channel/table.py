"""The channels owned now: publishes in, fan-out to the attached subscribers. Pure: no sockets, no timers, no tasks.

The whole state of a channel server and its only writer; every method checks and changes in one go. Channels that are
busy have a `ChannelState`; the others cost only their row (`rows`). Bounded by `TailLimits` (the least recently
published channel loses its tail first, which costs its subscribers a look into the log and nothing else),
`FanoutLimits` and `PublishLimits`. A crash loses all of it, and nothing: publishes that were not acknowledged are
retried by admin at the new owner, subscribers come with the offsets that they have.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from discovery.ring import Ring
from parley.channel.v1 import channel_service_pb2 as channel_pb2
from parley.event.v1 import event_pb2
from svc.channel.audience import Audience
from svc.channel.channel import ChannelState
from svc.channel.config import FanoutLimits, PublishLimits, TailLimits
from svc.channel.counts import Counts, Reason
from svc.channel.fanout import Attachment, Ticket
from svc.channel.ownership import Ownership
from svc.channel.rechecks import Rechecks
from svc.channel.rows import Rows
from svc.channel.states import ChannelStates
from svc.channel.wire import check_heading, encode_event, encode_subscribed, event_fault
from svc.kit.errors import UnavailableError
from svc.kit.telemetry import inject_traceparent, span_from


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An event that is held back, and the publish batch that it came in."""

    offset: int
    ticket: Ticket
    index: int


class _Publish:
    """One publish batch while it is taken in: its ticket, and the subscribers that it touches."""

    __slots__ = ("now", "refusal", "ticket", "touched")

    def __init__(self, ticket: Ticket, refusal: Reason | None, now: float) -> None:
        self.ticket = ticket
        self.refusal = refusal
        self.now = now
        self.touched: set[Attachment] = set()


class ChannelTable:
    """See the module. `now` is in monotonic seconds everywhere and must not go backwards."""

    def __init__(self, ownership: Ownership, tail: TailLimits, fanout: FanoutLimits, publish: PublishLimits) -> None:
        self.ownership = ownership
        self.rows: Rows[Attachment] = Rows(ownership.since, tail.channels_max)
        self.states = ChannelStates(ownership, tail, self.rows)
        self.counts = Counts()
        self.audience = Audience(fanout, self.counts, self.rows)
        self._rechecks = Rechecks(self.audience, self.states, self.rows)
        self.is_draining = False
        self.in_flight_bytes = 0
        """Bytes of the publish batches that have no answer yet."""
        self._publish_limits = publish
        self._waiting: dict[str, list[_Waiting]] = {}

    # Publishing

    def publish(self, ticket: Ticket, events: Sequence[event_pb2.Event], quoted_fingerprint: int, now: float) -> None:
        """Take a batch, in order; `ticket` (fresh, with its one wait) is settled here or later.

        Refusals are noted in it by index. It settles when all subscribers touched have acknowledged, events that were
        held back included. Call `settled` then.
        """
        self._observe(now)
        publish = _Publish(ticket, self._refusal(quoted_fingerprint), now)
        for index, event in enumerate(events):
            reason = self._offer(event, index, publish)
            if reason is not None:
                ticket.refusals[index] = reason
                self.counts.refusals[reason] = self.counts.refusals.get(reason, 0) + 1
        self.in_flight_bytes += ticket.size
        self.audience.owe(ticket, publish.touched, now)
        ticket.release()
        while (oldest := self.states.beyond_limits()) is not None:
            if not self.states.rest(oldest):
                self._forget(oldest)

    def settled(self, ticket: Ticket) -> None:
        """Give back the bytes of a settled ticket; to be called once for each, after `publish` returned."""
        self.in_flight_bytes -= ticket.size

    def transient(self, events: Iterable[event_pb2.Event]) -> None:
        """Fan out events of a subscriber's clients; silently nothing for channels that nobody follows here."""
        woken: set[Attachment] = set()
        for event in events:
            woken.update(self._offer_transient(event))
        for attachment in woken:
            attachment.wake()

    def _refusal(self, quoted_fingerprint: int) -> Reason | None:
        """Return why nothing at all may be taken from a sender that holds that ring."""
        if self.is_draining:
            return channel_pb2.REFUSAL_REASON_DRAINING
        if not self.ownership.may_act(quoted_fingerprint):
            return channel_pb2.REFUSAL_REASON_FENCED
        return None

    def _offer(self, event: event_pb2.Event, index: int, publish: _Publish) -> Reason | None:
        """Take one event; return why it is refused, if it is."""
        if event_fault(event) is not None:
            return channel_pb2.REFUSAL_REASON_INVALID
        if event.offset == 0:
            publish.touched.update(self._offer_transient(event))
            return None
        self.counts.published += 1
        if publish.refusal is not None:
            return publish.refusal
        if self.in_flight_bytes + publish.ticket.size > self._publish_limits.in_flight_bytes_max:
            return channel_pb2.REFUSAL_REASON_OVERLOADED
        state = self.states.open(event.channel_id, event.offset)
        if state is None:
            return channel_pb2.REFUSAL_REASON_NOT_OWNER
        if not event.traceparent:
            self._accept(state, event, index, publish)
            return None
        with span_from(event.traceparent, "channel.fanout", channel_id=event.channel_id, offset=event.offset):
            event.traceparent = inject_traceparent()
            self._accept(state, event, index, publish)
        return None

    def _offer_transient(self, event: event_pb2.Event) -> Collection[Attachment]:
        """Fan a transient event out; return to whom."""
        self.counts.transients += 1
        followers = self.audience.followers(event.channel_id)
        if followers:
            self.audience.fan_out_transient(encode_event(event), followers)
        return followers

    def _accept(self, state: ChannelState, event: event_pb2.Event, index: int, publish: _Publish) -> None:
        channel_id = event.channel_id
        data = encode_event(event)
        publish.ticket.size += len(data)
        accepted = self.states.accept(state, event.offset, data, publish.now, event.commit_unix_us)
        followers = self.audience.followers(channel_id)
        publish.touched.update(followers)
        if accepted.held:
            publish.ticket.wait()
            self._waiting.setdefault(channel_id, []).append(_Waiting(event.offset, publish.ticket, index))
        if accepted.duplicate:
            self.counts.duplicates += 1
        if accepted.deliver:
            self.audience.fan_out(accepted.deliver, followers)
            if channel_id in self._waiting:
                self._release_waiting(channel_id, state, publish.now)

    def _release_waiting(self, channel_id: str, state: ChannelState, now: float) -> None:
        """Let the batches whose held events have just been delivered wait for acknowledgements instead."""
        waiting = self._waiting.pop(channel_id)
        still = [entry for entry in waiting if entry.offset > state.head]
        if still:
            self._waiting[channel_id] = still
        followers = self.audience.followers(channel_id)
        for entry in waiting:
            if entry.offset <= state.head:
                self.audience.owe(entry.ticket, followers, now)
                entry.ticket.release()

    # Subscribers

    def attach(self, attachment: Attachment) -> None:
        """Add a subscriber, ending an older attachment of the same id. Raises ResourceExhausted-, UnavailableError."""
        if self.is_draining:
            raise UnavailableError("this server is leaving")
        self.audience.attach(attachment)

    def unsubscribe(self, attachment: Attachment, data: bytes, now: float) -> None:
        """Take an encoded Unsubscribe: it has effect after a linger (`Audience.leave`), but at once in a drain."""
        self.audience.leave(data, attachment, now)
        if self.is_draining:
            self.audience.let_go(attachment, math.inf)

    def subscribe(self, attachment: Attachment, data: bytes, now: float) -> None:
        """Take an encoded Subscribe: follow channels from its positions, replay what tails have, enqueue the answer.

        Raises InvalidArgumentError, and then has done nothing.
        """
        self._observe(now)
        heading = check_heading(self.rows, data)
        attachment.ring_fingerprint = heading.ring_fingerprint
        answer = channel_pb2.Subscribed(
            request_number=heading.request_number, ring_fingerprint=self.ownership.fingerprint
        )
        is_refused = self._refusal(heading.ring_fingerprint) is not None
        of_quiet_ones, active = self.audience.follow(data, attachment, is_refused)
        for channel_id, offset in active:
            self._replay(attachment, channel_id, offset, answer)
        attachment.wake()
        self._answer(attachment, encode_subscribed(answer, of_quiet_ones))

    def ping(self, attachment: Attachment, ping: channel_pb2.Ping, now: float) -> None:
        """Answer behind everything that was fanned out to this subscriber so far, as of the ring that it goes by."""
        self._observe(now)
        attachment.ring_fingerprint = ping.ring_fingerprint
        pong = channel_pb2.Pong(
            number=ping.number,
            ring_fingerprint=self.ownership.fingerprint,
            is_taking=self._refusal(ping.ring_fingerprint) is None,
        )
        self._answer(attachment, channel_pb2.AttachResponse(pong=pong))

    def _answer(self, attachment: Attachment, frame: bytes | channel_pb2.AttachResponse) -> None:
        if not attachment.put_control(frame):
            self.audience.cut_off(attachment, "too many answers to it are unread", "controls_max")

    def _replay(self, attachment: Attachment, channel_id: str, after: int, answer: channel_pb2.Subscribed) -> None:
        state = self.states.peek(channel_id)
        events, is_proven = state.replay(after) if state is not None else ([], False)
        if is_proven and attachment.has_room_for(events):
            for event in events:
                attachment.put(event)
        else:
            answer.unproven.add(channel_id=channel_id, head_offset=state.head if state is not None else 0)

    # Time and change

    def move(self, ring: Ring, now: float) -> tuple[int, int]:
        """Take over a new ring; return the slots adopted and released.

        Publishes to released channels are refused from here on. Their subscribers stay until they leave, so that what
        is under way still reaches them.
        """
        self._observe(now)
        moved = self.ownership.move(ring)
        self._forget_stale(now)
        return moved

    def tick(self, now: float) -> None:
        """Do what is due: give up holes, cut off subscribers that do not acknowledge. Call some 20 times a second."""
        self._observe(now)
        if self.ownership.is_in_doubt:
            self._ask_subscribers()
        for channel_id in tuple(self._waiting):
            self._give_up_holes(channel_id, now)
        self._rechecks.step(now)
        self.audience.tick(now)

    def drain(self) -> None:
        """Refuse everything new from now on, and tell the subscribers; what is under way goes on."""
        self.is_draining = True
        frame = channel_pb2.AttachResponse(draining=channel_pb2.Draining(server_id=self.ownership.instance_id))
        for attachment in self.audience.attachments:
            self.audience.let_go(attachment, math.inf)
            attachment.put_control(frame)

    @property
    def is_drained(self) -> bool:
        """Whether every subscriber has left, with nothing under way."""
        return not self.in_flight_bytes and all(
            not self.audience.follows_any(attachment) and attachment.is_quiet
            for attachment in self.audience.attachments
        )

    def close(self) -> None:
        """End every attachment in peace."""
        for attachment in self.audience.attachments:
            self.audience.detach(attachment)

    def _observe(self, now: float) -> None:
        if self.ownership.observe(now):
            self._forget_stale(now)

    def _ask_subscribers(self) -> None:
        """Look whether any subscriber goes by another ring: what it said may have come before we were in doubt."""
        for attachment in self.audience.attachments:
            if attachment.ring_fingerprint is not None:
                self.ownership.may_act(attachment.ring_fingerprint)

    def _forget_stale(self, now: float) -> None:
        """Forget what may not be trusted any more, and have subscribers compare what they may have missed."""
        self.states.forget_stale()
        self._rechecks.adopted(*self.ownership.take_adopted(), now)
        for channel_id in tuple(self._waiting):
            if self.states.peek(channel_id) is None:
                self._forget(channel_id)

    def _give_up_holes(self, channel_id: str, now: float) -> None:
        state = self.states.peek(channel_id)
        if state is None:
            self._forget(channel_id)
        elif released := self.states.due(state, now):
            self.counts.holes += 1
            self.audience.fan_out(released, self.audience.followers(channel_id))
            self._release_waiting(channel_id, state, now)

    def _forget(self, channel_id: str) -> None:
        """Drop a channel's state; batches with held events of it are refused, so that they are offered again."""
        self.states.forget(channel_id)
        for entry in self._waiting.pop(channel_id, ()):
            if not entry.ticket.is_settled:
                entry.ticket.refusals[entry.index] = channel_pb2.REFUSAL_REASON_NOT_OWNER
                entry.ticket.release()
