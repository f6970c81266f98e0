"""Hit rates over the last ten seconds, from counters that nodes keep since they started. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["GETS_MIN", "WINDOW_S", "HitRates", "Rate"]

WINDOW_S = 10.0
"""Long enough to be steady at 100 gets/s, short enough to see a pool recover."""
GETS_MIN = 100
"""Fewer gets in a window say nothing about a rate: one get more or less would be a percent."""
_SAMPLES_MAX = 64


@dataclass(frozen=True, slots=True)
class Rate:
    """What happened in a window."""

    hits: int = 0
    gets: int = 0
    seconds: float = 0.0
    """What the window really covers; less than WINDOW_S at first."""

    @property
    def hit_rate(self) -> float | None:
        """Hits a get, 0 to 1; None when there were fewer than GETS_MIN."""
        return self.hits / self.gets if self.gets >= GETS_MIN else None

    @property
    def gets_s(self) -> float:
        """Gets a second."""
        return self.gets / self.seconds if self.seconds else 0.0


class HitRates:
    """Counters of nodes by address, as they were read. Holds 64 samples a node at most."""

    def __init__(self) -> None:
        """Start without any."""
        self._samples: dict[str, deque[tuple[float, int, int]]] = {}

    def note(self, address: str, now: float, hits: int, misses: int) -> None:
        """Take in what a node said at `now`, seconds. Counters that went back are those of a node started anew."""
        samples = self._samples.setdefault(address, deque(maxlen=_SAMPLES_MAX))
        if samples and (hits < samples[-1][1] or misses < samples[-1][2]):
            samples.clear()
        samples.append((now, hits, misses))
        while len(samples) > 2 and samples[1][0] <= now - WINDOW_S:
            samples.popleft()

    def keep(self, addresses: Iterable[str]) -> None:
        """Forget all other nodes."""
        wanted = set(addresses)
        for address in self._samples.keys() - wanted:
            del self._samples[address]

    def of(self, addresses: Iterable[str], now: float) -> Rate:
        """Return the rate of some nodes together; what was not heard of within the window does not count."""
        hits = gets = 0
        seconds = 0.0
        for address in addresses:
            samples = self._samples.get(address)
            if not samples or samples[-1][0] <= now - WINDOW_S:
                continue
            (began, hits_then, misses_then), (ended, hits_now, misses_now) = samples[0], samples[-1]
            hits += hits_now - hits_then
            gets += hits_now - hits_then + misses_now - misses_then
            seconds = max(seconds, ended - began)
        return Rate(hits, gets, seconds)
