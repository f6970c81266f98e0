"""Buttons, menus and the like in blocks: which one was used, and what an app is told of it. Pure.

The person's client says which element it was and what was chosen; what the element itself says (a button's value) is
taken from the message or view, so nobody can put words into an app's mouth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import orjson

from svc.webapp.commit.log import Json
from svc.webapp.domain.refusal import Refused

__all__ = ["ACTIONS_MAX", "STATE_BYTES_MAX", "checked_state", "used"]

ACTIONS_MAX = 10
"""Of one click: clients send one."""
STATE_BYTES_MAX = 250 * 1024
"""What a person has filled in."""

_SAYS = ("text", "value", "style", "placeholder", "url", "confirm")
"""What an action tells of its element, whatever the client says of these."""
_CHOSEN = (
    *("selected_option", "selected_options", "selected_date", "selected_time", "selected_date_time", "timezone"),
    *("selected_user", "selected_users", "selected_channel", "selected_channels"),
    *("selected_conversation", "selected_conversations", "rich_text_value", "files"),
)
"""What an action tells of the person's choice, as the client says."""
_TYPED = frozenset({"plain_text_input", "email_text_input", "number_input", "url_text_input"})
"""Elements whose value is what the person typed."""


def used(blocks: Sequence[object], actions: Sequence[object], action_ts: str) -> list[Json]:
    """Return the actions as the app is told of them.

    `blocks`: of the message or view. Refused `invalid_arguments` when there are none or too many, `invalid_action` for
    an element that is not there, `too_long`.
    """
    if not 0 < len(actions) <= ACTIONS_MAX or len(orjson.dumps(actions)) > STATE_BYTES_MAX:
        raise Refused("invalid_arguments")
    told = []
    for action in actions:
        if not isinstance(action, dict):
            raise Refused("invalid_arguments")
        block_id, action_id = action.get("block_id"), action.get("action_id")
        element = next((each for each in _elements(blocks, block_id) if each.get("action_id") == action_id), None)
        if element is None or not isinstance(action_id, str):
            raise Refused("invalid_action")
        told.append(_told(element, action, action_ts))
    return told


def checked_state(state: Mapping[str, object]) -> Json:
    """Return what a person has filled in, as `{"values": …}`. Refused `invalid_arguments`, `too_long`."""
    values = state.get("values", {})
    if not isinstance(values, dict) or not all(isinstance(each, dict) for each in values.values()):
        raise Refused("invalid_arguments")
    if len(orjson.dumps(values)) > STATE_BYTES_MAX:
        raise Refused("too_long")
    return {"values": values}


def _told(element: Json, action: Json, action_ts: str) -> Json:
    told: Json = {"type": element.get("type", ""), "action_id": action["action_id"], "block_id": action["block_id"]}
    told |= {name: element[name] for name in _SAYS if name in element}
    told |= {name: action[name] for name in _CHOSEN if name in action}
    if element.get("type") in _TYPED:
        told["value"] = action.get("value")
    return told | {"action_ts": action_ts}


def _elements(blocks: Sequence[object], block_id: object) -> Iterator[Json]:
    for block in blocks:
        if not isinstance(block, dict) or block.get("block_id") != block_id:
            continue
        inside = block.get("elements")
        found = [*(inside if isinstance(inside, list) else ()), block.get("accessory"), block.get("element")]
        yield from (each for each in found if isinstance(each, dict))
