"""chat.update, chat.delete and chat.unfurl over HTTP, on real MariaDB and memcached."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from svc.kit.ids import us_from_ts
from svc.webapp.commit.log import Json
from tests.svc.webapp.api.office import Office, Someone
from tests.svc.webapp.api.test_unread import mentions, posted, room

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]
_NUMBERS = itertools.count(1)
BLOCK = {"type": "section", "block_id": "b", "text": {"type": "mrkdwn", "text": "*x*"}}


async def newest(by: Someone, channel: str, limit: int = 100) -> list[Json]:
    """Return a conversation's history."""
    found: list[Json] = (await by.ok("conversations.history", channel=channel, limit=limit))["messages"]
    return found


async def admin(acme: Office) -> Someone:
    """Hire an admin."""
    name = f"boss{next(_NUMBERS)}"
    boss = (await acme.hire(acme["ada"].user.team_id, [name]))[name]
    await acme.pools.workspace.execute(
        "UPDATE users SET is_admin = 1 WHERE team_id = %s AND id = %s", (boss.user.team_id, boss.id)
    )
    return boss


def told(acme: Office, channel: str, subtype: str) -> list[Json]:
    """Return the events of one subtype in a conversation."""
    return [event for event in acme.payloads(channel) if event.get("subtype") == subtype]


async def test_an_edit_is_answered_stored_and_told_alike(acme: Office) -> None:
    """The message keeps its ts and says who changed it and when; the event has both versions."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await room(ada, grace)
    ts = await posted(ada, channel, "befor")
    before = (await newest(ada, channel, 1))[0]
    answer = await ada.ok("chat.update", channel=channel, ts=ts, text=f"before <@{grace.id}>")
    assert (answer["channel"], answer["ts"], answer["text"]) == (channel, ts, f"before <@{grace.id}>")
    [after] = await newest(grace, channel, 1)
    assert after == answer["message"]
    assert (after["ts"], after["edited"]["user"]) == (ts, ada.id)
    us_from_ts(after["edited"]["ts"])
    [event] = told(acme, channel, "message_changed")
    assert (event["type"], event["hidden"], event["channel"]) == ("message", True, channel)
    assert (event["message"], event["previous_message"]) == (after, before)
    assert event["ts"] == event["event_ts"] > ts
    assert acme.events[-1].mentioned_user_ids == [grace.id]
    assert acme.events[-1].message_ts_us == 0


async def test_what_is_not_given_stays_but_for_blocks_under_a_new_text(acme: Office) -> None:
    """As the rules say; here that they reach the rows."""
    ada = acme["ada"]
    channel = await room(ada)
    ts = await posted(ada, channel, "x", blocks=[BLOCK], attachments=[{"text": "a"}])
    kept = (await ada.ok("chat.update", channel=channel, ts=ts, attachments=[{"text": "b"}]))["message"]
    assert (kept["text"], kept["blocks"], kept["attachments"][0]["text"]) == ("x", [BLOCK], "b")
    bare = (await ada.ok("chat.update", channel=channel, ts=ts, text="y"))["message"]
    assert (bare["text"], "blocks" in bare, len(bare["attachments"])) == ("y", False, 1)
    empty = (await ada.ok("chat.update", channel=channel, ts=ts, text="z", attachments=[]))["message"]
    assert "attachments" not in empty
    assert (await newest(ada, channel, 1)) == [empty]


async def test_an_edit_that_cannot_be_says_why(acme: Office) -> None:
    """The checks of a post, and those of what is to be changed."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    channel, private = await room(ada, grace), await room(ada, is_private=True)
    ts, hidden = await posted(ada, channel, "x"), await posted(ada, private, "x")
    mine = {"channel": channel, "ts": ts}
    assert await ada.error("chat.update", **mine) == "no_text"
    assert await ada.error("chat.update", **mine, text="") == "no_text"
    assert await ada.error("chat.update", **mine, blocks=[{"type": "x"}]) == "invalid_blocks"
    assert await ada.error("chat.update", **mine, text="a", markdown_text="b") == "markdown_text_conflict"
    assert await ada.error("chat.update", **mine, attachments=[{"text": "x"}] * 101) == "too_many_attachments"
    assert await ada.error("chat.update", channel=channel, ts="1.000000", text="y") == "message_not_found"
    assert await ada.error("chat.update", channel=channel, ts="soon", text="y") == "message_not_found"
    assert await ada.error("chat.update", channel="C0000000000", ts=ts, text="y") == "channel_not_found"
    assert await grace.error("chat.update", **mine, text="y") == "cant_update_message"
    assert await (await admin(acme)).error("chat.update", **mine, text="y") == "channel_not_found"
    assert await linus.error("chat.update", channel=private, ts=hidden, text="y") == "channel_not_found"
    join = (await newest(ada, channel))[-1]
    assert join["subtype"] == "channel_join"
    assert await ada.error("chat.update", channel=channel, ts=join["ts"], text="y") == "cant_update_message"
    assert (await newest(ada, channel, 1))[0]["text"] == "x"


