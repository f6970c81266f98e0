"""reactions.*, over HTTP: what becomes true, what is told, who is refused, and what lists show."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from svc.kit.ids import us_from_ts
from svc.webapp.domain.conversations import reactions as reactions_domain
from svc.webapp.store.rows import User
from tests.svc.webapp.api.office import Office, Someone

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

_COUNT = iter(range(10_000))
_PLACES = ("event_ts", "position")


async def room(owner: Someone, *others: Someone, is_private: bool = False) -> str:
    """Make a channel with people in it."""
    name = f"reacting-{next(_COUNT)}"
    channel: str = (await owner.ok("conversations.create", name=name, is_private=is_private))["channel"]["id"]
    if others:
        await owner.ok("conversations.invite", channel=channel, users=",".join(each.id for each in others))
    return channel


async def said(who: Someone, channel: str, text: str = "hello", **more: Any) -> str:
    """Post; return the ts."""
    ts: str = (await who.ok("chat.postMessage", channel=channel, text=text, **more))["ts"]
    return ts


async def on(who: Someone, channel: str, ts: str) -> list[dict[str, Any]]:
    """Return the reactions of a message as history shows them, having seen that every other way shows the same."""
    [message] = (await who.ok("conversations.history", channel=channel, latest=ts, inclusive=1, limit=1))["messages"]
    newest = (await who.ok("conversations.history", channel=channel))["messages"]
    assert [each.get("reactions") for each in newest if each["ts"] == ts] == [message.get("reactions")]
    got = await who.ok("reactions.get", channel=channel, timestamp=ts)
    assert (got["type"], got["channel"], got["message"]["ts"]) == ("message", channel, ts)
    assert got["message"].get("reactions") == message.get("reactions")
    found: list[dict[str, Any]] = message.get("reactions", [])
    return found


def told(acme: Office, channel: str, *kinds: str) -> list[dict[str, Any]]:
    """Return the events of these kinds, without their places."""
    return [
        {name: value for name, value in each.items() if name not in _PLACES}
        for each in acme.payloads(channel)
        if each["type"] in kinds
    ]


async def test_reactions_come_and_go(acme: Office) -> None:
    """Each by name and user, in the order in which they came; everybody hears who reacted to whose message."""
    ada, grace, helper = acme["ada"], acme["grace"], acme["helper"]
    channel = await room(ada, grace, helper)
    ts = await said(ada, channel)
    assert await on(ada, channel, ts) == []
    for who, name in ((grace, "tada"), (ada, ":thumbsup:"), (helper, "tada"), (ada, "wave::skin-tone-3")):
        await who.ok("reactions.add", channel=channel, timestamp=ts, name=name)
    assert await on(grace, channel, ts) == [
        {"name": "tada", "users": [grace.id, helper.id], "count": 2},
        {"name": "thumbsup", "users": [ada.id], "count": 1},
        {"name": "wave::skin-tone-3", "users": [ada.id], "count": 1},
    ]
    await grace.ok("reactions.remove", channel=channel, timestamp=ts, name="tada")
    await ada.ok("reactions.remove", channel=channel, timestamp=ts, name="thumbsup")
    assert await on(helper, channel, ts) == [
        {"name": "tada", "users": [helper.id], "count": 1},
        {"name": "wave::skin-tone-3", "users": [ada.id], "count": 1},
    ]
    item = {"type": "message", "channel": channel, "ts": ts}
    events = told(acme, channel, "reaction_added", "reaction_removed")
    assert [(each["type"], each["user"], each["reaction"]) for each in events] == [
        ("reaction_added", grace.id, "tada"),
        ("reaction_added", ada.id, "thumbsup"),
        ("reaction_added", helper.id, "tada"),
        ("reaction_added", ada.id, "wave::skin-tone-3"),
        ("reaction_removed", grace.id, "tada"),
        ("reaction_removed", ada.id, "thumbsup"),
    ]
    assert all(each["item"] == item and each["item_user"] == ada.id for each in events)
    placed = [each for each in acme.payloads(channel) if each["type"].startswith("reaction")]
    assert all(each["event_ts"] > ts and each["position"].startswith(f"{channel}:") for each in placed)


async def test_one_who_reacts_many_times_at_once_reacts_once(acme: Office) -> None:
    """Whatever a client repeats."""
    ada = acme["ada"]
    channel = await room(ada)
    ts = await said(ada, channel)
    arguments = {"channel": channel, "timestamp": ts, "name": "eyes"}
    answers = await asyncio.gather(*(ada.call("reactions.add", **arguments) for _ in range(8)))
    assert sorted(answer.get("error", "") for answer in answers) == ["", *["already_reacted"] * 7]
    answers = await asyncio.gather(*(ada.call("reactions.remove", **arguments) for _ in range(8)))
    assert sorted(answer.get("error", "") for answer in answers) == ["", *["no_reaction"] * 7]
    assert len(told(acme, channel, "reaction_added", "reaction_removed")) == 2


async def test_a_reply_and_an_edited_message_keep_their_reactions(acme: Office) -> None:
    """They belong to the message, not to what it says; a removed one has none."""
    ada = acme["ada"]
    channel = await room(ada)
    parent = await said(ada, channel)
    reply = await said(ada, channel, thread_ts=parent)
    for ts in (parent, reply):
        await ada.ok("reactions.add", channel=channel, timestamp=ts, name="eyes")
    replies = (await ada.ok("conversations.replies", channel=channel, ts=parent))["messages"]
    assert [each["reactions"][0]["name"] for each in replies] == ["eyes", "eyes"]
    await ada.ok("chat.update", channel=channel, ts=reply, text="edited")
    [change] = [each for each in acme.payloads(channel) if each.get("subtype") == "message_changed"]
    assert change["message"]["reactions"] == [{"name": "eyes", "users": [ada.id], "count": 1}]
    await ada.ok("chat.delete", channel=channel, ts=reply)
    assert await ada.error("reactions.get", channel=channel, timestamp=reply) == "message_not_found"
    assert await ada.error("reactions.add", channel=channel, timestamp=reply, name="eyes") == "message_not_found"
    assert await ada.error("reactions.remove", channel=channel, timestamp=reply, name="eyes") == "message_not_found"


async def test_a_list_names_the_first_who_reacted_and_counts_all(acme: Office) -> None:
    """reactions.get names every one."""
    ada = acme["ada"]
    channel = await room(ada)
    ts = await said(ada, channel)
    crowd = [f"U{number:010d}" for number in range(60)]
    row = (channel, us_from_ts(ts), 1, "eyes")
    for number, user_id in enumerate(crowd):
        await acme.pools.channel.execute(
            "INSERT INTO annotations (channel_id, ts_us, kind, name, user_id, by_id, at_us)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (*row, user_id, user_id, number + 1),
        )
    got = (await ada.ok("reactions.get", channel=channel, timestamp=ts))["message"]["reactions"]
    assert got == [{"name": "eyes", "users": crowd, "count": 60}]
    [message] = (await ada.ok("conversations.history", channel=channel, latest=ts, inclusive=1, limit=1))["messages"]
    assert message["reactions"] == [{"name": "eyes", "users": crowd[:50], "count": 60}]
    await ada.ok("reactions.add", channel=channel, timestamp=ts, name="eyes")
    for bounds in ({}, {"latest": ts, "inclusive": 1, "limit": 1}):
        # Who is beyond those named is told so of itself, and nobody else is: a page is kept for all of them.
        for who, users in ((ada, [*crowd[:50], ada.id]), (acme["grace"], crowd[:50]), (ada, [*crowd[:50], ada.id])):
            [message] = (await who.ok("conversations.history", channel=channel, **bounds))["messages"][:1]
            assert message["reactions"] == [{"name": "eyes", "users": users, "count": 61}]
    for is_full, named in ((0, 50), (1, 61)):
        [item] = (await ada.ok("reactions.list", limit=1, full=is_full))["items"]
        assert [(len(each["users"]), each["count"]) for each in item["message"]["reactions"]] == [(named, 61)]


async def test_what_is_wrong_with_a_reaction_is_said(acme: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every refusal of reactions.add, remove and get."""
    ada, grace, linus, helper = acme["ada"], acme["grace"], acme["linus"], acme["helper"]
    channel = await room(ada, grace)
    ts = await said(ada, channel)
    good = {"channel": channel, "timestamp": ts, "name": "eyes"}
    for wrong, code in (
        ({"channel": None}, "no_item_specified"),
        ({"timestamp": None}, "no_item_specified"),
        ({"timestamp": "yesterday"}, "bad_timestamp"),
        ({"timestamp": "1.000001"}, "message_not_found"),
        ({"name": None}, "invalid_name"),
        ({"name": "Two Words"}, "invalid_name"),
        ({"name": "Eyes"}, "invalid_name"),
        ({"name": "eyes::skin-tone-9"}, "invalid_name"),
        ({"name": "x" * 101}, "invalid_name"),
        ({"channel": None, "timestamp": None, "file": "F0000000000"}, "file_not_found"),
        ({"channel": None, "timestamp": None, "file_comment": "Fc00000000"}, "file_comment_not_found"),
        ({"channel": "C0000000000"}, "channel_not_found"),
        ({"channel": "#general"}, "channel_not_found"),
    ):
        for method in ("reactions.add", "reactions.remove"):
            assert await ada.error(method, **(good | wrong)) == code, (method, wrong)
    assert await ada.error("reactions.get", timestamp=ts) == "no_item_specified"
    assert await ada.error("reactions.get", channel=channel, timestamp="x") == "bad_timestamp"
    assert await ada.error("reactions.remove", **good) == "no_reaction"
    assert await linus.error("reactions.add", **good) == "not_in_channel"
    assert await helper.error("reactions.get", channel=channel, timestamp=ts) == "not_in_channel"
    private = await room(ada, is_private=True)
    assert await linus.error("reactions.add", **(good | {"channel": private})) == "channel_not_found"
    monkeypatch.setattr(reactions_domain, "REACTIONS_A_PERSON_MAX", 2)
    monkeypatch.setattr(reactions_domain, "EMOJI_A_MESSAGE_MAX", 2)
    for name in ("one", "two"):
        await ada.ok("reactions.add", **(good | {"name": name}))
    assert await ada.error("reactions.add", **(good | {"name": "one"})) == "already_reacted"
    assert await ada.error("reactions.add", **(good | {"name": "three"})) == "too_many_reactions"
    assert await grace.error("reactions.add", **(good | {"name": "three"})) == "too_many_emoji"
    await grace.ok("reactions.add", **(good | {"name": "two"}))
    await ada.ok("conversations.archive", channel=channel)
    assert await ada.error("reactions.add", **(good | {"name": "four"})) == "is_archived"


