"""Counters of what happens many times a request: a look into a table (0.2 us), where OpenTelemetry's own take 10.

They are read when metrics are collected. A process that dies loses what was not collected, as of any counter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from opentelemetry.metrics import CallbackOptions, Meter, Observation

__all__ = ["Tally"]


class Tally:
    """One counter with labels; once a process for each name. The values of labels are bounded by whoever adds."""

    def __init__(self, meter: Meter, name: str, labels: Sequence[str], description: str) -> None:
        """`labels`: names of the labels whose values `add` is told, in this order."""
        self._labels = tuple(labels)
        self._counts: Counter[tuple[str, ...]] = Counter()
        meter.create_observable_counter(name, [self._observe], description=description)

    def add(self, times: int, *values: str) -> None:
        """Count something that happened `times` times, under these values of the labels."""
        self._counts[values] += times

    def _observe(self, _: CallbackOptions) -> Iterable[Observation]:
        # In the thread that serves metrics: a copy is made in one step, while others go on counting.
        counts = list(self._counts.items())
        return [Observation(count, dict(zip(self._labels, values, strict=True))) for values, count in counts]
