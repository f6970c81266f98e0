"""How large a picture is, by its first bytes. Pure."""

from __future__ import annotations

import struct
from io import BytesIO

import imagesize

__all__ = ["HEAD_BYTES", "dimensions"]

HEAD_BYTES = 128 * 1024
"""Of a file, enough for what a camera writes before a JPEG's size."""

_TURNED = frozenset({5, 6, 7, 8})
"""EXIF orientations by which a picture is shown lying on its side."""
_BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"RIFF")


def dimensions(head: bytes) -> tuple[int, int] | None:
    """Return (width, height) as the picture is shown, in pixels; None for what is no PNG, JPEG, GIF or WebP.

    What a header claims, up to 2^31; nothing is decoded.
    """
    if not head.startswith(_BEGINNINGS):
        return None
    try:
        info = imagesize.get_info(BytesIO(head), dpi=False, colors=False, channels=False)
    except (ValueError, OSError, IndexError, KeyError, OverflowError, struct.error):
        return None  # a damaged or foreign header: a file like any other
    width, height = int(info.width), int(info.height)
    if not (0 < width < 1 << 31 and 0 < height < 1 << 31):
        return None
    return (height, width) if info.rotation in _TURNED else (width, height)
