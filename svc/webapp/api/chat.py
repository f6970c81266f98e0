"""chat.*: messages."""

from __future__ import annotations

from dataclasses import replace
from html import escape

from svc.kit.ids import ts_from_us, us_from_ts
from svc.webapp.api.arguments import Arg, Args, Kind
from svc.webapp.api.call import CHANNEL, Answer, Call, Method, Tier
from svc.webapp.domain.messages.editing import Edit
from svc.webapp.domain.messages.links import MessageLink, permalink
from svc.webapp.domain.messages.posts import Post
from svc.webapp.domain.refusal import Refused

WRITE = ("chat:write", "chat:write:user", "chat:write:bot")

CONTENT = (
    Arg("text"),
    Arg("markdown_text"),
    Arg("blocks", Kind.ARRAY, invalid="invalid_blocks_format"),
    Arg("attachments", Kind.ARRAY, invalid="invalid_attachments"),
    Arg("metadata", Kind.OBJECT, invalid="invalid_metadata_format"),
    Arg("link_names", Kind.FLAG),
    Arg("parse"),
)
"""What a message says."""

WORDING = (
    *CONTENT,
    Arg("thread_ts", Kind.STAMP),
    Arg("reply_broadcast", Kind.FLAG),
    Arg("username"),
    Arg("icon_emoji"),
    Arg("icon_url"),
    Arg("mrkdwn", Kind.FLAG),
    Arg("as_user", Kind.FLAG),
)
"""What a message says, where, and under which name."""

UNFURL = (Arg("unfurl_links", Kind.FLAG), Arg("unfurl_media", Kind.FLAG))
"""Of which links previews are shown; of what everybody reads, so that notes have them not."""

SIGN_IN = {
    "user_auth_required": Kind.FLAG,
    "user_auth_message": Kind.TEXT,
    "user_auth_blocks": Kind.ARRAY,
    "user_auth_url": Kind.TEXT,
}
"""By any of these an app asks who posted an address to sign in to it."""
FLAGS = {name for name, kind in SIGN_IN.items() if kind is Kind.FLAG}
SIGN_IN_TEXT = "This app shows more of addresses like yours to those who sign in to it"
LINK_SOURCE = "conversations_history"
"""Of link_shared: the link is in a message that is there, not in one that is being written."""
TS = Arg("ts", Kind.STAMP, required=True, invalid="message_not_found")


def post_of(args: Args) -> Post:
    """Return the message that the arguments WORDING describe."""
    is_itself = args.flag("as_user")
    return Post(
        text=args.text("text"),
        markdown_text=args.text("markdown_text"),
        blocks=args.array("blocks"),
        attachments=args.array("attachments"),
        metadata=args.mapping("metadata"),
        thread_ts_us=args.stamp("thread_ts") or 0,
        reply_broadcast=args.flag("reply_broadcast"),
        client_msg_id=args.text("client_msg_id"),
        username="" if is_itself else args.text("username"),
        icon_emoji=args.text("icon_emoji"),
        icon_url=args.text("icon_url"),
        mrkdwn=args.flag("mrkdwn") or not args.has("mrkdwn"),
        link_names=names_are_linked(args),
        is_parsed=args.text("parse") == "full",
        unfurl_links=args.flag("unfurl_links") if args.has("unfurl_links") else None,
        unfurl_media=args.flag("unfurl_media") if args.has("unfurl_media") else None,
    )


def names_are_linked(args: Args) -> bool:
    """Tell whether `@name` and `#name` are to become what they name."""
    return args.flag("link_names") or args.text("parse") == "full"


async def post_message(call: Call) -> Answer:
    """Post a message: when this answers `ok`, it is durably stored and on its way to everybody's sockets."""
    posted = await call.services.messages.post(call.caller, call.args.text("channel"), post_of(call.args))
    return {"channel": posted.channel_id, "ts": posted.ts, "message": posted.message, "position": posted.position}


async def me_message(call: Call) -> Answer:
    """Say what the caller does."""
    post = Post(text=call.args.text("text"), is_me=True)
    posted = await call.services.messages.post(call.caller, call.args.text("channel"), post)
    return {"channel": posted.channel_id, "ts": posted.ts}


async def update(call: Call) -> Answer:
    """Say one of the caller's own messages otherwise."""
    args = call.args
    edit = Edit(
        text=args.text("text") if args.has("text") else None,
        markdown_text=args.text("markdown_text"),
        blocks=args.array("blocks") if args.has("blocks") else None,
        attachments=args.array("attachments") if args.has("attachments") else None,
        metadata=args.mapping("metadata") if args.has("metadata") else None,
        reply_broadcast=args.flag("reply_broadcast"),
        link_names=names_are_linked(args),
        is_parsed=args.text("parse") == "full",
    )
    channel_id, ts_us = args.text("channel"), args.stamp("ts") or 0
    if args.has("file_ids"):
        ids, base_url = args.names("file_ids"), call.origin.base_url
        brought = await call.services.files.brought(call.caller, channel_id, ts_us, ids, base_url)
        edit = replace(edit, file_ids=ids, brought=brought)
    edited = await call.services.edits.update(call.caller, channel_id, ts_us, edit)
    text = edited.message.get("text", "")
    return {"channel": edited.channel_id, "ts": edited.ts, "text": text, "message": edited.message}


