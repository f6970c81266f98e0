"""bookmarks.*: links at the top of a conversation."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.domain.refusal import Refused

CHANNEL = Arg("channel_id", required=True, missing="channel_not_found")
BOOKMARK = Arg("bookmark_id", required=True, missing="not_found")
FIELDS = ("title", "link", "emoji")
_WRITE = ("bookmarks:write",)


async def add(call: Call) -> Answer:
    """Keep a link: the one type that there is, at Slack too."""
    if call.args.text("type") != "link":
        raise Refused("invalid_bookmark_type")
    bookmark = await call.services.bookmarks.add(call.caller, call.args.text("channel_id"), _fields(call))
    return {"bookmark": bookmark}


async def edit(call: Call) -> Answer:
    """Change a link's title, address or emoji."""
    args = call.args
    channel_id, bookmark_id = args.text("channel_id"), args.text("bookmark_id")
    return {"bookmark": await call.services.bookmarks.edit(call.caller, channel_id, bookmark_id, _fields(call))}


async def list_bookmarks(call: Call) -> Answer:
    """List a conversation's links."""
    return {"bookmarks": await call.services.bookmarks.listed(call.caller, call.args.text("channel_id"))}


async def remove(call: Call) -> Answer:
    """Remove a link."""
    args = call.args
    await call.services.bookmarks.remove(call.caller, args.text("channel_id"), args.text("bookmark_id"))
    return {}


def _fields(call: Call) -> dict[str, str]:
    return {name: call.args.text(name) for name in FIELDS if call.args.has(name)}


METHODS = (
    Method(
        "bookmarks.add",
        add,
        (CHANNEL, Arg("type", required=True), *(Arg(name) for name in FIELDS)),
        writes=True,
        scopes=_WRITE,
        tier=Tier.T2,
    ),
    Method(
        "bookmarks.edit",
        edit,
        (CHANNEL, BOOKMARK, Arg("title"), Arg("link"), Arg("emoji", blank=True)),
        writes=True,
        scopes=_WRITE,
        tier=Tier.T2,
    ),
    Method("bookmarks.list", list_bookmarks, (CHANNEL,), scopes=("bookmarks:read",), tier=Tier.T3),
    Method("bookmarks.remove", remove, (CHANNEL, BOOKMARK), writes=True, scopes=_WRITE, tier=Tier.T2),
)
