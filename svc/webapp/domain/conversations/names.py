"""Names of conversations and the ids of direct messages: pure rules."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable

from svc.kit.ids import id_from_number
from svc.webapp.domain.refusal import Refused

NAME_CHARS_MAX = 80
"""Slack's limit, and the width of the column."""

GENERAL = "general"
"""The conversation that everyone of a workspace is in."""

_PUNCTUATION = "-_"
_ID_SPACE = 36**10


def conversation_name(wanted: str) -> str:
    """Return `wanted` as a conversation's name: NFC, without a leading `#`.

    Raises Refused with `invalid_name_required`, `invalid_name_maxlength`, `invalid_name_specials` (anything but
    lower-case letters of any script, digits, `-` and `_`) or `invalid_name_punctuation` (nothing but `-` and `_`).
    """
    name = unicodedata.normalize("NFC", wanted.strip()).removeprefix("#")
    if not name:
        raise Refused("invalid_name_required")
    if len(name) > NAME_CHARS_MAX:
        raise Refused("invalid_name_maxlength")
    if not all(_allowed(letter) for letter in name):
        raise Refused("invalid_name_specials")
    if not any(letter not in _PUNCTUATION for letter in name):
        raise Refused("invalid_name_punctuation")
    return name


def _allowed(letter: str) -> bool:
    # Marks (category M) belong to letters of Indic and other scripts; upper and title case are not allowed.
    category = unicodedata.category(letter)
    return letter in _PUNCTUATION or (
        category[0] in "LMN" and category not in ("Lu", "Lt") and letter == letter.lower()
    )


def direct_id(team_id: str, user_ids: Iterable[str], attempt: int = 0) -> str:
    """Return the id of the direct message between `user_ids`: the same for the same people in any order.

    D… for one or two people, G… for more. Derived, so that two people who open it at the same instant open one
    conversation. Two groups of people share an id once in 10^15; `attempt` 1, 2… then gives the next candidate.
    """
    people = sorted(set(user_ids))
    name = "\n".join([team_id, *people, str(attempt)])
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return id_from_number("D" if len(people) <= 2 else "G", int.from_bytes(digest, "big") % _ID_SPACE)


def mpim_name(user_names: Iterable[str]) -> str:
    """Return the name that clients show for a group message: `mpdm-ada--grace--linus-1`, as Slack writes it."""
    return f"mpdm-{'--'.join(sorted(user_names))}"[: NAME_CHARS_MAX - 2] + "-1"
