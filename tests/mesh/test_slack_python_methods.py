"""What bots call most, by Slack's Python SDK, unmodified; others see the events that it causes."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.mesh.people import Json, Socket
from tests.mesh.test_slack_sdk import web
from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

PATIENCE_S = 30.0


async def heard(socket: Socket, **fields: Any) -> Json:
    """Return the first event with these fields."""
    return await socket.wait_for(lambda event: fields.items() <= event.items(), PATIENCE_S)


async def test_a_message_lives_through_the_sdk(shared: Town) -> None:
    """Post, answer in a thread, react, pin, edit, delete: the calls' answers, and the events at somebody else."""
    mark = time.time_ns()
    client, room = web(shared, "ada"), shared.general

    def live() -> Json:
        ts = str(client.chat_postMessage(channel=room, text=f"{mark} *first*")["ts"])
        answer = client.chat_postMessage(channel=room, text=f"{mark} answer", thread_ts=ts, reply_broadcast=True)
        replies = [page["messages"] for page in client.conversations_replies(channel=room, ts=ts, limit=1)]
        assert [each["ts"] for page in replies for each in page if each["ts"] != ts] == [answer["ts"]]
        client.reactions_add(channel=room, name="tada", timestamp=ts)
        with pytest.raises(SlackApiError, match="already_reacted"):
            client.reactions_add(channel=room, name="tada", timestamp=ts)
        assert client.reactions_get(channel=room, timestamp=ts)["message"]["reactions"][0]["name"] == "tada"
        client.pins_add(channel=room, timestamp=ts)
        assert ts in [each["message"]["ts"] for each in client.pins_list(channel=room)["items"]]
        client.pins_remove(channel=room, timestamp=ts)
        client.reactions_remove(channel=room, name="tada", timestamp=ts)
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*edited*"}}]
        assert client.chat_update(channel=room, ts=ts, text=f"{mark} edited", blocks=blocks)["ts"] == ts
        link = client.chat_getPermalink(channel=room, message_ts=ts)["permalink"]
        assert link.startswith(f"{shared.mesh.web_url}/archives/{room}/p")
        client.chat_delete(channel=room, ts=str(answer["ts"]))
        client.chat_delete(channel=room, ts=ts)
        with pytest.raises(SlackApiError, match="message_not_found"):
            client.chat_update(channel=room, ts=ts, text="too late")
        return {"ts": ts, "answer": answer["ts"]}

    async with shared["grace"].connected() as socket:
        lived = await asyncio.to_thread(live)
        reply = await heard(socket, type="message", text=f"{mark} answer")
        assert (reply["thread_ts"], reply["subtype"]) == (lived["ts"], "thread_broadcast")
        await heard(socket, type="reaction_added", reaction="tada", user=shared["ada"].user_id)
        await heard(socket, type="reaction_removed", reaction="tada", user=shared["ada"].user_id)
        await heard(socket, type="pin_added", channel_id=room)
        await heard(socket, type="pin_removed", channel_id=room)
        edited = await socket.wait_for(
            lambda each: each.get("subtype") == "message_changed" and each["message"].get("text") == f"{mark} edited",
            PATIENCE_S,
        )
        assert edited["message"]["blocks"][0]["text"]["text"] == "*edited*"
        await heard(socket, subtype="message_deleted", deleted_ts=lived["answer"])


