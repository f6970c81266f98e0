"""What is known of addresses and hosts for a while: bounded, the least used forgotten first. Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

__all__ = ["Paces", "Shelf"]

T = TypeVar("T")


class Shelf(Generic[T]):
    """Values by key, each until its time; at most `size_max` of them."""

    def __init__(self, size_max: int) -> None:
        self._size_max = size_max
        self._kept: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str, now: float) -> tuple[T] | None:
        """Return (value,), or None when there is none, or its time is over."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept[0] <= now:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return (kept[1],)

    def put(self, key: str, value: T, until: float) -> None:
        """Keep a value until a time."""
        self._kept[key] = (until, value)
        self._kept.move_to_end(key)
        while len(self._kept) > self._size_max:
            self._kept.popitem(last=False)


class Paces:
    """How often each host may be asked: `burst` times at once, and then every `interval_s`."""

    def __init__(self, burst: int, interval_s: float, hosts_max: int) -> None:
        """Of more than `hosts_max` the one that was asked longest ago is forgotten, and may be asked a burst again."""
        self._window_s = burst * interval_s
        self._interval_s = interval_s
        self._next: Shelf[float] = Shelf(hosts_max)

    def may_ask(self, host: str, now: float) -> bool:
        """Tell whether a host may be asked now, and count it if so."""
        found = self._next.get(host, now)
        # The generic cell rate algorithm: a time that every question pushes forward, up to a window ahead of now.
        then = max(found[0] if found else now, now) + self._interval_s
        if then > now + self._window_s + 1e-9:
            return False
        self._next.put(host, then, then)
        return True