async def test_a_bot_changes_what_it_said_under_whatever_name(acme: Office) -> None:
    """And nobody else does: not the person whose message it is, not another bot."""
    ada, helper = acme["ada"], acme["helper"]
    other = (await acme.hire(ada.user.team_id, [], [f"bot{next(_NUMBERS)}"])).popitem()[1]
    channel = await room(ada, helper, other)
    own = await posted(helper, channel, "beep")
    named = await posted(helper, channel, "boop", username="ci")
    for ts in (own, named):
        assert await ada.error("chat.update", channel=channel, ts=ts, text="x") == "cant_update_message"
        assert await other.error("chat.update", channel=channel, ts=ts, text="x") == "cant_update_message"
        assert await other.error("chat.delete", channel=channel, ts=ts) == "cant_delete_message"
        changed = (await helper.ok("chat.update", channel=channel, ts=ts, text="changed"))["message"]
        assert (changed["text"], changed["bot_id"]) == ("changed", helper.user.bot_id)
    assert (await newest(ada, channel, 1))[0]["username"] == "ci"
    await helper.ok("chat.delete", channel=channel, ts=own)


async def test_of_edits_at_once_each_is_told_and_the_last_one_stays(acme: Office) -> None:
    """None is lost halfway: what the last event says is what history shows."""
    ada = acme["ada"]
    channel = await room(ada)
    ts = await posted(ada, channel, "0")
    texts = [str(n) for n in range(1, 5)]
    await asyncio.gather(*(ada.ok("chat.update", channel=channel, ts=ts, text=text) for text in texts))
    events = told(acme, channel, "message_changed")
    assert sorted(event["message"]["text"] for event in events) == texts
    for earlier, later in itertools.pairwise(events):
        assert later["previous_message"]["text"] == earlier["message"]["text"]
    assert (await newest(ada, channel, 1))[0] == events[-1]["message"]


async def test_a_removed_message_is_gone_and_told(acme: Office) -> None:
    """From history, and from what is unread; removing it again finds nothing."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await room(ada, grace)
    ts = await posted(ada, channel, f"<@{grace.id}>")
    assert await mentions(acme, grace, channel) == 1
    shown = (await newest(ada, channel, 1))[0]
    assert await grace.error("chat.delete", channel=channel, ts=ts) == "cant_delete_message"
    answer = await ada.ok("chat.delete", channel=channel, ts=ts)
    assert (answer["channel"], answer["ts"]) == (channel, ts)
    assert ts not in {message["ts"] for message in await newest(grace, channel)}
    assert await mentions(acme, grace, channel) == 0
    [event] = told(acme, channel, "message_deleted")
    assert (event["deleted_ts"], event["previous_message"], event["hidden"]) == (ts, shown, True)
    assert event["ts"] == event["event_ts"] > ts
    assert await ada.error("chat.delete", channel=channel, ts=ts) == "message_not_found"
    assert await ada.error("chat.update", channel=channel, ts=ts, text="x") == "message_not_found"
    assert await ada.error("chat.delete", channel="C0000000000", ts=ts) == "channel_not_found"
    assert await ada.error("chat.delete", channel=channel, ts="soon") == "message_not_found"


async def test_admins_remove_what_others_said_and_bots_do_not(acme: Office) -> None:
    """Also what bots said; in conversations that they are in."""
    ada, helper = acme["ada"], acme["helper"]
    boss = await admin(acme)
    channel = await room(ada, helper, boss)
    said, beeped = await posted(ada, channel, "x"), await posted(helper, channel, "beep")
    assert await helper.error("chat.delete", channel=channel, ts=said) == "cant_delete_message"
    for ts in (said, beeped):
        await boss.ok("chat.delete", channel=channel, ts=ts)
    assert {said, beeped}.isdisjoint(message["ts"] for message in await newest(ada, channel))


async def test_a_message_with_replies_leaves_a_tombstone_until_the_last_reply_goes(acme: Office) -> None:
    """What it said is gone, from the rows too, and so is what was put on it; its thread stays."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await room(ada, grace)
    parent = await posted(ada, channel, "secret", blocks=[BLOCK])
    reply = await posted(grace, channel, "answer", thread_ts=parent)
    await grace.ok("reactions.add", channel=channel, timestamp=parent, name="eyes")
    await grace.ok("pins.add", channel=channel, timestamp=parent)
    assert (await newest(ada, channel, 1))[0]["reactions"] == [{"name": "eyes", "users": [grace.id], "count": 1}]
    await ada.ok("chat.delete", channel=channel, ts=parent)
    tombstone = (await newest(ada, channel, 1))[0]
    assert (tombstone["subtype"], tombstone["user"], tombstone["hidden"]) == ("tombstone", "USLACKBOT", True)
    assert (tombstone["ts"], tombstone["thread_ts"], tombstone["reply_count"]) == (parent, parent, 1)
    assert {"blocks", "reactions", "pinned_to"}.isdisjoint(tombstone)
    event = told(acme, channel, "message_changed")[-1]
    assert event["message"] == {**tombstone, "subscribed": False}
    assert event["previous_message"]["text"] == "secret"
    kept = "SELECT text, extra FROM messages WHERE channel_id = %s AND ts_us = %s"
    [(text, extra)] = await acme.pools.channel.rows(kept, (channel, us_from_ts(parent)))
    assert (text, extra) == ("", b"")
    assert await ada.error("chat.delete", channel=channel, ts=parent) == "message_not_found"
    assert [m["ts"] for m in (await ada.ok("conversations.replies", channel=channel, ts=parent))["messages"]] == [
        parent,
        reply,
    ]
    more = await posted(grace, channel, "more", thread_ts=parent)
    await grace.ok("chat.delete", channel=channel, ts=reply)
    assert (await newest(ada, channel, 1))[0]["reply_count"] == 1
    await grace.ok("chat.delete", channel=channel, ts=more)
    assert parent not in {message["ts"] for message in await newest(ada, channel)}
    assert [event["deleted_ts"] for event in told(acme, channel, "message_deleted")] == [reply, more, parent]
    assert await ada.error("conversations.replies", channel=channel, ts=parent) == "thread_not_found"


