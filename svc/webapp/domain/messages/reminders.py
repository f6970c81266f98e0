"""Reminders: items of the user's own channel who is reminded, by a message in its notes to itself when the time comes.

Like scheduled messages they are told under a key of their own, and only then marked as told; what recurs moves on to
its next occurrence instead, which has another key. What was missed while nobody looked is told once.
Who reminds somebody else has a note of it in the own channel, written before the reminder and dropped after it: what a
crash leaves is a note of nothing, which the next list drops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from parley.event.v1 import event_pb2
from svc.kit.clock import Clock
from svc.kit.ids import IdMint
from svc.webapp.cache.lookups import Lookups
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Committed, Draft, Item, ItemKind, Write
from svc.webapp.domain import shapes
from svc.webapp.domain.messages.reminder import Reminder
from svc.webapp.domain.messages.when import when
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.domain.slackbot import Slackbot
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import ItemRow

__all__ = ["FROM_OTHERS_MAX", "REMINDERS_MAX", "TEXT_CHARS_MAX", "Reminders", "Wanted"]

REMINDERS_MAX = 500
"""Of one user, told ones too, and as many set for others: one statement reads them all."""
FROM_OTHERS_MAX = 250
"""Of those, set by others: nobody can leave somebody without room for its own."""
TEXT_CHARS_MAX = 3_000
NOTE_US_MIN = 60_000_000
"""A note without a reminder is that old before it is dropped: its reminder may be on its way, within its deadline."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What reminders.add is asked for."""

    text: str
    time: str
    """See `when`."""
    user_id: str = ""
    """Who is to be reminded; "" for the caller."""
    recurrence: Mapping[str, object] | None = None
    """See `recurrence_of`."""


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

    async def add(self, caller: Caller, wanted: Wanted) -> Reminder:
        """Remind somebody at a time that is said on the caller's own clock; only oneself again and again.

        Refused `cannot_parse`, `time_in_past`, `time_too_far`, `invalid_arguments`, `user_not_found`, `cannot_add_bot`,
        `cannot_add_slackbot`, `cannot_add_others_recurring`, `too_long`, `restricted_too_many`.
        """
        user_id = wanted.user_id or caller.user_id
        is_for_other = user_id != caller.user_id
        if is_for_other:
            await self._check_other(caller, user_id)
        if len(wanted.text) > TEXT_CHARS_MAX:
            raise Refused("too_long")
        zone = await self._zone(caller.team_id, caller.user_id)
        at = when(wanted.time, self._now_s(), zone)
        if wanted.recurrence is not None:
            at = at.again(wanted.recurrence, zone)
        if is_for_other and at.recurrence is not None:
            raise Refused("cannot_add_others_recurring")
        await self._check_room(caller, user_id)
        by = caller.user_id if is_for_other else ""
        id_ = self._mint.mint("Rm")
        reminder = Reminder(id_, caller.team_id, user_id, wanted.text, at.at_s, by=by, recurrence=at.recurrence)
        if by:
            note = Item(ItemKind.REMINDING, id_, orjson.dumps({"user": user_id}), is_new=True)
            _check(await self._writes.commit(Write(by, (_silent(),), items=(note,))))
        _check(await self._put(reminder, reminder.time * 1_000_000, is_new=True))
        return reminder

    async def list(self, caller: Caller) -> Sequence[Reminder]:
        """Return the reminders for the caller, and those that it has set for others, the soonest first."""
        mine = await self._of(caller.user_id)
        return sorted([*mine, *await self._set_for_others(caller)], key=lambda each: (each.time, each.id))

    async def get(self, caller: Caller, reminder_id: str) -> Reminder:
        """Return one that is for the caller, or that it has set. Refused `not_found`."""
        row = await self._channels.item(caller.user_id, ItemKind.REMINDER, reminder_id) if reminder_id else None
        if row is None and reminder_id:
            note = await self._channels.item(caller.user_id, ItemKind.REMINDING, reminder_id)
            row = await self._channels.item(_noted(note), ItemKind.REMINDER, reminder_id) if note else None
        if row is None:
            raise Refused("not_found")
        return Reminder.of(row)

    async def complete(self, caller: Caller, reminder_id: str) -> None:
        """Mark it as done; nothing is told any more. Refused `not_found`, `cannot_complete_recurring`,
        `cannot_complete_others`.
        """
        reminder = await self.get(caller, reminder_id)
        if reminder.recurrence is not None:
            raise Refused("cannot_complete_recurring")
        if reminder.user != caller.user_id:
            raise Refused("cannot_complete_others")
        if reminder.complete_ts:
            return
        done = replace(reminder, complete_ts=self._now_s())
        settled = await self._settle(done, 0)
        if settled.duplicate:
            settled = await self._put(done, 0, is_new=False)  # it has been told; from now on nobody else writes it
        _check(settled)

    async def delete(self, caller: Caller, reminder_id: str) -> None:
        """Forget it; who set it may, and who is reminded. Refused `not_found`."""
        reminder = await self.get(caller, reminder_id)
        _check(await self._drop(reminder.user, ItemKind.REMINDER, reminder.id))
        if reminder.by:
            await self._drop(reminder.by, ItemKind.REMINDING, reminder.id)

    async def due(self, row: ItemRow) -> None:
        """Remind somebody whose time has come. Idempotent; raises the kit's errors, then it is tried again."""
        reminder = Reminder.of(row)
        user = await self._lookups.user(reminder.team, reminder.user)
        if user is not None and not user.deleted:
            await self._slackbot.say(reminder.team, reminder.user, reminder.words, f"reminder:{reminder.occasion}")
        await self.pass_over(row)

    async def pass_over(self, row: ItemRow) -> None:
        """Let what is due be due no longer: it was told, or cannot be. What recurs is due again at its next time."""
        # As it is by now: its owner may just have done it, and another webapp may have moved it on.
        now = await self._channels.item(row.channel_id, ItemKind.REMINDER, row.id)
        if now is None or now.due_us != row.due_us:
            return
        reminder = Reminder.of(now)
        if reminder.recurrence is None:
            await self._settle(reminder, 0)
            return
        later = reminder.next(self._now_s(), await self._zone(reminder.team, reminder.user))
        await self._settle(reminder, later.time * 1_000_000, later)

    async def _settle(self, reminder: Reminder, due_us: int, later: Reminder | None = None) -> Committed:
        """Write what an occasion leaves, `later` or the reminder; a duplicate when it was settled before, which then
        stays as it is.

        Who notes that it was told, and who marks it as done meanwhile, have read the same: the second must not undo
        the first.
        """
        return await self._put(later or reminder, due_us, is_new=False, request_id=f"settled:{reminder.occasion}")

    async def _put(self, reminder: Reminder, due_us: int, *, is_new: bool, request_id: str = "") -> Committed:
        item = Item(ItemKind.REMINDER, reminder.id, reminder.body, due_us, is_new=is_new)
        return await self._writes.commit(Write(reminder.user, (_silent(),), items=(item,), request_id=request_id))

    async def _drop(self, channel_id: str, kind: ItemKind, item_id: str) -> Committed:
        return await self._writes.commit(Write(channel_id, (_silent(),), items_dropped=((kind, item_id),)))

    async def _of(self, user_id: str) -> Sequence[Reminder]:
        rows = await self._channels.items(user_id, ItemKind.REMINDER, "", REMINDERS_MAX)
        return [Reminder.of(row) for row in rows]

    async def _set_for_others(self, caller: Caller) -> Sequence[Reminder]:
        """Return what the caller has set for others, and drop the notes of what is not there any more."""
        notes = await self._channels.items(caller.user_id, ItemKind.REMINDING, "", REMINDERS_MAX)
        if not notes:
            return []
        found = await self._channels.items_by_key(ItemKind.REMINDER, [(_noted(note), note.id) for note in notes])
        there = {row.id for row in found}
        long_ago_us = self._clock.wall_us() - NOTE_US_MIN
        for note in notes:
            if note.id not in there and note.at_us < long_ago_us:
                await self._drop(caller.user_id, ItemKind.REMINDING, note.id)
        return [Reminder.of(row) for row in found]

    async def _check_other(self, caller: Caller, user_id: str) -> None:
        if user_id == shapes.SLACKBOT:
            raise Refused("cannot_add_slackbot")
        found = await self._lookups.user(caller.team_id, user_id)
        if found is None or found.deleted:
            raise Refused("user_not_found")
        if found.is_bot:
            raise Refused("cannot_add_bot")

    async def _check_room(self, caller: Caller, user_id: str) -> None:
        theirs = await self._of(user_id)
        is_full = len(theirs) >= REMINDERS_MAX
        if user_id != caller.user_id:
            notes = await self._channels.items(caller.user_id, ItemKind.REMINDING, "", REMINDERS_MAX)
            is_full |= len(notes) >= REMINDERS_MAX or sum(bool(each.by) for each in theirs) >= FROM_OTHERS_MAX
        if is_full:
            raise Refused("restricted_too_many")

    async def _zone(self, team_id: str, user_id: str) -> tzinfo:
        user = await self._lookups.user(team_id, user_id)
        try:
            return ZoneInfo(user.tz) if user is not None and user.tz else UTC
        except (ZoneInfoNotFoundError, ValueError):
            return UTC

    def _now_s(self) -> int:
        return self._clock.wall_us() // 1_000_000


def _noted(note: ItemRow) -> str:
    """Return for whom the reminder is that a note is of."""
    return str(orjson.loads(note.body)["user"])


def _check(committed: Committed) -> None:
    if committed.refused:
        raise Refused("not_found")


def _silent() -> Draft:
    """Return an event that clients are not told: it gives the change its place in the log."""
    return Draft(event_pb2.EVENT_KIND_USER, lambda _: None)
