"""memcached's meta protocol, pure: requests as bytes, answers from bytes.

Used: mg (get, with a lease on a miss), ms (set, only by the holder of the lease), md (delete), mn (are you there).
Source: memcached's doc/protocol.txt, "Meta Commands"; 1.6.18 and later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Answer", "Parser", "ProtocolViolation", "delete", "flush", "get", "is_key", "noop", "store"]

LINE_BYTES_MAX = 2048
"""Of an answer's first line: a key of 250 and a few flags."""
VALUE_BYTES_MAX = 1024 * 1024
"""memcached's own default limit of an item."""
_KEY = re.compile(rb"[!-~]{1,250}")
_STATUSES = frozenset((b"VA", b"HD", b"EN", b"NF", b"NS", b"EX", b"MN", b"OK"))


class ProtocolViolation(Exception):
    """The other side does not speak the protocol, or lost the thread; the connection is of no more use."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. VA: a value; HD: done; EN, NF: not there; NS, EX: not stored, another came between; MN, OK: yes."""

    status: bytes
    value: bytes = b""
    cas: int = 0
    """Names this version of the item; 0 when it was not asked for."""
    won: bool = False
    """The lease is ours: we load the value, and nobody else does meanwhile."""
    lost: bool = False
    """Somebody else holds the lease."""


def is_key(key: str) -> bool:
    """Tell whether memcached takes a key: 1 to 250 printable ASCII characters without spaces."""
    return bool(_KEY.fullmatch(key.encode()))


def get(key: str, lease_s: int, refresh_s: int) -> bytes:
    """Ask for a value. A miss leaves an empty item for `lease_s`, whose cas is the lease; with less than `refresh_s` to
    live, the value comes with the lease to one caller.
    """
    return f"mg {key} v c N{lease_s} R{refresh_s}\r\n".encode()


def store(key: str, value: bytes, ttl_s: int, cas: int) -> bytes:
    """Set a value, if nobody has changed or deleted the item since its `cas` was read."""
    return b"ms %b %d T%d C%d\r\n%b\r\n" % (key.encode(), len(value), ttl_s, cas, value)


def delete(key: str, cas: int = 0) -> bytes:
    """Delete an item, lease and all; with `cas`, only that version of it."""
    return f"md {key} C{cas}\r\n".encode() if cas else f"md {key}\r\n".encode()


def flush() -> bytes:
    """Delete everything."""
    return b"flush_all\r\n"


def noop() -> bytes:
    """Ask for a sign of life."""
    return b"mn\r\n"


class Parser:
    """Cuts a stream of bytes into answers. Holds at most one unfinished answer."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Answer]:
        """Return the answers that `data` completes. Raises ProtocolViolation."""
        self._buffer += data
        found: list[Answer] = []
        start = 0
        while True:
            end = self._buffer.find(b"\r\n", start)
            if end < 0:
                break
            answer, after = self._answer(start, end)
            if answer is None:
                break
            found.append(answer)
            start = after
        del self._buffer[:start]
        if len(self._buffer) > VALUE_BYTES_MAX + LINE_BYTES_MAX:
            raise ProtocolViolation("an answer does not end")
        return found

    def _answer(self, start: int, end: int) -> tuple[Answer | None, int]:
        """Return the answer whose first line is at start..end, and where it ends; None while its value is not here."""
        words = bytes(self._buffer[start:end]).split(b" ")
        status = words[0]
        if status not in _STATUSES:
            raise ProtocolViolation(f"answered {bytes(self._buffer[start:end])[:80]!r}")
        if status != b"VA":
            return Answer(status), end + 2
        size = _number(words[1] if len(words) > 1 else b"")
        if size > VALUE_BYTES_MAX:
            raise ProtocolViolation(f"a value of {size} bytes")
        value_at, after = end + 2, end + 4 + size
        if len(self._buffer) < after:
            return None, start
        if self._buffer[after - 2 : after] != b"\r\n":
            raise ProtocolViolation("a value is longer than it says")
        flags = words[2:]
        cas = next((_number(flag[1:]) for flag in flags if flag.startswith(b"c")), 0)
        value = bytes(self._buffer[value_at : value_at + size])
        return Answer(status, value, cas, won=b"W" in flags, lost=b"Z" in flags), after


def _number(text: bytes) -> int:
    if not text.isdigit():
        raise ProtocolViolation(f"{text[:20]!r} is not a number")
    return int(text)
