"""pins.*: messages that a conversation keeps at hand."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import CHANNEL, Answer, Call, Method, Tier
from svc.webapp.api.reactions import linked

STAMP = Arg("timestamp", Kind.STAMP, required=True, missing="no_item_specified", invalid="bad_timestamp")


async def add(call: Call) -> Answer:
    """Pin a message."""
    await call.services.pins.add(call.caller, call.args.text("channel"), call.args.stamp("timestamp") or 0)
    return {}


async def remove(call: Call) -> Answer:
    """Take a pin off."""
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


NO_FILES = "messages only: files cannot be pinned"

METHODS = (
    Method("pins.add", add, (CHANNEL, STAMP), writes=True, scopes=("pins:write",), tier=Tier.T2, partly=NO_FILES),
    Method("pins.remove", remove, (CHANNEL, STAMP), writes=True, scopes=("pins:write",), tier=Tier.T2, partly=NO_FILES),
    Method("pins.list", list_pins, (CHANNEL,), scopes=("pins:read",), tier=Tier.T2, partly=NO_FILES),
)
