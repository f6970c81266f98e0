"""What a search instance counts: read from its parts when someone asks, so that counting costs nothing meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, Observation, get_meter

from svc.kit.clock import Clock
from svc.webapp.search.answering import Answering
from svc.webapp.search.feeder import Feeder
from svc.webapp.search.generations import Generations

__all__ = ["lag_recorder", "measure"]


def lag_recorder() -> Callable[[float], None]:
    """Return what is told how many seconds after its commit an event was found."""
    histogram = get_meter("parley.search").create_histogram(
        "parley_search_lag_seconds",
        unit="s",
        description="from an event's commit to its being found",
        explicit_bucket_boundaries_advisory=[0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0],
    )
    return histogram.record


def measure(generations: Generations, feeder: Feeder, answering: Answering, clock: Clock) -> None:
    """Expose an instance's numbers as metrics. Once a process; the scraper's thread only reads sizes and counters."""
    meter = get_meter("parley.search")
    gauge, counter = meter.create_observable_gauge, meter.create_observable_counter

    def behind_s() -> float:
        found_until_us = feeder.found_until_us
        return max(0, clock.wall_us() - found_until_us) / 1e6 if found_until_us else 0.0

    for name, read, what in (
        ("parley_search_documents", lambda: generations.current.documents, "messages that can be found"),
        ("parley_search_building", lambda: int(generations.building is not None), "whether an index is being built"),
        ("parley_search_running", lambda: answering.running, "questions being answered, or waiting for it"),
        ("parley_search_trouble", lambda: int(bool(feeder.trouble)), "whether nothing can be added at the moment"),
    ):
        gauge(name, [_reading(read)], description=what)
    gauge("parley_search_behind_seconds", [_reading(behind_s)], description="age of what the index was last fed up to")
    counter("parley_search_answers", [_reading(lambda: answering.answered)], description="questions answered")
    counter(
        "parley_search_troubles", [_reading(lambda: feeder.troubles)], description="times that nothing could be added"
    )


def _reading(read: Callable[[], float]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _: [Observation(read())]
