"""Blocks of a message: whether they have the shape that clients can draw. Pure.

Types, what each must have, and the limits of Block Kit. What is inside an element (a button, a menu) is the client's
and the app's affair; a block that no client knows is refused, since it would be lost on every screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from svc.webapp.commit.log import Json
from svc.webapp.domain.refusal import Refused

__all__ = ["BLOCKS_MAX", "checked_blocks"]

BLOCKS_MAX = 50
"""Of a message. This and the numbers below are Slack's limits."""
BLOCK_ID_CHARS_MAX = 255
SECTION_CHARS_MAX = 3_000
FIELD_CHARS_MAX = 2_000
FIELDS_MAX = 10
HEADER_CHARS_MAX = 150
CONTEXT_ELEMENTS_MAX = 10
ACTIONS_ELEMENTS_MAX = 25
MARKDOWN_CHARS_MAX = 12_000
URL_CHARS_MAX = 3_000
ALT_CHARS_MAX = 2_000

Faults = list[str]


def checked_blocks(items: Sequence[object]) -> list[Json]:
    """Return the blocks of a message. Refused `invalid_blocks_format` (no objects), `invalid_blocks` with what is wrong
    in `errors`.
    """
    blocks = [item for item in items if isinstance(item, dict)]
    if len(blocks) != len(items):
        raise Refused("invalid_blocks_format")
    faults: Faults = [f"no more than {BLOCKS_MAX} items allowed"] if len(blocks) > BLOCKS_MAX else []
    seen: set[str] = set()
    for number, block in enumerate(blocks[:BLOCKS_MAX]):
        faults += [f"{fault} [json-pointer:/blocks/{number}]" for fault in [*_id_faults(block, seen), *_faults(block)]]
    if faults:
        messages = [f"[ERROR] {fault}" for fault in faults]
        raise Refused("invalid_blocks", {"errors": faults, "response_metadata": {"messages": messages}})
    return blocks


def _id_faults(block: Json, seen: set[str]) -> Faults:
    block_id = block.get("block_id")
    if block_id is None or block_id == "":
        return []
    if not isinstance(block_id, str) or len(block_id) > BLOCK_ID_CHARS_MAX:
        return [f"block_id must be a string of at most {BLOCK_ID_CHARS_MAX} characters"]
    if block_id in seen:
        return ["block_id already exists"]
    seen.add(block_id)
    return []


def _faults(block: Json) -> Faults:
    kind = block.get("type")
    check = _CHECKS.get(kind) if isinstance(kind, str) else None
    return [f"unsupported type: {str(kind)[:40]}"] if check is None else check(block)


def _nothing(_: Json) -> Faults:
    return []


def _section(block: Json) -> Faults:
    text, fields = block.get("text"), block.get("fields")
    if text is None and fields is None:
        return ["must have text or fields"]
    faults = _text_faults("text", text, SECTION_CHARS_MAX) if text is not None else []
    if fields is not None:
        faults += _list_faults("fields", fields, FIELDS_MAX)
        if isinstance(fields, list):
            faults += [
                fault for field in fields[:FIELDS_MAX] for fault in _text_faults("fields", field, FIELD_CHARS_MAX)
            ]
    if "accessory" in block and not isinstance(block["accessory"], dict):
        faults.append("accessory must be an object")
    return faults


def _header(block: Json) -> Faults:
    return _text_faults("text", block.get("text"), HEADER_CHARS_MAX, kinds=("plain_text",))


def _context(block: Json) -> Faults:
    return _list_faults("elements", block.get("elements"), CONTEXT_ELEMENTS_MAX)


def _actions(block: Json) -> Faults:
    return _list_faults("elements", block.get("elements"), ACTIONS_ELEMENTS_MAX)


def _rich_text(block: Json) -> Faults:
    elements = block.get("elements")
    if not isinstance(elements, list) or not all(isinstance(each, dict) for each in elements):
        return ["elements must be a list of objects"]
    return []


def _image(block: Json) -> Faults:
    url, alt = block.get("image_url"), block.get("alt_text")
    faults: Faults = []
    if not isinstance(block.get("slack_file"), dict) and not _is_text(url, URL_CHARS_MAX):
        faults.append("must have image_url or slack_file")
    if not isinstance(alt, str) or len(alt) > ALT_CHARS_MAX:
        faults.append("alt_text is missing or too long")
    return faults


def _input(block: Json) -> Faults:
    faults = _text_faults("label", block.get("label"), FIELD_CHARS_MAX, kinds=("plain_text",))
    return faults if isinstance(block.get("element"), dict) else [*faults, "element is missing"]


def _markdown(block: Json) -> Faults:
    return [] if _is_text(block.get("text"), MARKDOWN_CHARS_MAX) else ["text is missing or too long"]


def _video(block: Json) -> Faults:
    wanted = ("title", "video_url", "thumbnail_url", "alt_text")
    return [f"{name} is missing" for name in wanted if not block.get(name)]


_CHECKS: Mapping[str, Callable[[Json], Faults]] = {
    "actions": _actions,
    "call": _nothing,
    "carousel": _nothing,
    "context": _context,
    "context_actions": _actions,
    "divider": _nothing,
    "file": _nothing,
    "header": _header,
    "image": _image,
    "input": _input,
    "markdown": _markdown,
    "plan": _nothing,
    "rich_text": _rich_text,
    "section": _section,
    "table": _nothing,
    "task_card": _nothing,
    "video": _video,
}


def _text_faults(name: str, value: object, chars_max: int, kinds: Sequence[str] = ("mrkdwn", "plain_text")) -> Faults:
    if not isinstance(value, dict):
        return [f"{name} must be a text object"]
    if value.get("type") not in kinds:
        return [f"{name}: type must be {' or '.join(kinds)}"]
    text = value.get("text")
    if not isinstance(text, str) or not text:
        return [f"{name}: must have a text"]
    return [f"{name}: must be at most {chars_max} characters"] if len(text) > chars_max else []


def _list_faults(name: str, value: object, items_max: int) -> Faults:
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        return [f"{name} must be a list of objects"]
    return [f"no more than {items_max} {name} allowed"] if len(value) > items_max else []


def _is_text(value: object, chars_max: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= chars_max
