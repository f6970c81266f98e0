"""Slack's own clients for Node.js, unmodified, each version that is in use: only their base URL says where we are."""

from __future__ import annotations

import time

import pytest

from tests.mesh.node_clients import PATIENCE_S, NodeClient, node_client
from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

WEB = ["slack-web-api-6", "slack-web-api-7", "slack-web-api-8"]
RTM = ["slack-rtm-api-6", "slack-rtm-api-7"]


@pytest.mark.parametrize("package", WEB)
async def test_the_web_client_does_what_bots_do(shared: Town, package: str) -> None:
    """Nested arguments travel as JSON strings in forms; pages are turned; what is refused is thrown with its code."""
    async with node_client("web", package, shared.mesh.web_url, token=shared["ada"].token) as ada:
        assert (await ada.call("auth.test"))["user_id"] == shared["ada"].user_id
        made = await ada.call("conversations.create", name=f"node-{time.time_ns()}")
        channel = made["channel"]["id"]
        await ada.call("conversations.invite", channel=channel, users=shared["grace"].user_id)
        ts = await check_messages(shared, ada, channel)
        await check_annotations(ada, channel, ts)
        await check_workspace(shared, ada, channel)
        await check_refusals(ada, channel, ts)


async def check_messages(town: Town, ada: NodeClient, channel: str) -> str:
    """Post, answer in a thread, edit, delete, and whisper; return the timestamp of what stays."""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}]
    posted = await ada.call("chat.postMessage", channel=channel, text="first", blocks=blocks)
    ts = str(posted["ts"])
    await ada.call("chat.postMessage", channel=channel, text="answer", thread_ts=ts)
    replies = await ada.call("conversations.replies", channel=channel, ts=ts)
    assert [message["text"] for message in replies["messages"]] == ["first", "answer"]
    assert replies["messages"][0]["blocks"][0]["text"]["text"] == "*hello*"
    assert replies["messages"][0]["reply_count"] == 1
    await ada.call("chat.update", channel=channel, ts=ts, text="edited", blocks=[])
    gone = await ada.call("chat.postMessage", channel=channel, text="gone")
    await ada.call("chat.delete", channel=channel, ts=gone["ts"])
    history = await ada.call("conversations.history", channel=channel, limit=2)
    assert history["messages"][0]["text"] == "edited"
    assert history["messages"][0]["edited"]["user"] == town["ada"].user_id
    async with town["grace"].connected() as grace:
        whisper = {"channel": channel, "user": town["grace"].user_id, "text": "psst"}
        whispered = await ada.call("chat.postEphemeral", **whisper)
        assert (await grace.wait_text("psst", PATIENCE_S))["ts"] == whispered["message_ts"]
    return ts


async def check_annotations(ada: NodeClient, channel: str, ts: str) -> None:
    """React, pin and bookmark, and take it back."""
    await ada.call("reactions.add", channel=channel, timestamp=ts, name="eyes")
    got = await ada.call("reactions.get", channel=channel, timestamp=ts)
    assert got["message"]["reactions"][0]["name"] == "eyes"
    await ada.call("reactions.remove", channel=channel, timestamp=ts, name="eyes")
    await ada.call("pins.add", channel=channel, timestamp=ts)
    pinned = await ada.call("pins.list", channel=channel)
    assert [item["message"]["ts"] for item in pinned["items"]] == [ts]
    await ada.call("pins.remove", channel=channel, timestamp=ts)
    mark = {"channel_id": channel, "title": "Docs", "type": "link", "link": "https://example.org/?a=1&b=2"}
    added = (await ada.call("bookmarks.add", **mark))["bookmark"]
    listed = await ada.call("bookmarks.list", channel_id=channel)
    assert [each["link"] for each in listed["bookmarks"]] == [mark["link"]]
    await ada.call("bookmarks.remove", channel_id=channel, bookmark_id=added["id"])


async def check_workspace(town: Town, ada: NodeClient, channel: str) -> None:
    """Groups of people; lists that take several pages."""
    handle = f"node{time.time_ns() % 10**12}"
    group = (await ada.call("usergroups.create", name=handle, handle=handle))["usergroup"]
    people = [town[name].user_id for name in ("ada", "grace")]
    await ada.call("usergroups.users.update", usergroup=group["id"], users=",".join(people))
    members = await ada.call("usergroups.users.list", usergroup=group["id"])
    assert sorted(members["users"]) == sorted(people)
    users = await ada.pages("users.list", limit=2)
    assert len(users) > 1
    assert {town[name].user_id for name in ("ada", "grace", "linus")} <= {
        user["id"] for page in users for user in page["members"]
    }
    conversations = await ada.pages("conversations.list", limit=5, types="public_channel,private_channel")
    ids = [found["id"] for page in conversations for found in page["channels"]]
    assert {town.general, channel} <= set(ids)
    assert len(ids) == len(set(ids))


async def check_refusals(ada: NodeClient, channel: str, ts: str) -> None:
    """Errors are thrown with the answer in `data`, and none is tried again."""
    tried = [
        ("message_not_found", "chat.update", {"channel": channel, "ts": "1.000001", "text": "x"}),
        ("channel_not_found", "chat.postMessage", {"channel": "C00000000", "text": "x"}),
        ("no_reaction", "reactions.remove", {"channel": channel, "timestamp": ts, "name": "eyes"}),
        ("no_text", "chat.postMessage", {"channel": channel}),
        ("unknown_method", "no.such.method", {}),
    ]
    for error, method, arguments in tried:
        refused = await ada.failure(method, **arguments)
        assert (refused["data"]["error"], refused["code"]) == (error, "slack_webapi_platform_error")


@pytest.mark.parametrize("package", RTM)
async def test_the_rtm_client_sends_and_hears(shared: Town, package: str) -> None:
    """What it sends, others get, and it gets the acknowledgement; what others do, it hears: also who is there."""
    linus = shared["linus"]
    async with (
        node_client("rtm", package, shared.mesh.web_url, token=shared["ada"].token) as ada,
        shared["grace"].connected() as grace,
    ):
        sent = await ada.send(f"sent by {package}", shared.general)
        assert (await grace.wait_text(f"sent by {package}", PATIENCE_S))["ts"] == sent["ts"]
        posted = await shared["grace"].post(shared.general, f"to {package}")
        assert (await ada.event(type="message", text=f"to {package}"))["ts"] == posted["ts"]
        await ada.rtm("sendTyping", shared.general)
        typing = {"type": "user_typing", "user": shared["ada"].user_id, "channel": shared.general}
        await grace.wait_for(lambda event: typing.items() <= event.items(), PATIENCE_S)
        await grace.send(type="typing", channel=shared.general)
        await ada.event(type="user_typing", user=shared["grace"].user_id, channel=shared.general)
        await ada.rtm("subscribePresence", [linus.user_id])
        await ada.event(type="presence_change", user=linus.user_id)
        async with linus.connected():
            await ada.event(type="presence_change", user=linus.user_id, presence="active")
