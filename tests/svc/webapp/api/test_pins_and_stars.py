"""pins.* and stars.*, and files, which are neither reacted to nor pinned, over HTTP."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from svc.webapp.domain.conversations import pins as pins_domain
from tests.svc.webapp.api.office import Office
from tests.svc.webapp.api.test_reactions import room, said, told
from tests.svc.webapp.api.uploads import shared

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

_PEOPLE = itertools.count(1)


async def test_files_are_reacted_to_and_pinned_by_their_messages(acme: Office) -> None:
    """As Slack has it: who names a file is told, if he sees it, that it cannot be; and it has no reactions."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    channel = await room(ada, grace, is_private=True)
    file_id = (await shared(acme, ada, channel, b"words"))["id"]
    assert await grace.error("reactions.add", file=file_id, name="eyes") == "not_reactable"
    assert await grace.error("reactions.remove", file=file_id, name="eyes") == "no_reaction"
    assert await grace.error("pins.add", channel=channel, file=file_id) == "not_pinnable"
    assert await grace.error("pins.remove", channel=channel, file=file_id) == "no_pin"
    found = await grace.ok("reactions.get", file=file_id)
    assert (found["type"], found["file"]["id"], found["file"].get("reactions")) == ("file", file_id, None)
    for method, more in (
        ("reactions.add", {"name": "eyes"}),
        ("reactions.remove", {"name": "eyes"}),
        ("reactions.get", {}),
        ("pins.add", {"channel": channel}),
        ("stars.add", {}),
    ):
        assert await linus.error(method, file=file_id, **more) == "file_not_found"
    assert told(acme, channel, "reaction_added", "pin_added") == []


async def test_who_came_and_went_is_not_pinned(acme: Office) -> None:
    """Slack's not_pinnable."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await room(ada, grace)
    page = await ada.ok("conversations.history", channel=channel)
    [notice] = [each for each in page["messages"] if each.get("subtype") == "channel_join" and each["user"] == grace.id]
    assert await ada.error("pins.add", channel=channel, timestamp=notice["ts"]) == "not_pinnable"


async def test_files_are_saved(acme: Office) -> None:
    """Told to their own sockets, listed as long as they may be seen, taken back even after that."""
    ada = acme["ada"]
    [zoe] = (await acme.hire(ada.user.team_id, [f"saver{next(_PEOPLE)}"])).values()
    channel = await room(ada, zoe, is_private=True)
    file_id = (await shared(acme, ada, channel, b"words"))["id"]
    await zoe.ok("stars.add", file=file_id)
    assert await zoe.error("stars.add", file=file_id) == "already_starred"
    [item] = (await zoe.ok("stars.list"))["items"]
    assert (item["type"], item["file"]["id"], item["file"]["is_starred"]) == ("file", file_id, True)
    assert "channel" not in item
    await ada.ok("conversations.kick", channel=channel, user=zoe.id)
    assert (await zoe.ok("stars.list"))["items"] == []
    await zoe.ok("stars.remove", file=file_id)
    assert await zoe.error("stars.remove", file=file_id) == "not_starred"
    added, removed = told(acme, zoe.id, "star_added", "star_removed")
    assert (added["item"]["type"], added["item"]["file"]["id"]) == ("file", file_id)
    assert removed["item"] == {"type": "file", "file": {"id": file_id, "mode": "tombstone"}}
    assert await zoe.error("stars.add") == "no_item_specified"
    assert await zoe.error("stars.add", file_comment="Fc1") == "file_comment_not_found"


async def test_pins_come_and_go(acme: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message is pinned once; everybody hears, and history says where and how many."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    channel = await room(ada, grace)
    first, second = await said(ada, channel, "first"), await said(ada, channel, "second")
    await grace.ok("pins.add", channel=channel, timestamp=first)
    await ada.ok("pins.add", channel=channel, timestamp=second)
    page = await ada.ok("conversations.history", channel=channel)
    assert page["pin_count"] == 2
    assert [each.get("pinned_to") for each in page["messages"][:2]] == [[channel], [channel]]
    items = (await linus.ok("pins.list", channel=channel))["items"]
    assert [(each["message"]["text"], each["created_by"]) for each in items] == [
        ("second", ada.id),
        ("first", grace.id),
    ]
    assert all(each["type"] == "message" and each["channel"] == channel and each["created"] > 0 for each in items)
    assert await ada.error("pins.add", channel=channel, timestamp=first) == "already_pinned"
    await ada.ok("pins.remove", channel=channel, timestamp=first)
    assert await ada.error("pins.remove", channel=channel, timestamp=first) == "no_pin"
    assert (await ada.ok("conversations.history", channel=channel))["pin_count"] == 1
    added, _, removed = told(acme, channel, "pin_added", "pin_removed")
    item = added["item"]
    assert (added["type"], added["user"], added["channel_id"], added["item_user"]) == (
        "pin_added",
        grace.id,
        channel,
        ada.id,
    )
    assert (item["type"], item["channel"], item["created_by"]) == ("message", channel, grace.id)
    assert (item["message"]["ts"], item["message"]["text"], item["message"]["pinned_to"]) == (first, "first", [channel])
    assert (removed["type"], removed["has_pins"], removed["item"]["message"]["ts"]) == ("pin_removed", True, first)
    assert "pinned_to" not in removed["item"]["message"]
    await ada.ok("chat.delete", channel=channel, ts=second)
    assert (await ada.ok("pins.list", channel=channel))["items"] == []
    assert await linus.error("pins.add", channel=channel, timestamp=first) == "not_in_channel"
    for wrong, code in (
        ({"timestamp": None}, "no_item_specified"),
        ({"timestamp": "x"}, "bad_timestamp"),
        ({"timestamp": "1.000001"}, "message_not_found"),
        ({"channel": "C0000000000"}, "channel_not_found"),
    ):
        for method in ("pins.add", "pins.remove"):
            assert await ada.error(method, **({"channel": channel, "timestamp": first} | wrong)) == code
    assert await ada.error("pins.list", channel="C0000000000") == "channel_not_found"
    monkeypatch.setattr(pins_domain, "PINS_COUNTED_MAX", 0)
    assert await ada.error("pins.add", channel=channel, timestamp=first) == "too_many_pins"
    await ada.ok("conversations.archive", channel=channel)
    assert await ada.error("pins.add", channel=channel, timestamp=first) == "is_archived"


async def test_what_is_left_of_a_removed_message_is_not_pinned_nor_reacted_to(acme: Office) -> None:
    """A tombstone stands for its thread."""
    ada = acme["ada"]
    channel = await room(ada)
    parent = await said(ada, channel)
    await ada.ok("reactions.add", channel=channel, timestamp=parent, name="eyes")
    await said(ada, channel, "reply", thread_ts=parent)
    await ada.ok("chat.delete", channel=channel, ts=parent)
    assert await ada.error("pins.add", channel=channel, timestamp=parent) == "not_pinnable"
    assert await ada.error("reactions.add", channel=channel, timestamp=parent, name="tada") == "message_not_found"


async def test_of_pins_at_once_one_counts(acme: Office) -> None:
    """Two who pin one message."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await room(ada, grace)
    ts = await said(ada, channel)
    answers = await asyncio.gather(
        *(who.call("pins.add", channel=channel, timestamp=ts) for who in (ada, grace) for _ in range(3))
    )
    assert sorted(answer.get("error", "") for answer in answers) == ["", *["already_pinned"] * 5]


