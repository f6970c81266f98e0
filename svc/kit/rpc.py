"""The gRPC server that every tier runs: health, reflection, one set of options, errors translated at the boundary."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from svc.kit.config import InstanceConfig
from svc.kit.errors import InternalError, ParleyError, status_trailer

log = logging.getLogger(__name__)

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
"""A batch of 1,024 events of the usual size is 0.3 MB; one of the largest (512 KiB) must still fit with company."""

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    # A black hole is noticed in 1 to 3 s; without ping_timeout it was not noticed in 28 s (measured).
    ("grpc.keepalive_time_ms", 2000),
    ("grpc.keepalive_timeout_ms", 1000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.ping_timeout_ms", 1000),
    ("grpc.http2.max_pings_without_data", 0),
    # Reconnect quickly: a restarted instance comes back at the same place only in tests, and waiting helps nobody.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # In spite of its name, also the least time that one attempt to connect is given.
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.enable_retries", 0),
)
"""Options of every stub's channel."""

SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    # A second bind to the same port must fail instead of sharing it.
    ("grpc.so_reuseport", 0),
    # Clients ping each 2 s, with no calls as well; the default would punish that with GOAWAY.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 500),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    # The defaults fail calls with CANCELLED in bursts of 1,500 and more (measured).
    ("grpc.server.max_pending_requests", 100_000),
    ("grpc.server.max_pending_requests_hard_limit", 200_000),
)
"""Options of every server."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service to serve: its full name ("parley.admin.v1.AdminService") and what adds its servicer to a server."""

    name: str
    add: Callable[[grpc.aio.Server], None]


class _HealthChecks(Protocol):
    """What we use of grpc_health's asyncio servicer, which has no type stubs."""

    async def set(self, service: str, status: int) -> None: ...


class RpcServer:
    """A serving server; `address` is what to register."""

    def __init__(self, host: str, port: int, checks: _HealthChecks, names: Sequence[str]) -> None:
        self.port = port
        self.address = f"{host}:{port}"
        self._checks = checks
        self._names = ("", *names)

    async def set_serving(self, serving: bool) -> None:
        """Answer health checks with SERVING or NOT_SERVING, for the server and each of its services."""
        status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in self._names:
            await self._checks.set(name, status)


@asynccontextmanager
async def rpc_server(instance: InstanceConfig, services: Sequence[Service]) -> AsyncIterator[RpcServer]:
    """Serve `services` with health and reflection; on the way out say NOT_SERVING and stop.

    End the streams before leaving: an open one burns the whole grace of 1 s. Raises OSError when the port is taken.
    """
    server = grpc.aio.server(options=SERVER_OPTIONS, interceptors=(_ErrorTranslator(),))
    checks = health.aio.HealthServicer()  # type: ignore[attr-defined]
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)  # type: ignore[no-untyped-call]
    names = [service.name for service in services]
    for service in services:
        service.add(server)
    shown = (*names, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(shown, server)  # type: ignore[no-untyped-call]
    port = _bind(server, instance)
    await server.start()
    serving = RpcServer(instance.reachable_host, instance.advertise_grpc_port or port, checks, names)
    await serving.set_serving(True)
    try:
        yield serving
    finally:
        await serving.set_serving(False)
        await server.stop(1.0)


def _bind(server: grpc.aio.Server, instance: InstanceConfig) -> int:
    wanted = f"{instance.bind_host}:{instance.grpc_port}"
    try:
        port = server.add_insecure_port(wanted)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {wanted} for gRPC: {error}") from error
    if port == 0:
        raise OSError(f"cannot listen on {wanted} for gRPC")
    return port


class _ErrorTranslator(grpc.aio.ServerInterceptor):
    """Turns errors of the tree into statuses with details, and anything else into INTERNAL, logged once here."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method = str(handler_call_details.method)
        make, inner = _parts(handler)
        wrapped = _streaming(inner, method) if handler.response_streaming else _unary(inner, method)
        return make(wrapped, handler.request_deserializer, handler.response_serializer)


def _parts(handler: Any) -> tuple[Callable[..., Any], Any]:
    """Return what makes a handler of the same arity, and the servicer's method inside `handler`."""
    if handler.request_streaming and handler.response_streaming:
        return grpc.stream_stream_rpc_method_handler, handler.stream_stream
    if handler.request_streaming:
        return grpc.stream_unary_rpc_method_handler, handler.stream_unary
    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler, handler.unary_stream
    return grpc.unary_unary_rpc_method_handler, handler.unary_unary


def _unary(inner: Any, method: str) -> Any:
    async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            return await inner(request, context)
        except ParleyError as error:
            await _abort(context, error)
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            log.exception("%s failed", method)
            await _abort(context, InternalError(f"{type(error).__name__} in {method}"))

    return call


def _streaming(inner: Any, method: str) -> Any:
    async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            async for response in inner(request, context):
                yield response
        except ParleyError as error:
            await _abort(context, error)
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            log.exception("%s failed", method)
            await _abort(context, InternalError(f"{type(error).__name__} in {method}"))

    return call


def when_over(context: Any, work: Callable[[], object]) -> None:
    """Do `work` when a call has ended in whatever way.

    A streaming method's own `finally` may come late: a generator whose call was cancelled ends when it is collected.
    `context` is Any because its type stubs want a callback of a class that nobody can make.
    """
    context.add_done_callback(lambda _: work())


async def _abort(context: grpc.aio.ServicerContext[Any, Any], error: ParleyError) -> None:
    await context.abort(error.code, error.message, trailing_metadata=(status_trailer(error),))