async def test_reactions_are_emoji_that_there_are(acme: Office) -> None:
    """Unicode's by Slack's names, with a tone of skin or without, and the workspace's own: as long as it has them."""
    accounts = acme.services.accounts
    team, _ = await accounts.team("Theatre", f"theatre-{next(_COUNT)}")
    user = await accounts.person(User("", team.id, "root", is_admin=True))
    root = Someone(user, await accounts.token_for(user), acme.base, acme.http)
    channel = await room(root)
    ts = await said(root, channel)
    good = {"channel": channel, "timestamp": ts}
    for name in ("curtain_call", "thumbs_sideways", "curtain_call::skin-tone-2", "héllo", "👍"):
        assert await root.error("reactions.add", **good, name=name) == "invalid_name"
    await root.ok("admin.emoji.add", name="curtain_call", url="https://example.org/c.png")
    for name in ("curtain_call", "+1", "wave::skin-tone-6", "flag-fr"):
        await root.ok("reactions.add", **good, name=name)
    await root.ok("admin.emoji.remove", name="curtain_call")
    assert await root.error("reactions.add", **good, name="curtain_call") == "invalid_name"
    # What is on a message of an emoji that is no more can be taken off.
    await root.ok("reactions.remove", **good, name="curtain_call")
    assert [each["name"] for each in await on(root, channel, ts)] == ["+1", "wave::skin-tone-6", "flag-fr"]


