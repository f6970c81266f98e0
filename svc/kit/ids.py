"""Ids and message timestamps: short, typed by their first letter, in order of time.

An id is a letter and ten characters of [0-9A-Z]: 41 bits of milliseconds since 2024 (until 2093) and 10 random bits, in
base 36. Bots match `[UW][A-Z0-9]+`, so nothing else is allowed. A message's ts is "<unix seconds>.<6 digits>".
"""

from __future__ import annotations

import re
import threading
from random import Random

from svc.kit.clock import Clock

EPOCH_US = 1_704_067_200_000_000
"""2024-01-01T00:00:00Z in microseconds: ids count from here."""

ID_LENGTH = 11
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_RANDOM_BITS = 10
_DIGITS = ID_LENGTH - 1
_ID = re.compile(r"[A-Z][0-9A-Z]{8,10}")
_TS = re.compile(r"(\d{1,11})\.(\d{6})", re.ASCII)


def id_from_number(prefix: str, number: int) -> str:
    """Return `prefix` followed by `number` in base 36, padded to ten characters. Raises ValueError beyond 36^10."""
    if not 0 <= number < 36**_DIGITS:
        raise ValueError(f"id number {number} is not in 0..36^{_DIGITS}")
    digits = []
    for _ in range(_DIGITS):
        number, digit = divmod(number, 36)
        digits.append(_ALPHABET[digit])
    return prefix + "".join(reversed(digits))


def id_number(identifier: str) -> int:
    """Return the number in an id; the inverse of `id_from_number`. Raises ValueError for anything else."""
    return int(identifier[1:], 36)


def is_id(text: str, prefixes: str = "") -> bool:
    """Tell whether `text` has an id's form, with one of the letters in `prefixes` if any are given."""
    return bool(_ID.fullmatch(text)) and (not prefixes or text[0] in prefixes)


class IdMint:
    """Makes ids that grow with time; two mints may collide in one millisecond once in 1,024 times.

    Whoever stores the id resolves that: a primary key refuses the second, and a new one is minted.
    Within one mint, ids never repeat.
    """

    def __init__(self, clock: Clock, rng: Random) -> None:
        self._clock = clock
        self._rng = rng
        self._last = 0
        self._lock = threading.Lock()

    def mint(self, prefix: str) -> str:
        """Return a fresh id that begins with `prefix`, one of the letters T U B A C G D F."""
        with self._lock:
            ms = max(0, self._clock.wall_us() - EPOCH_US) // 1000
            number = (ms << _RANDOM_BITS) | self._rng.getrandbits(_RANDOM_BITS)
            self._last = max(number, self._last + 1)
            return id_from_number(prefix, self._last)


def ts_from_us(unix_us: int) -> str:
    """Return a message ts, such as "1700000000.000100", from microseconds since the Unix epoch."""
    seconds, micros = divmod(unix_us, 1_000_000)
    return f"{seconds}.{micros:06d}"


def us_from_ts(ts: str) -> int:
    """Return microseconds from a message ts. Raises ValueError when it is not one."""
    found = _TS.fullmatch(ts)
    if found is None:
        raise ValueError(f"{ts!r} is not a timestamp such as 1700000000.000100")
    return int(found[1]) * 1_000_000 + int(found[2])
