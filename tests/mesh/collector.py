"""A real OTLP/gRPC collector that keeps the spans it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as otlp_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as otlp_grpc


@dataclass(frozen=True, slots=True)
class Collected:
    """One span: where it ran, what it is called, and where it hangs."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str


@dataclass(slots=True)
class Collector(otlp_grpc.TraceServiceServicer):
    """Everything received so far."""

    spans: list[Collected] = field(default_factory=list)
    endpoint: str = ""

    async def Export(self, request: Any, context: Any) -> otlp_pb2.ExportTraceServiceResponse:
        for resource in request.resource_spans:
            attributes = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.append(
                        Collected(
                            attributes.get("service.name", ""),
                            span.name,
                            span.trace_id.hex(),
                            span.span_id.hex(),
                            span.parent_span_id.hex(),
                        )
                    )
        return otlp_pb2.ExportTraceServiceResponse()

    def trace_of(self, span: Collected) -> list[Collected]:
        """Return all spans of the same trace."""
        return [other for other in self.spans if other.trace_id == span.trace_id]


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """Run a collector on a free port."""
    collector = Collector()
    server = grpc.aio.server()
    otlp_grpc.add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    collector.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield collector
    finally:
        await asyncio.wait_for(server.stop(0.2), 5)