async def test_what_only_one_sees_and_what_comes_later(shared: Town) -> None:
    """chat.postEphemeral, and chat.scheduleMessage: listed, sent in its time, or taken back."""
    mark = time.time_ns()
    client, room = web(shared, "ada"), shared.general

    def talk() -> None:
        client.chat_postEphemeral(channel=room, user=shared["grace"].user_id, text=f"{mark} psst")
        soon, late = int(time.time()) + 2, int(time.time()) + 3_600
        scheduled = client.chat_scheduleMessage(channel=room, post_at=soon, text=f"{mark} later")
        another = client.chat_scheduleMessage(channel=room, post_at=late, text=f"{mark} never")
        pages = [page["scheduled_messages"] for page in client.chat_scheduledMessages_list(channel=room, limit=1)]
        listed = {each["id"] for page in pages for each in page}
        assert another["scheduled_message_id"] in listed
        assert scheduled["scheduled_message_id"] != another["scheduled_message_id"]
        client.chat_deleteScheduledMessage(channel=room, scheduled_message_id=another["scheduled_message_id"])
        with pytest.raises(SlackApiError, match="invalid_scheduled_message_id"):
            client.chat_deleteScheduledMessage(channel=room, scheduled_message_id=another["scheduled_message_id"])

    async with shared["grace"].connected() as grace, shared["linus"].connected() as linus:
        await asyncio.to_thread(talk)
        assert (await heard(grace, type="message", text=f"{mark} psst"))["is_ephemeral"] is True
        later = await heard(linus, type="message", text=f"{mark} later")
        assert later["user"] == shared["ada"].user_id
        assert f"{mark} psst" not in [event.get("text") for event in linus.events]


async def test_bookmarks_and_groups_of_users(shared: Town) -> None:
    """Made, changed, listed and removed."""
    mark = str(time.time_ns())
    client, room = web(shared, "ada"), shared.general

    def work() -> None:
        bookmark = client.bookmarks_add(channel_id=room, title="Plan", type="link", link="https://example.org/a")
        bookmark_id = bookmark["bookmark"]["id"]
        client.bookmarks_edit(bookmark_id=bookmark_id, channel_id=room, title="Map")
        titles = {each["id"]: each["title"] for each in client.bookmarks_list(channel_id=room)["bookmarks"]}
        assert titles[bookmark_id] == "Map"
        client.bookmarks_remove(bookmark_id=bookmark_id, channel_id=room)
        group = client.usergroups_create(name=f"Crew {mark}", handle=f"crew{mark[-9:]}")["usergroup"]
        members = [shared["ada"].user_id, shared["grace"].user_id]
        client.usergroups_users_update(usergroup=group["id"], users=members)
        assert set(client.usergroups_users_list(usergroup=group["id"])["users"]) == set(members)
        client.usergroups_update(usergroup=group["id"], description="of the ship")
        listed = {each["id"]: each for each in client.usergroups_list(include_users=True)["usergroups"]}
        assert listed[group["id"]]["description"] == "of the ship"
        assert set(listed[group["id"]]["users"]) == set(members)
        client.usergroups_disable(usergroup=group["id"])
        assert group["id"] not in {each["id"] for each in client.usergroups_list()["usergroups"]}

    await asyncio.to_thread(work)


async def test_lists_are_read_page_by_page(shared: Town) -> None:
    """The SDK's iterators, both kinds of them, find everybody and everything once."""
    client = web(shared, "ada")
    names = [f"page-{time.time_ns()}-{number}" for number in range(3)]

    def read() -> None:
        for name in names:
            client.conversations_create(name=name)
        # Each page is the same object with other contents: it is read before the next one is.
        pages = [page["channels"] for page in client.conversations_list(limit=2)]
        channels = [channel["name"] for page in pages for channel in page]
        assert [channels.count(name) for name in names] == [1, 1, 1], channels
        assert len(pages) >= 2
        members = [user["id"] for page in client.users_list(limit=1) for user in page["members"]]
        assert {person.user_id for person in shared.people.values()} <= set(members)
        assert len(members) == len(set(members))
        texts = [client.chat_postMessage(channel=shared.general, text=f"{names[0]} {n}")["ts"] for n in range(5)]
        found = [each["ts"] for page in _some_pages(client, shared.general) for each in page["messages"]]
        assert [ts for ts in found if ts in texts] == texts[::-1]

    await asyncio.to_thread(read)
    eager = AsyncWebClient(token=shared["ada"].token, base_url=f"{shared.mesh.web_url}/api/")
    channels = [
        channel["name"] async for page in await eager.conversations_list(limit=2) for channel in page["channels"]
    ]
    assert [channels.count(name) for name in names] == [1, 1, 1], channels


def _some_pages(client: Any, room: str) -> Any:
    for number, page in enumerate(client.conversations_history(channel=room, limit=2)):
        if number == 5:
            return
        yield page
