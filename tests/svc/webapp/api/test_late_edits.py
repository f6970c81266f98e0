"""chat.update beyond words: replies that are broadcast later, and files that come to a message and go."""

from __future__ import annotations

import pytest

from svc.kit.ids import us_from_ts
from tests.svc.webapp.api.office import Json, Office, Someone
from tests.svc.webapp.api.test_edits import newest, told
from tests.svc.webapp.api.uploads import TEXT, room, shared, uploaded

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def said(who: Someone, channel: str, text: str, **more: object) -> str:
    """Post; return the ts."""
    return str((await who.ok("chat.postMessage", channel=channel, text=text, **more))["ts"])


async def file_ids(who: Someone, channel: str, ts: str) -> list[str]:
    """Return the files that a message shows."""
    [message] = (await who.ok("conversations.history", channel=channel, latest=ts, inclusive=1, limit=1))["messages"]
    return [each["id"] for each in message.get("files", [])]


async def test_a_reply_is_broadcast_later(acme: Office) -> None:
    """It keeps its place: its thread has it as before, its conversation at its own ts, to be read."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await room(acme, "grace", private=True)
    parent = await said(ada, channel, "parent")
    reply = await said(ada, channel, "reply", thread_ts=parent)
    await grace.ok("conversations.mark", channel=channel, ts=parent)
    assert reply not in [each["ts"] for each in await newest(grace, channel)]
    before = await acme.services.channels.activity([channel])
    answer = await ada.ok("chat.update", channel=channel, ts=reply, text="reply", reply_broadcast=1)
    assert answer["message"]["subtype"] == "thread_broadcast"
    first, second = (await newest(grace, channel))[:2]
    assert (first["ts"], first["subtype"], first["thread_ts"], second["ts"]) == (
        reply,
        "thread_broadcast",
        parent,
        parent,
    )
    replies = (await grace.ok("conversations.replies", channel=channel, ts=parent))["messages"]
    assert [each["ts"] for each in replies] == [parent, reply]
    [event] = told(acme, channel, "message_changed")
    assert (event["message"]["subtype"], event["message"]["ts"]) == ("thread_broadcast", reply)
    assert "subtype" not in event["previous_message"]
    after = await acme.services.channels.activity([channel])
    assert (before[channel].last_message_us, after[channel].last_message_us) == (
        us_from_ts(parent),
        us_from_ts(reply),
    )
    assert acme.events[-1].message_ts_us == us_from_ts(reply)
    assert await acme.services.channels.count_unread(channel, us_from_ts(parent), 10) == 1
    # Again, and on what is no reply, it changes nothing but the words.
    await ada.ok("chat.update", channel=channel, ts=reply, reply_broadcast=1)
    assert (
        "subtype"
        not in (await ada.ok("chat.update", channel=channel, ts=parent, text="x", reply_broadcast=1))["message"]
    )
    await ada.ok("chat.delete", channel=channel, ts=reply)
    gone = await acme.services.channels.activity([channel])
    assert gone[channel].last_message_us == us_from_ts(parent)


async def test_files_come_to_a_message_and_go(acme: Office) -> None:
    """Whoever reads the message sees them from then on, and no longer than it shows them."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    channel = await room(acme, "grace", private=True)
    ts = await said(ada, channel, "look")
    waiting = await uploaded(acme, ada, TEXT)
    done = await ada.ok("files.completeUploadExternal", files=[{"id": await uploaded(acme, ada, TEXT, "b.txt")}])
    kept = str(done["files"][0]["id"])
    assert await grace.error("files.info", file=kept) == "file_not_found"
    await ada.ok("chat.update", channel=channel, ts=ts, file_ids=[waiting, kept])
    assert await file_ids(grace, channel, ts) == [waiting, kept]
    for file_id in (waiting, kept):
        file: Json = (await grace.ok("files.info", file=file_id))["file"]
        assert file["groups"] == [channel]
        assert file["shares"]["private"][channel][0]["ts"] == ts
        assert await linus.error("files.info", file=file_id) == "file_not_found"
    [event] = told(acme, channel, "message_changed")
    assert [each["id"] for each in event["message"]["files"]] == [waiting, kept]
    await ada.ok("chat.update", channel=channel, ts=ts, file_ids=[kept], text="less")
    assert await file_ids(grace, channel, ts) == [kept]
    assert await grace.error("files.info", file=waiting) == "file_not_found"
    await ada.ok("files.info", file=waiting)
    await ada.ok("chat.update", channel=channel, ts=ts, file_ids="[]")
    assert await file_ids(grace, channel, ts) == []
    assert await grace.error("files.info", file=kept) == "file_not_found"
    # What was taken off comes back, and what is deleted goes from the message as from any other.
    await ada.ok("chat.update", channel=channel, ts=ts, file_ids=kept)
    await grace.ok("files.info", file=kept)
    await ada.ok("files.delete", file=kept)
    [message] = [each for each in await newest(grace, channel) if each["ts"] == ts]
    assert message["files"] == [{"id": kept, "mode": "tombstone"}]


