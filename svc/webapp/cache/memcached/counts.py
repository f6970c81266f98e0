"""What happened to requests, as plain counts that a metrics reader looks at when it wants to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from svc.webapp.cache.memcached.health import NodeState

__all__ = ["NodeCounts", "watch_nodes"]

_PREFIX = "parley.webapp.cache.node."


@dataclass(slots=True)
class NodeCounts:
    """Of all nodes of a process, or of one; whoever makes the nodes decides."""

    gets: int = 0
    """Keys asked for, answered or not."""
    unanswered: int = 0
    """No answer in time, or not asked because the node is away or has too much to do."""
    misses: int = 0
    """Of those: answered, and there was no value."""
    leases_won: int = 0
    """With a miss, a stale value or one about to expire."""
    fills_dropped: int = 0
    """Values that were not sent: the connection had gone, or they were too large."""
    additions: int = 0
    """To shared numbers; those without an answer in time count as `unanswered`."""
    deletes: int = 0
    """Keys."""
    undelivered: int = 0
    """Of those: not known to be done within the deadline; done before the node is read again."""
    knockouts: int = 0
    """Times that a node counted as dead."""
    flushes: int = 0
    """Times that a node was emptied, because too many deletions had been missed."""


def watch_nodes(meter: Meter, counts: NodeCounts, states: Callable[[], Iterable[NodeState]]) -> None:
    """Publish counts, and how many nodes are in which state, as OpenTelemetry instruments. No address is a label.

    `states`: called in the reader's thread.
    """
    for name, read, what in (
        ("gets", lambda: counts.gets, "keys asked for"),
        ("unanswered", lambda: counts.unanswered, "keys asked for without an answer in time"),
        ("misses", lambda: counts.misses, "keys that were not there"),
        ("leases_won", lambda: counts.leases_won, "leases to fill a key"),
        ("fills_dropped", lambda: counts.fills_dropped, "values that were not sent to their node"),
        ("additions", lambda: counts.additions, "additions to shared numbers"),
        ("deletes", lambda: counts.deletes, "keys deleted"),
        ("undelivered", lambda: counts.undelivered, "deletions not known to be done in time"),
        ("knockouts", lambda: counts.knockouts, "times that a node counted as dead"),
        ("flushes", lambda: counts.flushes, "nodes emptied for having missed too many deletions"),
    ):
        meter.create_observable_counter(_PREFIX + name, [_reading(read)], description=what)
    meter.create_observable_gauge("parley.webapp.cache.nodes", [_by_state(states)], description="nodes by state")


def _reading(read: Callable[[], int]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _: [Observation(read())]


def _by_state(states: Callable[[], Iterable[NodeState]]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def read(_: CallbackOptions) -> Iterable[Observation]:
        now = Counter(states())
        return [Observation(now[state], {"state": state.value}) for state in NodeState]

    return read
