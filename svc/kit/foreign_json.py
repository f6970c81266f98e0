"""JSON as it comes from outside: read only as deep as it can be written again. Pure."""

from __future__ import annotations

from typing import Any

import orjson

__all__ = ["NESTING_MAX", "read_json"]

NESTING_MAX = 100
"""Lists and objects within each other.

orjson reads 1,024 levels and writes 254, so what is taken any deeper could be kept and never shown. The rest is for
what it is put into: a message, its event, a page of them. Slack's deepest blocks have under twenty.
"""


def read_json(text: bytes | str) -> Any:
    """Return what `text` says. Raises orjson.JSONDecodeError, also for what is nested more than NESTING_MAX deep."""
    found = orjson.loads(text)
    # Counting brackets takes a thousandth of reading; what has few of them cannot be deep.
    opening = (b"[", b"{") if isinstance(text, bytes) else ("[", "{")
    if sum(map(text.count, opening)) > NESTING_MAX and _is_deep(found):  # type: ignore[arg-type]
        raise orjson.JSONDecodeError(f"nested more than {NESTING_MAX} deep", "", 0)
    return found


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(NESTING_MAX):
        level = [inner for each in level for inner in _within(each) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _within(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
