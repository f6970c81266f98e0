"""Logs, traces and metrics of one instance (OpenTelemetry): JSON logs on stderr, spans by OTLP, Prometheus by HTTP.

Streams carry many requests in one call, so trace context travels inside each event (`traceparent`) instead of in call
metadata, and only for sampled ones: the rest cost nothing.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry import metrics, trace
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import REGISTRY, start_http_server

from svc.kit.config import InstanceConfig

_PROPAGATOR = TraceContextTextMapPropagator()
_SPAN_EXPORT_DELAY_MS = 500
"""Spans leave the process within half a second: there when someone looks for the request just made."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What an instance registers about its telemetry."""

    metrics_port: int


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the instance, and the trace it belongs to."""

    def __init__(self, instance_id: str) -> None:
        super().__init__()
        self._instance_id = instance_id

    def format(self, record: logging.LogRecord) -> str:
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry: dict[str, object] = {
            "time": f"{when}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "instance": self._instance_id,
            "message": record.getMessage(),
        }
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            entry["trace_id"] = f"{context.trace_id:032x}"
            entry["span_id"] = f"{context.span_id:016x}"
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


@contextmanager
def telemetry(tier: str, instance_id: str, instance: InstanceConfig) -> Iterator[Telemetry]:
    """Set up logs, traces and metrics for this process; flush them on the way out. Once a process."""
    _configure_logs(instance_id, instance.log_level)
    resource = Resource.create(
        {"service.name": f"parley-{tier}", "service.instance.id": instance_id, "parley.zone": instance.zone}
    )
    tracing = _tracing(resource, instance)
    metering = MeterProvider(resource=resource, metric_readers=[PrometheusMetricReader()])
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(metering)
    server, _ = start_http_server(instance.metrics_port, addr=instance.bind_host, registry=REGISTRY)
    try:
        yield Telemetry(metrics_port=server.server_port)
    finally:
        tracing.shutdown()
        metering.shutdown()
        # The HTTP server stays: its thread is a daemon, and to shut it down would wait for its half-second poll.


def _configure_logs(instance_id: str, level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(instance_id))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _tracing(resource: Resource, instance: InstanceConfig) -> TracerProvider:
    # Without a collector nothing is sampled, so that no event carries a context that nobody will read.
    ratio = instance.trace_ratio if instance.otlp_endpoint else 0.0
    provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(ratio)), shutdown_on_exit=False)
    if instance.otlp_endpoint:
        # Imported here: the exporter costs 60 ms of start-up and most instances have no collector.
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter(endpoint=instance.otlp_endpoint, insecure=True, timeout=2)
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=_SPAN_EXPORT_DELAY_MS))
    return provider


def inject_traceparent() -> str:
    """Return the W3C traceparent of the current span; empty when it is not sampled."""
    if not trace.get_current_span().get_span_context().trace_flags.sampled:
        return ""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent", "")


@contextmanager
def span_within(tracer: Tracer, name: str) -> Iterator[None]:
    """Open a span named `name` in the current one; does nothing where that is not recorded, as this would not be."""
    if not trace.get_current_span().is_recording():
        yield
        return
    with tracer.start_as_current_span(name):
        yield


@contextmanager
def span_from(traceparent: str, name: str, **attributes: str | int) -> Iterator[Span | None]:
    """Open a span named `name` as a child of `traceparent`; does nothing, and gives None, when that is empty."""
    if not traceparent:
        yield None
        return
    parent = _PROPAGATOR.extract({"traceparent": traceparent})
    tracer = trace.get_tracer("parley")
    with tracer.start_as_current_span(name, parent, SpanKind.INTERNAL, attributes=attributes) as span:
        yield span
