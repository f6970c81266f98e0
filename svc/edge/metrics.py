"""What an edge counts: read from its workspaces when someone asks, so that counting costs nothing meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, Observation, get_meter

from svc.edge.loader import Loader
from svc.edge.servicer import EdgeServicer
from svc.edge.workspaces import Workspaces


def measure(workspaces: Workspaces, loader: Loader, servicer: EdgeServicer) -> None:
    """Expose an edge's numbers as metrics. Once a process; the scraper's thread only reads sizes and counters."""
    meter = get_meter("parley.edge")
    gauge, counter = meter.create_observable_gauge, meter.create_observable_counter
    gauge("parley_edge_workspaces", [_reading(lambda: len(workspaces))], description="workspaces held")
    gauge("parley_edge_model_bytes", [_reading(lambda: workspaces.bytes)], description="bytes of models, estimated")
    near = servicer.nearness
    gauge("parley_edge_near_users", [_reading(lambda: len(near))], description="users whose nearest are remembered")
    gauge("parley_edge_near_bytes", [_reading(lambda: near.bytes)], description="bytes of that, estimated")
    gauge("parley_edge_readings", [_reading(lambda: servicer.readings)], description="whole models being sent")
    counter("parley_edge_changes", [_reading(lambda: workspaces.applied)], description="events applied to models")
    counter("parley_edge_gaps", [_reading(lambda: workspaces.gaps)], description="times that changes were missed")
    counter("parley_edge_evictions", [_reading(lambda: workspaces.evicted)], description="workspaces let go for room")
    counter("parley_edge_loads", [_reading(lambda: loader.loads)], description="models loaded")
    counter("parley_edge_load_failures", [_reading(lambda: loader.failures)], description="tries to load that failed")


def _reading(read: Callable[[], int]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _: [Observation(read())]
