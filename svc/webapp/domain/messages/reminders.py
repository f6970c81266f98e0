"""Reminders: items of the user's own channel who is reminded, by a message in its notes to itself when the time comes.

Like scheduled messages they are told under a key of their own, and only then marked as told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from parley.event.v1 import event_pb2
from svc.kit.clock import Clock
from svc.kit.ids import IdMint
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Draft, Item, ItemKind, Json, Write
from svc.webapp.domain.messages.when import reminder_time
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.domain.slackbot import Slackbot
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import ItemRow

__all__ = ["REMINDERS_MAX", "TEXT_CHARS_MAX", "Reminder", "Reminders"]

REMINDERS_MAX = 500
"""Of one user, told ones too: one statement reads them all."""
TEXT_CHARS_MAX = 3_000


@dataclass(frozen=True, slots=True)
class Reminder:
    """What somebody wants to be reminded of."""

    id: str
    team: str
    user: str
    text: str
    time: int
    """Unix seconds."""
    complete_ts: int = 0
    """When it was done, unix seconds; 0 while it is not."""

    @classmethod
    def of(cls, row: ItemRow) -> Reminder:
        """Read a stored one."""
        return cls(**orjson.loads(row.body))

    @property
    def shape(self) -> Json:
        """As reminders.* show it."""
        shape: Json = {"id": self.id, "creator": self.user, "user": self.user, "text": self.text}
        return shape | {"recurring": False, "time": self.time, "complete_ts": self.complete_ts}


class Reminders:
    """The rules of reminders. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(
        self,
        slackbot: Slackbot,
        lookups: Lookups,
        channels: ChannelStore,
        writes: Writes,
        clock: Clock,
        mint: IdMint,
    ) -> None:
        self._slackbot = slackbot
        self._lookups = lookups
        self._channels = channels
        self._writes = writes
        self._clock = clock
        self._mint = mint

    async def add(self, caller: Caller, text: str, wanted: str, user_id: str) -> Reminder:
        """Remind the caller at the time that `wanted` says on its own clock; see `when`.

        Refused `cannot_parse`, `time_in_past`, `time_too_far`, `cannot_add_others`, `user_not_found`, `too_long`,
        `restricted_too_many`.
        """
        if user_id and user_id != caller.user_id:
            found = await self._lookups.user(caller.team_id, user_id)
            if found is None:
                raise Refused("user_not_found")
            raise Refused("cannot_add_bot" if found.is_bot else "cannot_add_others")
        if len(text) > TEXT_CHARS_MAX:
            raise Refused("too_long")
        time_s = reminder_time(wanted, self._clock.wall_us() // 1_000_000, await self._zone(caller))
        if len(await self.list(caller)) >= REMINDERS_MAX:
            raise Refused("restricted_too_many")
        reminder = Reminder(self._mint.mint("Rm"), caller.team_id, caller.user_id, text, time_s)
        await self._put(reminder, time_s * 1_000_000, is_new=True)
        return reminder

    async def list(self, caller: Caller) -> Sequence[Reminder]:
        """Return the caller's reminders, the soonest first."""
        rows = await self._channels.items(caller.user_id, ItemKind.REMINDER, "", REMINDERS_MAX)
        return sorted((Reminder.of(row) for row in rows), key=lambda each: (each.time, each.id))

    async def get(self, caller: Caller, reminder_id: str) -> Reminder:
        """Return one of the caller's. Refused `not_found`."""
        row = await self._channels.item(caller.user_id, ItemKind.REMINDER, reminder_id) if reminder_id else None
        if row is None:
            raise Refused("not_found")
        return Reminder.of(row)

    async def complete(self, caller: Caller, reminder_id: str) -> None:
        """Mark it as done; nothing is told any more. Refused `not_found`."""
        reminder = await self.get(caller, reminder_id)
        if reminder.complete_ts:
            return
        done = replace(reminder, complete_ts=self._clock.wall_us() // 1_000_000)
        if not await self._settle(done):
            await self._put(done, 0, is_new=False)  # it has been told; from now on nobody else writes it

    async def delete(self, caller: Caller, reminder_id: str) -> None:
        """Forget it. Refused `not_found`."""
        dropped = ((ItemKind.REMINDER, reminder_id),)
        if not reminder_id:
            raise Refused("not_found")
        committed = await self._writes.commit(Write(caller.user_id, (_silent(),), items_dropped=dropped))
        if committed.refused:
            raise Refused("not_found")

    async def due(self, row: ItemRow) -> None:
        """Remind somebody whose time has come. Idempotent; raises the kit's errors, then it is tried again."""
        reminder = Reminder.of(row)
        user = await self._lookups.user(reminder.team, reminder.user)
        if user is not None and not user.deleted:
            key = f"reminder:{reminder.id}"
            await self._slackbot.say(reminder.team, reminder.user, f"Reminder: {reminder.text}", key)
        # As it is by now: its owner may just have done it.
        now = await self._channels.item(row.channel_id, ItemKind.REMINDER, row.id)
        if now is not None and now.due_us:
            await self._settle(Reminder.of(now))

    async def _settle(self, reminder: Reminder) -> bool:
        """Write what is not to be told any more; False when it was settled before, which then stays as it is.

        Who notes that it was told, and who marks it as done meanwhile, have read the same: the second must not undo
        the first.
        """
        return await self._put(reminder, 0, is_new=False, request_id=f"settled:{reminder.id}")

    async def _put(self, reminder: Reminder, due_us: int, *, is_new: bool, request_id: str = "") -> bool:
        """Write a reminder; False when the request was carried out before."""
        item = Item(ItemKind.REMINDER, reminder.id, orjson.dumps(asdict(reminder)), due_us, is_new=is_new)
        write = Write(reminder.user, (_silent(),), items=(item,), request_id=request_id)
        committed = await self._writes.commit(write)
        if committed.refused:
            raise Refused("not_found")
        return not committed.duplicate

    async def _zone(self, caller: Caller) -> tzinfo:
        user = await self._lookups.user(caller.team_id, caller.user_id)
        try:
            return ZoneInfo(user.tz) if user is not None and user.tz else UTC
        except (ZoneInfoNotFoundError, ValueError):
            return UTC


def _silent() -> Draft:
    """Return an event that clients are not told: it gives the change its place in the log."""
    return Draft(event_pb2.EVENT_KIND_USER, lambda _: None)
