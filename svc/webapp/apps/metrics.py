"""What a webapp tells of its apps: read from plain counters when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from svc.webapp.apps.owner import AppOwner

__all__ = ["observe_apps"]


def observe_apps(owner: AppOwner) -> None:
    """Report the apps that are ours, and what was delivered to them."""
    meter = metrics.get_meter("parley.apps")
    tally = owner.tally

    def outcomes(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(count, {"outcome": outcome.value}) for outcome, count in tuple(tally.outcomes.items())]

    meter.create_observable_counter("parley_apps_events", [outcomes], description="events for apps, by outcome")
    _gauge(meter, "parley_apps_owned", "apps that are ours", lambda: owner.app_count)
    _gauge(meter, "parley_apps_connections", "Socket Mode connections of our apps", lambda: owner.connection_count)
    _gauge(meter, "parley_apps_pending", "events read and not delivered", lambda: owner.pending)
    _counter(meter, "parley_apps_lost", "events gone from the log before they were read", lambda: tally.lost)
    _counter(meter, "parley_apps_taken", "times that an app was taken over", lambda: tally.taken)
    _counter(meter, "parley_apps_fenced", "saves refused, for another had taken the app", lambda: tally.unsaved)


def _gauge(meter: metrics.Meter, name: str, description: str, read: Callable[[], int]) -> None:
    meter.create_observable_gauge(name, [lambda _: [Observation(read())]], description=description)


def _counter(meter: metrics.Meter, name: str, description: str, read: Callable[[], int]) -> None:
    meter.create_observable_counter(name, [lambda _: [Observation(read())]], description=description)
