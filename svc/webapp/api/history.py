"""conversations.history and conversations.replies: reading messages."""

from __future__ import annotations

from collections.abc import Sequence

from svc.webapp.api import pages
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import CHANNEL, CURSOR, Answer, Call, Method, Tier
from svc.webapp.commit.log import Json
from svc.webapp.domain.refusal import Refused

HISTORY_PAGE_MAX = 999
"""Slack's limit of conversations.history."""

SCOPES = ("channels:history", "groups:history", "im:history", "mpim:history")


async def history(call: Call) -> Answer:
    """Read messages, newest first. `latest=ts, inclusive=1, limit=1` gives exactly the message with that ts."""
    args = call.args
    inclusive = args.flag("inclusive")
    after_us = _place(args.text("cursor"))
    latest_us = after_us - inclusive if after_us else args.stamp("latest")
    found = await call.services.reading.history(
        call.caller,
        args.text("channel"),
        latest_us=latest_us or None,
        oldest_us=args.stamp("oldest") or None,
        inclusive=inclusive,
        limit=args.number("limit"),
    )
    return {
        "messages": _shown(call, found.messages),
        "has_more": found.has_more,
        "pin_count": found.pin_count,
        "channel_actions_ts": None,
        "channel_actions_count": 0,
        "response_metadata": pages.metadata("ts", str(found.last_ts_us) if found.has_more else ""),
    }


async def replies(call: Call) -> Answer:
    """Read a thread: its parent, then its replies, oldest first."""
    args = call.args
    found = await call.services.reading.replies(
        call.caller,
        args.text("channel"),
        args.stamp("ts") or 0,
        latest_us=args.stamp("latest") or None,
        oldest_us=args.stamp("oldest") or None,
        inclusive=args.flag("inclusive"),
        limit=args.number("limit"),
        after_us=_place(args.text("cursor")),
    )
    return {
        "messages": _shown(call, found.messages),
        "has_more": found.has_more,
        "response_metadata": pages.metadata("ts", str(found.last_ts_us) if found.has_more else ""),
    }


def _shown(call: Call, messages: Sequence[Json]) -> Sequence[Json]:
    """Return messages with their metadata only for whom it is asked for, or whose own it is."""
    if call.args.flag("include_all_metadata"):
        return messages
    bot_id = call.caller.bot_id
    return [
        message
        if "metadata" not in message or (bot_id and message.get("bot_id") == bot_id)
        else {name: value for name, value in message.items() if name != "metadata"}
        for message in messages
    ]


def _place(cursor: str) -> int:
    """Return the ts, in microseconds, behind which a page goes on; 0 without a cursor."""
    key = pages.key_of("ts", cursor)
    if not key:
        return 0
    if not key.isascii() or not key.isdigit() or len(key) > 18:
        raise Refused("invalid_cursor")
    return int(key)


_BOUNDS = (
    Arg("latest", Kind.STAMP, invalid="invalid_ts_latest"),
    Arg("oldest", Kind.STAMP, invalid="invalid_ts_oldest"),
    Arg("inclusive", Kind.FLAG),
    Arg("include_all_metadata", Kind.FLAG),
    CURSOR,
)


def _limit(default: int, maximum: int) -> Arg:
    return Arg("limit", Kind.NUMBER, invalid="invalid_limit", default=default, minimum=1, maximum=maximum, clamp=True)


METHODS = (
    Method(
        "conversations.history",
        history,
        (CHANNEL, *_BOUNDS, _limit(100, HISTORY_PAGE_MAX)),
        scopes=SCOPES,
        tier=Tier.T3,
    ),
    Method(
        "conversations.replies",
        replies,
        (
            CHANNEL,
            Arg("ts", Kind.STAMP, required=True, missing="thread_not_found", invalid="thread_not_found"),
            *_BOUNDS,
            _limit(1_000, 1_000),
        ),
        scopes=SCOPES,
        tier=Tier.T3,
    ),
)
