"""What a profile may say, and how it changes: pure rules of users.profile.set.

A full name is told in two forms, whole and as given and family name; whoever sets one sets the other. A status without
an emoji gets one, and one that is empty has no end.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson

from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import User

__all__ = ["FIELDS_MAX", "changed", "status_over"]

Json = dict[str, Any]

FIELDS_MAX = 50
"""Further fields of one profile; Slack's limit."""
FIELD_CHARS_MAX = 500
"""Of a field's value, and of what is shown in its stead."""
FIELDS_BYTES_MAX = 60_000
"""Of all of them as JSON: the column's width, and 50 fields of ASCII."""
STATUS_EMOJI_DEFAULT = ":speech_balloon:"
"""Of a status that has a text alone."""
EXPIRATION_S_MAX = 10**11
"""Seconds, not the milliseconds that some clients send."""

_CHARS_MAX: Mapping[str, int] = {
    "real_name": 255,
    "display_name": 80,
    "first_name": 127,
    "last_name": 127,
    "title": 255,
    "phone": 64,
    "pronouns": 64,
    "email": 254,
    "status_text": 100,
    "status_emoji": 100,
}
"""Texts that may be set, by name; Slack's limits, and the widths of the columns."""
_NOT_OURS = frozenset({"skype", "avatar_hash", "team", "status_text_canonical", "status_emoji_display_info"})
"""What clients send back as they got it, and that nobody sets so."""
_EMOJI = re.compile(r":[^\s:]{1,98}(::skin-tone-[2-6])?:")
_EMAIL = re.compile(r"[^\s@<>\"]{1,64}@[^\s@<>\"]{1,190}")
_FIELD_ID = re.compile(r"[A-Za-z0-9_\-]{1,40}", re.ASCII)


def changed(user: User, change: Mapping[str, object]) -> User:
    """Return a user whose profile says what `change` says; what it does not name stays.

    Refused `invalid_profile` (nothing that can be set, or of the wrong form), `too_long`,
    `profile_status_set_failed_not_emoji_syntax`, `invalid_email`, `too_many_fields`.
    """
    texts = {name: _text(name, change[name]) for name in _CHARS_MAX if name in change}
    unknown = [name for name in change if name not in _CHARS_MAX and not _is_passed_over(name)]
    if not change or (unknown and not texts and not _OTHERS.keys() & change.keys()):
        raise Refused("invalid_profile")
    if texts.get("status_emoji") and not _EMOJI.fullmatch(texts["status_emoji"]):
        raise Refused("profile_status_set_failed_not_emoji_syntax")
    if texts.get("email") and not _EMAIL.fullmatch(texts["email"]):
        raise Refused("invalid_email")
    after = replace(user, **_named(user, texts))
    for name, apply in _OTHERS.items():
        if name in change:
            after = apply(after, change[name])
    return _with_status(after)


def status_over(user: User) -> User:
    """Return a user without its status."""
    return replace(user, status_text="", status_emoji="", status_expiration_s=0)


def _is_passed_over(name: str) -> bool:
    return name in _NOT_OURS or name.startswith("image_") or name.endswith("_normalized")


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused("invalid_profile")
    text = unicodedata.normalize("NFC", value.strip())
    if len(text) > _CHARS_MAX[name]:
        raise Refused("too_long")
    if any(unicodedata.category(letter) == "Cc" for letter in text):
        raise Refused("invalid_profile")
    return text


def _named(user: User, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the texts with the other form of the name."""
    found: dict[str, Any] = dict(texts)
    if "real_name" in texts:
        found.setdefault("first_name", "")
        found.setdefault("last_name", "")
    elif "first_name" in texts or "last_name" in texts:
        first, last = user.first_name, user.last_name
        if not first and not last:
            first, _, last = user.real_name.partition(" ")
        first, last = texts.get("first_name", first), texts.get("last_name", last)
        found |= {"first_name": first, "last_name": last, "real_name": f"{first} {last}".strip()}
    if found.get("real_name") == "":
        raise Refused("invalid_profile")  # nobody is without a name
    return found


def _with_status(user: User) -> User:
    if not user.status_text and not user.status_emoji:
        return replace(user, status_expiration_s=0)
    return replace(user, status_emoji=user.status_emoji or STATUS_EMOJI_DEFAULT)


def _expiring(user: User, value: object) -> User:
    try:
        seconds = int(str(value or 0))
    except ValueError:
        raise Refused("invalid_profile") from None
    if isinstance(value, bool) or not 0 <= seconds < EXPIRATION_S_MAX:
        raise Refused("invalid_profile")
    return replace(user, status_expiration_s=seconds)


def _with_fields(user: User, value: object) -> User:
    """Return the user with fields set by id; one whose value is empty goes."""
    if not isinstance(value, dict) and value:
        raise Refused("invalid_profile")
    fields: dict[str, Json] = orjson.loads(user.fields or "{}")
    for field_id, given in (value or {}).items() if isinstance(value, dict) else ():
        field = _field(field_id, given)
        fields.pop(field_id, None)
        if field["value"]:
            fields[field_id] = field
    stored = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS) if fields else b""
    if len(fields) > FIELDS_MAX:
        raise Refused("too_many_fields")
    if len(stored) > FIELDS_BYTES_MAX:
        raise Refused("too_long")
    return replace(user, fields=stored.decode())


def _field(field_id: str, given: object) -> Json:
    cells = given if isinstance(given, dict) else {"value": given}
    value, alt = cells.get("value") or "", cells.get("alt") or ""
    if not _FIELD_ID.fullmatch(field_id) or not isinstance(value, str) or not isinstance(alt, str):
        raise Refused("invalid_profile")
    if len(value) > FIELD_CHARS_MAX or len(alt) > FIELD_CHARS_MAX:
        raise Refused("too_long")
    return {"value": value, "alt": alt}


_OTHERS: Mapping[str, Callable[[User, object], User]] = {"status_expiration": _expiring, "fields": _with_fields}
"""What is no text."""
