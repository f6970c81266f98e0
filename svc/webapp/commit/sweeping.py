"""Sweepers: every webapp takes over what another committed and did not finish, because it was killed or cut off.

Events older than 1 s are published again, effects older than 1 s carried out again; a look each 500 ms, so what a
killed webapp left goes out within 2 s. All of it is idempotent: owners drop an event that they have, effects are keyed
by their cause. While there is much to do, batches follow one another without a pause.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from parley.event.v1 import event_pb2
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError
from svc.kit.lifecycle import background
from svc.webapp.commit.effects import Effects
from svc.webapp.commit.publisher import Publisher
from svc.webapp.priority import Priority, at
from svc.webapp.store.outbox import OutboxStore

__all__ = ["SWEEP_INTERVAL_S", "Sweeper", "run_sweepers", "sweep_effects", "sweep_events"]

log = logging.getLogger(__name__)

SWEEP_INTERVAL_S = 0.5
"""With OUTBOX_DELAY_US = 1 s: at most 1.5 s until an orphan is found, and 0.5 s to deliver it."""
EVENTS_A_SWEEP = 512
EFFECTS_A_SWEEP = 64
EVENT_LEASE_US = 2_000_000
"""How long one sweeper has for what it claimed, before another may try: admin's own retries take about a second."""
EFFECT_LEASE_US = 10_000_000
"""Effects write to three keyspaces; a hot row is waited for at most 3 s."""


ForgetEvents = Callable[[Sequence[event_pb2.Event]], Awaitable[None]]


class Sweeper:
    """Repeats a sweep: at once while it finds a full batch, else after SWEEP_INTERVAL_S. Failures only wait."""

    def __init__(self, name: str, sweep: Callable[[], Awaitable[bool]], clock: Clock) -> None:
        """`sweep` returns whether there is likely more to do now."""
        self._name = name
        self._sweep = sweep
        self._clock = clock

    async def run(self) -> None:
        """Sweep for ever."""
        failing = False
        while True:
            more = False
            try:
                more = await self._sweep()
                failing = False
            except ParleyError as error:
                # An outage of minutes is one line, not one each half second.
                log.log(logging.DEBUG if failing else logging.WARNING, "%s sweep failed: %s", self._name, error)
                failing = True
            if not more:
                await self._clock.sleep(SWEEP_INTERVAL_S)


async def sweep_events(
    outbox: OutboxStore, publisher: Publisher, clock: Clock, forget: ForgetEvents | None = None
) -> bool:
    """Publish events that are due. True when the batch was full and some of it went out.

    Before that caches forget what their writes changed: whoever committed them may have died before he came to it.
    """
    due = await outbox.claim_events(clock.wall_us(), EVENT_LEASE_US, EVENTS_A_SWEEP)
    gone = [(item.channel_id, item.offset) for item in due if item.event is None]
    if gone:
        log.warning("%d unpublished events are no longer in the log, the first is %s", len(gone), gone[0])
        await outbox.delete_events(gone)
    events = [
        event_pb2.Event.FromString(item.event)
        for item in due
        if item.event is not None and not publisher.holds(item.channel_id, item.offset)
    ]
    if events and forget is not None:
        await forget(events)
    published = await publisher.publish(events) if events else 0
    return len(due) == EVENTS_A_SWEEP and published > 0


async def sweep_effects(outbox: OutboxStore, effects: Effects, clock: Clock) -> bool:
    """Carry out effects that are due. True when the batch was full and some of it succeeded."""
    due = await outbox.claim_effects(clock.wall_us(), EFFECT_LEASE_US, EFFECTS_A_SWEEP)
    done = 0
    for item in due:
        done += await effects.redo(item)
    return len(due) == EFFECTS_A_SWEEP and done > 0


@asynccontextmanager
async def run_sweepers(
    outbox: OutboxStore, publisher: Publisher, effects: Effects, clock: Clock, forget: ForgetEvents | None = None
) -> AsyncIterator[None]:
    """Sweep events and effects, each in its own time, while the block runs.

    `forget` makes caches forget what the writes of events changed; None where nothing is cached.
    """
    events = Sweeper("event", lambda: sweep_events(outbox, publisher, clock, forget), clock)
    late = Sweeper("effect", lambda: sweep_effects(outbox, effects, clock), clock)
    # They finish posts that were acknowledged.
    sweeps = at(Priority.POST, events.run()), at(Priority.POST, late.run())
    async with background("sweep-events", sweeps[0]), background("sweep-effects", sweeps[1]):
        yield
