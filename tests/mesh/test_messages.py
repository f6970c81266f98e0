"""What becomes of messages, seen from the sockets of real processes: edits, removals, threads, notes, later ones."""

from __future__ import annotations

import asyncio
import time
import uuid
from functools import partial

import pytest

from tests.mesh.people import Json, Person, Socket
from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

PATIENCE_S = 20.0


async def room(by: Person, *others: Person) -> str:
    """Make a channel with some people in it; return its id."""
    made = await by.ok("conversations.create", name=f"messages-{uuid.uuid4().hex[:12]}")
    channel = str(made["channel"]["id"])
    if others:
        await by.ok("conversations.invite", channel=channel, users=",".join(other.user_id for other in others))
    return channel


async def following(by: Person, channel: str, *sockets: Socket) -> None:
    """Return once all sockets hear what is said in a channel."""
    text = uuid.uuid4().hex
    await by.post(channel, text)
    for socket in sockets:
        await socket.wait_text(text, PATIENCE_S)


def is_answer(number: int, event: Json) -> bool:
    """Tell whether an event answers a frame."""
    return bool(event.get("reply_to") == number)


async def test_edits_removals_and_replies_reach_every_socket_in_order(shared: Town) -> None:
    """Each with what it changes; what history says in the end is what the events said."""
    ada, grace = shared["ada"], shared["grace"]
    channel = await room(ada, grace)
    async with grace.connected() as hers, ada.connected() as own:
        await following(ada, channel, hers, own)
        ts = (await ada.post(channel, "befor"))["ts"]
        await ada.ok("chat.update", channel=channel, ts=ts, text="before")
        reply = (await ada.ok("chat.postMessage", channel=channel, text="more", thread_ts=ts))["ts"]
        await ada.ok("chat.delete", channel=channel, ts=reply)
        await ada.ok("chat.delete", channel=channel, ts=ts)
        for socket in (hers, own):
            await socket.wait_for(lambda e: e.get("deleted_ts") == ts, PATIENCE_S)
            told = [e for e in socket.events if e.get("channel") == channel and e.get("type") == "message"]
            kinds = [event.get("subtype", "") for event in told]
            kinds = kinds[len(kinds) - 6 :]
            assert kinds == ["", "message_changed", "", "message_replied", "message_deleted", "message_deleted"]
            changed, said, replied, *_ = told[-5:]
            assert (changed["message"]["text"], changed["previous_message"]["text"]) == ("before", "befor")
            assert (said["thread_ts"], replied["message"]["latest_reply"]) == (ts, reply)
            stamps = [event["event_ts"] for event in told]
            assert stamps == sorted(stamps)
    left = {message["ts"] for message in (await grace.ok("conversations.history", channel=channel))["messages"]}
    assert {ts, reply}.isdisjoint(left)


async def test_posts_over_a_socket_are_acknowledged_whatever_they_are(shared: Town) -> None:
    """A reply, a broadcast one, one without an id; what is refused has a code and a msg."""
    ada, grace = shared["ada"], shared["grace"]
    channel = await room(ada, grace)
    async with ada.connected() as own, grace.connected() as hers:
        await following(ada, channel, own, hers)
        parent = (await ada.post(channel, "parent"))["ts"]
        await own.send(id=1, type="message", channel=channel, text="reply", thread_ts=parent)
        first = await own.wait_for(lambda e: e.get("reply_to") == 1, PATIENCE_S)
        await own.send(id=2, type="message", channel=channel, text="to all", thread_ts=parent, reply_broadcast=True)
        second = await own.wait_for(lambda e: e.get("reply_to") == 2, PATIENCE_S)
        assert (first["ok"], second["ok"]) == (True, True)
        assert first["ts"] < second["ts"]
        await own.send(type="message", channel=channel, text="no id")
        nameless = await own.wait_for(lambda e: e.get("ok") is True and e.get("text") == "no id", PATIENCE_S)
        assert "reply_to" not in nameless
        for number, fields, msg in (
            (3, {"text": "x", "thread_ts": "1.000000"}, "cannot_reply_to_message"),
            (4, {"text": ""}, "no_text"),
            (5, {"text": "x" * 4_001}, "msg_too_long"),
        ):
            await own.send(id=number, type="message", channel=channel, **fields)
            answer = await own.wait_for(partial(is_answer, number), PATIENCE_S)
            assert (answer["ok"], answer["error"]["msg"]) == (False, msg)
            assert isinstance(answer["error"]["code"], int)
        broadcast = await hers.wait_for(lambda e: e.get("text") == "to all", PATIENCE_S)
        assert (broadcast["subtype"], broadcast["root"]["ts"]) == ("thread_broadcast", parent)
        # The socket that posted gets the acknowledgement alone, and what its thread has become.
        await own.wait_for(lambda e: e.get("message", {}).get("reply_count") == 2, PATIENCE_S)
        assert not [e for e in own.events if e.get("type") == "message" and e.get("text") in ("reply", "to all")]


async def test_a_note_reaches_one_user_alone(shared: Town) -> None:
    """On the sockets that it has; those of others hear nothing."""
    ada, grace, linus = shared["ada"], shared["grace"], shared["linus"]
    channel = await room(ada, grace, linus)
    async with grace.connected() as hers, linus.connected() as his:
        await following(ada, channel, hers, his)
        # A note is for whoever listens at that moment, so it is said until one does.
        async with asyncio.timeout(PATIENCE_S):
            while not [e for e in hers.events if e.get("is_ephemeral")]:
                await ada.ok("chat.postEphemeral", channel=channel, user=grace.user_id, text="psst")
                await asyncio.sleep(0.05)
        note = next(e for e in hers.events if e.get("is_ephemeral"))
        assert (note["type"], note["channel"], note["user"], note["text"]) == ("message", channel, ada.user_id, "psst")
        await following(ada, channel, hers, his)
        assert not [e for e in his.events if e.get("is_ephemeral")]


async def test_a_scheduled_message_is_posted_when_its_time_comes(shared: Town) -> None:
    """Once, by whichever webapp looks first."""
    ada, grace = shared["ada"], shared["grace"]
    channel = await room(ada, grace)
    async with grace.connected() as hers:
        await following(ada, channel, hers)
        at = int(time.time()) + 5
        await ada.ok("chat.scheduleMessage", channel=channel, text="as planned", post_at=at)
        event = await hers.wait_text("as planned", PATIENCE_S)
        assert float(event["ts"]) >= at
        await following(ada, channel, hers)
        assert hers.texts(channel).count("as planned") == 1
    # It is taken off the list once it is posted.
    async with asyncio.timeout(PATIENCE_S):
        while (await ada.ok("chat.scheduledMessages.list", channel=channel))["scheduled_messages"]:
            await asyncio.sleep(0.05)


async def test_a_reminder_comes_as_a_message_to_oneself(shared: Town) -> None:
    """When its time has come, to all of one's sockets."""
    linus = shared["linus"]
    notes = (await linus.ok("conversations.open", users=linus.user_id))["channel"]["id"]
    async with linus.connected() as his:
        await following(linus, notes, his)
        text = uuid.uuid4().hex
        await linus.ok("reminders.add", text=text, time="1")
        event = await his.wait_text(f"Reminder: {text}", PATIENCE_S)
        assert (event["channel"], event["user"]) == (notes, "USLACKBOT")
