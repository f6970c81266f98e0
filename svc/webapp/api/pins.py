"""pins.*: messages that a conversation keeps at hand."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import CHANNEL, Answer, Call, Method, Tier
from svc.webapp.api.reactions import file_of, linked
from svc.webapp.domain.refusal import Refused

ITEM = (CHANNEL, Arg("timestamp", Kind.STAMP, invalid="bad_timestamp"), Arg("file"), Arg("file_comment"))


async def add(call: Call) -> Answer:
    """Pin a message. Files are pinned, at Slack and here, by the messages that brought them."""
    if await file_of(call) is not None:
        raise Refused("not_pinnable")
    await call.services.pins.add(call.caller, call.args.text("channel"), call.args.stamp("timestamp") or 0)
    return {}


async def remove(call: Call) -> Answer:
    """Take a pin off."""
    if await file_of(call) is not None:
        raise Refused("no_pin")
    await call.services.pins.remove(call.caller, call.args.text("channel"), call.args.stamp("timestamp") or 0)
    return {}


async def list_pins(call: Call) -> Answer:
    """List what is pinned, what was pinned last first."""
    items = [
        {
            "type": "message",
            "channel": pin.channel_id,
            "message": linked(call, pin.row, pin.message),
            "created": pin.created_s,
            "created_by": pin.created_by,
        }
        for pin in await call.services.pins.listed(call.caller, call.args.text("channel"))
    ]
    return {"items": items}


METHODS = (
    Method("pins.add", add, ITEM, writes=True, scopes=("pins:write",), tier=Tier.T2),
    Method("pins.remove", remove, ITEM, writes=True, scopes=("pins:write",), tier=Tier.T2),
    Method("pins.list", list_pins, (CHANNEL,), scopes=("pins:read",), tier=Tier.T2),
)
