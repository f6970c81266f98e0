"""One uplink: our end of the Attach stream to one channel server.

Batches are handed on before they are acknowledged, and acknowledged cumulatively, at most once a turn of the loop. What
is to be subscribed comes from the plan whenever the line can take it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Protocol

from parley.channel.v1 import channel_service_pb2 as channel_pb
from parley.event.v1 import event_pb2 as event_pb
from svc.feed.plan import Ask, Plan, Quit
from svc.feed.positions import Positions
from svc.feed.pulse import Pulse
from svc.kit.clock import Clock

TRANSIENTS_MAX = 256
"""Transient events that wait for one server; beyond, the oldest goes: typing is stale within a second anyway."""

log = logging.getLogger(__name__)


class Consumer(Protocol):
    """Who follows channels. Called from the event loop; must not wait, and must not raise."""

    def deliver(self, events: Sequence[event_pb.Event]) -> None:
        """Take events: persisted ones once each and in the order of their channel, transient ones as they come."""
        ...

    def lost(self, channel_id: str, last: int) -> None:
        """Learn that events of a channel up to offset `last`, not delivered yet, can never be had."""
        ...


class Uplink:
    """The end of one line (see lines.LineEnd). Holds nothing that the plan and the positions do not know."""

    def __init__(
        self,
        server_id: str,
        hello: channel_pb.Hello,
        plan: Plan,
        positions: Positions,
        consumer: Consumer,
        clock: Clock,
        on_news: UplinkNews,
        ping_every_s: float | None = None,
    ) -> None:
        """Be the end of the line to `server_id`; `on_news` hears what concerns other lines."""
        self._server_id = server_id
        self._hello = hello
        self._plan = plan
        self._positions = positions
        self._consumer = consumer
        self._clock = clock
        self._on_news = on_news
        self._received = 0
        self._acked = 0
        self._transients: deque[event_pb.Event] = deque(maxlen=TRANSIENTS_MAX)
        self._ping_every_s = ping_every_s
        self._pulse = None if ping_every_s is None else Pulse(ping_every_s)

    @property
    def heartbeat_s(self) -> float | None:
        """How often a ping may be due; None without pings: the transport's keepalive finds dead peers."""
        return self._ping_every_s

    def is_level(self, now: float, within_s: float) -> bool:
        """Tell whether all that was fanned out to us until `within_s` seconds ago is known to have come."""
        return self._pulse is not None and now - self._pulse.level_at <= within_s

    def hello(self) -> channel_pb.AttachRequest:
        """Return the frame that attaches."""
        return channel_pb.AttachRequest(hello=self._hello)

    def opened(self, first: channel_pb.AttachResponse) -> None:
        """The server welcomes us: a new attachment, with batches numbered from 1 and no subscriptions."""
        self._received = self._acked = 0
        self._plan.server_up(self._server_id)
        log.info("attached to %s, ring %016x", self._server_id, first.welcome.ring_fingerprint)

    def closed(self) -> None:
        """The attachment is gone."""
        self._transients.clear()
        if self._pulse is not None:
            self._pulse.stop()
        self._plan.server_down(self._server_id)
        self._on_news.uplink_lost(self._server_id)

    def received(self, response: channel_pb.AttachResponse) -> None:
        """Take a frame."""
        kind = response.WhichOneof("frame")
        if kind == "batch":
            self._take_batch(response.batch)
        elif kind == "subscribed":
            self._take_answer(response.subscribed)
        elif kind == "pong":
            self._take_pong(response.pong)
        elif kind == "draining":
            log.info("%s is draining", self._server_id)

    def outgoing(self) -> Iterator[channel_pb.AttachRequest]:
        """Yield what is to be said now: the acknowledgement, then subscriptions, transient events, and a ping."""
        if self._acked < self._received:
            self._acked = self._received
            yield channel_pb.AttachRequest(ack=channel_pb.Ack(batch_number=self._acked))
        for frame in self._plan.flush(self._server_id):
            yield self._request(frame)
        if self._transients:
            events = list(self._transients)
            self._transients.clear()
            yield channel_pb.AttachRequest(transient=channel_pb.Transient(events=events))
        if self._pulse is not None and (number := self._pulse.due(self._clock.now())) is not None:
            ping = channel_pb.Ping(number=number, ring_fingerprint=self._plan.ring.fingerprint)
            yield channel_pb.AttachRequest(ping=ping)

    def transient(self, event: event_pb.Event) -> None:
        """Send a transient event soon, or never."""
        self._transients.append(event)

    def _request(self, frame: Ask | Quit) -> channel_pb.AttachRequest:
        if isinstance(frame, Quit):
            return channel_pb.AttachRequest(unsubscribe=channel_pb.Unsubscribe(channel_ids=frame.channel_ids))
        last = self._positions.last
        positions = [event_pb.ChannelPosition(channel_id=each, offset=last(each) or 0) for each in frame.channel_ids]
        subscribe = channel_pb.Subscribe(
            request_number=frame.request_number, ring_fingerprint=self._plan.ring.fingerprint, positions=positions
        )
        return channel_pb.AttachRequest(subscribe=subscribe)

    def _take_batch(self, batch: channel_pb.Batch) -> None:
        now = self._clock.now()
        take = self._positions.take
        handed: list[event_pb.Event] = []
        for event in batch.events:
            handed.extend(take(event, now))
        if handed:
            self._consumer.deliver(handed)
        self._received = batch.batch_number
        self._on_news.uplink_news(self._server_id, owes=True)

    def _take_answer(self, answer: channel_pb.Subscribed) -> None:
        now = self._clock.now()
        for start in answer.unproven:
            self._positions.doubt(start.channel_id, start.head_offset, now)
        self._plan.answered(self._server_id, answer.request_number, answer.refused_channel_ids, now)
        self._on_news.uplink_news(self._server_id, owes=False)

    def _take_pong(self, pong: channel_pb.Pong) -> None:
        if self._pulse is not None:
            self._pulse.answered(pong.number, pong.is_taking and pong.ring_fingerprint == self._plan.ring.fingerprint)


class UplinkNews(Protocol):
    """What an uplink tells its feed."""

    def uplink_news(self, server_id: str, *, owes: bool) -> None:
        """Something was received: there may be subscriptions or log reads to see to, and if it `owes`, a batch to
        acknowledge.
        """
        ...

    def uplink_lost(self, server_id: str) -> None:
        """The attachment is gone."""
        ...
