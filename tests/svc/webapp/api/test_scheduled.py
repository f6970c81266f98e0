"""Scheduled messages over HTTP, on real MariaDB and memcached; their time is made to come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from svc.kit.clock import SystemClock
from svc.webapp.commit.log import ItemKind
from svc.webapp.domain.messages.scheduled import AHEAD_S_MAX, WINDOW_MAX, Scheduled
from svc.webapp.due import DueItems
from tests.svc.webapp.api.office import Office, Someone
from tests.svc.webapp.api.test_edits import newest
from tests.svc.webapp.api.test_unread import room

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


def soon() -> int:
    """Return a time that no test reaches."""
    return int(time.time()) + 3_600


def due_items(acme: Office) -> DueItems:
    """Return what a webapp's sweeper does."""
    services = acme.services
    handlers = {ItemKind.SCHEDULED: services.scheduled.due, ItemKind.REMINDER: services.reminders.due}
    givers_up = {ItemKind.REMINDER: services.reminders.pass_over}
    return DueItems(services.channels, services.messages._writes, SystemClock(), handlers, givers_up)


async def let_time_come(acme: Office, someone: Someone, ago_s: int = 1) -> None:
    """Make everything due that a user has waiting."""
    due_us = (int(time.time()) - ago_s) * 1_000_000
    await acme.pools.channel.execute(
        "UPDATE items SET due_us = %s WHERE channel_id = %s AND due_us > 0", (due_us, someone.id)
    )


async def scheduled(acme: Office, by: Someone, channel: str, **arguments: Any) -> str:
    """Schedule a message; return its id."""
    answer = await by.ok("chat.scheduleMessage", channel=channel, post_at=soon(), **arguments)
    return str(answer["scheduled_message_id"])


async def listed(by: Someone, **arguments: Any) -> list[dict[str, Any]]:
    """Return what waits."""
    found: list[dict[str, Any]] = (await by.ok("chat.scheduledMessages.list", **arguments))["scheduled_messages"]
    return found


@pytest.fixture
def names() -> Iterator[str]:
    """Names of people whom no other test knows."""
    return (f"later{time.monotonic_ns()}x{n}" for n in range(100))


async def hired(acme: Office, name: str) -> Someone:
    """Hire somebody."""
    return (await acme.hire(acme["ada"].user.team_id, [name]))[name]


async def test_a_message_waits_is_listed_and_posted_once(acme: Office, names: Iterator[str]) -> None:
    """By however many webapps, with all that it was scheduled with."""
    who = await hired(acme, next(names))
    channel = await room(who)
    at = soon()
    answer = await who.ok(
        "chat.scheduleMessage", channel=channel, post_at=at, text="later", attachments=[{"text": "a"}]
    )
    assert (answer["channel"], answer["post_at"]) == (channel, at)
    assert (answer["message"]["type"], answer["message"]["text"]) == ("delayed_message", "later")
    [waiting] = await listed(who)
    assert (waiting["id"], waiting["channel_id"], waiting["post_at"]) == (answer["scheduled_message_id"], channel, at)
    assert (waiting["text"], time.time() - waiting["date_created"] < 600) == ("later", True)
    sweep = due_items(acme)
    await sweep.sweep()
    assert (await newest(who, channel, 1))[0].get("subtype") == "channel_join"
    await let_time_come(acme, who)
    [item] = await acme.services.channels.items(who.id, ItemKind.SCHEDULED)
    # Two who found it at once: the second comes when it is posted already.
    for _ in range(2):
        await acme.services.scheduled.due(item)
    await sweep.sweep()
    posted = [message for message in await newest(who, channel) if message["text"] == "later"]
    assert [message["attachments"][0]["text"] for message in posted] == ["a"]
    assert await listed(who) == []


async def test_what_was_posted_by_one_that_died_before_it_forgot_is_posted_once(
    acme: Office, names: Iterator[str]
) -> None:
    """The item is there still; its message is as well."""
    who = await hired(acme, next(names))
    channel = await room(who)
    await scheduled(acme, who, channel, text="once")
    [item] = await acme.services.channels.items(who.id, ItemKind.SCHEDULED)
    key = f"scheduled:{item.id}"
    waiting = Scheduled.of(item)
    await acme.services.messages.post(waiting.caller, channel, waiting.post, request_id=key)
    await let_time_come(acme, who)
    await due_items(acme).sweep()
    assert [message["text"] for message in await newest(who, channel)].count("once") == 1
    assert await listed(who) == []


async def test_a_message_that_waits_can_be_taken_back(acme: Office, names: Iterator[str]) -> None:
    """By who scheduled it, once, and not when it is as good as posted."""
    who, other = await hired(acme, next(names)), acme["grace"]
    channel, elsewhere = await room(who, other), await room(who)
    waiting = {"channel": channel, "scheduled_message_id": await scheduled(acme, who, channel, text="x")}
    missing = "invalid_scheduled_message_id"
    assert await other.error("chat.deleteScheduledMessage", **waiting) == missing
    assert await who.error("chat.deleteScheduledMessage", **{**waiting, "channel": elsewhere}) == missing
    assert await who.error("chat.deleteScheduledMessage", channel=channel, scheduled_message_id="Q1") == missing
    await who.ok("chat.deleteScheduledMessage", **waiting)
    assert await who.error("chat.deleteScheduledMessage", **waiting) == missing
    waiting["scheduled_message_id"] = await scheduled(acme, who, channel, text="x")
    await let_time_come(acme, who, ago_s=-1)
    assert await who.error("chat.deleteScheduledMessage", **waiting) == missing