async def test_files_that_a_message_cannot_show(acme: Office) -> None:
    """Those of others, also where one sees them, those that never came, and more than there may be."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await room(acme, "grace")
    theirs = (await shared(acme, grace, channel))["id"]
    ts = await said(ada, channel, "mine")
    promised = await ada.ok("files.getUploadURLExternal", filename="a.txt", length="5")
    for wanted in (theirs, promised["file_id"], "F0000000000", "x"):
        assert await ada.error("chat.update", channel=channel, ts=ts, file_ids=wanted) == "file_not_found"
    many = [f"F{number:010d}" for number in range(21)]
    assert await ada.error("chat.update", channel=channel, ts=ts, file_ids=many) == "invalid_arguments"
    assert await ada.error("chat.update", channel="C0000000000", ts=ts, file_ids=theirs) == "channel_not_found"
    assert await file_ids(ada, channel, ts) == []
    # One's own message goes on showing what it brought.
    own = (await shared(acme, grace, channel))["id"]
    [message] = [each for each in await newest(grace, channel) if any(f["id"] == own for f in each.get("files", []))]
    await grace.ok("chat.update", channel=channel, ts=message["ts"], text="words", file_ids=own)
    assert await file_ids(ada, channel, message["ts"]) == [own]


async def test_an_app_unfurls_by_the_id_that_it_was_told(acme: Office) -> None:
    """link_shared names the address in two ways; either leads to the message."""
    ada, helper = acme["ada"], acme["helper"]
    channel = await room(acme, "helper")
    url = "https://x.example/1"
    ts = await said(ada, channel, f"see <{url}>")
    there = {"unfurl_id": f"{channel}.{ts}", "source": "conversations_history"}
    await helper.ok("chat.unfurl", **there, unfurls={url: {"text": "shown"}})
    [message] = [each for each in await newest(ada, channel) if each["ts"] == ts]
    assert message["attachments"][0]["text"] == "shown"
    for wrong, code in (
        ({"source": None}, "missing_source"),
        ({"source": "composer"}, "invalid_source"),
        ({"unfurl_id": "x"}, "invalid_unfurl_id"),
        ({"unfurl_id": f"C0000000000.{ts}"}, "cannot_find_channel"),
        ({"unfurl_id": f"{channel}.1.000000"}, "cannot_find_message"),
    ):
        assert await helper.error("chat.unfurl", **{**there, **wrong}, unfurls={url: {}}) == code


async def test_an_app_asks_who_posted_an_address_to_sign_in(acme: Office) -> None:
    """In its own words or by an address, to nobody else, and with what it can show already."""
    ada, helper = acme["ada"], acme["helper"]
    channel = await room(acme, "helper", "grace")
    url = "https://x.example/2"
    ts = await said(ada, channel, f"see <{url}>")
    there = {"channel": channel, "ts": ts}

    def asked(who: Someone) -> list[str]:
        return [
            each["text"] for each in acme.payloads(who.id) if each.get("is_ephemeral") and each["channel"] == channel
        ]

    await helper.ok("chat.unfurl", **there, user_auth_message="Come in", unfurls={url: {"text": "some"}})
    await helper.ok("chat.unfurl", **there, user_auth_url="https://x.example/in?a=1&b=2")
    await helper.ok("chat.unfurl", **there, user_auth_required=1)
    first, second, third = asked(ada)
    assert first == "Come in"
    assert second.endswith(": <https://x.example/in?a=1&amp;b=2>")
    assert third == second.partition(":")[0] + "."
    assert asked(acme["grace"]) == []
    [message] = [each for each in await newest(ada, channel) if each["ts"] == ts]
    assert message["attachments"][0]["text"] == "some"
    assert await helper.error("chat.unfurl", **there, user_auth_required=0) == "missing_unfurls"
    assert await helper.error("chat.unfurl", channel=channel, ts="1.0", user_auth_required=1) == "cannot_find_message"
    assert await helper.error("chat.unfurl", channel="C1", ts=ts, user_auth_required=1) == "cannot_find_channel"
