"""The metrics of a channel server: plain counts kept by the table, read when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from parley.channel.v1 import channel_service_pb2 as channel_pb2
from svc.channel.table import ChannelTable

_PREFIX = "parley_channel_"


def watch_table(meter: Meter, table: ChannelTable) -> None:
    """Publish the table's counts and sizes as OpenTelemetry instruments. Costs the hot path nothing."""
    counts = table.counts
    for name, read, what in (
        ("published_events", lambda: counts.published, "persisted events offered"),
        ("duplicate_events", lambda: counts.duplicates, "events published again"),
        ("deliveries", lambda: counts.deliveries, "events put into mailboxes of subscribers"),
        ("transient_events", lambda: counts.transients, "transient events offered"),
        ("transient_drops", lambda: counts.transients_dropped, "transient events dropped under load"),
        ("holes", lambda: counts.holes, "waits for missing events given up"),
        ("subscribers_cut_off", lambda: counts.cut_off, "subscribers that did not read or acknowledge in time"),
    ):
        meter.create_observable_counter(_PREFIX + name, [_reading(read)], description=what)
    meter.create_observable_counter(
        _PREFIX + "refusals", [lambda _: _refusals(table)], description="events refused, by reason"
    )
    for name, read, what in (
        ("attachments", lambda: len(table.audience.attachments), "subscribers attached"),
        ("channels_followed", lambda: table.rows.followed, "channels with a subscriber"),
        ("channels_active", lambda: len(table.states), "channels that have a tail"),
        ("rows", lambda: len(table.rows), "channels with a subscriber, or whose head is remembered"),
        ("slots_owned", table.ownership.owned_slots, "slots of the ring owned"),
        ("tail_bytes", lambda: table.states.tail_bytes, "bytes of recent events kept"),
        ("in_flight_bytes", lambda: table.in_flight_bytes, "bytes of publishes without an answer"),
        (
            "mailbox_events",
            lambda: sum(each.depth for each in table.audience.attachments),
            "events pending for subscribers",
        ),
        ("fenced", lambda: int(table.ownership.is_fenced), "1 while publishes are refused by the fence"),
    ):
        meter.create_observable_gauge(_PREFIX + name, [_reading(read)], description=what)


def _reading(read: Callable[[], int]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _: [Observation(read())]


def _refusals(table: ChannelTable) -> Iterable[Observation]:
    # A copy: the reader is another thread.
    for reason, count in dict(table.counts.refusals).items():
        name = channel_pb2.RefusalReason.Name(reason).removeprefix("REFUSAL_REASON_").lower()
        yield Observation(count, {"reason": name})
