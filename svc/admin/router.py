"""The router: whose event is it, is it there yet, and when to try again. Pure: no sockets, no timers, no tasks.

Every event is in one place: pending or in flight in the *lane* of a channel server, or *parked* with its channel
after a refusal. A parked channel's newer events queue up behind it, so retries keep the order of each channel. A new
ring wakes all of them at once and takes what is pending and in flight to the new owners; an answer of the former owner
then means nothing, because subscribers may have left it. Publishing twice is harmless: offsets tell.

What makes this the one place that retries: it ends at a deadline, and retries at an overloaded owner come out of a
budget, so that trouble is not multiplied. An event that is not settled by then goes back to the webapp, whose outbox
keeps it; a crash of the router loses nothing for the same reason.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from discovery.ring import Ring
from parley.channel.v1 import channel_service_pb2 as channel_pb2
from parley.event.v1 import event_pb2
from svc.admin.config import RouterLimits
from svc.admin.orders import Item, Lane, Order
from svc.admin.recent import Recent
from svc.kit.backoff import Backoff, RetryBudget

Reason: TypeAlias = "channel_pb2.RefusalReason.ValueType"

NOBODY = ""
"""The lane for everything while the ring is empty."""

_OVERLOAD: frozenset[Reason] = frozenset(
    (channel_pb2.REFUSAL_REASON_OVERLOADED, channel_pb2.REFUSAL_REASON_ACK_TIMEOUT)
)


@dataclass(slots=True)
class Counts:
    """What has happened since the start, for the metrics."""

    events: int = 0
    delivered: int = 0
    undelivered: int = 0
    invalid: int = 0
    """Refused for good by an owner: a defect of the publisher. Counted as done, since no retry can help."""
    rerouted: int = 0
    """Taken to another owner because the ring moved."""
    repeated: int = 0
    """Offered to another owner as well, because the one that took them lost the channel soon after."""
    lines_lost: int = 0
    refusals: dict[Reason, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Parked:
    """A channel in trouble: its events, in order, and when to offer them again."""

    items: list[Item]
    due: float


class Router:
    """See the module. `on_ready(owner)`: its lane may have something to take. `now`: monotonic seconds."""

    def __init__(self, limits: RouterLimits, on_ready: Callable[[str], None], rng: random.Random | None = None) -> None:
        self.counts = Counts()
        self.ring = Ring(())
        self.events_under_way = 0
        self.bytes_under_way = 0
        self._limits = limits
        self._on_ready = on_ready
        self._rng = rng or random.Random()
        self._budget = RetryBudget(ratio=limits.retry_ratio)
        self._lanes: dict[str, Lane] = {}
        self._parked: dict[str, _Parked] = {}
        self._backoffs: dict[str, Backoff] = {}
        """Of channels that were refused and have had nothing settled since."""
        self._orders: deque[Order] = deque()
        self._recent = Recent(limits)

    @property
    def has_room(self) -> bool:
        """Whether another order may be submitted; the limits may be exceeded by one order."""
        return self.events_under_way < self._limits.events_max and self.bytes_under_way < self._limits.bytes_max

    def depth(self, owner: str) -> int:
        """Return how many events wait for their turn to be sent to a channel server."""
        lane = self._lanes.get(owner)
        return 0 if lane is None else len(lane.pending)

    def submit(self, events: Sequence[event_pb2.Event], now: float, on_settled: Callable[[list[int]], None]) -> None:
        """Take an order of one event or more, each channel's in order. `on_settled` gets the undelivered indexes."""
        self.counts.events += len(events)
        self._submit(events, now, on_settled)

    def _submit(self, events: Sequence[event_pb2.Event], now: float, on_settled: Callable[[list[int]], None]) -> None:
        order = Order(now + self._limits.deadline_s, on_settled)
        self._orders.append(order)
        self.events_under_way += len(events)
        items = [order.add(event, index) for index, event in enumerate(events)]
        self.bytes_under_way += sum(item.size for item in items)
        self._route(items)

    def take(self, owner: str, now: float) -> tuple[int, list[Item]] | None:
        """Return the next batch for a channel server: its number and its items; None when there is nothing to send."""
        lane = self._lanes.get(owner)
        if lane is None:
            return None
        limits = self._limits
        batch = lane.take(now, limits.batch_events_max, limits.batch_bytes_max, limits.window_batches)
        if batch is not None:
            self._budget.record_call(now)
        return batch

    def answered(self, owner: str, number: int, refusals: Mapping[int, Reason], now: float) -> None:
        """Take a channel server's answer to a batch; unknown numbers are late ones and ignored."""
        lane = self._lanes.get(owner)
        flight = lane.flights.pop(number, None) if lane is not None else None
        if flight is None:
            return
        may_retry = not _OVERLOAD.intersection(refusals.values()) or self._budget.may_retry(now)
        for index, item in enumerate(flight.items):
            if item is None or item.is_done:
                continue
            reason = refusals.get(index)
            if reason is None:
                self._recent.note(item, owner, now)
                self._settle(item, delivered=True)
            else:
                self._refused(item, reason, may_retry, now)
        self._on_ready(owner)

    def lost(self, owner: str) -> None:
        """Note that the line to a channel server broke: what is in flight will be sent again, on the next line."""
        lane = self._lanes.get(owner)
        if lane is not None:
            self.counts.lines_lost += 1
            lane.recall()
            self._on_ready(owner)

    def move(self, ring: Ring, now: float) -> None:
        """Take over a new ring: everything under way goes to its new owner at once, and what was taken just before."""
        self.ring = ring
        repeated = self._recent.moved(self._owner, now) if ring.members else []
        moved: list[Item] = []
        for lane in tuple(self._lanes.values()):
            owner = lane.owner
            moved += lane.give_up_those(lambda item, owner=owner: self._owner(item.channel_id) != owner)  # type: ignore[misc]
            if owner not in ring.members and owner != NOBODY:
                del self._lanes[owner]
        self.counts.rerouted += len(moved)
        parked, self._parked = self._parked, {}
        for trouble in parked.values():
            moved += trouble.items
        # What was in flight, pending and parked of one channel comes from several places: the offsets put it in order.
        self._route(sorted(moved, key=lambda item: item.event.offset))
        if repeated:
            self.counts.repeated += len(repeated)
            self._submit(repeated, now, _settled_before)

    def due(self, now: float) -> None:
        """Give back what is past its deadline, and offer again what has been parked long enough."""
        while self._orders and (self._orders[0].deadline <= now or not self._orders[0].items):
            self._give_back(self._orders.popleft())
        for channel_id in [channel for channel, trouble in self._parked.items() if trouble.due <= now]:
            self._unpark(channel_id)

    def stuck(self, now: float) -> list[str]:
        """Return the channel servers that left a batch unanswered for a whole deadline: their lines are no good."""
        return [
            lane.owner
            for lane in self._lanes.values()
            if lane.flights and now - next(iter(lane.flights.values())).sent_at > self._limits.deadline_s
        ]

    def give_back_all(self) -> None:
        """Settle everything under way as undelivered: this router is leaving."""
        while self._orders:
            self._give_back(self._orders.popleft())

    def _give_back(self, order: Order) -> None:
        for item in order.items:
            if not item.is_done:
                self._settle(item, delivered=False)

    def _owner(self, channel_id: str) -> str:
        return self.ring.owner(channel_id) if self.ring.members else NOBODY

    def _route(self, items: Iterable[Item]) -> None:
        """Put items at the end of their owners' lanes, or behind their channel's others when it is parked."""
        ready: set[str] = set()
        for item in items:
            if item.is_done:
                continue
            parked = self._parked.get(item.channel_id) if self._parked else None
            if parked is not None:
                parked.items.append(item)
                continue
            owner = self._owner(item.channel_id)
            lane = self._lanes.get(owner)
            if lane is None:
                lane = self._lanes[owner] = Lane(owner)
            lane.pending.append(item)
            ready.add(owner)
        for owner in ready:
            self._on_ready(owner)

    def _refused(self, item: Item, reason: Reason, may_retry: bool, now: float) -> None:
        self.counts.refusals[reason] = self.counts.refusals.get(reason, 0) + 1
        if reason == channel_pb2.REFUSAL_REASON_INVALID:
            self.counts.invalid += 1
            self._settle(item, delivered=True)
        elif reason in _OVERLOAD and not may_retry:
            self._settle(item, delivered=False)
        else:
            self._park(item, now)

    def _park(self, item: Item, now: float) -> None:
        parked = self._parked.get(item.channel_id)
        if parked is None:
            backoff = self._backoffs.get(item.channel_id)
            if backoff is None:
                backoff = Backoff(self._limits.retry_base_s, self._limits.retry_cap_s, self._rng)
                self._backoffs[item.channel_id] = backoff
            self._parked[item.channel_id] = _Parked([item], now + backoff.next_s())
        else:
            parked.items.append(item)

    def _unpark(self, channel_id: str) -> None:
        parked = self._parked.pop(channel_id)
        self._route(sorted(parked.items, key=lambda item: item.event.offset))

    def _settle(self, item: Item, *, delivered: bool) -> None:
        self.events_under_way -= 1
        self.bytes_under_way -= item.size
        if self._backoffs:
            self._backoffs.pop(item.channel_id, None)
        if delivered:
            self.counts.delivered += 1
        else:
            self.counts.undelivered += 1
        item.order.settle(item, delivered)


def _settled_before(_: list[int]) -> None:
    """Tell nobody: whoever published it has had his answer."""
