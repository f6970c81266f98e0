"""chat.postEphemeral, chat.meMessage, chat.getPermalink and how a text is read, over HTTP."""

from __future__ import annotations

import pytest

from parley.event.v1 import event_pb2
from svc.kit.ids import us_from_ts
from svc.kit.tokens import token_hash
from svc.webapp.domain.messages.links import MessageLink, parse_permalink
from tests.svc.webapp.api.office import Office, Someone
from tests.svc.webapp.api.test_edits import newest
from tests.svc.webapp.api.test_unread import posted, room

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def scoped(acme: Office, someone: Someone, scopes: str) -> None:
    """Let a token have these scopes and no others."""
    await acme.pools.user.execute("UPDATE tokens SET scopes = %s WHERE user_id = %s", (scopes, someone.id))
    await acme.services.lookups.forget_token(token_hash(someone.token))


async def bot(acme: Office, name: str, scopes: str) -> Someone:
    """Hire a bot with these scopes."""
    hired = (await acme.hire(acme["ada"].user.team_id, [], [name]))[name]
    await scoped(acme, hired, scopes)
    return hired


async def test_a_note_goes_to_one_user_and_nowhere_else(acme: Office) -> None:
    """Transient, on the user's own channel; nobody's history has it."""
    ada, grace, helper = acme["ada"], acme["grace"], acme["helper"]
    channel = await room(ada, grace, helper)
    before = await newest(ada, channel)
    for sender in (helper, grace):
        answer = await sender.ok(
            "chat.postEphemeral", channel=channel, user=grace.id, text="psst", attachments=[{"text": "a"}]
        )
        event = acme.events[-1]
        assert (event.channel_id, event.offset, event.kind) == (grace.id, 0, event_pb2.EVENT_KIND_USER)
        # The gateway leaves out a transient event's sender, and one may write to oneself.
        assert event.sender_id == ""
        note = acme.payloads(grace.id)[-1]
        assert (note["type"], note["channel"], note["text"], note["user"]) == ("message", channel, "psst", sender.id)
        assert (note["ts"], note["is_ephemeral"], note["attachments"][0]["text"]) == (answer["message_ts"], True, "a")
        assert "position" not in note
    assert await newest(ada, channel) == before


async def test_a_note_that_cannot_be_says_why(acme: Office) -> None:
    """Both have to be there."""
    ada, grace, linus = acme["ada"], acme["grace"], acme["linus"]
    channel = await room(ada, grace)
    there = {"channel": channel, "text": "x"}
    for user in (linus.id, "U0000000000", "nobody"):
        assert await ada.error("chat.postEphemeral", **there, user=user) == "user_not_in_channel"
    assert await linus.error("chat.postEphemeral", **there, user=grace.id) == "not_in_channel"
    assert await ada.error("chat.postEphemeral", channel="C0000000000", text="x", user=grace.id) == "channel_not_found"
    assert await ada.error("chat.postEphemeral", channel=channel, user=grace.id) == "no_text"
    assert await ada.error("chat.postEphemeral", **there) == "invalid_arguments"


async def test_what_somebody_does_is_a_message_of_its_own_kind(acme: Office) -> None:
    """In history and in the event."""
    ada, linus = acme["ada"], acme["linus"]
    channel = await room(ada)
    answer = await ada.ok("chat.meMessage", channel=channel, text="waves")
    [shown] = await newest(ada, channel, 1)
    assert (shown["subtype"], shown["user"], shown["text"], shown["ts"]) == (
        "me_message",
        ada.id,
        "waves",
        answer["ts"],
    )
    assert acme.payloads(channel)[-1]["subtype"] == "me_message"
    assert await ada.error("chat.meMessage", channel=channel) == "no_text"
    assert await ada.error("chat.meMessage", channel=channel, text=" ") == "no_text"
    assert await linus.error("chat.meMessage", channel=channel, text="x") == "not_in_channel"


