"""chat.*: messages."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import CHANNEL, Answer, Call, Method
from svc.webapp.domain.posts import Post


async def post_message(call: Call) -> Answer:
    """Post a message: when this answers `ok`, it is durably stored and on its way to everybody's sockets."""
    args = call.args
    post = Post(
        text=args.text("text"),
        markdown_text=args.text("markdown_text"),
        blocks=args.array("blocks"),
        attachments=args.array("attachments"),
        metadata=args.mapping("metadata"),
        thread_ts_us=args.stamp("thread_ts") or 0,
        reply_broadcast=args.flag("reply_broadcast"),
        client_msg_id=args.text("client_msg_id"),
        username=args.text("username"),
        icon_emoji=args.text("icon_emoji"),
        icon_url=args.text("icon_url"),
        mrkdwn=args.flag("mrkdwn") or not args.has("mrkdwn"),
    )
    posted = await call.services.messages.post(call.caller, args.text("channel"), post)
    return {"channel": posted.channel_id, "ts": posted.ts, "message": posted.message, "position": posted.position}


METHODS = (
    Method(
        "chat.postMessage",
        post_message,
        (
            CHANNEL,
            Arg("text"),
            Arg("markdown_text"),
            Arg("blocks", Kind.ARRAY, invalid="invalid_blocks_format"),
            Arg("attachments", Kind.ARRAY, invalid="invalid_attachments"),
            Arg("metadata", Kind.OBJECT, invalid="invalid_metadata_format"),
            Arg("thread_ts", Kind.STAMP),
            Arg("reply_broadcast", Kind.FLAG),
            Arg("client_msg_id"),
            Arg("username"),
            Arg("icon_emoji"),
            Arg("icon_url"),
            Arg("mrkdwn", Kind.FLAG),
        ),
        writes=True,
        oversize="msg_too_long",
    ),
)
