"""What the router carries: the orders of webapps, their events, and the lane to each channel server. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from parley.event.v1 import event_pb2


class Order:
    """One batch of a webapp: settled once each of its events is done or given back."""

    __slots__ = ("_left", "_on_settled", "deadline", "items", "undelivered")

    def __init__(self, deadline: float, on_settled: Callable[[list[int]], None]) -> None:
        """`on_settled` gets the indexes that could not be delivered, ascending."""
        self.deadline = deadline
        self.items: list[Item] = []
        self.undelivered: list[int] = []
        self._left = 0
        self._on_settled = on_settled

    def add(self, event: event_pb2.Event, index: int) -> Item:
        """Take an event in."""
        item = Item(event, event.channel_id, len(event.payload) + _OVERHEAD_BYTES, self, index)
        self.items.append(item)
        self._left += 1
        return item

    def settle(self, item: Item, delivered: bool) -> None:
        """Note what became of an event; the last one settles the order."""
        item.is_done = True
        if not delivered:
            self.undelivered.append(item.index)
        self._left -= 1
        if self._left == 0:
            # Settled orders may wait in a queue behind older ones: without their events they weigh nothing.
            self.items = []
            self._on_settled(sorted(self.undelivered))


_OVERHEAD_BYTES = 100
"""What an event weighs beside its payload: ids, times, numbers."""


@dataclass(slots=True, eq=False)
class Item:
    """One event under way. It is in one place at a time: pending or in flight in a lane, or parked with its channel."""

    event: event_pb2.Event
    channel_id: str
    size: int
    order: Order
    index: int
    is_done: bool = False
    """Settled, whatever still comes for it: lanes skip it."""


@dataclass(slots=True)
class Flight:
    """A batch at a channel server, without an answer yet. Items that were taken to another lane are None."""

    items: list[Item | None]
    sent_at: float


@dataclass(slots=True)
class Lane:
    """What goes to one channel server, in order."""

    owner: str
    pending: deque[Item] = field(default_factory=deque)
    flights: dict[int, Flight] = field(default_factory=dict)
    """By batch number, oldest first."""
    last_number: int = 0

    def take(self, now: float, events_max: int, bytes_max: int, window: int) -> tuple[int, list[Item]] | None:
        """Return the next batch, numbered and noted as in flight; None when nothing is pending, or the window full."""
        if len(self.flights) >= window:
            return None
        items: list[Item] = []
        size = 0
        while self.pending and len(items) < events_max and size < bytes_max:
            item = self.pending.popleft()
            if not item.is_done:
                items.append(item)
                size += item.size
        if not items:
            return None
        self.last_number += 1
        self.flights[self.last_number] = Flight(list(items), now)
        return self.last_number, items

    def recall(self) -> None:
        """Put what is in flight back to the front, in order: the line is lost, nobody knows what arrived."""
        back = list(_open_items(self.flights.values()))
        self.flights.clear()
        self.pending.extendleft(reversed(back))

    def give_up_those(self, moved: Callable[[Item], bool]) -> list[Item]:
        """Take out the items for which `moved`, in flight first, in order; late answers for them mean nothing."""
        taken: list[Item] = []
        for flight in self.flights.values():
            for place, item in enumerate(flight.items):
                if item is not None and not item.is_done and moved(item):
                    taken.append(item)
                    flight.items[place] = None
        kept: deque[Item] = deque()
        for item in self.pending:
            (taken if moved(item) else kept).append(item)
        self.pending = kept
        return taken


def _open_items(flights: Iterable[Flight]) -> Iterator[Item]:
    for flight in flights:
        yield from (item for item in flight.items if item is not None and not item.is_done)