async def listed(who: Someone, method: str, **arguments: Any) -> Sequence[str]:
    """Return the ts of what a list shows, page after page by cursor."""
    found: list[str] = []
    cursor = ""
    for _ in range(20):
        body = await who.ok(method, limit=2, cursor=cursor or None, **arguments)
        found += [each["message"]["ts"] for each in body["items"]]
        cursor = body["response_metadata"]["next_cursor"]
        if not cursor:
            return found
    raise AssertionError("the pages do not end")


async def test_what_somebody_reacted_to_is_listed(acme: Office) -> None:
    """By the newest reaction first, each message once, and only what the caller may read."""
    [ada], [zoe] = [acme["ada"]], (await acme.hire(acme["ada"].user.team_id, [f"zoe{next(_COUNT)}"])).values()
    open_room, closed = await room(ada, zoe), await room(zoe, is_private=True)
    stamps = [await said(zoe, channel) for channel in (open_room, open_room, closed, open_room)]
    places = list(zip((open_room, open_room, closed, open_room), stamps, strict=True))
    for channel, ts in places:
        await zoe.ok("reactions.add", channel=channel, timestamp=ts, name="eyes")
    await zoe.ok("reactions.add", channel=open_room, timestamp=stamps[0], name="tada")
    await ada.ok("reactions.add", channel=open_room, timestamp=stamps[1], name="tada")
    assert await listed(zoe, "reactions.list") == [stamps[0], stamps[3], stamps[2], stamps[1]]
    assert await listed(ada, "reactions.list", user=zoe.id) == [stamps[0], stamps[3], stamps[1]]
    body = await zoe.ok("reactions.list", count=3, page=2)
    assert [each["message"]["ts"] for each in body["items"]] == [stamps[1]]
    assert body["paging"] == {"count": 3, "total": 4, "page": 2, "pages": 2}
    [message] = [each["message"] for each in body["items"]]
    assert {each["name"] for each in message["reactions"]} == {"eyes", "tada"}
    assert message["permalink"].endswith(f"/archives/{open_room}/p{stamps[1].replace('.', '')}")
    assert await ada.error("reactions.list", user="U0000000000") == "user_not_found"
    assert await ada.error("reactions.list", cursor="nonsense") == "invalid_cursor"
