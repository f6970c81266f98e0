"""chat.postMessage and conversations.history over HTTP, on real MariaDB and memcached."""

from __future__ import annotations

import asyncio
import json
import uuid

import pytest

from tests.svc.webapp.api.office import Office
from tests.svc.webapp.api.test_conversations import made

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def test_a_posted_message_is_answered_stored_and_told_alike(acme: Office) -> None:
    """The answer, history and the event say the same; the event adds where."""
    ada = acme["ada"]
    channel = await made(ada)
    text = f"hi <@{acme['grace'].id}> &amp; <all>"
    posted = await ada.ok("chat.postMessage", channel=channel, text=text)
    assert (posted["channel"], posted["message"]["ts"], posted["message"]["text"]) == (channel, posted["ts"], text)
    assert posted["message"]["user"] == ada.id
    assert posted["message"]["team"] == ada.user.team_id
    history = await ada.ok("conversations.history", channel=channel, limit=1)
    assert history["messages"] == [posted["message"]]
    assert "channel" not in history["messages"][0]
    event = acme.payloads(channel)[-1]
    assert event == {**posted["message"], "channel": channel, "event_ts": posted["ts"], "position": posted["position"]}
    assert acme.events[-1].mentioned_user_ids == [acme["grace"].id]


async def test_every_way_to_name_a_conversation_leads_there(acme: Office) -> None:
    """Id, #name, name; a user's id or @handle is the direct message with them."""
    ada, grace = acme["ada"], acme["grace"]
    for reference in (acme.general, "#general", "general"):
        assert (await ada.ok("chat.postMessage", channel=reference, text="x"))["channel"] == acme.general
    direct = (await ada.ok("conversations.open", users=grace.id))["channel"]["id"]
    for reference in (grace.id, "@grace", direct):
        assert (await ada.ok("chat.postMessage", channel=reference, text="x"))["channel"] == direct
    assert (await ada.ok("chat.postMessage", channel=ada.id, text="to myself"))["channel"].startswith("D")
    for reference in ("#nowhere", "nowhere", "@nobody", "C0000000000", "U0000000000", "x y", "'; DROP"):
        assert await ada.error("chat.postMessage", channel=reference, text="x") == "channel_not_found"


async def test_only_members_post(acme: Office) -> None:
    """A public channel that one is not in is known, and closed to posts; bots cannot read it either."""
    channel = await made(acme["ada"])
    await acme["ada"].ok("chat.postMessage", channel=channel, text="x")
    assert await acme["grace"].error("chat.postMessage", channel=channel, text="x") == "not_in_channel"
    assert await acme["helper"].error("chat.postMessage", channel=channel, text="x") == "not_in_channel"
    assert await acme["helper"].error("conversations.history", channel=channel) == "not_in_channel"
    assert (await acme["grace"].ok("conversations.history", channel=channel))["messages"]


async def test_a_bots_message_says_which_bot(acme: Office) -> None:
    """No subtype, with user and bot_id; under another name it is a bot_message without a user."""
    helper = acme["helper"]
    own = (await helper.ok("chat.postMessage", channel=acme.general, text="beep"))["message"]
    assert (own["user"], own["bot_id"], own["bot_profile"]["name"]) == (helper.id, helper.user.bot_id, "helper")
    assert "subtype" not in own
    other = (await helper.ok("chat.postMessage", channel=acme.general, text="x", username="ci", icon_emoji=":tada:"))[
        "message"
    ]
    assert (other["subtype"], other["username"], other["icons"]) == ("bot_message", "ci", {"emoji": ":tada:"})
    assert "user" not in other
    person = (await acme["ada"].ok("chat.postMessage", channel=acme.general, text="x", username="ci"))["message"]
    assert "subtype" not in person


async def test_the_same_client_msg_id_is_the_same_message(acme: Office) -> None:
    """Also when both arrive at once; of another user it is another message."""
    ada, key = acme["ada"], str(uuid.uuid4())
    arguments = {"channel": acme.general, "text": "once", "client_msg_id": key}
    first, second = await asyncio.gather(*(ada.ok("chat.postMessage", **arguments) for _ in range(2)))
    third = await ada.ok("chat.postMessage", **{**arguments, "text": "changed"})
    assert first["ts"] == second["ts"] == third["ts"]
    assert third["message"]["text"] == "once"
    assert first["message"]["client_msg_id"] == key
    assert (await acme["grace"].ok("chat.postMessage", **arguments))["ts"] != first["ts"]
    page = await ada.ok("conversations.history", channel=acme.general, limit=50)
    assert sum(message.get("client_msg_id") == key for message in page["messages"]) == 2


