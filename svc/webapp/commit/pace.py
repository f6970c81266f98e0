"""Pure: how long a write that comes now would wait for its commit, judged by the transactions before it.

A line that is bounded in number alone is as long in time as its store is slow: 4,096 writes are 2 s of a healthy MySQL,
and a minute of a sick one, by the end of which all callers have left. So the line is bounded in time. What nobody waits
for is let in always: it is the write by which a recovery is noticed.
"""

from __future__ import annotations


class Pace:
    """Of one lane, which has one transaction at a time."""

    def __init__(self, batch_max: int) -> None:
        """`batch_max`: writes that one transaction takes."""
        self._batch_max = batch_max
        self._took_s = 0.0
        self._began: float | None = None

    def begin(self, now: float) -> None:
        """A batch is begun."""
        self._began = now

    def end(self, now: float) -> None:
        """It is settled, well or not. A quicker one than before is believed at once, a slower one by half."""
        if self._began is not None:
            took_s = now - self._began
            self._took_s = min(took_s, (self._took_s + took_s) / 2)
        self._began = None

    def wait_s(self, pending: int, now: float) -> float:
        """Return how long the write after `pending` others that wait is likely to wait until it is committed."""
        if self._began is None:
            return 0.0
        running_s = now - self._began
        batch_s = max(self._took_s, running_s)
        return batch_s * (1 + pending // self._batch_max) + max(0.0, batch_s - running_s)
