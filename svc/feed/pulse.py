"""How level a line is with its server, by our own clock. Pure; time is told.

A ping comes back behind everything that the server had fanned out when it read it. So whoever has read the pong has all
that was fanned out before the ping was *sent*, however long the two were under way: a process that slept, or a line
that stood still, is never taken for a level one. No clocks are compared.
"""

from __future__ import annotations

import math
from collections import deque

PINGS_MAX = 16
"""Pings that may be unanswered; a line that answers none is not asked more, and says so by its age."""


class Pulse:
    """The pings of one line, sent every `every_s` seconds while the line stands."""

    __slots__ = ("_every_s", "_next_at", "_number", "_sent", "level_at")

    def __init__(self, every_s: float) -> None:
        """Level with nothing yet."""
        self._every_s = every_s
        self._next_at = -math.inf
        self._number = 0
        self._sent: deque[tuple[int, float]] = deque()
        self.level_at = -math.inf
        """Everything that was fanned out to us before this time (monotonic seconds) has been read."""

    def due(self, now: float) -> int | None:
        """Return the number of the ping to send now; None when it is not time for one."""
        if now < self._next_at or len(self._sent) >= PINGS_MAX:
            return None
        self._next_at = now + self._every_s
        self._number += 1
        self._sent.append((self._number, now))
        return self._number

    def answered(self, number: int, is_proof: bool) -> None:
        """Take a pong. `is_proof`: the server takes events, and goes by the ring that we go by."""
        while self._sent and self._sent[0][0] <= number:
            answered, sent_at = self._sent.popleft()
            if answered == number and is_proof:
                self.level_at = sent_at

    def stop(self) -> None:
        """The line is gone. Pongs of it never come; numbers go on, so none is taken for one of the next line's."""
        self._sent.clear()
        self._next_at = self.level_at = -math.inf
