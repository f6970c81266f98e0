"""What an edge counts: read from its parts when someone asks, so that counting costs nothing meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, Observation, get_meter

from svc.edge.conversations.activity import Activity
from svc.edge.conversations.members import Members
from svc.edge.following import Following
from svc.edge.freshness import Freshness
from svc.edge.loader import Loader
from svc.edge.servicer import EdgeServicer
from svc.edge.workspaces import Workspaces


def measure(workspaces: Workspaces, loader: Loader, servicer: EdgeServicer) -> None:
    """Expose an edge's numbers as metrics. Once a process; the scraper's thread only reads sizes and counters."""
    meter = get_meter("parley.edge")
    gauge, counter = meter.create_observable_gauge, meter.create_observable_counter
    gauge("parley_edge_workspaces", [_reading(lambda: len(workspaces))], description="workspaces held")
    gauge("parley_edge_model_bytes", [_reading(lambda: workspaces.bytes)], description="bytes of models, estimated")
    refused = [_reading(lambda: workspaces.refused_count)]
    gauge(
        "parley_edge_refused_workspaces", refused, description="workspaces that cannot be loaded, too large or broken"
    )
    near = servicer.nearness
    gauge("parley_edge_near_users", [_reading(lambda: len(near))], description="users whose nearest are remembered")
    gauge("parley_edge_near_bytes", [_reading(lambda: near.bytes)], description="bytes of that, estimated")
    gauge("parley_edge_readings", [_reading(lambda: servicer.readings)], description="whole models being sent")
    counter("parley_edge_changes", [_reading(lambda: workspaces.applied)], description="events applied to models")
    counter("parley_edge_gaps", [_reading(lambda: workspaces.gaps)], description="times that changes were missed")
    counter("parley_edge_evictions", [_reading(lambda: workspaces.evicted)], description="workspaces let go for room")
    counter("parley_edge_loads", [_reading(lambda: loader.loads)], description="models loaded")
    counter("parley_edge_load_failures", [_reading(lambda: loader.failures)], description="tries to load that failed")


def measure_following(activity: Activity, members: Members, freshness: Freshness, following: Following) -> None:
    """Expose what is followed, and how often it could not be answered from. Once a process."""
    meter = get_meter("parley.edge")
    gauge, counter = meter.create_observable_gauge, meter.create_observable_counter
    asking = activity.asking
    for name, read, what in (
        ("parley_edge_conversations", lambda: activity.followed_count, "conversations held and followed"),
        ("parley_edge_rosters", lambda: len(members), "conversations whose members are held"),
        ("parley_edge_roster_room", lambda: members.cost, "of the room for members, what is taken"),
    ):
        gauge(name, [_reading(read)], description=what)
    for name, read, what in (
        ("parley_edge_activity_reads", lambda: asking.reads, "reads of how far conversations have come"),
        ("parley_edge_activity_read_channels", lambda: asking.read_channels, "conversations read"),
        ("parley_edge_conversation_evictions", lambda: activity.evicted, "conversations let go for room"),
        ("parley_edge_stale_conversations", lambda: activity.stale, "asked for while their owner was not heard"),
        ("parley_edge_roster_loads", lambda: members.loads, "loads of members"),
        ("parley_edge_roster_evictions", lambda: members.evicted, "conversations' members let go for room"),
        ("parley_edge_head_reads", lambda: freshness.heads_asked, "doubts that the log had to settle"),
        ("parley_edge_refusals", lambda: freshness.refusals, "answers refused because they might be wrong"),
        ("parley_edge_rewinds", lambda: following.rewinds, "channels that had to be told again"),
    ):
        counter(name, [_reading(read)], description=what)


def _reading(read: Callable[[], int]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _: [Observation(read())]
