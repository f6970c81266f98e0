"""The numbers of limits as one process knows them. Pure.

Each is a limit of its own, kept in step with the shared one: what this process let through, or saw there, whichever is
further. So who is early by it is early, and nobody has to be asked; a crowd is held back here, all but a burst of it;
and without the others it is what there is.
"""

from __future__ import annotations

from svc.webapp.limits.buckets import Rate, start_of

__all__ = ["NUMBERS_MAX", "Nearby"]

NUMBERS_MAX = 20_000
"""Numbers that are remembered: 4 MB. The ones that were touched longest ago are forgotten first; whoever is forgotten
while memcached is away has his bucket full again."""


class Nearby:
    """Numbers by key."""

    __slots__ = ("_numbers", "_numbers_max")

    def __init__(self, numbers_max: int = NUMBERS_MAX) -> None:
        self._numbers: dict[str, int] = {}
        self._numbers_max = numbers_max

    def __len__(self) -> int:
        return len(self._numbers)

    def wait_us(self, key: str, rate: Rate, now_us: int) -> int:
        """Return how long a call would be early, by what is known; 0: it may be allowed."""
        number = self._numbers.get(key)
        ahead_us = 0 if number is None else number + rate.interval_us - now_us
        # Further ahead than calls can push it: a clock was set back.
        return ahead_us if 0 < ahead_us <= rate.window_us + rate.interval_us else 0

    def saw(self, key: str, number: int, now_us: int) -> None:
        """Keep step with a number that was seen, without the call that it was seen by if that is refused.

        One that is far ahead, by calls that are being taken back, is taken for an empty bucket.
        """
        seen = min(number, now_us)
        if seen > self._numbers.get(key, seen - 1):
            self._put(key, seen)

    def take(self, key: str, rate: Rate, now_us: int) -> int:
        """Count a call and return 0, or return how long it is early."""
        wait_us = self.wait_us(key, rate, now_us)
        if wait_us:
            return wait_us
        full = start_of(rate, now_us)
        number = self._numbers.get(key)
        self._put(key, full if number is None or number > now_us else max(number + rate.interval_us, full))
        return 0

    def give_back(self, key: str, rate: Rate) -> None:
        """Undo a call that was counted."""
        if key in self._numbers:
            self._numbers[key] -= rate.interval_us

    def _put(self, key: str, number: int) -> None:
        self._numbers.pop(key, None)
        self._numbers[key] = number
        if len(self._numbers) > self._numbers_max:
            del self._numbers[next(iter(self._numbers))]
