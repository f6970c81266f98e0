"""Whose mentions a message adds to, over HTTP, on real MariaDB and memcached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from svc.webapp.commit.consequences import decode_effect
from svc.webapp.commit.effects import Effects
from svc.webapp.commit.log import Write
from svc.webapp.domain.messages.mentions import EVERYBODY_MAX
from svc.webapp.store.outbox import DueEffect
from tests.svc.webapp.api.office import Office, Someone
from tests.svc.webapp.api.test_edits import admin
from tests.svc.webapp.api.test_unread import mentions, posted, room

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


def rich(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    """Return blocks with these elements of rich text."""
    return [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}]


async def counts(acme: Office, channel: str, *people: Someone) -> list[int]:
    """Return how many unread messages are meant for each."""
    return [await mentions(acme, who, channel) for who in people]


async def test_a_broadcast_is_meant_for_all_others(acme: Office) -> None:
    """Channel and everyone for all members, here for those who are; never for its author or for who is not in it."""
    ada, grace, linus, helper = acme["ada"], acme["grace"], acme["linus"], acme["helper"]
    channel = await room(ada, grace, helper)
    await posted(ada, channel, "<!channel>")
    await posted(ada, channel, "<!everyone>")
    assert await counts(acme, channel, ada, grace, linus) == [0, 2, 0]
    acme.presence.active = {ada.id, linus.id, helper.id}
    try:
        await posted(ada, channel, "<!here>")
        assert await counts(acme, channel, ada, grace, linus, helper) == [0, 2, 0, 3]
        await posted(ada, channel, f"<!here|here> <@{grace.id}>")
        assert await counts(acme, channel, grace, helper) == [3, 4]
    finally:
        acme.presence.active = set()


async def test_names_in_blocks_and_attachments_count(acme: Office) -> None:
    """As those in the text do, once a message."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await room(ada, grace)
    named = {"type": "user", "user_id": grace.id}
    await posted(ada, channel, f"<@{grace.id}>", blocks=rich(named, named))
    assert acme.events[-1].mentioned_user_ids == [grace.id]
    await posted(ada, channel, "x", attachments=[{"text": f"<@{grace.id}>"}])
    await posted(ada, channel, "x", blocks=rich({"type": "broadcast", "range": "channel"}))
    await posted(ada, channel, "x", blocks=rich({"type": "text", "text": f"<@{grace.id}>"}))
    assert await counts(acme, channel, grace) == [3]


async def test_a_removed_broadcast_is_meant_for_nobody(acme: Office) -> None:
    """Whoever it was meant for."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    channel = await room(ada, grace, linus)
    stamps = [await posted(ada, channel, text) for text in ("<!channel>", f"<@{linus.id}>", "<!here>")]
    assert await counts(acme, channel, grace, linus) == [1, 2]
    for ts in stamps:
        await ada.ok("chat.delete", channel=channel, ts=ts)
    assert await counts(acme, channel, grace, linus) == [0, 0]


async def test_a_group_is_meant_for_those_of_it_who_are_there(acme: Office) -> None:
    """Who is in the group and not in the conversation is not asked in."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    boss = await admin(acme)
    channel = await room(ada, grace)
    made = await boss.ok("usergroups.create", name="Mentioned", handle="mentioned-ones")
    group = made["usergroup"]["id"]
    await boss.ok("usergroups.users.update", usergroup=group, users=",".join((ada.id, grace.id, linus.id)))
    await posted(ada, channel, f"<!subteam^{group}|@mentioned-ones>")
    await posted(ada, channel, "x", blocks=rich({"type": "usergroup", "usergroup_id": group}))
    await posted(ada, channel, "<!subteam^S0000000000>")
    assert await counts(acme, channel, ada, grace, linus) == [0, 2, 0]


async def swept(acme: Office, channel: str) -> Sequence[str]:
    """Do what is left to the sweepers of a conversation; return the kinds of it."""
    services = acme.services
    effects: Effects = services.messages._writes._effects
    rows = await acme.pools.channel.rows(
        "SELECT channel_id, ts_us, number, first_offset, effect FROM effects WHERE channel_id = %s", (channel,)
    )
    due = [DueEffect(*row) for row in rows]
    for each in due:
        assert await effects.redo(each)
    return [type(decode_effect(each.effect)).__name__ for each in due]


async def test_a_large_conversation_is_told_behind_the_post(acme: Office) -> None:
    """Its members are no part of the write, and are counted all the same: once, however often it is done."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await room(ada, grace)
    crowd = [f"UCROWD{n:05d}" for n in range(EVERYBODY_MAX)]
    writes = acme.services.messages._writes
    for start in range(0, len(crowd), 200):
        await writes._commit(Write(channel, members_added=tuple(crowd[start : start + 200])))
    ts = await posted(ada, channel, "<!channel>")
    assert await swept(acme, channel) == ["MentionEverybody"]
    own = "SELECT COUNT(*), MIN(user_id) FROM mentions WHERE channel_id = %s"
    assert list(await acme.pools.user.rows(own, (channel,))) == [(EVERYBODY_MAX + 1, grace.id)]
    assert await counts(acme, channel, ada, grace) == [0, 1]
    await ada.ok("chat.delete", channel=channel, ts=ts)
    assert await swept(acme, channel) == ["UnmentionEverybody"]
    assert (await acme.pools.user.rows(own, (channel,)))[0][0] == 0
