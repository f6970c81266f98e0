"""A channel server's table under watch: whoever knows everything checks each answer to a publish as it leaves.

An answer that takes an event must be true at that moment: every gateway that was subscribed when the event came, and
still is, has it, or at least knows that it exists. And a server that the world may have moved without takes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ops.sim.mesh import Mesh, Subscriber
from parley.channel.v1 import channel_service_pb2 as channel_pb
from parley.event.v1 import event_pb2
from svc.channel.audience import Audience
from svc.channel.channel import ChannelState
from svc.channel.config import FanoutLimits, PublishLimits, TailLimits
from svc.channel.fanout import Attachment, Ticket
from svc.channel.ownership import Ownership
from svc.channel.rechecks import Rechecks
from svc.channel.states import ChannelStates
from svc.channel.table import ChannelTable, _Publish

_Standing = tuple[Attachment, Subscriber, object]


class OrderedAudience(Audience):
    """Whose subscribers are told in the order of their names, so that a run repeats."""

    def owe(self, ticket: Ticket, touched: Iterable[Attachment], now: float) -> None:
        """See Audience."""
        super().owe(ticket, sorted(touched, key=lambda attachment: attachment.subscriber_id), now)


class ForgetfulStates(ChannelStates):
    """Whose channels never find room to rest: the next event of one that was quiet may be a late one."""

    def rest(self, channel_id: str) -> bool:
        """See ChannelStates."""
        return False


class AuditedTable(ChannelTable):
    """See the module."""

    def __init__(
        self, mesh: Mesh, ownership: Ownership, tail: TailLimits, fanout: FanoutLimits, publish: PublishLimits
    ) -> None:
        super().__init__(ownership, tail, fanout, publish)
        self.audience = OrderedAudience(fanout, self.counts, self.rows)
        if not mesh.scenario.has_rest:
            self.states = ForgetfulStates(ownership, tail, self.rows)
        self._rechecks = Rechecks(self.audience, self.states, self.rows)
        self._mesh = mesh
        self._open: dict[Ticket, tuple[Sequence[event_pb2.Event], list[Sequence[_Standing]]]] = {}
        self._must_refuse: set[Ticket] = set()
        self._is_contradicted = False
        self._heard_at = 0.0

    def publish(self, ticket: Ticket, events: Sequence[event_pb2.Event], quoted_fingerprint: int, now: float) -> None:
        """See ChannelTable."""
        if self._is_left_behind(quoted_fingerprint, now):
            self._must_refuse.add(ticket)
        self._open[ticket] = (events, [self._standing(event.channel_id) for event in events])
        super().publish(ticket, events, quoted_fingerprint, now)

    def _accept(self, state: ChannelState, event: event_pb2.Event, index: int, publish: _Publish) -> None:
        is_known = state.low <= event.offset <= state.head
        before = self.counts.deliveries
        super()._accept(state, event, index, publish)
        if is_known and self.counts.deliveries > before:
            self._mesh.world.violate(
                "each hop drops what it has seen",
                f"{self.ownership.instance_id} delivers {event.channel_id}:{event.offset} again",
            )

    def settled(self, ticket: Ticket) -> None:
        """See ChannelTable."""
        super().settled(ticket)
        counts, name = self._mesh.world.counts, self.ownership.instance_id
        events, standing = self._open.pop(ticket)
        for reason in ticket.refusals.values():
            counts[f"refused: {channel_pb.RefusalReason.Name(reason).removeprefix('REFUSAL_REASON_').lower()}"] += 1
        must_refuse = ticket in self._must_refuse
        self._must_refuse.discard(ticket)
        for index, event in enumerate(events):
            if index in ticket.refusals:
                continue
            if must_refuse:
                self._mesh.world.violate(
                    "a fenced server acks nothing", f"{name} took {event.channel_id}:{event.offset}"
                )
            self._check(event, standing[index])
        self._mesh.world.trace(
            name, "answers", *(f"{event.channel_id}:{event.offset}" for event in events), dict(ticket.refusals)
        )

    def _standing(self, channel_id: str) -> list[_Standing]:
        """Return the gateways whose subscription to a channel stands here, by both sides' word."""
        found = []
        for attachment in self.audience.followers(channel_id):
            gateway = self._mesh.subscribers.get(attachment.subscriber_id)
            subscription = gateway and gateway.standing(self.ownership.instance_id, channel_id)
            if gateway is not None and subscription is not None:
                found.append((attachment, gateway, subscription))
        return found

    def _check(self, event: event_pb2.Event, before: Sequence[_Standing]) -> None:
        if not before:
            return
        after = self._standing(event.channel_id)
        for standing in before:
            if standing in after and not standing[1].holds(event.channel_id, event.offset):
                self._mesh.world.violate(
                    "what is answered has arrived",
                    f"{self.ownership.instance_id} took {event.channel_id}:{event.offset},"
                    f" which {standing[0].subscriber_id} does not hold",
                )

    def _is_left_behind(self, quoted_fingerprint: int, now: float) -> bool:
        """Whether the fence is closed and somebody has shown that the ring moved on since."""
        process = self._mesh.processes[self.ownership.instance_id]
        is_in_doubt = process.fence.is_fenced(now)  # type: ignore[attr-defined]
        if not is_in_doubt:
            self._is_contradicted = False
        elif quoted_fingerprint != self.ownership.fingerprint:
            self._is_contradicted = True
        return self._is_contradicted
