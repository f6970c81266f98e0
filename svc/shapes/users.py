"""The user object, strictly of Slack's types: clients in typed languages refuse an integer for a string. Pure."""

from __future__ import annotations

import datetime as dt
import unicodedata
import zlib
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from parley.boot.v1 import boot_pb2 as boot

__all__ = ["avatar_url", "normalized", "profile", "user"]

_COLORS = ("9f69e7", "4bbe2e", "e7392d", "3c989f", "674b1b", "e96699", "e0a729", "684b6c", "5b89d5", "2b6836", "99a949")
_IMAGE_SIZES = (24, 32, 48, 72, 192, 512)


def user(model: boot.User, *, now_s: float) -> dict[str, Any]:
    """Return the full user object; `now_s` (unix seconds) decides the time zone's offset of the season."""
    label, offset_s = _zone(model.tz, int(now_s // 3600))
    return {
        "id": model.id,
        "team_id": model.team_id,
        "name": model.name,
        "deleted": model.deleted,
        "color": _COLORS[zlib.crc32(model.id.encode()) % len(_COLORS)],
        "real_name": model.real_name,
        "tz": model.tz,
        "tz_label": label,
        "tz_offset": offset_s,
        "profile": profile(model),
        "is_admin": model.is_admin,
        "is_owner": model.is_owner,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": model.is_bot,
        "is_app_user": False,
        "is_email_confirmed": bool(model.email),
        "updated": model.updated_unix_s,
    }


def avatar_url(avatar_hash: str, size: int) -> str:
    """Return where an avatar's picture of `size` pixels is; "" for a user without one.

    A name is the hash of an email address, as Gravatar has it, which draws a pattern for those it does not know.
    """
    return f"https://secure.gravatar.com/avatar/{avatar_hash}?s={size}&d=identicon" if avatar_hash else ""


def profile(model: boot.User) -> dict[str, Any]:
    """Return the profile object, as it is inside the user object and in users.profile.get."""
    first, last = model.first_name, model.last_name
    if not first and not last:
        first, _, last = model.real_name.partition(" ")
    shape: dict[str, Any] = {
        "title": model.title,
        "phone": model.phone,
        "skype": "",
        "pronouns": model.pronouns,
        "real_name": model.real_name,
        "real_name_normalized": normalized(model.real_name),
        "display_name": model.display_name,
        "display_name_normalized": normalized(model.display_name),
        "first_name": first,
        "last_name": last,
        "fields": {each.id: {"value": each.value, "alt": each.alt} for each in model.fields},
        "status_text": model.status_text,
        "status_emoji": model.status_emoji,
        "status_expiration": model.status_expiration_unix_s,
        "avatar_hash": model.avatar_hash,
        "email": model.email,
        "team": model.team_id,
    }
    if model.picture_url:
        # It is there in one size, and clients scale it.
        shape.update(dict.fromkeys((f"image_{size}" for size in (*_IMAGE_SIZES, "original")), model.picture_url))
        shape["is_custom_image"] = True
    else:
        shape.update({f"image_{size}": avatar_url(model.avatar_hash, size) for size in _IMAGE_SIZES})
    if model.bot_id:
        shape.update(bot_id=model.bot_id, api_app_id=model.app_id, always_active=False)
    return shape


def normalized(text: str) -> str:
    """Return a name without accents, as people type it who search for it."""
    if text.isascii():
        return text
    plain = (letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", "".join(plain))


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