async def test_replies_hang_below_their_parent(acme: Office) -> None:
    """Out of the channel's history unless broadcast; the parent counts them."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await made(ada)
    await grace.ok("conversations.join", channel=channel)
    parent = (await ada.ok("chat.postMessage", channel=channel, text="question"))["ts"]
    reply = (await grace.ok("chat.postMessage", channel=channel, text="answer", thread_ts=parent))["message"]
    assert (reply["thread_ts"], reply["parent_user_id"]) == (parent, ada.id)
    below = await grace.ok("chat.postMessage", channel=channel, text="more", thread_ts=reply["ts"])
    assert below["message"]["thread_ts"] == parent
    shown = await grace.ok("chat.postMessage", channel=channel, text="all", thread_ts=parent, reply_broadcast="true")
    assert shown["message"]["subtype"] == "thread_broadcast"
    history = (await ada.ok("conversations.history", channel=channel))["messages"]
    assert [message["text"] for message in history[:2]] == ["all", "question"]
    assert (history[1]["thread_ts"], history[1]["reply_count"]) == (parent, 3)
    assert history[1]["latest_reply"] == shown["ts"]
    assert acme.payloads(channel)[-2]["root"]["ts"] == parent
    missing = await ada.error("chat.postMessage", channel=channel, text="x", thread_ts="1000000000.000000")
    assert missing == "cannot_reply_to_message"
    assert await ada.error("chat.postMessage", channel=channel, text="x", thread_ts="soon") == "invalid_arguments"


async def test_history_reads_between_two_points(acme: Office) -> None:
    """Bounds are exclusive unless inclusive; one message is fetched by its ts; pages meet without overlap."""
    ada = acme["ada"]
    channel = await made(ada)
    stamps = [(await ada.ok("chat.postMessage", channel=channel, text=f"m{n}"))["ts"] for n in range(7)]

    async def texts(**arguments: object) -> list[str]:
        answer = await ada.ok("conversations.history", channel=channel, **arguments)
        return [message["text"] for message in answer["messages"] if "subtype" not in message]

    assert await texts(latest=stamps[3], inclusive=1, limit=1) == ["m3"]
    assert await texts(latest=stamps[3], oldest=stamps[1]) == ["m2"]
    assert await texts(latest=stamps[3], oldest=stamps[1], inclusive="true") == ["m3", "m2", "m1"]
    assert await texts(latest="", oldest="0", cursor="") == [f"m{n}" for n in reversed(range(7))]
    for extra in ({}, {"inclusive": True, "oldest": stamps[0], "latest": stamps[6]}):
        seen, cursor = [], ""
        while True:
            page = await ada.ok("conversations.history", channel=channel, limit=2, cursor=cursor, **extra)
            seen += [message["text"] for message in page["messages"] if "subtype" not in message]
            cursor = page["response_metadata"]["next_cursor"]
            assert page["has_more"] == bool(cursor)
            if not cursor:
                break
        assert seen == [f"m{n}" for n in reversed(range(7))]
    assert await ada.error("conversations.history", channel=channel, latest="now") == "invalid_ts_latest"
    assert await ada.error("conversations.history", channel=channel, oldest="x") == "invalid_ts_oldest"
    assert await ada.error("conversations.history", channel=channel, cursor="x") == "invalid_cursor"


async def test_what_cannot_be_posted_says_why(acme: Office) -> None:
    """No text, bad blocks, too many attachments; text beyond the limit is cut, a body beyond it refused."""
    ada = acme["ada"]
    post = {"channel": acme.general}
    assert await ada.error("chat.postMessage", **post) == "no_text"
    assert await ada.error("chat.postMessage", **post, blocks="{") == "invalid_blocks_format"
    assert await ada.error("chat.postMessage", **post, blocks=[{"x": 1}]) == "invalid_blocks"
    assert await ada.error("chat.postMessage", **post, attachments=[{"text": "x"}] * 101) == "too_many_attachments"
    assert await ada.error("chat.postMessage", **post, text="a", markdown_text="b") == "markdown_text_conflict"
    long = await ada.ok("chat.postMessage", **post, text="ü" * 50_000)
    assert len(long["message"]["text"]) == 40_000
    assert await ada.error("chat.postMessage", **post, text="x" * 1_200_000) == "msg_too_long"
    missing = await ada.call("chat.postMessage", text="x")
    assert missing["error"] == "invalid_arguments"
    assert missing["response_metadata"]["messages"] == ["[ERROR] missing required field: channel"]


async def test_blocks_and_attachments_come_back(acme: Office) -> None:
    """As JSON text in a form, or as themselves in a JSON body."""
    ada = acme["ada"]
    blocks = [{"type": "section", "block_id": "b1", "text": {"type": "plain_text", "text": "x"}}]
    form = await ada.ok("chat.postMessage", channel=acme.general, blocks=blocks, attachments=[{"text": "a"}])
    assert form["message"]["blocks"] == blocks
    assert form["message"]["attachments"][0]["text"] == "a"
    body = json.dumps({"channel": acme.general, "blocks": blocks, "text": None})
    headers = {**ada.headers, "Content-Type": "application/json;charset=utf-8"}
    async with ada.http.post(ada.base + "chat.postMessage", data=body, headers=headers) as answer:
        assert (await answer.json())["message"]["blocks"] == blocks


async def test_offsets_are_dense_and_ts_increase_under_concurrent_posts(acme: Office) -> None:
    """A hundred at once into one channel: no hole, no two alike."""
    ada = acme["ada"]
    channel = await made(ada)
    answers = await asyncio.gather(*(ada.ok("chat.postMessage", channel=channel, text=str(n)) for n in range(100)))
    positions = sorted(int(answer["position"].split(":")[1]) for answer in answers)
    assert positions == list(range(positions[0], positions[0] + 100))
    assert len({answer["ts"] for answer in answers}) == 100
    offsets = [event.offset for event in acme.events if event.channel_id == channel]
    assert offsets == list(range(1, len(offsets) + 1))
