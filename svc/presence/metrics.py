"""What a presence server counts: read from its board when someone asks, so that counting costs nothing meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, Observation, get_meter

from svc.presence.board import Board


def measure(board: Board) -> None:
    """Expose a board's numbers as metrics. Once a process; the scraper's thread only reads sizes and counters."""
    meter = get_meter("parley.presence")
    gauge, counter = meter.create_observable_gauge, meter.create_observable_counter
    gauge(
        "parley_presence_users",
        [_reading(lambda: board.user_count)],
        description="users with sessions, or within the grace after them",
    )
    gauge("parley_presence_gateways", [_reading(lambda: board.gateway_count)], description="gateways believed")
    gauge("parley_presence_watched_users", [_reading(lambda: board.watched_count)], description="users someone watches")
    counter("parley_presence_changes", [_reading(lambda: board.announced)], description="changes of state announced")
    counter(
        "parley_presence_refused_users",
        [_reading(lambda: board.refused_count)],
        description="reports of new users turned away because the roster is full",
    )
    counter(
        "parley_presence_left_out",
        [_reading(lambda: board.left_out_count)],
        description="users that gateways wanted to watch beyond PARLEY_PRESENCE_WATCHED_MAX",
    )


def _reading(read: Callable[[], int]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _: [Observation(read())]
