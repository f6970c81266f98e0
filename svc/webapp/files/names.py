"""Names of files: cleaned once when they come in, so that they are safe in a URL, a header and a folder. Pure."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

__all__ = ["NAME_CHARS_MAX", "UNNAMED", "clean_name", "clean_title", "content_disposition", "url_name"]

NAME_CHARS_MAX = 255
"""The width of the column, and of a name in most file systems."""
UNNAMED = "untitled"
_ENDING_CHARS_MAX = 20
_UNFIT = frozenset('\\/:*?"<>|')
"""What some file system gives a meaning of its own."""


def clean_name(wanted: str) -> str:
    """Return `wanted` as a file's name: its last part, NFC, without what is invisible or has a meaning in a path.

    Never empty, never only dots, at most NAME_CHARS_MAX characters; of a longer one the ending stays.
    """
    last = unicodedata.normalize("NFC", wanted).replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = "".join("_" if letter in _UNFIT else letter for letter in last if _is_visible(letter)).strip()
    # A leading dot hides a file from who saved it; two lead upwards.
    name = name.lstrip(".").rstrip(". ") or UNNAMED
    if len(name) <= NAME_CHARS_MAX:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > _ENDING_CHARS_MAX:
        return name[:NAME_CHARS_MAX]
    return stem[: NAME_CHARS_MAX - len(ending) - 1] + dot + ending


def clean_title(wanted: str, name: str) -> str:
    """Return a file's title, which is only shown; its name when there is none."""
    title = "".join(letter for letter in unicodedata.normalize("NFC", wanted) if _is_visible(letter)).strip()
    return (title or name)[:NAME_CHARS_MAX]


def _is_visible(letter: str) -> bool:
    # Control and format characters (one turns the direction of writing, which hides an ending), surrogates, unassigned.
    return unicodedata.category(letter)[0] != "C"


def url_name(name: str) -> str:
    """Return the last part of a file's URL, as Slack has it: lower case, ASCII, without blanks."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    safe = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in plain).strip("._")
    return safe[-100:] or UNNAMED


def content_disposition(name: str, *, is_inline: bool) -> str:
    """Return the header by which a browser names what it saves (RFC 6266, RFC 8187)."""
    fallback = "".join(letter if " " <= letter <= "~" and letter not in '"\\%' else "_" for letter in name)
    kind = "inline" if is_inline else "attachment"
    return f"{kind}; filename=\"{fallback}\"; filename*=UTF-8''{quote(name, safe='')}"
