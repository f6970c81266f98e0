"""Threads and pages of history over HTTP, on real MariaDB and memcached."""

from __future__ import annotations

import pytest

from tests.svc.webapp.api.office import Office
from tests.svc.webapp.api.test_edits import newest, told
from tests.svc.webapp.api.test_unread import posted, room

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def test_a_thread_is_read_from_its_parent_on(acme: Office) -> None:
    """By the parent's ts or a reply's; a message without replies is a thread of itself."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await room(ada, grace)
    parent = await posted(ada, channel, "question")
    alone = await ada.ok("conversations.replies", channel=channel, ts=parent)
    assert ([m["ts"] for m in alone["messages"]], alone["has_more"]) == ([parent], False)
    assert "reply_count" not in alone["messages"][0]
    replies = [await posted(who, channel, "r", thread_ts=parent) for who in (grace, ada, grace)]
    for ts in (parent, replies[1]):
        found = (await grace.ok("conversations.replies", channel=channel, ts=ts))["messages"]
        assert [message["ts"] for message in found] == [parent, *replies]
        assert all(message["thread_ts"] == parent for message in found)
        assert found[1]["parent_user_id"] == ada.id


async def test_a_parent_says_what_its_thread_amounts_to(acme: Office) -> None:
    """How many, by whom in the order of their first, the latest; and whether one takes part oneself."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    channel = await room(ada, grace, linus)
    parent = await posted(ada, channel, "question")
    for who in (grace, linus, grace):
        latest = await posted(who, channel, "r", thread_ts=parent)
    for who, is_subscribed in ((ada, True), (grace, True), (acme["helper"], False)):
        if who is acme["helper"]:
            await ada.ok("conversations.invite", channel=channel, users=who.id)
        shown = next(m for m in await newest(who, channel) if m["ts"] == parent)
        assert (shown["reply_count"], shown["reply_users_count"], shown["reply_users"]) == (3, 2, [grace.id, linus.id])
        assert (shown["latest_reply"], shown["is_locked"], shown["thread_ts"]) == (latest, False, parent)
        assert shown["subscribed"] is is_subscribed
        [same] = (await who.ok("conversations.replies", channel=channel, ts=parent, limit=1))["messages"]
        assert same == shown
    await grace.ok("chat.delete", channel=channel, ts=latest)
    assert next(m for m in await newest(ada, channel) if m["ts"] == parent)["reply_count"] == 2


async def test_who_takes_part_in_a_crowd_is_still_known(acme: Office) -> None:
    """Five are named; the sixth is subscribed all the same."""
    ada = acme["ada"]
    crowd = await acme.hire(ada.user.team_id, [f"crowd{n}" for n in range(7)])
    channel = await room(ada, *crowd.values())
    parent = await posted(ada, channel, "who is in?")
    *repliers, silent = crowd.values()
    for who in repliers:
        await posted(who, channel, "me", thread_ts=parent)
    for who, is_subscribed in ((repliers[-1], True), (silent, False)):
        [shown] = [m for m in await newest(who, channel) if m["ts"] == parent]
        assert (len(shown["reply_users"]), shown["reply_users_count"]) == (5, 6)
        assert shown["subscribed"] is is_subscribed


