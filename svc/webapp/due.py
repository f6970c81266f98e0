"""What users' channels hold for a time to come: scheduled messages and reminders, done by whichever webapp looks first.

Every webapp looks each half second, and nothing is claimed: what is due is done under a key of its own and then taken
away, so two who do it at once do it once. What cannot be done now is due still; what failed for GIVE_UP_S is given up,
so that it does not stand in the way of all others.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from parley.event.v1 import event_pb2
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError
from svc.kit.lifecycle import background
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Draft, ItemKind, Write
from svc.webapp.commit.sweeping import Sweeper
from svc.webapp.domain.refusal import Refused
from svc.webapp.priority import Priority, at
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import ItemRow

__all__ = ["DueItems", "run_due_items"]

log = logging.getLogger(__name__)

ITEMS_A_SWEEP = 64
GIVE_UP_S = 3_600
"""After an outage of an hour a message for ten o'clock is still worth posting."""

Do = Callable[[ItemRow], Awaitable[None]]


class DueItems:
    """Does what is due."""

    def __init__(
        self,
        channels: ChannelStore,
        writes: Writes,
        clock: Clock,
        handlers: Mapping[ItemKind, Do],
        givers_up: Mapping[ItemKind, Do],
    ) -> None:
        """`handlers`: by kind; each takes the item away, or makes it due no longer. `givers_up`: by kinds that are more
        than one thing to do; each makes what is given up due no longer.
        """
        self._channels = channels
        self._writes = writes
        self._clock = clock
        self._handlers = handlers
        self._givers_up = givers_up

    async def sweep(self) -> bool:
        """Do what is due; True when there is likely more. Raises the kit's errors when nothing could be read."""
        due = await self._channels.due_items(self._clock.wall_us(), ITEMS_A_SWEEP)
        done = 0
        for item in due:
            done += await self._do(item)
        return len(due) == ITEMS_A_SWEEP and done > 0

    async def _do(self, item: ItemRow) -> bool:
        try:
            await self._handlers[item.kind](item)
        except (ParleyError, Refused, KeyError, TypeError, ValueError) as error:
            age_s = (self._clock.wall_us() - item.due_us) / 1e6
            if age_s < GIVE_UP_S:
                log.warning("%s %s of %s has to wait: %r", item.kind.name, item.id, item.channel_id, error)
                return False
            log.error("%s %s of %s is given up: %r", item.kind.name, item.id, item.channel_id, error)
            await self._give_up(item)
        return True

    async def _give_up(self, item: ItemRow) -> None:
        """Make an item due no longer, or take it away when its kind has no other way, or cannot read it."""
        giver_up = self._givers_up.get(item.kind)
        if giver_up is not None:
            try:
                await giver_up(item)
            except (Refused, KeyError, TypeError, ValueError) as error:
                log.error("%s %s of %s is taken away: %r", item.kind.name, item.id, item.channel_id, error)
            else:
                return
        draft = Draft(event_pb2.EVENT_KIND_USER, lambda _: None)
        await self._writes.commit(Write(item.channel_id, (draft,), items_dropped=((item.kind, item.id),)))


@asynccontextmanager
async def run_due_items(items: DueItems, clock: Clock) -> AsyncIterator[None]:
    """Look for what is due while the block runs."""
    sweeper = Sweeper("due items", items.sweep, clock)
    # People have asked for it.
    async with background("due-items", at(Priority.POST, sweeper.run())):
        yield
