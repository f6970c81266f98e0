"""The objects that clients see, made from rows: conversation, user, team, message, bot. Pure.

Conversations, users and workspaces go by way of the boot models to svc.shapes, which makes the same object of what the
edge holds; messages and bots are the webapp's alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from svc import shapes as slack
from svc.kit.ids import ts_from_us
from svc.webapp.models import channel_model, team_model, user_model
from svc.webapp.store.rows import AnnotationKind, AnnotationRow, Bot, Conversation, Message, Team, Thread, User

Json = dict[str, Any]

SLACKBOT = "USLACKBOT"
"""Who speaks when it is the server itself; reserved, and nobody's id."""
TOMBSTONE = "tombstone"
LOCALE = "en-US"
"""Of everybody, and of every conversation: a workspace speaks one language here."""
SLIM_BYTES_MAX = 32 * 1024
"""Beyond it a message that is only quoted is told without its blocks and attachments: an event has 512 KiB."""
REACTION_USERS_MAX = 50
"""Named by each reaction of a message in a list; reactions.get names all."""
REPLY_USERS_MAX = 5
"""Of a thread, as its parent names them; Slack's limit."""


def team(row: Team) -> Json:
    """Return the team object of team.info."""
    return slack.team(team_model(row))


def conversation(row: Conversation, *, is_member: bool, peer_user_id: str = "") -> Json:
    """Return a conversation as one user sees it; `peer_user_id` is the other person of an IM."""
    return slack.channel(channel_model(row), is_member=is_member, peer_user_id=peer_user_id)


def user(row: User, *, now_s: float) -> Json:
    """Return the full user object; `now_s` (unix seconds) decides the time zone's offset of the season."""
    return slack.user(user_model(row), now_s=now_s)


def profile(row: User) -> Json:
    """Return the profile object of users.profile.get."""
    return slack.profile(user_model(row))


def bot_profile(row: Bot, picture_url: str = "") -> Json:
    """Return the `bot_profile` that a bot's messages carry; `picture_url`: its user's."""
    return {
        "id": row.id,
        "name": row.name,
        "deleted": row.deleted,
        "app_id": row.app_id,
        "team_id": row.team_id,
        "updated": row.updated_s,
        "icons": slack.icons(picture_url),
    }


def message(
    row: Message,
    team_id: str,
    thread: Thread | None = None,
    repliers: Sequence[str] = (),
    annotations: Sequence[AnnotationRow] = (),
) -> Json:
    """Return a message as history holds it (no `channel`); `thread` is what its replies amount to, if it has any,
    `repliers` who wrote them, in the order of their first, and `annotations` what was put on it, oldest first.
    """
    if row.subtype == TOMBSTONE:
        shape = tombstone_fields(team_id)
    else:
        shape = message_fields(
            team_id,
            user_id=row.user_id,
            bot_id=row.bot_id,
            subtype=row.subtype,
            text=row.text,
            client_msg_id=row.client_msg_id,
            extra=decode_extra(row.extra),
        )
    ts = shape["ts"] = ts_from_us(row.ts_us)
    if row.thread_ts_us:
        shape["thread_ts"] = ts_from_us(row.thread_ts_us)
    elif thread is not None and thread.reply_count:
        shape |= {
            "thread_ts": ts,
            "reply_count": thread.reply_count,
            "reply_users_count": len(repliers),
            "latest_reply": ts_from_us(thread.latest_reply_us),
            "reply_users": list(repliers[:REPLY_USERS_MAX]),
            "is_locked": False,
            "subscribed": False,
        }
    return shape | annotated(annotations)


def annotated(annotations: Sequence[AnnotationRow], users_max: int | None = REACTION_USERS_MAX) -> Json:
    """Return what a message says of what was put on it, oldest first: reactions, and where it is pinned.

    Of each reaction the first `users_max` users are named, None: all; the count is of all. Who reads history is named
    besides (`Reading`).
    """
    shape: Json = {}
    users: dict[str, list[str]] = {}
    for each in annotations:
        if each.kind is AnnotationKind.REACTION:
            users.setdefault(each.name, []).append(each.user_id)
        else:
            shape["pinned_to"] = [each.channel_id]
    if users:
        shape["reactions"] = [
            {"name": name, "users": who[:users_max], "count": len(who)} for name, who in users.items()
        ]
    return shape


def tombstone_fields(team_id: str) -> Json:
    """Return what is left of a removed message that has replies, apart from its place."""
    return {
        "type": "message",
        "subtype": TOMBSTONE,
        "user": SLACKBOT,
        "text": "This message was deleted.",
        "team": team_id,
        "hidden": True,
    }


def slim(shape: Json) -> Json:
    """Return a message as another's event quotes it: without what would make that too large; text alone is 160 KB."""
    if len(orjson.dumps(shape)) <= SLIM_BYTES_MAX:
        return dict(shape)
    return {name: value for name, value in shape.items() if name not in ("blocks", "attachments", "metadata", "files")}


def message_fields(
    team_id: str,
    *,
    user_id: str,
    text: str,
    bot_id: str = "",
    subtype: str = "",
    client_msg_id: str = "",
    extra: Mapping[str, Any] | None = None,
) -> Json:
    """Return what a message is apart from its place: everything but ts, thread_ts and channel."""
    shape: Json = {"type": "message"}
    if subtype:
        shape["subtype"] = subtype
    # A message under another name is the bot's, not its user's: Slack leaves the user out.
    if user_id and subtype != "bot_message":
        shape["user"] = user_id
    if bot_id:
        shape["bot_id"] = bot_id
    shape["text"] = text
    shape["team"] = team_id
    if client_msg_id:
        shape["client_msg_id"] = client_msg_id
    shape.update(extra or {})
    return shape


def encode_extra(extra: Mapping[str, Any]) -> bytes:
    """Return a message's further fields as they are stored; b"" when there are none."""
    return orjson.dumps(extra) if extra else b""


def decode_extra(extra: bytes) -> Json:
    """Return the inverse of `encode_extra`."""
    decoded: Json = orjson.loads(extra) if extra else {}
    return decoded
