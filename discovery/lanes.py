"""The race for every slot at once: pure arithmetic on long integers.

Each member runs to each slot; the shortest time wins the slot. A time is drawn by a hash of (member, slot), so a
member's 16,384 times, its column, depend on nothing but its id: what makes rendezvous hashing move so little.
100 members are 1.6 million times, too many for a Python loop. So a column is one long integer with a lane of 64 bits a
slot, and the lane-wise minimum of two columns costs a few additions and masks, 0.3 ms for all slots together.

A lane, high bits first: 1 guard bit (catches the borrow of a comparison), 50 bits of time, 13 bits of the member's rank
in the order of ids (so equal times go to the smaller id, and the winner can be read off the minimum).

Times with equal weights are uniform numbers. With unequal weights they are exponential, divided by the weight: the
first of several exponential clocks is member i with probability w_i / sum(w), exactly. The map from uniform to
exponential is increasing, so both give the same order where weights are equal.
Source: Thaler & Ravishankar 1998 (rendezvous); Schindelhauer & Schomaker 2005 (weights by logarithm).
"""

import hashlib
import math
import sys
from array import array
from collections.abc import Sequence

SLOTS = 16_384
"""Slots of every ring. 100 members get 164 each, so one slot is 0.6 % of a member: fine enough to balance by."""

MEMBERS_MAX = 8_192
"""Members that 13 bits of rank can tell apart."""

WEIGHT_MAX = 1_000
"""Largest weight; keeps weight shares exact to 0.2 % in 18 bits of reciprocal."""

_HALF = SLOTS // 2
_RANK_BITS = 13
_LANE_BITS = 64
_GUARD_SHIFT = _LANE_BITS - 1
_ONES = int.from_bytes((1).to_bytes(8, "little") * SLOTS, "little")
_GUARDS = _ONES << _GUARD_SHIFT
_HALF_WORDS = int.from_bytes((0xFFFF_FFFF).to_bytes(8, "little") * _HALF, "little")
_HIGH_28 = int.from_bytes((0xFFFF_FFF0).to_bytes(4, "little") * SLOTS, "little")
_LOW_12 = int.from_bytes((0xFFF).to_bytes(4, "little") * SLOTS, "little")
_LOW_16 = int.from_bytes((0xFFFF).to_bytes(4, "little") * SLOTS, "little")
_RECIPROCAL_ONE = 1 << 17


def log_table() -> list[int]:
    """Return -ln(1 - h/4096) for h = 0..4095 in units of 2^-12, shifted up by 16 bits: 32 bits.

    Strictly increasing, as the slope is at least 1. No entry lies within 1e-7 of a rounding edge (a test checks), so
    that every platform's logarithm gives the same table.
    """
    return [int(-math.log1p(-h / 4_096) * 4_096) << 16 for h in range(4_096)]


class Columns:
    """A bounded cache of the members' columns: rebuilding after one change then hashes one member, not all.

    64 KiB a member, at most `limit` of them (the oldest goes first); losing it costs time only. Not needed for a
    correct ring: any two caches give equal columns.
    """

    def __init__(self, limit: int = 1_024) -> None:
        """Keep at most `limit` columns: 64 MiB at 1,024."""
        self._limit = limit
        self._kept: dict[tuple[str, bool], array[int]] = {}
        self._logs: list[int] = []

    def __len__(self) -> int:
        """Return how many columns are kept."""
        return len(self._kept)

    def words(self, member_id: str, exponential: bool) -> "array[int]":
        """Return the member's times to all slots, 32-bit numbers: uniform (28 random bits), or exponential (2^-28)."""
        key = (member_id, exponential)
        column = self._kept.get(key)
        if column is None:
            if len(self._kept) >= self._limit:
                del self._kept[next(iter(self._kept))]
            column = self._kept[key] = self._exponential(member_id) if exponential else _uniform(member_id)
        return column

    def _exponential(self, member_id: str) -> "array[int]":
        if not self._logs:
            self._logs = log_table()
        uniform = int.from_bytes(_bytes(_uniform(member_id)), "little")
        high = _array("I", ((uniform >> 20) & _LOW_12).to_bytes(4 * SLOTS, "little"))
        logs = _bytes(array("I", list(map(self._logs.__getitem__, high))))
        low = (uniform >> 4) & _LOW_16
        return _array("I", (int.from_bytes(logs, "little") | low).to_bytes(4 * SLOTS, "little"))


def reciprocal(weight: int) -> int:
    """Return what the exponential times of a member of this weight are multiplied by (18 bits)."""
    return _RECIPROCAL_ONE // weight


def word_of_slot(slot: int) -> int:
    """Return where a column's words hold `slot`: even words are the lower half of the slots, odd ones the upper."""
    return 2 * slot if slot < _HALF else 2 * (slot - _HALF) + 1


def winners(columns: Sequence["array[int]"], factors: Sequence[int]) -> list[int]:
    """Return for each slot the rank of the member with the shortest time (word x factor); ties go to the lower rank."""
    best = _lanes(columns[0], factors[0])
    for rank in range(1, len(columns)):
        lanes = _lanes(columns[rank], factors[rank]) | (_ONES * rank)
        slower = ((lanes | _GUARDS) - best) & _GUARDS  # the guard survives where lanes >= best
        best = lanes ^ ((lanes ^ best) & (slower - (slower >> _GUARD_SHIFT)))
    mask = (1 << _RANK_BITS) - 1
    return [lane & mask for lane in _array("Q", best.to_bytes(8 * SLOTS, "little"))]


def _lanes(words: "array[int]", factor: int) -> int:
    """Spread 32-bit words into 64-bit lanes, multiply each by `factor`, and leave room for the rank."""
    packed = int.from_bytes(_bytes(words), "little")
    spread = (packed & _HALF_WORDS) | (((packed >> 32) & _HALF_WORDS) << (_LANE_BITS * _HALF))
    return spread * (factor << _RANK_BITS)


def _uniform(member_id: str) -> "array[int]":
    digest = hashlib.shake_128(b"parley-ring-1\0" + member_id.encode()).digest(4 * SLOTS)
    return _array("I", (int.from_bytes(digest, "little") & _HIGH_28).to_bytes(4 * SLOTS, "little"))


def _array(code: str, data: bytes) -> "array[int]":
    """Return little-endian bytes as numbers, on machines of either byte order."""
    numbers = array(code, data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _bytes(numbers: "array[int]") -> bytes:
    """Return numbers as little-endian bytes, on machines of either byte order."""
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()
