"""The objects that clients see, made from rows: conversation, user, team, message, bot. Pure.

Field names and types are Slack's, strictly: clients in typed languages refuse an integer where they expect a string.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from svc.kit.ids import ts_from_us
from svc.webapp.store.rows import Bot, Conversation, ConversationKind, Message, Team, Thread, User

Json = dict[str, Any]

_COLORS = ("9f69e7", "4bbe2e", "e7392d", "3c989f", "674b1b", "e96699", "e0a729", "684b6c", "5b89d5", "2b6836", "99a949")
_IMAGE_SIZES = (24, 32, 48, 72, 192, 512)


def team(row: Team) -> Json:
    """Return the team object of team.info."""
    return {
        "id": row.id,
        "name": row.name,
        "domain": row.domain,
        "email_domain": "",
        "icon": {"image_default": True},
    }


def conversation(row: Conversation, *, is_member: bool, peer_user_id: str = "") -> Json:
    """Return a conversation as one user sees it; `peer_user_id` is the other person of an IM."""
    if row.kind is ConversationKind.IM:
        return _im(row, peer_user_id)
    is_mpim = row.kind is ConversationKind.MPIM
    return {
        "id": row.id,
        "name": row.name,
        "name_normalized": row.name,
        "is_channel": not is_mpim,
        "is_group": is_mpim,
        "is_im": False,
        "is_mpim": is_mpim,
        "is_private": row.kind is not ConversationKind.PUBLIC,
        "is_archived": row.is_archived,
        "is_general": row.is_general,
        "is_shared": False,
        "is_org_shared": False,
        "is_ext_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "pending_connected_team_ids": [],
        "is_member": is_member,
        "created": row.created_s,
        "updated": row.updated_ms or row.created_s * 1000,
        "creator": row.creator_id,
        "unlinked": 0,
        "topic": {"value": row.topic, "creator": row.topic_by, "last_set": row.topic_set_s},
        "purpose": {"value": row.purpose, "creator": row.purpose_by, "last_set": row.purpose_set_s},
        "previous_names": [],
        "context_team_id": row.team_id,
        "shared_team_ids": [row.team_id],
    }


def _im(row: Conversation, peer_user_id: str) -> Json:
    return {
        "id": row.id,
        "is_im": True,
        "user": peer_user_id,
        "created": row.created_s,
        "updated": row.updated_ms or row.created_s * 1000,
        "is_archived": row.is_archived,
        "is_user_deleted": False,
        "is_org_shared": False,
        "priority": 0,
        "context_team_id": row.team_id,
    }


def user(row: User, *, now_s: float) -> Json:
    """Return the full user object; `now_s` (unix seconds) decides the time zone's offset of the season."""
    label, offset_s = _zone(row.tz, int(now_s // 3600))
    return {
        "id": row.id,
        "team_id": row.team_id,
        "name": row.name,
        "deleted": row.deleted,
        "color": _COLORS[zlib.crc32(row.id.encode()) % len(_COLORS)],
        "real_name": row.real_name,
        "tz": row.tz,
        "tz_label": label,
        "tz_offset": offset_s,
        "profile": _profile(row),
        "is_admin": row.is_admin,
        "is_owner": row.is_owner,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": row.is_bot,
        "is_app_user": False,
        "is_email_confirmed": bool(row.email),
        "updated": row.updated_s,
    }


def _profile(row: User) -> Json:
    first, _, last = row.real_name.partition(" ")
    profile: Json = {
        "title": row.title,
        "phone": "",
        "skype": "",
        "real_name": row.real_name,
        "real_name_normalized": row.real_name,
        "display_name": row.display_name,
        "display_name_normalized": row.display_name,
        "first_name": first,
        "last_name": last,
        "status_text": row.status_text,
        "status_emoji": row.status_emoji,
        "status_expiration": 0,
        "avatar_hash": row.avatar_hash,
        "email": row.email,
        "team": row.team_id,
    }
    profile.update({f"image_{size}": "" for size in _IMAGE_SIZES})
    if row.bot_id:
        profile.update(bot_id=row.bot_id, api_app_id=row.app_id, always_active=False)
    return profile


@lru_cache(maxsize=1024)
def _zone(name: str, hour: int) -> tuple[str, int]:
    """Return a zone's label and offset in seconds within one hour since the epoch. An unknown zone is UTC."""
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC", 0
    moment = dt.datetime.fromtimestamp(hour * 3600, zone)
    offset = moment.utcoffset()
    return moment.tzname() or name, int(offset.total_seconds()) if offset else 0


def bot_profile(row: Bot) -> Json:
    """Return the `bot_profile` that a bot's messages carry."""
    return {
        "id": row.id,
        "name": row.name,
        "deleted": row.deleted,
        "app_id": row.app_id,
        "team_id": row.team_id,
        "updated": row.updated_s,
        "icons": {},
    }


def message(row: Message, team_id: str, thread: Thread | None = None) -> Json:
    """Return a message as history holds it (no `channel`); `thread` is what its replies amount to, if it has any."""
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
            "latest_reply": ts_from_us(thread.latest_reply_us),
        }
    return shape


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
