"""The metrics of an admin server: plain counts kept by the router, read when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from parley.channel.v1 import channel_service_pb2 as channel_pb2
from svc.admin.router import Router

_PREFIX = "parley_admin_"


def watch_router(meter: Meter, router: Router) -> None:
    """Publish the router's counts and sizes as OpenTelemetry instruments. Costs the hot path nothing."""
    counts = router.counts
    for name, read, what in (
        ("events", lambda: counts.events, "events taken from webapps"),
        ("delivered_events", lambda: counts.delivered, "events settled as delivered"),
        ("undelivered_events", lambda: counts.undelivered, "events given back to webapps"),
        ("invalid_events", lambda: counts.invalid, "events that an owner refused for good"),
        ("rerouted_events", lambda: counts.rerouted, "events taken to another owner by a ring move"),
        ("repeated_events", lambda: counts.repeated, "events offered again because their owner lost them soon after"),
        ("lines_lost", lambda: counts.lines_lost, "lines to channel servers that ended"),
    ):
        meter.create_observable_counter(_PREFIX + name, [_reading(read)], description=what)
    meter.create_observable_counter(
        _PREFIX + "refusals", [lambda _: _refusals(router)], description="events refused by owners, by reason"
    )
    for name, read, what in (
        ("events_under_way", lambda: router.events_under_way, "events without a settlement"),
        ("bytes_under_way", lambda: router.bytes_under_way, "bytes of events without a settlement"),
        ("ring_members", lambda: len(router.ring.members), "channel servers on the ring"),
    ):
        meter.create_observable_gauge(_PREFIX + name, [_reading(read)], description=what)


def _reading(read: Callable[[], int]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _: [Observation(read())]


def _refusals(router: Router) -> Iterable[Observation]:
    # A copy: the reader is another thread.
    for reason, count in dict(router.counts.refusals).items():
        name = channel_pb2.RefusalReason.Name(reason).removeprefix("REFUSAL_REASON_").lower()
        yield Observation(count, {"reason": name})