async def test_a_reply_tells_what_its_thread_has_become(acme: Office) -> None:
    """Right behind it, hidden, and to whoever posted it as well."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await room(ada, grace)
    parent = await posted(ada, channel, "question")
    for count, who in enumerate((grace, ada, grace), start=1):
        reply = await posted(who, channel, "r", thread_ts=parent)
        message, replied = acme.payloads(channel)[-2:]
        assert (message["ts"], replied["subtype"], replied["hidden"]) == (reply, "message_replied", True)
        assert (replied["message"]["ts"], replied["message"]["text"]) == (parent, "question")
        assert (replied["message"]["reply_count"], replied["message"]["latest_reply"]) == (count, reply)
        assert replied["message"]["reply_users"] == [grace.id, ada.id][:count]
        assert acme.events[-1].message_ts_us == 0
    assert len(told(acme, channel, "message_replied")) == 3


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_pages_of_a_thread_meet(acme: Office, limit: int) -> None:
    """The parent comes once, with the first page."""
    ada = acme["ada"]
    channel = await room(ada)
    parent = await posted(ada, channel, "p")
    stamps = [parent, *[await posted(ada, channel, str(n), thread_ts=parent) for n in range(6)]]
    seen: list[str] = []
    cursor = ""
    while True:
        page = await ada.ok("conversations.replies", channel=channel, ts=parent, limit=limit, cursor=cursor)
        assert 0 < len(page["messages"]) <= limit
        seen += [message["ts"] for message in page["messages"]]
        cursor = page["response_metadata"]["next_cursor"]
        assert page["has_more"] == bool(cursor)
        if not cursor:
            break
    assert seen == stamps


async def test_a_thread_is_read_between_two_points(acme: Office) -> None:
    """The parent is there whatever they are."""
    ada = acme["ada"]
    channel = await room(ada)
    parent = await posted(ada, channel, "p")
    one, two, three = [await posted(ada, channel, str(n), thread_ts=parent) for n in range(3)]
    for bounds, expected in (
        ({"oldest": one}, [two, three]),
        ({"oldest": one, "inclusive": "1"}, [one, two, three]),
        ({"latest": three}, [one, two]),
        ({"latest": two, "oldest": one, "inclusive": True}, [one, two]),
    ):
        found = await ada.ok("conversations.replies", channel=channel, ts=parent, **bounds)
        assert [message["ts"] for message in found["messages"]] == [parent, *expected]


async def test_a_thread_that_cannot_be_read_says_why(acme: Office) -> None:
    """Who may read the conversation may read its threads."""
    ada, linus, helper = acme["ada"], acme["linus"], acme["helper"]
    channel, private = await room(ada), await room(ada, is_private=True)
    ts, hidden = await posted(ada, channel, "x"), await posted(ada, private, "x")
    thread = {"channel": channel, "ts": ts}
    assert await ada.error("conversations.replies", channel=channel, ts="1.000000") == "thread_not_found"
    assert await ada.error("conversations.replies", channel=channel, ts="soon") == "thread_not_found"
    assert await ada.error("conversations.replies", channel=channel) == "thread_not_found"
    assert await ada.error("conversations.replies", **thread, cursor="x") == "invalid_cursor"
    assert await ada.error("conversations.replies", **thread, latest="x") == "invalid_ts_latest"
    assert await ada.error("conversations.replies", **thread, oldest="x") == "invalid_ts_oldest"
    assert await ada.error("conversations.replies", **thread, limit="x") == "invalid_limit"
    assert await linus.error("conversations.replies", channel=private, ts=hidden) == "channel_not_found"
    assert await helper.error("conversations.replies", **thread) == "not_in_channel"
    assert (await linus.ok("conversations.replies", **thread))["messages"]


async def test_metadata_is_shown_to_whom_it_is_for(acme: Office) -> None:
    """To all who ask for it, and to the bot whose it is."""
    ada, helper = acme["ada"], acme["helper"]
    channel = await room(ada, helper)
    metadata = {"event_type": "task", "event_payload": {"id": "1"}}
    ts = await posted(helper, channel, "x", metadata=metadata)
    for method in ("conversations.history", "conversations.replies"):
        arguments = {"channel": channel, "limit": 1} | ({"ts": ts} if method.endswith("replies") else {})
        assert "metadata" not in (await ada.ok(method, **arguments))["messages"][0]
        asked = (await ada.ok(method, **arguments, include_all_metadata=True))["messages"][0]
        assert asked["metadata"] == (await helper.ok(method, **arguments))["messages"][0]["metadata"] == metadata


async def test_history_counts_pins_and_shows_what_was_put_on_messages(acme: Office) -> None:
    """On the newest page, which is kept, and on any other."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await room(ada, grace)
    ts = await posted(ada, channel, "x")
    for pins in (0, 1):
        for bounds in ({}, {"latest": ts, "inclusive": 1}):
            page = await grace.ok("conversations.history", channel=channel, limit=1, **bounds)
            assert page["pin_count"] == pins
            assert page["messages"][0].get("pinned_to") == ([channel] if pins else None)
        if not pins:
            await ada.ok("pins.add", channel=channel, timestamp=ts)
    await grace.ok("reactions.add", channel=channel, timestamp=ts, name="eyes")
    reply = await posted(grace, channel, "y", thread_ts=ts)
    reactions = [{"name": "eyes", "users": [grace.id], "count": 1}]
    [parent, _] = (await ada.ok("conversations.replies", channel=channel, ts=reply))["messages"]
    assert (parent["reactions"], parent["reply_count"]) == (reactions, 1)
    changed = (await ada.ok("chat.update", channel=channel, ts=ts, text="z"))["message"]
    assert (changed["reactions"], changed["pinned_to"], changed["reply_count"]) == (reactions, [channel], 1)