async def delete(call: Call) -> Answer:
    """Remove a message: one of the caller's own, or any as an admin."""
    channel_id, ts_us = call.args.text("channel"), call.args.stamp("ts") or 0
    await call.services.edits.delete(call.caller, channel_id, ts_us)
    return {"channel": channel_id, "ts": ts_from_us(ts_us)}


async def unfurl(call: Call) -> Answer:
    """Show what addresses in a message lead to, and ask its author to sign in to the app that shows it."""
    args = call.args
    channel_id, ts_us = args.text("channel"), args.stamp("ts")
    if args.has("unfurl_id"):
        channel_id, ts_us = _link_place(args)
    elif not channel_id or ts_us is None:
        raise Refused("missing_ts" if channel_id else "missing_channel")
    asks = any(args.flag(name) if name in FLAGS else args.has(name) for name in SIGN_IN)
    if args.mapping("unfurls") or not asks:
        await call.services.edits.unfurl(call.caller, channel_id, ts_us or 0, args.mapping("unfurls"))
    if asks:
        await _ask_to_sign_in(call, channel_id, ts_us or 0)
    return {}


async def _ask_to_sign_in(call: Call, channel_id: str, ts_us: int) -> None:
    """Show the author of a message, and nobody else, the app's words, its address, or that there is more to see."""
    args = call.args
    try:
        await call.services.directory.see(call.caller, channel_id)
    except Refused:
        raise Refused("cannot_find_channel") from None
    row = await call.services.channels.message(channel_id, ts_us)
    if row is None or not row.user_id:
        raise Refused("cannot_find_message")
    text, blocks, url = args.text("user_auth_message"), args.array("user_auth_blocks"), args.text("user_auth_url")
    if not text and not blocks:
        text = SIGN_IN_TEXT + (f": <{escape(url, quote=False)}>" if url else ".")
    post = Post(text=text, blocks=blocks, thread_ts_us=row.thread_ts_us)
    await call.services.notes.post(call.caller, channel_id, row.user_id, post)


def _link_place(args: Args) -> tuple[str, int]:
    """Return the message that a link_shared event was about, by its `unfurl_id` and `source`.

    Refused `missing_source`, `invalid_source`, `invalid_unfurl_id`.
    """
    if not args.has("source"):
        raise Refused("missing_source")
    if args.text("source") != LINK_SOURCE:
        raise Refused("invalid_source")
    channel_id, _, ts = args.text("unfurl_id").partition(".")
    try:
        return channel_id, us_from_ts(ts)
    except ValueError:
        raise Refused("invalid_unfurl_id") from None


async def post_ephemeral(call: Call) -> Answer:
    """Show a message to one member, on the sockets that it has open now; nobody keeps it."""
    args = call.args
    ts = await call.services.notes.post(call.caller, args.text("channel"), args.text("user"), post_of(args))
    return {"message_ts": ts}


async def get_permalink(call: Call) -> Answer:
    """Return the address of a message."""
    channel_id, ts_us = call.args.text("channel"), call.args.stamp("message_ts") or 0
    await call.services.directory.see(call.caller, channel_id)
    row = await call.services.channels.message(channel_id, ts_us)
    if row is None:
        raise Refused("message_not_found")
    link = MessageLink(channel_id, ts_us, row.thread_ts_us)
    return {"channel": channel_id, "permalink": permalink(call.origin.base_url, link)}


METHODS = (
    Method(
        "chat.postMessage",
        post_message,
        (CHANNEL, *WORDING, *UNFURL, Arg("client_msg_id")),
        writes=True,
        oversize="msg_too_long",
        scopes=WRITE,
        tier=Tier.POSTING,
    ),
    Method(
        "chat.meMessage",
        me_message,
        (CHANNEL, Arg("text", required=True, missing="no_text")),
        writes=True,
        oversize="msg_too_long",
        scopes=WRITE,
        tier=Tier.T3,
    ),
    Method(
        "chat.update",
        update,
        (
            CHANNEL,
            TS,
            # An empty text, and empty lists, take away what is there.
            *(Arg(each.name, each.kind, blank=each.name == "text", invalid=each.invalid) for each in CONTENT),
            Arg("file_ids", Kind.LIST),
            Arg("reply_broadcast", Kind.FLAG),
        ),
        writes=True,
        oversize="msg_too_long",
        scopes=WRITE,
        tier=Tier.T3,
    ),
    Method("chat.delete", delete, (CHANNEL, TS), writes=True, scopes=WRITE, tier=Tier.T3),
    Method(
        "chat.postEphemeral",
        post_ephemeral,
        (CHANNEL, Arg("user", required=True), *WORDING),
        writes=True,
        oversize="msg_too_long",
        scopes=WRITE,
        tier=Tier.T4,
    ),
    Method(
        "chat.getPermalink",
        get_permalink,
        (CHANNEL, Arg("message_ts", Kind.STAMP, required=True, invalid="message_not_found")),
        tier=Tier.SPECIAL,
    ),
    Method(
        "chat.unfurl",
        unfurl,
        (
            Arg("channel"),
            Arg("ts", Kind.STAMP, invalid="cannot_find_message"),
            Arg("unfurl_id"),
            Arg("source"),
            Arg("unfurls", Kind.OBJECT, invalid="invalid_unfurls_format"),
            *(Arg(name, kind) for name, kind in SIGN_IN.items()),
        ),
        writes=True,
        scopes=("links:write",),
        tier=Tier.T3,
    ),
)