async def test_a_permalink_leads_to_its_message(acme: Office) -> None:
    """Of a reply also to its thread; to whoever sees the conversation."""
    ada, linus = acme["ada"], acme["linus"]
    channel, private = await room(ada), await room(ada, is_private=True)
    parent = await posted(ada, channel, "x")
    reply = await posted(ada, channel, "y", thread_ts=parent)
    for ts, thread in ((parent, 0), (reply, us_from_ts(parent))):
        answer = await linus.ok("chat.getPermalink", channel=channel, message_ts=ts)
        assert answer["channel"] == channel
        assert answer["permalink"].startswith(acme.base.removesuffix("api/") + "archives/")
        assert parse_permalink(answer["permalink"]) == MessageLink(channel, us_from_ts(ts), thread)
    assert await ada.error("chat.getPermalink", channel=channel, message_ts="1.000000") == "message_not_found"
    assert await ada.error("chat.getPermalink", channel="C0000000000", message_ts=parent) == "channel_not_found"
    hidden = await posted(ada, private, "x")
    assert await linus.error("chat.getPermalink", channel=private, message_ts=hidden) == "channel_not_found"


async def test_names_in_a_text_are_linked_where_that_is_asked_for(acme: Office) -> None:
    """People and public conversations; nothing is escaped twice."""
    ada, grace = acme["ada"], acme["grace"]
    channel = await room(ada, grace)
    text = "@grace &amp; #general @nobody https://x.example"
    for arguments in ({"link_names": 1}, {"link_names": True, "parse": "none"}):
        linked = f"<@{grace.id}> &amp; <#{acme.general}|general> @nobody https://x.example"
        assert (await ada.ok("chat.postMessage", channel=channel, text=text, **arguments))["message"]["text"] == linked
    assert acme.events[-1].mentioned_user_ids == [grace.id]
    full = (await ada.ok("chat.postMessage", channel=channel, text=text, parse="full"))["message"]
    assert full["text"].endswith("@nobody <https://x.example>")
    plain = (await ada.ok("chat.postMessage", channel=channel, text=text))["message"]
    assert plain["text"] == text
    edited = await ada.ok("chat.update", channel=channel, ts=plain["ts"], text="@grace", link_names=1)
    assert edited["text"] == f"<@{grace.id}>"


async def test_only_bots_that_may_speak_under_another_name(acme: Office) -> None:
    """Others speak under their own, and are not refused; as_user says so by itself."""
    free = await bot(acme, "free-name", "chat:write,chat:write.customize")
    plain = await bot(acme, "plain-name", "chat:write")
    channel = await room(acme["ada"], free, plain)
    arguments = {"channel": channel, "text": "x", "username": "ci"}
    assert (await free.ok("chat.postMessage", **arguments))["message"]["username"] == "ci"
    for who, more in ((plain, {}), (free, {"as_user": True})):
        message = (await who.ok("chat.postMessage", **arguments, **more))["message"]
        assert ("username" in message, "subtype" in message, message["user"]) == (False, False, who.id)


async def test_bots_with_the_scope_post_where_they_are_not(acme: Office) -> None:
    """Into public conversations alone; what they said they may change."""
    guest = await bot(acme, "guest", "chat:write,chat:write.public")
    outsider = await bot(acme, "outsider", "chat:write")
    ada = acme["ada"]
    channel, private = await room(ada), await room(ada, is_private=True)
    ts = await posted(guest, channel, "from outside")
    assert (await newest(ada, channel, 1))[0]["bot_id"] == guest.user.bot_id
    await guest.ok("chat.update", channel=channel, ts=ts, text="changed")
    await guest.ok("chat.delete", channel=channel, ts=ts)
    assert await outsider.error("chat.postMessage", channel=channel, text="x") == "not_in_channel"
    assert await guest.error("chat.postMessage", channel=private, text="x") == "channel_not_found"
    direct = await guest.ok("chat.postMessage", channel=ada.id, text="to you")
    assert direct["channel"].startswith("D")
