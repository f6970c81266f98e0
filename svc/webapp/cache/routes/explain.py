"""What a tree would do with a key, drawn for people. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from svc.webapp.cache.routes.route import Explained

__all__ = ["as_json", "lines"]


def lines(explained: Explained, depth: int = 0) -> Iterator[str]:
    """Yield a line for each handle, children indented below it."""
    note = f": {explained.note}" if explained.note else ""
    yield f"{'  ' * depth}{explained.handle}{note}"
    for child in explained.children:
        yield from lines(child, depth + 1)


def as_json(explained: Explained) -> dict[str, Any]:
    """Return the same as objects and lists."""
    children = [as_json(child) for child in explained.children]
    return {"handle": explained.handle, "note": explained.note, "children": children}
