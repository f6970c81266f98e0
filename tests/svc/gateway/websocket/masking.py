"""A client's frames as bytes, sound and otherwise."""

from __future__ import annotations


def masked(first: int, payload: bytes, mask: bytes = b"\x12\x34\x56\x78", width: int | None = None) -> bytes:
    """Return a frame; `width`: bytes of its length beside the usual seven bits, where they are not to be the fewest."""
    size = len(payload)
    if width is None:
        width = 0 if size < 126 else 2 if size < 65_536 else 8
    length = size if width == 0 else 126 if width == 2 else 127
    hidden = bytes(each ^ mask[place % 4] for place, each in enumerate(payload))
    return bytes((first, 0x80 | length)) + (size.to_bytes(width) if width else b"") + mask + hidden


def unmasked(first: int, payload: bytes) -> bytes:
    """Return a short frame as only a server may send it."""
    return bytes((first, len(payload))) + payload
