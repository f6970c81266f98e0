"""What owners have just taken, to be offered again where a channel moves. Pure.

An owner may be one for a second only, and a gateway may sleep through that second: what was published to that owner
then has reached nobody who would ask for it, and no hole shows before the channel's next event. So a router offers what
it had taken there in the last seconds to the next owner too. Who has it drops it by its offset.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from parley.event.v1 import event_pb2
from svc.admin.config import RouterLimits
from svc.admin.orders import Item

__all__ = ["Recent"]


@dataclass(frozen=True, slots=True)
class _Taken:
    event: event_pb2.Event
    size: int
    owner: str
    at: float


class Recent:
    """Events that owners took in the last `limits.recent_s`, the oldest dropped first beyond its bounds."""

    def __init__(self, limits: RouterLimits) -> None:
        self._limits = limits
        self._taken: deque[_Taken] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._taken)

    def note(self, item: Item, owner: str, now: float) -> None:
        """Take in that an owner took an event. Transient ones are not worth a second try."""
        if not item.event.offset:
            return
        self._taken.append(_Taken(item.event, item.size, owner, now))
        self._bytes += item.size
        self.forget(now)

    def forget(self, now: float) -> None:
        """Drop what is too old, or too much."""
        limits, oldest = self._limits, now - self._limits.recent_s
        while self._taken and (
            self._taken[0].at < oldest
            or len(self._taken) > limits.recent_events_max
            or self._bytes > limits.recent_bytes_max
        ):
            self._bytes -= self._taken.popleft().size

    def moved(self, owner_of: Callable[[str], str], now: float) -> list[event_pb2.Event]:
        """Take out the events whose channel has another owner now, each channel's in order."""
        self.forget(now)
        kept: deque[_Taken] = deque()
        moved: list[event_pb2.Event] = []
        for taken in self._taken:
            if owner_of(taken.event.channel_id) == taken.owner:
                kept.append(taken)
            else:
                moved.append(taken.event)
                self._bytes -= taken.size
        self._taken = kept
        return sorted(moved, key=lambda event: event.offset)
