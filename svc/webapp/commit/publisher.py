"""From the commit to admin: batches, several in flight, and the outbox's rows deleted once they are taken.

Nothing here is needed for delivery: what the queue has no room for, what admin could not deliver, and what a crash
leaves behind is in the outbox, and the sweepers offer it again. This is the fast way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Protocol

from opentelemetry import metrics

from parley.event.v1 import event_pb2
from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError
from svc.kit.lifecycle import Tasks, background
from svc.kit.mailbox import Mailbox, Overflow
from svc.webapp.priority import Priority, at
from svc.webapp.store.outbox import OutboxStore

__all__ = ["AdminLink", "Publisher", "PublisherLimits", "run_publisher"]

log = logging.getLogger(__name__)

Key = tuple[str, int]

TASKS_MAX = 256
"""Batches under way, late ones too: four times what the link takes."""


class AdminLink(Protocol):
    """The way to admin."""

    async def publish(self, events: Sequence[event_pb2.Event]) -> Sequence[int]:
        """Return indexes of those events that did not reach their channel's owner; the others did.

        Batches leave in the order of the calls. Raises UnavailableError or DeadlineError when nothing is known.
        """
        ...


@dataclass(frozen=True, slots=True)
class PublisherLimits:
    """Bounds of publishing."""

    events_max: int = 20_000
    """Events that wait; the next are left to the sweepers. At 300 bytes each, 6 MB."""
    bytes_max: int = 32 * 1024 * 1024
    batch_max: int = 1024
    """Events in a batch: admin's contract."""
    batch_bytes_max: int = 4 * 1024 * 1024
    """Well under the mesh's message limit of 16 MiB."""
    in_flight_max: int = 8
    """Batches that are not answered yet. An answer takes a fan-out's round trip, 5 to 20 ms."""
    late_s: float = 0.05
    """After so long a batch gives its place to the next, answered or not: it waits for a subscriber that hangs, which
    must not hold up everybody's events. Until the owner gives up on it (2 s) these are 40 batches; the link has 64."""
    acked_max: int = 50_000
    """Published events whose rows wait for deletion; beyond it the oldest are left to the sweepers."""
    delete_max: int = 1000
    """Rows in a DELETE."""
    delete_wait_s: float = 0.1
    """How long the first of them waits for others: a DELETE is a transaction by itself, as dear as a post's, and
    nobody waits for it. Much less than the second after which sweepers would take a row for an orphan's."""


class _Place:
    """A place in the window, given back once."""

    __slots__ = ("_is_taken", "_window")

    def __init__(self, window: asyncio.Semaphore) -> None:
        """Be a place that was acquired."""
        self._window = window
        self._is_taken = True

    def give_back(self) -> None:
        """Let the next batch have it."""
        if self._is_taken:
            self._is_taken = False
            self._window.release()


class Publisher:
    """Offers committed events to admin. A crash loses nothing: see the module."""

    def __init__(
        self, link: AdminLink, outbox: OutboxStore, clock: Clock, rng: Random, limits: PublisherLimits | None = None
    ) -> None:
        """See `run_publisher`."""
        self._link = link
        self._outbox = outbox
        self._clock = clock
        self._limits = limits or PublisherLimits()
        self._backoff = Backoff(0.05, 2.0, rng)
        self._waiting: Mailbox[event_pb2.Event] = Mailbox(self._limits.events_max, self._limits.bytes_max)
        self._acked: Mailbox[Key] = Mailbox(self._limits.acked_max, overflow=Overflow.DROP_OLDEST)
        self._held: set[Key] = set()
        self._failing = False
        self._window = asyncio.Semaphore(self._limits.in_flight_max)
        meter = metrics.get_meter(__name__)
        self._published = meter.create_counter("parley.webapp.published", description="events taken by their owner")
        self._left = meter.create_counter("parley.webapp.left_to_sweeper", description="events not published at once")
        meter.create_observable_gauge(
            "parley.webapp.unpublished",
            [lambda _: [metrics.Observation(len(self._held))]],
            description="events that wait here for admin, or for its answer",
        )

    def offer(self, events: Sequence[event_pb2.Event]) -> None:
        """Queue committed events, in the order of their commit. What does not fit is left to the sweepers."""
        for event in events:
            if not self._waiting.closed and self._waiting.put(event, len(event.payload) + 200):
                self._held.add((event.channel_id, event.offset))
            else:
                self._left.add(1, {"why": "queue full"})

    def holds(self, channel_id: str, offset: int) -> bool:
        """Tell whether the event is queued or in flight here, so that this process's sweeper leaves it alone."""
        return (channel_id, offset) in self._held

    async def publish(self, events: Sequence[event_pb2.Event]) -> int:
        """Publish a batch now and return how many of it reached their owners; rows of these will be deleted."""
        try:
            undelivered = set(await self._link.publish(events))
            self._failing = False
        except ParleyError as error:
            # An outage of minutes is one line, not one a batch.
            level = logging.DEBUG if self._failing else logging.WARNING
            log.log(level, "%d events were not published and are left to the sweepers: %s", len(events), error)
            undelivered = set(range(len(events)))
            self._failing = True
        for index, event in enumerate(events):
            if index not in undelivered and event.offset:  # a transient one has no row
                self._acked.put((event.channel_id, event.offset))
        if undelivered:
            self._left.add(len(undelivered), {"why": "undelivered"})
        self._published.add(len(events) - len(undelivered))
        return len(events) - len(undelivered)

    async def run(self) -> None:
        """Publish what is queued, for ever."""
        limits = self._limits
        # More than the link takes: a task lives on for a turn of the loop after its answer, or its refusal.
        async with Tasks("publish", TASKS_MAX) as tasks:
            while True:
                events = await self._waiting.take(limits.batch_max, limits.batch_bytes_max)
                await self._window.acquire()
                # Tasks begin in the order of their making, so batches reach the link in order.
                tasks.spawn(self._publish_held(events))

    async def _publish_held(self, events: Sequence[event_pb2.Event]) -> None:
        place = _Place(self._window)
        late = asyncio.get_running_loop().call_later(self._limits.late_s, place.give_back)
        try:
            await self.publish(events)
        finally:
            self._held.difference_update((event.channel_id, event.offset) for event in events)
            late.cancel()
            place.give_back()

    async def delete_acked(self) -> None:
        """Delete the rows of published events, for ever. While MySQL does not answer, they wait, bounded."""
        while True:
            keys = await self._acked.take(self._limits.delete_max)
            await self._clock.sleep(self._limits.delete_wait_s)
            keys += self._acked.take_nowait(self._limits.delete_max - len(keys))
            while True:
                try:
                    await self._outbox.delete_events(keys)
                except ParleyError as error:
                    log.warning("%d published events are still in the outbox: %s", len(keys), error)
                    await self._clock.sleep(self._backoff.next_s())
                else:
                    self._backoff.reset()
                    break


@asynccontextmanager
async def run_publisher(
    link: AdminLink, outbox: OutboxStore, clock: Clock, rng: Random, limits: PublisherLimits | None = None
) -> AsyncIterator[Publisher]:
    """Yield a publisher that works while the block runs."""
    publisher = Publisher(link, outbox, clock, rng, limits)
    # What is not deleted is published again: as important as what brought it about.
    deleting = at(Priority.POST, publisher.delete_acked())
    async with background("publish", publisher.run()), background("outbox-delete", deleting):
        yield publisher
