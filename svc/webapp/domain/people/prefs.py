"""Preferences: named values that a user's clients keep with us. Pure rules: what may be kept, and how it is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

import orjson

from svc.webapp.commit.log import DRAFTS_MAX, Json
from svc.webapp.domain.refusal import Refused

__all__ = ["BYTES_MAX", "DEFAULTS", "NAMES_MAX", "changed", "check", "shown", "typed"]

BYTES_MAX = 64 * 1024
"""Of all preferences of a user, as JSON: they are part of every boot."""
NAMES_MAX = 1_000
"""Slack's web client has about 400."""
DEFAULTS: Mapping[str, object] = {
    "muted_channels": "",
    "all_notifications_prefs": '{"global":{"global_keywords":""},"channels":{}}',
}
"""What clients read without looking whether it is there; the second is JSON within a string, as they expect it."""

OURS = frozenset({"dnd"})
"""What other methods keep among them; nobody sets it by name, nor is it shown."""

_NAME = re.compile(r"[A-Za-z0-9_.:\-]{1,100}", re.ASCII)


def check(change: Mapping[str, object]) -> None:
    """Refused `no_prefs` (nothing to change), `too_many_prefs` (for one call), `invalid_name`."""
    if not change:
        raise Refused("no_prefs")
    if len(change) > DRAFTS_MAX:
        raise Refused("too_many_prefs")  # each is told by an event of its own
    if not all(_NAME.fullmatch(name) and name not in OURS for name in change):
        raise Refused("invalid_name")


def changed(before: bytes, change: Mapping[str, object]) -> bytes:
    """Return preferences as they are stored after a change: null removes one.

    Refused `too_many_prefs`, `prefs_too_large`.
    """
    values: Json = orjson.loads(before) | dict(change)
    after = {name: value for name, value in values.items() if value is not None}
    if len(after) > NAMES_MAX:
        raise Refused("too_many_prefs")
    stored = orjson.dumps(after)
    if len(stored) > BYTES_MAX:
        raise Refused("prefs_too_large")
    return stored


def shown(stored: bytes) -> Json:
    """Return all preferences as clients see them."""
    values: Json = orjson.loads(stored)
    return {**DEFAULTS, **{name: value for name, value in values.items() if name not in OURS}}


def typed(value: object) -> object:
    """Return what a client means by a single `value`: a form cannot say whether it is a truth value or a word.

    Other text stays text: several preferences are JSON within a string.
    """
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
