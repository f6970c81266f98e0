"""What a view is: as an app gives it, as it is stored, and as everybody is shown it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson

from svc.kit.ids import id_from_number
from svc.webapp.commit.log import Json
from svc.webapp.domain.apps.model import App
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.app_rows import ViewRow

__all__ = ["HOME", "MODAL", "VIEW_BYTES_MAX", "checked_view", "home_id", "shape"]

MODAL, HOME = "modal", "home"
VIEW_BYTES_MAX = 250 * 1024
"""Slack's."""
BLOCKS_MAX = 100
TITLE_CHARS_MAX = 24
METADATA_CHARS_MAX = 3_000
ID_CHARS_MAX = 255
"""Slack's limits; the last of callback_id and external_id, and the width of the column."""

_TEXTS = {"private_metadata": METADATA_CHARS_MAX, "callback_id": ID_CHARS_MAX, "external_id": ID_CHARS_MAX}
_LABELS = ("title", "submit", "close")
_FLAGS = ("clear_on_close", "notify_on_close", "submit_disabled")


def checked_view(given: Mapping[str, object], kind: str) -> Json:
    """Return a view as it is stored, with an id for each block.

    Refused `invalid_arguments` with everything that is wrong with it, `view_too_large`.
    """
    faults = list(_faults(given, kind))
    if faults:
        messages = [f"[ERROR] {fault} [json-pointer:/view/{field}]" for field, fault in faults]
        raise Refused("invalid_arguments", {"response_metadata": {"messages": messages}})
    view: Json = {"type": kind, "blocks": _with_ids(given["blocks"])}
    view |= {name: given.get(name) or "" for name in _TEXTS}
    view |= {name: given.get(name) is True for name in _FLAGS}
    view |= {name: given.get(name) for name in _LABELS}
    if len(orjson.dumps(view)) > VIEW_BYTES_MAX:
        raise Refused("view_too_large")
    return view


def _faults(given: Mapping[str, object], kind: str) -> list[tuple[str, str]]:
    faults = []
    if given.get("type") != kind:
        faults.append(("type", f"must be {kind!r}"))
    blocks = given.get("blocks")
    if not isinstance(blocks, list) or not all(_is_typed(block) for block in blocks):
        faults.append(("blocks", "must be a list of blocks, each with a type"))
    elif len(blocks) > BLOCKS_MAX:
        faults.append(("blocks", f"no more than {BLOCKS_MAX} items allowed"))
    for name, chars_max in _TEXTS.items():
        text = given.get(name)
        if text is not None and (not isinstance(text, str) or len(text) > chars_max):
            faults.append((name, f"must be a string of at most {chars_max} characters"))
    for name in _LABELS:
        if not _is_label(given.get(name), is_required=name == "title" and kind == MODAL):
            faults.append((name, f"must be a plain_text object of 1 to {TITLE_CHARS_MAX} characters"))
    return faults


def _is_typed(block: object) -> bool:
    return isinstance(block, dict) and isinstance(block.get("type"), str) and bool(block["type"])


def _is_label(label: object, *, is_required: bool) -> bool:
    if label is None:
        return not is_required
    text: Any = label.get("text") if isinstance(label, dict) and label.get("type") == "plain_text" else None
    return isinstance(text, str) and 0 < len(text) <= TITLE_CHARS_MAX


def _with_ids(blocks: Any) -> list[Json]:
    return [
        block
        if isinstance(block.get("block_id"), str) and block["block_id"]
        else {**block, "block_id": sha256(orjson.dumps([index, block])).hexdigest()[:5]}
        for index, block in enumerate(blocks)
    ]


def home_id(app_id: str, user_id: str) -> str:
    """Return the id of what an app shows a person at home: the same for ever."""
    return id_from_number("V", int.from_bytes(sha256(f"{app_id}:{user_id}".encode()).digest()[:6]))


def shape(row: ViewRow, app: App, state: Json | None = None) -> Json:
    """Return the view object; `state` is what the person has filled in, where it is known."""
    view: Json = orjson.loads(row.body)
    return {
        "id": row.id,
        "team_id": row.team_id,
        **view,
        "state": state or {"values": {}},
        "hash": row.hash,
        "root_view_id": row.root_id,
        "previous_view_id": row.previous_id or None,
        "app_id": row.app_id,
        "app_installed_team_id": row.team_id,
        "bot_id": app.bot_id,
    }
