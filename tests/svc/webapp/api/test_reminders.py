"""Reminders over HTTP, on real MariaDB and memcached; their time is made to come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from svc.kit.clock import SystemClock
from svc.webapp.commit.log import ItemKind
from svc.webapp.domain.messages import reminders
from svc.webapp.domain.messages.reminder import Reminder
from svc.webapp.due import DueItems
from svc.webapp.store.channel import ChannelStore
from svc.webapp.store.rows import ItemRow
from tests.svc.webapp.api.office import Office, Someone
from tests.svc.webapp.api.test_edits import newest
from tests.svc.webapp.api.test_scheduled import due_items, hired, let_time_come, soon
from tests.svc.webapp.api.test_unread import mentions, room

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def names() -> Iterator[str]:
    """Names of people whom no other test knows."""
    return (f"reminded{time.monotonic_ns()}x{n}" for n in range(100))


async def test_a_reminder_is_told_when_its_time_comes(acme: Office, names: Iterator[str]) -> None:
    """Once, in the notes to oneself; it stays in the list until it is done."""
    who = await hired(acme, next(names))
    reminder = (await who.ok("reminders.add", text="tea", time="in 20 minutes"))["reminder"]
    assert reminder["id"].startswith("Rm")
    assert (reminder["creator"], reminder["user"], reminder["recurring"]) == (who.id, who.id, False)
    assert abs(reminder["time"] - time.time() - 1_200) < 600
    assert (await who.ok("reminders.list"))["reminders"] == [reminder]
    await let_time_come(acme, who)
    [item] = await acme.services.channels.items(who.id, ItemKind.REMINDER)
    for _ in range(2):
        await acme.services.reminders.due(item)
    notes = (await who.ok("conversations.open", users=who.id))["channel"]["id"]
    [told] = await newest(who, notes)
    assert (told["text"], told["user"]) == ("Reminder: tea", "USLACKBOT")
    assert await mentions(acme, who, notes) == 1
    # Who has no object of its own is no trouble to a boot that shows its message.
    assert (await who.ok("client.boot", channel=notes))["history"]["messages"] == [told]
    await due_items(acme).sweep()
    assert len(await newest(who, notes)) == 1
    assert (await who.ok("reminders.info", reminder=reminder["id"]))["reminder"] == reminder
    await who.ok("reminders.complete", reminder=reminder["id"])
    assert (await who.ok("reminders.info", reminder=reminder["id"]))["reminder"]["complete_ts"] > 0
    await who.ok("reminders.delete", reminder=reminder["id"])
    assert (await who.ok("reminders.list"))["reminders"] == []


async def test_what_was_done_before_its_time_is_not_told(acme: Office, names: Iterator[str]) -> None:
    """Nor what was forgotten."""
    who = await hired(acme, next(names))
    done, gone = [(await who.ok("reminders.add", text="x", time=soon()))["reminder"]["id"] for _ in range(2)]
    await who.ok("reminders.complete", reminder=done)
    await who.ok("reminders.delete", reminder=gone)
    await let_time_come(acme, who)
    await due_items(acme).sweep()
    notes = (await who.ok("conversations.open", users=who.id))["channel"]["id"]
    assert await newest(who, notes) == []


class DoneMeanwhile:
    """A channel store whose reader is overtaken: right after it has read a reminder its owner marks it as done."""

    def __init__(self, acme: Office, owner: Someone) -> None:
        self._channels = acme.services.channels
        self._owner = owner

    async def item(self, channel_id: str, kind: ItemKind, item_id: str) -> ItemRow | None:
        """See ChannelStore."""
        found = await self._channels.item(channel_id, kind, item_id)
        await self._owner.ok("reminders.complete", reminder=item_id)
        return found


async def test_a_reminder_that_is_done_while_it_is_told_stays_done(acme: Office, names: Iterator[str]) -> None:
    """Noting that it was told must not undo what its owner did meanwhile; and the other way round both hold."""
    who = await hired(acme, next(names))
    overtaken, usual = [(await who.ok("reminders.add", text="x", time=soon()))["reminder"]["id"] for _ in range(2)]
    await let_time_come(acme, who)
    rows = {row.id: row for row in await acme.services.channels.items(who.id, ItemKind.REMINDER)}
    teller = copy(acme.services.reminders)
    teller._channels = cast(ChannelStore, DoneMeanwhile(acme, who))
    await teller.due(rows[overtaken])
    await acme.services.reminders.due(rows[usual])
    await who.ok("reminders.complete", reminder=usual)
    for each in (overtaken, usual):
        assert (await who.ok("reminders.info", reminder=each))["reminder"]["complete_ts"] > 0
    assert not any(row.due_us for row in await acme.services.channels.items(who.id, ItemKind.REMINDER))


async def told(who: Someone) -> list[str]:
    """Return what the notes to oneself say, the newest first."""
    notes = (await who.ok("conversations.open", users=who.id))["channel"]["id"]
    return [message["text"] for message in await newest(who, notes)]


async def test_what_recurs_is_told_at_each_of_its_times(acme: Office, names: Iterator[str]) -> None:
    """Once at each, whoever looks and dies; what was missed while nobody looked is told once."""
    who, services = await hired(acme, next(names)), acme.services
    reminder = (await who.ok("reminders.add", text="tea", time="every day at 9am"))["reminder"]
    rule = {"frequency": "daily"}
    shown = {"creator": who.id, "user": who.id, "text": "tea", "recurring": True, "recurrence": rule}
    assert reminder == {"id": reminder["id"], **shown}
    assert await who.error("reminders.complete", reminder=reminder["id"]) == "cannot_complete_recurring"
    [row] = await services.channels.items(who.id, ItemKind.REMINDER)
    kept = Reminder.of(row)
    assert 0 < kept.time - time.time() <= 86_400
    assert row.due_us == kept.time * 1_000_000
    # Nobody looked for three days and a bit.
    missed = replace(kept, time=kept.time - 4 * 86_400)
    await services.reminders._put(missed, missed.time * 1_000_000, is_new=False)
    [row] = await services.channels.items(who.id, ItemKind.REMINDER)
    # One webapp dies when it has told it, and two that read the same do it again.
    await services.reminders._slackbot.say(missed.team, who.id, missed.words, f"reminder:{missed.occasion}")
    for _ in range(2):
        await services.reminders.due(row)
    assert await told(who) == ["Reminder: tea"]
    [row] = await services.channels.items(who.id, ItemKind.REMINDER)
    assert (row.due_us, Reminder.of(row)) == (kept.time * 1_000_000, kept)
    await services.reminders.due(row)
    assert await told(who) == ["Reminder: tea"] * 2
    [row] = await services.channels.items(who.id, ItemKind.REMINDER)
    assert row.due_us == (kept.time + 86_400) * 1_000_000
    assert (await who.ok("reminders.list"))["reminders"] == [reminder]
    await who.ok("reminders.delete", reminder=reminder["id"])
    await services.reminders.due(row)
    assert (await who.ok("reminders.list"))["reminders"] == []


async def test_a_rule_can_be_given_beside_the_time(acme: Office, names: Iterator[str]) -> None:
    """As an object, or as JSON in a form; on the clock of its user."""
    who = await hired(acme, next(names))
    rule = {"frequency": "weekly", "weekdays": ["monday", "friday"]}
    made = (await who.ok("reminders.add", text="x", time="tomorrow at 10am", recurrence=rule))["reminder"]
    assert (made["recurring"], made["recurrence"]) == (True, rule)
    [row] = await acme.services.channels.items(who.id, ItemKind.REMINDER)
    at = datetime.fromtimestamp(Reminder.of(row).time, ZoneInfo(who.user.tz))
    assert (at.weekday() in (0, 4), at.hour, at.minute) == (True, 10, 0)
    assert await who.error("reminders.add", text="x", time="600", recurrence={"frequency": "x"}) == "invalid_arguments"
    assert await who.error("reminders.add", text="x", time="600", recurrence="often") == "invalid_arguments"


async def test_what_recurs_and_cannot_be_told_goes_on(acme: Office, names: Iterator[str]) -> None:
    """It is given up as often as it has to be, and stays."""
    who, services = await hired(acme, next(names)), acme.services
    await who.ok("reminders.add", text="x", time="every day at 9am")
    await let_time_come(acme, who, 7_200)

    async def fail(row: ItemRow) -> None:
        raise ValueError(row.id)

    givers_up = {ItemKind.REMINDER: services.reminders.pass_over}
    items = DueItems(services.channels, services.messages._writes, SystemClock(), {ItemKind.REMINDER: fail}, givers_up)
    await items.sweep()
    [row] = await services.channels.items(who.id, ItemKind.REMINDER)
    assert row.due_us > time.time() * 1_000_000
    assert await told(who) == []


async def test_a_reminder_for_somebody_else_is_of_both(acme: Office, names: Iterator[str]) -> None:
    """Both see it, and either may take it away; only who is reminded can be done with it."""
    who, other, stranger = [await hired(acme, next(names)) for _ in range(3)]
    first, second = [
        (await who.ok("reminders.add", text="tea", time=f"in {n} hours", user=other.id))["reminder"] for n in (1, 2)
    ]
    assert (first["creator"], first["user"], first["complete_ts"]) == (who.id, other.id, 0)
    for each in (who, other):
        assert (await each.ok("reminders.list"))["reminders"] == [first, second]
        assert (await each.ok("reminders.info", reminder=first["id"]))["reminder"] == first
    assert (await stranger.ok("reminders.list"))["reminders"] == []
    for method in ("info", "complete", "delete"):
        assert await stranger.error(f"reminders.{method}", reminder=first["id"]) == "not_found"
    assert await who.error("reminders.complete", reminder=first["id"]) == "cannot_complete_others"
    await let_time_come(acme, other)
    for row in await acme.services.channels.items(other.id, ItemKind.REMINDER):
        await acme.services.reminders.due(row)
    assert await told(other) == [f"Reminder from <@{who.id}>: tea"] * 2
    assert await told(who) == []
    await other.ok("reminders.complete", reminder=first["id"])
    assert (await who.ok("reminders.info", reminder=first["id"]))["reminder"]["complete_ts"] > 0
    await who.ok("reminders.delete", reminder=first["id"])
    await other.ok("reminders.delete", reminder=second["id"])
    for each in (who, other):
        assert (await each.ok("reminders.list"))["reminders"] == []
        assert await each.error("reminders.info", reminder=first["id"]) == "not_found"
    assert await acme.services.channels.items(who.id, ItemKind.REMINDING) == []


async def test_a_note_of_a_reminder_that_never_came_to_be_goes(acme: Office, names: Iterator[str]) -> None:
    """Once its reminder cannot be on its way any more."""
    who, other, services = await hired(acme, next(names)), acme["grace"], acme.services
    made = (await who.ok("reminders.add", text="tea", time="600", user=other.id))["reminder"]
    await services.reminders._drop(other.id, ItemKind.REMINDER, made["id"])
    assert (await who.ok("reminders.list"))["reminders"] == []
    assert len(await services.channels.items(who.id, ItemKind.REMINDING)) == 1
    await acme.pools.channel.execute("UPDATE items SET at_us = at_us - 61000000 WHERE channel_id = %s", (who.id,))
    assert (await who.ok("reminders.list"))["reminders"] == []
    assert await services.channels.items(who.id, ItemKind.REMINDING) == []


async def test_nobody_fills_the_list_of_somebody_else(
    acme: Office, names: Iterator[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others have their share of it, and the rest is its owner's."""
    monkeypatch.setattr(reminders, "FROM_OTHERS_MAX", 1)
    monkeypatch.setattr(reminders, "REMINDERS_MAX", 2)
    who, other = [await hired(acme, next(names)) for _ in range(2)]
    wanted = {"text": "x", "time": "600"}
    await who.ok("reminders.add", **wanted, user=other.id)
    assert await who.error("reminders.add", **wanted, user=other.id) == "restricted_too_many"
    await other.ok("reminders.add", **wanted)
    assert await other.error("reminders.add", **wanted) == "restricted_too_many"


