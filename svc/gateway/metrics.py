"""What a gateway tells Prometheus: read from plain counters when asked for, so that fan-out pays nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from svc.gateway.admission import Admission, Arrival
from svc.gateway.apps.desk import AppDesk
from svc.gateway.door import Connections, Door
from svc.gateway.fanout.outbox import Outbox
from svc.gateway.hub import Hub
from svc.gateway.lazy.lazy import Lazy
from svc.gateway.openings import Openings
from svc.gateway.prefetch.prefetch import Prefetch
from svc.gateway.return_tickets import ReturnTickets


@dataclass(frozen=True, slots=True)
class Observed:
    """What has counters."""

    connections: Connections
    door: Door
    admission: Admission
    hub: Hub
    outbox: Outbox
    openings: Openings
    lazy: Lazy
    prefetch: Prefetch
    apps: AppDesk
    tickets: ReturnTickets


def observe_gateway(parts: Observed) -> None:
    """Report connections and what is pushed to them."""
    meter = metrics.get_meter("parley.gateway")
    connections, outbox, hub, openings = parts.connections, parts.outbox, parts.hub, parts.openings
    _gauge(meter, "parley_gateway_connections", "open connections", lambda: len(connections))
    _counter(meter, "parley_gateway_opened", "connections opened", lambda: connections.opened)
    _counter(meter, "parley_gateway_refused", "upgrades refused", lambda: parts.door.refused)
    _counter(meter, "parley_gateway_events", "events received", lambda: hub.events_in)
    _counter(meter, "parley_gateway_frames", "event frames pushed", lambda: hub.frames_out)
    _counter(meter, "parley_gateway_writes", "writes to sockets", lambda: outbox.writes)
    _counter(meter, "parley_gateway_written_bytes", "bytes written", lambda: outbox.bytes_out)
    _counter(meter, "parley_gateway_slow_consumers", "slow consumers cut off", lambda: outbox.slow_consumers)
    _counter(meter, "parley_gateway_resumed", "sessions begun with a token", lambda: openings.resumed)
    _counter(meter, "parley_gateway_vouched", "of these, whose tickets said what they follow", lambda: openings.vouched)
    _counter(meter, "parley_gateway_returned", "of these, by tickets of other gateways", lambda: openings.returned)
    _counter(meter, "parley_gateway_return_tickets", "tickets to come back with", lambda: parts.tickets.given)
    _counter(meter, "parley_gateway_resume_failures", "tokens of little use", lambda: openings.resume_failures)
    _gauge(meter, "parley_gateway_app_connections", "open Socket Mode connections", lambda: len(parts.apps))
    _counter(meter, "parley_gateway_app_acks", "envelopes acknowledged by apps", lambda: parts.apps.acks)
    _observe_admission(meter, parts.admission)
    _observe_edge(meter, parts.lazy, parts.prefetch)


def _observe_edge(meter: metrics.Meter, lazy: Lazy, prefetch: Prefetch) -> None:
    _gauge(meter, "parley_gateway_queries_open", "lazy queries under way", lambda: lazy.open)
    _counter(meter, "parley_gateway_queries", "lazy queries asked of the edge", lambda: lazy.asked)
    _counter(meter, "parley_gateway_queries_refused", "lazy queries refused: too many at once", lambda: lazy.refused)
    _counter(meter, "parley_gateway_queries_failed", "lazy queries without an answer", lambda: lazy.failed)
    _gauge(meter, "parley_gateway_prefetch_bytes", "bytes of users ready to be sent", lambda: prefetch.cached_bytes)
    _counter(meter, "parley_gateway_introduced", "users sent before a message", lambda: prefetch.introduced)
    _counter(meter, "parley_gateway_held", "times that output waited for a user", lambda: prefetch.held)
    _counter(meter, "parley_gateway_held_in_vain", "times that it waited in vain", lambda: prefetch.expired)


def _observe_admission(meter: metrics.Meter, admission: Admission) -> None:
    def report(counts: dict[Arrival, int]) -> list[Observation]:
        return [Observation(count, {"arrival": arrival.name.lower()}) for arrival, count in counts.items()]

    def admitted(_: CallbackOptions) -> Iterable[Observation]:
        return report(admission.admitted)

    def refused(_: CallbackOptions) -> Iterable[Observation]:
        return report(admission.refused)

    _gauge(meter, "parley_gateway_admit_rate", "clients let in a second at most", lambda: round(admission.rate_per_s))
    meter.create_observable_counter("parley_gateway_admitted", [admitted], description="clients let in, by arrival")
    meter.create_observable_counter("parley_gateway_deferred", [refused], description="clients told to come later")


def _gauge(meter: metrics.Meter, name: str, description: str, read: Callable[[], int]) -> None:
    meter.create_observable_gauge(name, [lambda _: [Observation(read())]], description=description)


def _counter(meter: metrics.Meter, name: str, description: str, read: Callable[[], int]) -> None:
    meter.create_observable_counter(name, [lambda _: [Observation(read())]], description=description)
