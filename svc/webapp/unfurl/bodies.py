"""A body that is taken in up to a bound, packed or not: what is beyond it is never unpacked. Pure."""

from __future__ import annotations

import zlib

__all__ = ["CODINGS", "Body", "BodyError"]

CODINGS = "gzip, deflate"
"""What may be done to a body on its way; asked for by the request."""
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 47}
"""zlib's `wbits`: gzip alone; either kind that is called deflate."""


class BodyError(ValueError):
    """A body that cannot be read: of an unknown coding, or damaged."""


class Body:
    """Bytes as they come, up to `bytes_max` of them unpacked."""

    def __init__(self, coding: str, bytes_max: int) -> None:
        """`coding`: of Content-Encoding. Raises BodyError for one that was not asked for."""
        coding = coding.strip().lower()
        if coding not in ("", "identity") and coding not in _WINDOWS:
            raise BodyError(f"a body packed by {coding[:20]!r}")
        self._inflate = zlib.decompressobj(_WINDOWS[coding]) if coding in _WINDOWS else None
        self._bytes_max = bytes_max
        self._taken = 0
        self.content = bytearray()

    @property
    def is_full(self) -> bool:
        """Whether nothing more is taken in."""
        packed_full = self._taken >= self._bytes_max
        ended = self._inflate is not None and self._inflate.eof
        return packed_full or ended or len(self.content) >= self._bytes_max

    def take(self, part: bytes) -> None:
        """Take in some bytes as they came. Raises BodyError for damaged ones."""
        part = part[: max(0, self._bytes_max - self._taken)]
        self._taken += len(part)
        room = self._bytes_max - len(self.content)
        if room <= 0 or not part:
            return
        if self._inflate is None:
            self.content += part[:room]
            return
        try:
            # What is left over when there is no room is dropped with this object: it is full then.
            self.content += self._inflate.decompress(part, room)
        except zlib.error as error:
            raise BodyError(f"a damaged body: {error}") from None