async def test_a_broadcast_reply_is_gone_from_both_places(acme: Office) -> None:
    """It is one message, shown twice."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await room(ada, grace)
    parent = await posted(ada, channel, "x")
    reply = await posted(ada, channel, f"<@{grace.id}>", thread_ts=parent, reply_broadcast=True)
    assert await mentions(acme, grace, channel) == 1
    await ada.ok("chat.delete", channel=channel, ts=reply)
    [shown] = [m for m in await newest(ada, channel) if m["ts"] in (parent, reply)]
    assert (shown["ts"], "reply_count" in shown) == (parent, False)
    assert await mentions(acme, grace, channel) == 0


async def test_in_an_archived_conversation_nothing_changes(acme: Office) -> None:
    """Its last word is that it was archived."""
    ada = acme["ada"]
    channel = await room(ada)
    ts = await posted(ada, channel, "x")
    await ada.ok("conversations.archive", channel=channel)
    assert await ada.error("chat.update", channel=channel, ts=ts, text="y") == "is_inactive"
    assert await ada.error("chat.delete", channel=channel, ts=ts) == "cant_delete_message"
    assert await ada.error("chat.postMessage", channel=channel, text="y") == "is_archived"


async def test_apps_show_what_addresses_lead_to(acme: Office) -> None:
    """In anybody's message, as attachments by address, without calling it edited."""
    ada, helper = acme["ada"], acme["helper"]
    channel = await room(ada, helper)
    url = "https://x.example/1"
    ts = await posted(ada, channel, f"see <{url}>")
    there = {"channel": channel, "ts": ts}
    for text in ("first", "second"):
        assert await helper.ok("chat.unfurl", **there, unfurls={url: {"text": text}}) == {"ok": True}
    [message] = await newest(ada, channel, 1)
    [attachment] = message["attachments"]
    assert (attachment["text"], attachment["from_url"], attachment["bot_id"]) == ("second", url, helper.user.bot_id)
    assert "edited" not in message
    assert told(acme, channel, "message_changed")[-1]["message"] == message
    assert await helper.error("chat.unfurl", **there, unfurls={"https://y.example": {}}) == "cannot_unfurl_url"
    assert await helper.error("chat.unfurl", **there, unfurls={url: "x"}) == "invalid_unfurls_format"
    assert await helper.error("chat.unfurl", **there) == "missing_unfurls"
    assert await helper.error("chat.unfurl", **there, unfurls={}) == "missing_unfurls"
    assert await helper.error("chat.unfurl", ts=ts, unfurls={url: {}}) == "missing_channel"
    assert await helper.error("chat.unfurl", channel=channel, unfurls={url: {}}) == "missing_ts"
    assert await helper.error("chat.unfurl", channel=channel, ts="1.0", unfurls={url: {}}) == "cannot_find_message"
    assert await helper.error("chat.unfurl", channel="C0000000000", ts=ts, unfurls={url: {}}) == "cannot_find_channel"
