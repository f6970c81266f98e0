"""Counters that are read when metrics are collected."""

from __future__ import annotations

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, Sum

from svc.kit.tally import Tally


def test_what_was_counted_is_told_by_its_labels_whenever_it_is_asked_for() -> None:
    """A monotonic sum for each combination of labels: nothing is told twice, nothing forgotten."""
    reader = InMemoryMetricReader()
    tally = Tally(MeterProvider([reader]).get_meter("test"), "boots", ("kind", "by"), "boots")
    tally.add(1, "slim", "edge")
    tally.add(2, "slim", "rows")
    assert _told(reader) == {("slim", "edge"): 1, ("slim", "rows"): 2}
    tally.add(3, "slim", "edge")
    assert _told(reader) == {("slim", "edge"): 4, ("slim", "rows"): 2}


def _told(reader: InMemoryMetricReader) -> dict[tuple[object, object], float]:
    data = reader.get_metrics_data()
    assert data is not None
    metric = data.resource_metrics[0].scope_metrics[0].metrics[0]
    assert isinstance(metric.data, Sum)
    assert metric.data.is_monotonic
    told = [(point.attributes or {}, point.value) for point in metric.data.data_points]
    return {(labels["kind"], labels["by"]): value for labels, value in told}
