"""What whoever follows channels tells Prometheus: read from plain counters when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from svc.feed.feed import Feed


def observe_feed(feed: Feed) -> None:
    """Report a feed; shared names, whichever tier follows channels."""
    meter = metrics.get_meter("parley.feed")

    def resubscribed(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(count, {"cause": cause.value}) for cause, count in feed.stats().asked.items()]

    meter.create_observable_counter(
        "parley_feed_resubscribed_channels", [resubscribed], description="channels asked for at a server, by cause"
    )
    _gauge(meter, "parley_feed_channels", "channels followed", lambda: feed.stats().channels)
    _gauge(meter, "parley_feed_unsettled_channels", "channels not at their owner", lambda: feed.stats().unsettled)
    _gauge(meter, "parley_feed_uplinks", "open lines to channel servers", lambda: feed.stats().uplinks_open)
    _counter(meter, "parley_feed_holes", "holes noticed", lambda: feed.stats().holes)
    _counter(meter, "parley_feed_duplicates", "events seen before", lambda: feed.stats().duplicates)
    _counter(meter, "parley_feed_log_reads", "reads of the log", lambda: feed.stats().log_reads)
    _counter(meter, "parley_feed_filled_events", "events from the log", lambda: feed.stats().events_filled)
    _counter(meter, "parley_feed_losses", "holes that could not be filled", lambda: feed.stats().losses)


def _gauge(meter: metrics.Meter, name: str, description: str, read: Callable[[], int]) -> None:
    meter.create_observable_gauge(name, [lambda _: [Observation(read())]], description=description)


def _counter(meter: metrics.Meter, name: str, description: str, read: Callable[[], int]) -> None:
    meter.create_observable_counter(name, [lambda _: [Observation(read())]], description=description)
