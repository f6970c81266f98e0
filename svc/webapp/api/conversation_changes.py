"""conversations.*: what changes one: names, topics, purposes, archiving, and removing people."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg
from svc.webapp.api.call import CHANNEL, Answer, Call, Method, Tier
from svc.webapp.api.conversations import NAME, WRITE
from svc.webapp.domain import shapes


async def rename(call: Call) -> Answer:
    """Give a conversation another name."""
    args = call.args
    sight = await call.services.conversation_changes.rename(call.caller, args.text("channel"), args.text("name"))
    return {"channel": shapes.conversation(sight.conversation, is_member=sight.is_member)}


async def set_topic(call: Call) -> Answer:
    """Say what a conversation is about now; "" clears it."""
    return await _describe(call, "topic")


async def set_purpose(call: Call) -> Answer:
    """Say what a conversation is for; "" clears it."""
    return await _describe(call, "purpose")


async def archive(call: Call) -> Answer:
    """Let nothing more be said in a conversation."""
    await call.services.conversation_changes.archive(call.caller, call.args.text("channel"))
    return {}


async def unarchive(call: Call) -> Answer:
    """Take a conversation up again, with the caller in it."""
    await call.services.conversation_changes.unarchive(call.caller, call.args.text("channel"))
    return {}


async def kick(call: Call) -> Answer:
    """Remove somebody else from a conversation."""
    args = call.args
    await call.services.conversation_changes.kick(call.caller, args.text("channel"), args.text("user"))
    return {"errors": {}}


async def _describe(call: Call, what: str) -> Answer:
    value = call.args.text(what)
    sight = await call.services.conversation_changes.describe(call.caller, call.args.text("channel"), what, value)
    return {"channel": shapes.conversation(sight.conversation, is_member=sight.is_member), what: value}


_TOPIC = (*WRITE, "channels:write.topic", "groups:write.topic", "im:write.topic", "mpim:write.topic")

METHODS = (
    Method("conversations.rename", rename, (CHANNEL, NAME), writes=True, scopes=WRITE, tier=Tier.T2),
    Method(
        "conversations.setTopic",
        set_topic,
        (CHANNEL, Arg("topic", required=True, blank=True)),
        writes=True,
        scopes=_TOPIC,
        tier=Tier.T2,
    ),
    Method(
        "conversations.setPurpose",
        set_purpose,
        (CHANNEL, Arg("purpose", required=True, blank=True)),
        writes=True,
        scopes=_TOPIC,
        tier=Tier.T2,
    ),
    Method("conversations.archive", archive, (CHANNEL,), writes=True, scopes=WRITE, tier=Tier.T2),
    Method("conversations.unarchive", unarchive, (CHANNEL,), writes=True, scopes=WRITE, tier=Tier.T2),
    Method(
        "conversations.kick",
        kick,
        (CHANNEL, Arg("user", required=True, missing="user_not_found")),
        writes=True,
        scopes=WRITE,
        tier=Tier.T3,
    ),
)
