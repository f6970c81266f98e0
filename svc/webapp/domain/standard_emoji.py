"""The emoji that everybody has: Unicode's, by the names that Slack gives them, in its categories. Pure.

The names are in standard_emoji.txt, which `python -m ops.dev.emoji_names` writes; they are read when they are first
asked for, and 2,000 of them are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["StandardEmoji", "standard_emoji"]

_FILE = Path(__file__).with_suffix(".txt")


@dataclass(frozen=True, slots=True)
class StandardEmoji:
    """What there is, whatever the workspace."""

    names: frozenset[str]
    categories: Mapping[str, Sequence[str]]
    """Names by category; names of the same emoji follow each other."""
    version: str
    """Another one when they are others."""


@cache
def standard_emoji() -> StandardEmoji:
    """Return them."""
    text = _FILE.read_text(encoding="utf-8")
    categories: dict[str, list[str]] = {}
    here: list[str] = []
    for line in text.splitlines():
        if line.startswith("# "):
            here = categories.setdefault(line[2:], [])
        else:
            here += line.split()
    names = frozenset(name for those in categories.values() for name in those)
    return StandardEmoji(names, categories, hashlib.sha256(text.encode()).hexdigest()[:12])