async def test_stars_are_ones_own(acme: Office) -> None:
    """Messages and conversations; told to nobody else; what one sees no more is not shown."""
    [zoe] = (await acme.hire(acme["ada"].user.team_id, [f"saver{next(_PEOPLE)}"])).values()
    ada = acme["ada"]
    channel, other = await room(ada, zoe), await room(ada)
    private = await room(ada, zoe, is_private=True)
    stamps = [await said(ada, each) for each in (channel, private)]
    await zoe.ok("stars.add", channel=channel, timestamp=stamps[0])
    await zoe.ok("stars.add", channel=other)
    await zoe.ok("stars.add", channel=private, timestamp=stamps[1])
    body = await zoe.ok("stars.list")
    shown = [(each["type"], each["channel"], each.get("message", {}).get("ts")) for each in body["items"]]
    assert shown == [("message", private, stamps[1]), ("channel", other, None), ("message", channel, stamps[0])]
    assert body["items"][0]["message"]["is_starred"] is True
    assert body["paging"]["total"] == 3
    page = await zoe.ok("stars.list", count=2, page=2)
    assert [each["channel"] for each in page["items"]] == [channel]
    first = await zoe.ok("stars.list", limit=2)
    second = await zoe.ok("stars.list", limit=2, cursor=first["response_metadata"]["next_cursor"])
    assert [each["channel"] for each in (*first["items"], *second["items"])] == [private, other, channel]
    assert second["response_metadata"]["next_cursor"] == ""
    assert (await ada.ok("stars.list"))["items"] == []
    assert await zoe.error("stars.add", channel=other) == "already_starred"
    await ada.ok("conversations.kick", channel=private, user=zoe.id)
    assert [each["channel"] for each in (await zoe.ok("stars.list"))["items"]] == [other, channel]
    await zoe.ok("stars.remove", channel=private, timestamp=stamps[1])
    await zoe.ok("stars.remove", channel=other)
    assert await zoe.error("stars.remove", channel=other) == "not_starred"
    events = told(acme, zoe.id, "star_added", "star_removed")
    assert [(each["type"], each["user"], each["item"]["type"], each["item"]["channel"]) for each in events] == [
        ("star_added", zoe.id, "message", channel),
        ("star_added", zoe.id, "channel", other),
        ("star_added", zoe.id, "message", private),
        ("star_removed", zoe.id, "message", private),
        ("star_removed", zoe.id, "channel", other),
    ]
    assert events[0]["item"]["message"]["ts"] == stamps[0]
    for wrong, code in (
        ({"channel": None}, "no_item_specified"),
        ({"timestamp": "x"}, "bad_timestamp"),
        ({"timestamp": "1.000001"}, "message_not_found"),
        ({"channel": "C0000000000"}, "channel_not_found"),
    ):
        assert await zoe.error("stars.add", **({"channel": channel, "timestamp": stamps[0]} | wrong)) == code
    assert await zoe.error("stars.list", cursor="nonsense") == "invalid_cursor"
