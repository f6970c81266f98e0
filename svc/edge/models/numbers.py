"""Pure: ids as numbers, so that tables of them are small: a number takes 32 bytes where the id's text takes 64.

The whole id is read in base 36, its letter too. The letter is never zero, so each id has a number of its own whatever
its length, and U…, W… and C… never meet. Numbers fit 57 bits.
"""

from __future__ import annotations

from svc.kit.ids import is_id

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def number_of(identifier: str) -> int | None:
    """Return the number of an id; None for a text without an id's form. 0.4 us."""
    return int(identifier, 36) if is_id(identifier) else None


def id_of(number: int) -> str:
    """Return the id of a number that `number_of` gave; the inverse. 1 us."""
    digits = []
    while number:
        number, digit = divmod(number, 36)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
