"""Pure: the frames that a client sends, from its bytes (RFC 6455 §5).

Everything that the RFC forbids a client is refused here frame by frame: bits and kinds that nobody agreed on, frames
without a mask, lengths that are longer than need be, control frames that are large or in parts, and Close frames with
codes that may not be sent. What a message is, in parts or whole, is the connection's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from svc.gateway.close_codes import CloseCode

CONTROL_BYTES_MAX = 125
_CODES = frozenset({*range(1000, 1004), *range(1007, 1015)})
"""That a Close may have, below those for everybody's own use (3000 to 4999). Source: RFC 6455 §7.4, IANA's registry."""


class Kind(IntEnum):
    """What a frame is; those from CLOSE on are control frames."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


_KINDS = {int(kind): kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, unmasked."""

    kind: Kind
    is_final: bool
    payload: bytes


class Broken(Exception):
    """The client broke the protocol or a limit; nothing after this can be read."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def read_frame(data: bytes | bytearray, at: int, bytes_max: int) -> tuple[Frame, int] | None:
    """Return the frame that begins at `at`, and where the next one does; None when it is not whole yet.

    A payload of more than `bytes_max` bytes is refused before it comes. Raises Broken.
    """
    if len(data) - at < 2:
        return None
    first, size = data[at], data[at + 1] & 0x7F
    kind, place = _kind(first, data[at + 1]), at + 2
    if size > CONTROL_BYTES_MAX:
        place += 2 if size == 126 else 8
        if len(data) < place:
            return None
        size = _long_size(data, at + 2, place)
        if size > bytes_max:
            raise Broken(CloseCode.TOO_BIG, f"a message has at most {bytes_max} bytes")
    end = place + 4 + size
    if len(data) < end:
        return None
    frame = Frame(kind, bool(first & 0x80), _unmasked(data, place, end))
    if kind == Kind.CLOSE:
        _check_close(frame.payload)
    return frame, end


def _kind(first: int, second: int) -> Kind:
    """Return what the first two bytes begin."""
    kind = _KINDS.get(first & 0x0F)
    if first & 0x70:
        raise Broken(CloseCode.PROTOCOL_ERROR, "no extension was negotiated")
    if kind is None:
        raise Broken(CloseCode.PROTOCOL_ERROR, "there is no such kind of frame")
    if not second & 0x80:
        raise Broken(CloseCode.PROTOCOL_ERROR, "a client's frame is masked")
    if kind >= Kind.CLOSE and (second & 0x7F > CONTROL_BYTES_MAX or not first & 0x80):
        raise Broken(CloseCode.PROTOCOL_ERROR, "a control frame is short, and whole")
    return kind


def _long_size(data: bytes | bytearray, start: int, end: int) -> int:
    size = int.from_bytes(data[start:end])
    if size <= CONTROL_BYTES_MAX if end - start == 2 else size < 65_536 or size >> 63:
        raise Broken(CloseCode.PROTOCOL_ERROR, "a length is said in as few bytes as can be")
    return size


def _unmasked(data: bytes | bytearray, start: int, end: int) -> bytes:
    """Return the payload behind a mask, by one operation on numbers of its size."""
    size = end - start - 4
    if not size:
        return b""
    mask = (bytes(data[start : start + 4]) * (size // 4 + 1))[:size]
    return (int.from_bytes(data[start + 4 : end]) ^ int.from_bytes(mask)).to_bytes(size)


def _check_close(payload: bytes) -> None:
    if not payload:
        return
    code = int.from_bytes(payload[:2])
    if len(payload) == 1 or not (code in _CODES or 3000 <= code <= 4999):
        raise Broken(CloseCode.PROTOCOL_ERROR, "a Close has a code that may be sent, or none")
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        raise Broken(CloseCode.INVALID_TEXT, "text must be UTF-8") from None
