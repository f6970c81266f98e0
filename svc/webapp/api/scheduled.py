"""chat.scheduleMessage and its kin: messages that are posted later."""

from __future__ import annotations

from svc.webapp.api import pages
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import CHANNEL, CURSOR, LIMIT, Answer, Call, Method, Tier
from svc.webapp.api.chat import UNFURL, WORDING, WRITE, post_of
from svc.webapp.domain.refusal import Refused


async def schedule(call: Call) -> Answer:
    """Let a message be posted at a time to come."""
    args = call.args
    scheduled, ready = await call.services.scheduled.add(
        call.caller, args.text("channel"), args.number("post_at"), post_of(args)
    )
    message = {"type": "delayed_message", "text": ready.body, **ready.extra}
    if call.caller.is_bot:
        message |= {"subtype": "bot_message", "bot_id": call.caller.bot_id}
    if scheduled.post.username:
        message["username"] = scheduled.post.username
    return {
        "channel": scheduled.channel_id,
        "scheduled_message_id": scheduled.id,
        "post_at": scheduled.post_at,
        "message": message,
    }


async def delete(call: Call) -> Answer:
    """Take a message back that waits."""
    await call.services.scheduled.delete(call.caller, call.args.text("channel"), call.args.text("scheduled_message_id"))
    return {}


async def list_scheduled(call: Call) -> Answer:
    """List the caller's messages that wait, the soonest first."""
    args = call.args
    oldest, latest = args.stamp("oldest"), args.stamp("latest")
    found = await call.services.scheduled.waiting(
        call.caller,
        args.text("channel"),
        None if oldest is None else oldest // 1_000_000,
        None if latest is None else latest // 1_000_000,
    )
    after = _after(pages.key_of("scheduled", args.text("cursor")))
    rest = [each for each in found if (each.post_at, each.id) > after]
    page = rest[: args.number("limit")]
    last = f"{page[-1].post_at}:{page[-1].id}" if len(rest) > len(page) else ""
    return {
        "scheduled_messages": [each.shape for each in page],
        "response_metadata": pages.metadata("scheduled", last),
    }


def _after(key: str) -> tuple[int, str]:
    post_at, _, scheduled_id = key.partition(":")
    if not key:
        return 0, ""
    if not post_at.isdecimal() or not post_at.isascii() or len(post_at) > 12:
        raise Refused("invalid_cursor")
    return int(post_at), scheduled_id


METHODS = (
    Method(
        "chat.scheduleMessage",
        schedule,
        (CHANNEL, Arg("post_at", Kind.NUMBER, required=True, invalid="invalid_time"), *WORDING, *UNFURL),
        writes=True,
        oversize="msg_too_long",
        scopes=WRITE,
        tier=Tier.T3,
    ),
    Method(
        "chat.deleteScheduledMessage",
        delete,
        (CHANNEL, Arg("scheduled_message_id", required=True)),
        writes=True,
        scopes=WRITE,
        tier=Tier.T3,
    ),
    Method(
        "chat.scheduledMessages.list",
        list_scheduled,
        (Arg("channel"), Arg("oldest", Kind.STAMP), Arg("latest", Kind.STAMP), LIMIT, CURSOR),
        scopes=WRITE,
        tier=Tier.T3,
    ),
)
