"""reactions.*: emoji on messages."""

from __future__ import annotations

from svc.kit.ids import is_id
from svc.webapp.api import pages
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import CURSOR, Answer, Call, Method, Tier
from svc.webapp.commit.log import Json
from svc.webapp.domain.files.shape import file_object
from svc.webapp.domain.messages.links import MessageLink, permalink
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import Message

ITEM = (
    Arg("channel"),
    Arg("timestamp", Kind.STAMP, invalid="bad_timestamp"),
    Arg("file"),
    Arg("file_comment"),
)
NAME = Arg("name", required=True, missing="invalid_name")
FULL = Arg("full", Kind.FLAG)
"""All users of every reaction are named; reactions.get does so in any case."""
LIST_DEFAULT = 100
LIST_MAX = 1_000


def linked(call: Call, row: Message, shape: Json) -> Json:
    """Return a message with its address."""
    link = MessageLink(row.channel_id, row.ts_us, row.thread_ts_us)
    return {**shape, "permalink": permalink(call.origin.base_url, link)}


async def file_of(call: Call) -> Json | None:
    """Return the file that a call names instead of a message; None when it names a message.

    Refused `no_item_specified`, `file_not_found`, `file_deleted`, `file_comment_not_found` (there are none here).
    """
    args = call.args
    if args.has("channel") and args.has("timestamp"):
        return None
    if args.has("file"):
        file, shares = await call.services.files.seen.file(call.caller, args.text("file"))
        return file_object(file, call.origin.base_url, shares)
    raise Refused("file_comment_not_found" if args.has("file_comment") else "no_item_specified")


async def add(call: Call) -> Answer:
    """React to a message. Files are reacted to, at Slack and here, by the messages that brought them."""
    if await file_of(call) is not None:
        raise Refused("not_reactable")
    channel_id, ts_us = call.args.text("channel"), call.args.stamp("timestamp") or 0
    await call.services.reactions.add(call.caller, channel_id, ts_us, call.args.text("name"))
    return {}


async def remove(call: Call) -> Answer:
    """Take a reaction back."""
    if await file_of(call) is not None:
        raise Refused("no_reaction")
    channel_id, ts_us = call.args.text("channel"), call.args.stamp("timestamp") or 0
    await call.services.reactions.remove(call.caller, channel_id, ts_us, call.args.text("name"))
    return {}


async def get(call: Call) -> Answer:
    """Return a message with all that is on it, or a file, which has nothing on it."""
    file = await file_of(call)
    if file is not None:
        return {"type": "file", "file": file}
    shown = await call.services.reactions.get(call.caller, call.args.text("channel"), call.args.stamp("timestamp") or 0)
    return {"type": "message", "channel": shown.channel_id, "message": linked(call, shown.row, shown.message)}


async def list_reactions(call: Call) -> Answer:
    """List what somebody reacted to, by pages or by cursor."""
    args = call.args
    user_id = args.text("user") or call.caller.user_id
    user = await call.services.lookups.user(call.caller.team_id, user_id)
    if user is None:
        raise Refused("user_not_found")
    limit = args.number("limit") if args.raw.get("limit") else args.number("count")
    before = _before(args.text("cursor"))
    page = 1 if before else args.number("page")
    found = await call.services.reactions.listed(
        call.caller, user_id, limit, skip=(page - 1) * limit, before=before, is_full=args.flag("full")
    )
    items = [
        {"type": "message", "channel": each.channel_id, "message": linked(call, each.row, each.message)}
        for each in found.items
    ]
    last = f"{found.last[0]}-{found.last[1]}" if found.last else ""
    paging = pages.paging(limit, found.total, page)
    return {"items": items, "paging": paging, "response_metadata": pages.metadata("reactions", last)}


def _before(cursor: str) -> tuple[int, str] | None:
    key = pages.key_of("reactions", cursor)
    if not key:
        return None
    at_us, _, channel_id = key.partition("-")
    if not (at_us.isascii() and at_us.isdigit() and len(at_us) <= 18 and is_id(channel_id, "CDG")):
        raise Refused("invalid_cursor")
    return int(at_us), channel_id


PAGED = (
    Arg("count", Kind.NUMBER, default=LIST_DEFAULT, minimum=1, maximum=LIST_MAX, clamp=True),
    Arg("page", Kind.NUMBER, default=1, minimum=1, maximum=LIST_MAX, clamp=True),
    Arg("limit", Kind.NUMBER, invalid="invalid_limit", default=LIST_DEFAULT, minimum=1, maximum=LIST_MAX, clamp=True),
    CURSOR,
)

METHODS = (
    Method(
        "reactions.add",
        add,
        (*ITEM, NAME),
        writes=True,
        scopes=("reactions:write",),
        tier=Tier.T3,
    ),
    Method(
        "reactions.remove",
        remove,
        (*ITEM, NAME),
        writes=True,
        scopes=("reactions:write",),
        tier=Tier.T2,
    ),
    Method("reactions.get", get, (*ITEM, FULL), scopes=("reactions:read",), tier=Tier.T3),
    Method(
        "reactions.list",
        list_reactions,
        (Arg("user"), FULL, *PAGED),
        scopes=("reactions:read",),
        tier=Tier.T2,
    ),
)
