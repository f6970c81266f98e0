"""Read marks and mentions over HTTP, on real MariaDB and memcached."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from parley.event.v1 import event_pb2
from svc.kit.ids import us_from_ts
from svc.webapp.store.rows import Prefs
from tests.svc.webapp.api.office import Office, Someone

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]
_NUMBERS = itertools.count(1)


async def room(by: Someone, *others: Someone, **arguments: object) -> str:
    """Make a channel with some people in it; return its id."""
    made = await by.ok("conversations.create", name=f"unread-{next(_NUMBERS)}", **arguments)
    channel = str(made["channel"]["id"])
    for other in others:
        await by.ok("conversations.invite", channel=channel, users=other.id)
    return channel


async def posted(by: Someone, channel: str, text: str, **arguments: object) -> str:
    """Post and return the ts."""
    return str((await by.ok("chat.postMessage", channel=channel, text=text, **arguments))["ts"])


async def mentions(acme: Office, someone: Someone, channel: str) -> int:
    """Return how many unread messages of a conversation are meant for somebody, once all that were posted are noted."""
    async with asyncio.timeout(5):
        while await acme.pools.channel.rows("SELECT 1 FROM effects WHERE channel_id = %s", (channel,)):
            await asyncio.sleep(0.01)
    found = await acme.services.users.unread_mentions([someone.id])
    return found.get(someone.id, {}).get(channel, 0)


def marks(acme: Office, someone: Someone, channel: str) -> list[dict[str, Any]]:
    """Return what somebody's sockets were told about a conversation's marks, in order."""
    own = [event for event in acme.payloads(someone.id) if event.get("channel") == channel]
    return [event for event in own if event["type"].endswith("_marked")]


async def test_what_is_unread_and_what_was_chosen_is_one_read(acme: Office) -> None:
    """The same as each by itself, for who has both, one of them and neither."""
    ada, grace = acme["ada"], acme["grace"]
    new = (await acme.hire(ada.user.team_id, [f"one-read{next(_NUMBERS)}"])).popitem()[1]
    channel = await room(ada, grace)
    await posted(ada, channel, f"for <@{grace.id}>")
    assert await mentions(acme, grace, channel) == 1
    users = acme.services.users
    for has_chosen in (False, True):
        if has_chosen:
            await grace.ok("users.prefs.set", name="theme", value="dark")
            await new.ok("users.prefs.set", name="theme", value="light")
        together = await users.unread_and_prefs([ada.id, grace.id, new.id])
        apart = await users.unread_mentions([ada.id, grace.id, new.id])
        for each in (ada, grace, new):
            nothing: tuple[dict[str, int], Prefs] = {}, Prefs(each.id)
            assert together.get(each.id, nothing) == (apart.get(each.id, {}), await users.prefs(each.id))


async def test_a_mark_moves_on_and_back_and_is_told(acme: Office) -> None:
    """With what is unread above it, and how much of that is meant for the reader."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await room(ada, grace)
    stamps = [await posted(ada, channel, text) for text in ("one", f"two <@{grace.id}>", "three")]
    assert await mentions(acme, grace, channel) == 1
    assert await grace.ok("conversations.mark", channel=channel, ts=stamps[0]) == {"ok": True}
    await grace.ok("conversations.mark", channel=channel, ts=stamps[2])
    assert (await grace.ok("conversations.info", channel=channel))["channel"]["last_read"] == stamps[2]
    await grace.ok("conversations.mark", channel=channel, ts=stamps[1])
    assert (await grace.ok("conversations.info", channel=channel))["channel"]["last_read"] == stamps[1]
    told = [(m["ts"], m["unread_count_display"], m["mention_count"]) for m in marks(acme, grace, channel)]
    assert told == [(stamps[0], 2, 1), (stamps[2], 0, 0), (stamps[1], 1, 0)]
    assert marks(acme, ada, channel) == []
    last = [event for event in acme.events if event.channel_id == grace.id][-1]
    assert (last.kind, last.offset > 0, last.sender_id) == (event_pb2.EVENT_KIND_USER, True, grace.id)


