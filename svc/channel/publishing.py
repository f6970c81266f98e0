"""One publish stream: batches in, several under way at a time, answers out in the order in which they settle."""

from __future__ import annotations

from collections.abc import AsyncIterator

from parley.channel.v1 import channel_service_pb2 as channel_pb2
from svc.channel.config import PublishLimits
from svc.channel.fanout import Ticket
from svc.channel.table import ChannelTable
from svc.channel.wire import EVENTS_MAX
from svc.kit.clock import Clock
from svc.kit.errors import InvalidArgumentError, ParleyError
from svc.kit.replies import Replies


class PublishLine:
    """The state of one publish stream. A crash, or the stream's end, leaves its batches unanswered: they come again."""

    def __init__(self, table: ChannelTable, clock: Clock, limits: PublishLimits) -> None:
        self.answers: Replies[channel_pb2.PublishResponse] = Replies(limits.window_batches)
        """For the writer to iterate."""
        self._table = table
        self._clock = clock
        self._limits = limits
        self._tickets: dict[int, tuple[Ticket, int]] = {}

    async def read(self, requests: AsyncIterator[channel_pb2.PublishRequest]) -> None:
        """Take batches until the publisher has sent its last, or a malformed one."""
        try:
            async for request in requests:
                self._take(request)
                await self.answers.room()
            self.answers.finish()
        except ParleyError as error:
            self.answers.finish(error)

    def expire(self, now: float) -> None:
        """Answer the batches whose subscribers have let them wait for longer than `publish_timeout_s`."""
        for ticket, count in tuple(self._tickets.values()):
            if now - ticket.opened_at <= self._limits.publish_timeout_s:
                return
            ticket.give_up(channel_pb2.REFUSAL_REASON_ACK_TIMEOUT, count)

    def finish(self, reason: channel_pb2.RefusalReason.ValueType) -> None:
        """Refuse whatever has no answer yet, and end."""
        for ticket, count in tuple(self._tickets.values()):
            ticket.give_up(reason, count)
        self.answers.finish()

    def _take(self, request: channel_pb2.PublishRequest) -> None:
        count = len(request.events)
        if not 1 <= count <= EVENTS_MAX:
            raise InvalidArgumentError(
                "a batch has 1 to 1,024 events", subject="events", limit=EVENTS_MAX, actual=count
            )
        if request.batch_number in self._tickets:
            raise InvalidArgumentError(
                "the batch number is in use", subject="batch_number", actual=request.batch_number
            )
        now = self._clock.now()
        ticket = Ticket(request.batch_number, now, self._settled)
        self._tickets[request.batch_number] = (ticket, count)
        self.answers.begin()
        self._table.publish(ticket, request.events, request.ring_fingerprint, now)

    def _settled(self, ticket: Ticket) -> None:
        del self._tickets[ticket.number]
        self._table.settled(ticket)
        refusals = [
            channel_pb2.PublishRefusal(index=index, reason=reason) for index, reason in sorted(ticket.refusals.items())
        ]
        self.answers.answer(
            channel_pb2.PublishResponse(
                batch_number=ticket.number, ring_fingerprint=self._table.ownership.fingerprint, refusals=refusals
            )
        )
