"""conversations.history and conversations.replies: reading messages."""

from __future__ import annotations

from svc.webapp.api import pages
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import CHANNEL, CURSOR, Answer, Call, Method
from svc.webapp.domain.refusal import Refused

HISTORY_PAGE_MAX = 999
"""Slack's limit of conversations.history."""


async def history(call: Call) -> Answer:
    """Read messages, newest first. `latest=ts, inclusive=1, limit=1` gives exactly the message with that ts."""
    args = call.args
    inclusive = args.flag("inclusive")
    latest_us = _page_start(args.text("cursor"), inclusive=inclusive) or args.stamp("latest")
    found = await call.services.messages.history(
        call.caller,
        args.text("channel"),
        latest_us=latest_us or None,
        oldest_us=args.stamp("oldest") or None,
        inclusive=inclusive,
        limit=args.number("limit"),
    )
    return {
        "messages": found.messages,
        "has_more": found.has_more,
        "pin_count": 0,
        "channel_actions_ts": None,
        "channel_actions_count": 0,
        "response_metadata": pages.metadata("ts", str(found.last_ts_us) if found.has_more else ""),
    }


def _page_start(cursor: str, *, inclusive: bool) -> int:
    """Return the `latest` of the page after a cursor: strictly before the last message given; 0 without a cursor."""
    key = pages.key_of("ts", cursor)
    if not key:
        return 0
    if not key.isascii() or not key.isdigit() or len(key) > 18:
        raise Refused("invalid_cursor")
    return int(key) - inclusive


METHODS = (
    Method(
        "conversations.history",
        history,
        (
            CHANNEL,
            Arg("latest", Kind.STAMP, invalid="invalid_ts_latest"),
            Arg("oldest", Kind.STAMP, invalid="invalid_ts_oldest"),
            Arg("inclusive", Kind.FLAG),
            Arg(
                "limit",
                Kind.NUMBER,
                invalid="invalid_limit",
                default=100,
                minimum=1,
                maximum=HISTORY_PAGE_MAX,
                clamp=True,
            ),
            CURSOR,
        ),
    ),
)
