"""stars.*: what a user has saved for itself."""

from __future__ import annotations

from svc.webapp.api import pages
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import Answer, Call, Method, Tier
from svc.webapp.api.reactions import PAGED, linked
from svc.webapp.commit.log import Json
from svc.webapp.domain.conversations.saved import Wanted
from svc.webapp.domain.refusal import Refused

ITEM = (Arg("channel"), Arg("timestamp", Kind.STAMP, invalid="bad_timestamp"), Arg("file"), Arg("file_comment"))


def _wanted(call: Call) -> Wanted:
    """Refused `no_item_specified`, `file_comment_not_found` (there are none here)."""
    args = call.args
    if args.has("channel"):
        return Wanted(args.text("channel"), args.stamp("timestamp") or 0)
    if args.has("file"):
        return Wanted(file_id=args.text("file"))
    raise Refused("file_comment_not_found" if args.has("file_comment") else "no_item_specified")


async def add(call: Call) -> Answer:
    """Save a message, a file or a conversation."""
    await call.services.saved.add(call.caller, _wanted(call), call.origin.base_url)
    return {}


async def remove(call: Call) -> Answer:
    """Save something no longer."""
    await call.services.saved.remove(call.caller, _wanted(call), call.origin.base_url)
    return {}


async def list_stars(call: Call) -> Answer:
    """List what the caller has saved, by pages or by cursor."""
    args = call.args
    limit = args.number("limit") if args.raw.get("limit") else args.number("count")
    skip = _skip(args.text("cursor")) or (args.number("page") - 1) * limit
    found, total = await call.services.saved.listed(call.caller, skip, limit, call.origin.base_url)
    items = []
    for each in found:
        item: Json = {"type": each.kind, "date_create": each.created_s}
        if each.file is not None:
            item["file"] = {**each.file, "is_starred": True}
        else:
            item["channel"] = each.channel_id
        if each.row is not None and each.message is not None:
            item["message"] = {**linked(call, each.row, each.message), "is_starred": True}
        items.append(item)
    last = str(skip + limit) if skip + limit < total else ""
    paging = pages.paging(limit, total, skip // limit + 1)
    return {"items": items, "paging": paging, "response_metadata": pages.metadata("stars", last)}


def _skip(cursor: str) -> int:
    key = pages.key_of("stars", cursor)
    if key and not (key.isascii() and key.isdigit() and len(key) <= 6):
        raise Refused("invalid_cursor")
    return int(key or 0)


METHODS = (
    Method("stars.add", add, ITEM, writes=True, scopes=("stars:write",), tier=Tier.T2),
    Method("stars.remove", remove, ITEM, writes=True, scopes=("stars:write",), tier=Tier.T2),
    Method("stars.list", list_stars, PAGED, scopes=("stars:read",), tier=Tier.T3),
)