async def test_a_message_that_cannot_wait_says_why(acme: Office, names: Iterator[str]) -> None:
    """Its time, and everything that a post is refused for."""
    who, now = await hired(acme, next(names)), int(time.time())
    channel = await room(who)
    for post_at, code in (
        (now - 10, "time_in_past"),
        (now + AHEAD_S_MAX + 600, "time_too_far"),
        ("tomorrow", "invalid_time"),
    ):
        assert await who.error("chat.scheduleMessage", channel=channel, text="x", post_at=post_at) == code
    assert await who.error("chat.scheduleMessage", channel=channel, text="x") == "invalid_arguments"
    at = soon()
    assert await who.error("chat.scheduleMessage", channel=channel, post_at=at) == "no_text"
    assert await who.error("chat.scheduleMessage", channel="C0000000000", post_at=at, text="x") == "channel_not_found"
    assert await acme["linus"].error("chat.scheduleMessage", channel=channel, post_at=at, text="x") == "not_in_channel"
    assert (
        await who.error("chat.scheduleMessage", channel=channel, post_at=at, blocks=[{"type": "x"}]) == "invalid_blocks"
    )
    for _ in range(WINDOW_MAX):
        await who.ok("chat.scheduleMessage", channel=channel, post_at=at, text="x")
    assert await who.error("chat.scheduleMessage", channel=channel, post_at=at, text="x") == "restricted_too_many"
    await who.ok("chat.scheduleMessage", channel=channel, post_at=at + 600, text="x")


async def test_what_waits_is_listed_by_conversation_time_and_page(acme: Office, names: Iterator[str]) -> None:
    """The soonest first."""
    who = await hired(acme, next(names))
    one, two = await room(who), await room(who)
    at = soon()
    for n in range(5):
        await who.ok("chat.scheduleMessage", channel=(one, two)[n % 2], post_at=at + 1_000 - n, text=str(n))
    assert [each["text"] for each in await listed(who)] == ["4", "3", "2", "1", "0"]
    assert [each["text"] for each in await listed(who, channel=two)] == ["3", "1"]
    assert [each["text"] for each in await listed(who, oldest=at + 997, latest=at + 999)] == ["3", "2", "1"]
    assert await who.error("chat.scheduledMessages.list", channel="nowhere") == "invalid_channel"
    assert await who.error("chat.scheduledMessages.list", cursor="x") == "invalid_cursor"
    seen: list[str] = []
    cursor = ""
    while True:
        page = await who.ok("chat.scheduledMessages.list", limit=2, cursor=cursor)
        seen += [each["text"] for each in page["scheduled_messages"]]
        cursor = page["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert seen == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize(
    ("method", "code"), [("conversations.archive", "is_archived"), ("conversations.leave", "not_in_channel")]
)
async def test_what_cannot_be_posted_when_its_time_comes_is_told(
    acme: Office, names: Iterator[str], method: str, code: str
) -> None:
    """In the notes to oneself of who scheduled it, where it is found later as well; it is not tried for ever."""
    who, other = await hired(acme, next(names)), acme["grace"]
    channel = await room(who, other)
    await scheduled(acme, who, channel, text="too late")
    await who.ok(method, channel=channel)
    await let_time_come(acme, who)
    await due_items(acme).sweep()
    assert await listed(who) == []
    notes = (await who.ok("conversations.open", users=who.id))["channel"]["id"]
    [note] = await newest(who, notes)
    assert (note["user"], f"<#{channel}>" in note["text"]) == ("USLACKBOT", True)
    assert code in note["text"]
    assert "too late" in note["text"]
    assert "too late" not in {message["text"] for message in await newest(other, channel)}


async def test_who_is_gone_says_nothing_any_more(acme: Office, names: Iterator[str]) -> None:
    """What it had scheduled is forgotten."""
    who, other = await hired(acme, next(names)), acme["grace"]
    channel = await room(who, other)
    await scheduled(acme, who, channel, text="from beyond")
    await acme.pools.workspace.execute("UPDATE users SET deleted = 1 WHERE id = %s", (who.id,))
    await acme.services.lookups.forget_user(who.user.team_id, who.id)
    await let_time_come(acme, who)
    await due_items(acme).sweep()
    assert await acme.services.channels.items(who.id, ItemKind.SCHEDULED) == []
    assert "from beyond" not in {message["text"] for message in await newest(other, channel)}


async def test_what_nobody_can_do_is_given_up_after_a_while(acme: Office, names: Iterator[str]) -> None:
    """Until then it waits; it never stands in the way of others for ever."""
    who = await hired(acme, next(names))
    channel = await room(who)
    await scheduled(acme, who, channel, text="x")
    await acme.pools.channel.execute("UPDATE items SET body = '{}' WHERE channel_id = %s", (who.id,))
    for ago_s, left in ((1, 1), (7_200, 0)):
        await let_time_come(acme, who, ago_s)
        await due_items(acme).sweep()
        [(count,)] = await acme.pools.channel.rows("SELECT COUNT(*) FROM items WHERE channel_id = %s", (who.id,))
        assert count == left