async def test_a_reminder_that_cannot_be_says_why(acme: Office, names: Iterator[str]) -> None:
    """At a time to come, to people, and to others once; what is between others is nobody's."""
    who, other = await hired(acme, next(names)), acme["grace"]
    assert await who.error("reminders.add", text="x", time="every blue moon") == "cannot_parse"
    assert await who.error("reminders.add", text="x", time="1000000000") == "time_in_past"
    recurring = {"text": "x", "time": "every day", "user": other.id}
    assert await who.error("reminders.add", **recurring) == "cannot_add_others_recurring"
    assert await who.error("reminders.add", text="x", time="600", user=acme["helper"].id) == "cannot_add_bot"
    assert await who.error("reminders.add", text="x", time="600", user="USLACKBOT") == "cannot_add_slackbot"
    assert await who.error("reminders.add", text="x", time="600", user="U0000000000") == "user_not_found"
    assert await who.error("reminders.add", time="600") == "invalid_arguments"
    assert await who.error("reminders.add", text="x") == "invalid_arguments"
    theirs = (await other.ok("reminders.add", text="x", time="600", user=other.id))["reminder"]["id"]
    for method in ("info", "complete", "delete"):
        assert await who.error(f"reminders.{method}", reminder=theirs) == "not_found"
        assert await who.error(f"reminders.{method}", reminder="Rm1") == "not_found"
    assert await acme["helper"].error("reminders.list") == "not_allowed_token_type"


async def test_a_typed_reminder_says_who_what_and_when(acme: Office, names: Iterator[str]) -> None:
    """In any words that end with a time: "in" and "on" may be of the text."""
    who, other = [await hired(acme, next(names)) for _ in range(2)]
    channel = await room(who)

    async def typed(text: str) -> dict[str, Any]:
        found: dict[str, Any] = (await who.ok("chat.command", channel=channel, command="/remind", text=text))[
            "reminder"
        ]
        return found

    one = await typed("me to look in on Ann in 20 minutes")
    assert (one["text"], one["user"], one["recurring"]) == ("look in on Ann", who.id, False)
    weekly = await typed("stand up every weekday at 9:30am")
    assert (weekly["text"], weekly["recurrence"]["weekdays"][0]) == ("stand up", "monday")
    theirs = await typed(f"<@{other.id}> to call back tomorrow")
    assert (theirs["text"], theirs["user"]) == ("call back", other.id)
    error = await who.error("chat.command", channel=channel, command="/remind", text="me to call back")
    assert error == "invalid_arguments"
