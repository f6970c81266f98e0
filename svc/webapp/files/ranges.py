"""Which part of a file a request wants (RFC 9110, 13 and 14). Pure.

One range is served; of several, which nobody who downloads files asks for, the whole file is, as the RFC allows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Part", "etag_matches", "part_of"]

_RANGE = re.compile(r"bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes from `start` to before `stop`. `status`: 200 for all, 206 for a part, 416 for one that is not there."""

    start: int
    stop: int
    status: int


def part_of(size: int, wanted: str, if_range: str, etag: str) -> Part:
    """Return what to send of a file of `size` bytes. `wanted`, `if_range`: the headers of these names, "" if absent."""
    whole = Part(0, size, 200)
    found = _RANGE.fullmatch(wanted.strip()) if wanted else None
    if found is None or (if_range and if_range.strip() != etag):
        return whole
    first, last = found.groups()
    if not first and not last:
        return whole
    if not first:
        start, stop = max(0, size - int(last)), size
        return Part(start, stop, 206) if int(last) and size else Part(0, 0, 416)
    start = int(first)
    stop = min(size, int(last) + 1) if last else size
    if last and int(last) < start:
        return whole
    return Part(start, stop, 206) if start < size else Part(0, 0, 416)


def etag_matches(if_none_match: str, etag: str) -> bool:
    """Tell whether the client has this version already."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in tags or etag in tags