async def test_each_kind_of_conversation_has_its_event(acme: Office) -> None:
    """As the clients of Slack know them."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    private = await room(ada, is_private=True)
    im = (await ada.ok("conversations.open", users=grace.id))["channel"]["id"]
    mpim = (await ada.ok("conversations.open", users=[grace.id, linus.id]))["channel"]["id"]
    for channel, kind in ((private, "group_marked"), (im, "im_marked"), (mpim, "mpim_marked")):
        await ada.ok("conversations.mark", channel=channel, ts="1.000000")
        [told] = marks(acme, ada, channel)
        assert (told["type"], told["ts"]) == (kind, "1.000000")
        assert ("dm_count" in told) == (channel == im)


async def test_a_mark_needs_a_member_and_a_timestamp(acme: Office) -> None:
    """What one does not see does not exist."""
    ada, linus = acme["ada"], acme["linus"]
    public, private = await room(ada), await room(ada, is_private=True)
    assert await linus.error("conversations.mark", channel=public, ts="1.0") == "not_in_channel"
    assert await linus.error("conversations.mark", channel=private, ts="1.0") == "channel_not_found"
    assert await ada.error("conversations.mark", channel="C0000000000", ts="1.0") == "channel_not_found"
    for ts in ("soon", "1.2.3", "-1", None):
        assert await ada.error("conversations.mark", channel=public, ts=ts) == "invalid_timestamp"


async def test_of_marks_at_once_the_last_told_is_the_one_that_counts(acme: Office) -> None:
    """Whatever the order in which they were made, devices end with what is true."""
    grace = acme["grace"]
    channel = await room(grace)
    await asyncio.gather(*(grace.ok("conversations.mark", channel=channel, ts=f"{n}.000000") for n in range(1, 13)))
    last_read = (await grace.ok("conversations.info", channel=channel))["channel"]["last_read"]
    assert marks(acme, grace, channel)[-1]["ts"] == last_read


async def test_who_is_named_is_mentioned_once(acme: Office) -> None:
    """Members only, and never by oneself; a repeated post and a reply that only its thread shows count nothing."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    channel = await room(ada, grace)
    text = f"<@{grace.id}> <@{grace.id}|grace> <@{linus.id}> <@{ada.id}> <@U0000000ZZZ>"
    for _ in range(2):
        ts = await posted(ada, channel, text, client_msg_id="once")
    await posted(ada, channel, "nobody")
    await posted(ada, channel, text, thread_ts=ts)
    assert [await mentions(acme, who, channel) for who in (ada, grace, linus)] == [0, 1, 0]
    await posted(ada, channel, text, thread_ts=ts, reply_broadcast="true")
    assert await mentions(acme, grace, channel) == 2
    rows = await acme.pools.user.rows("SELECT COUNT(*) FROM mentions WHERE channel_id = %s", (channel,))
    assert rows[0][0] == 2


async def test_every_message_of_a_direct_conversation_is_meant_for_the_others(acme: Office) -> None:
    """Of two people, of more, and of oneself alone."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    im = (await linus.ok("conversations.open", users=grace.id))["channel"]["id"]
    mpim = (await linus.ok("conversations.open", users=[ada.id, grace.id]))["channel"]["id"]
    own = (await linus.ok("conversations.open", users=linus.id))["channel"]["id"]
    for channel in (im, mpim, own, im):
        await posted(linus, channel, "hi")
    assert [await mentions(acme, grace, channel) for channel in (im, mpim, own)] == [2, 1, 0]
    assert [await mentions(acme, linus, channel) for channel in (im, mpim, own)] == [0, 0, 0]
    assert await mentions(acme, ada, mpim) == 1
    last = (await grace.ok("conversations.history", channel=im))["messages"][0]["ts"]
    await grace.ok("conversations.mark", channel=im, ts=last)
    assert await mentions(acme, grace, im) == 0


async def test_who_joins_has_nothing_unread(acme: Office) -> None:
    """What was said before is no news; notices of who came are none either."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    channel = await room(ada)
    await posted(ada, channel, "before")
    await grace.ok("conversations.join", channel=channel)
    await linus.ok("conversations.join", channel=channel)
    [side] = [row for row in await acme.services.users.memberships(grace.id) if row.channel_id == channel]
    heads = await acme.services.channels.activity([channel])
    assert heads[channel].last_message_us < side.last_read_us
    ts = await posted(ada, channel, "after")
    heads = await acme.services.channels.activity([channel])
    assert heads[channel].last_message_us == us_from_ts(ts) > side.last_read_us
