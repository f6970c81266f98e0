"""One HTTP request to one Web API call: a raw ASGI app, which saves Starlette's request and response on the hot path.

Reads a body of bounded size in bounded time, merges the arguments from wherever they are, and writes the reply as JSON.
What a request may ask for is none of its business: svc.webapp.api.dispatch and the methods know that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import orjson
from opentelemetry import metrics, trace
from opentelemetry.trace import SpanKind
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from svc.kit.bites import Bites
from svc.kit.config import setting
from svc.kit.errors import ResourceExhaustedError
from svc.kit.tally import Tally
from svc.webapp.api import dispatch as dispatching
from svc.webapp.api.arguments import ArgumentError, merge
from svc.webapp.api.bodies import read_body, read_query
from svc.webapp.api.call import Method
from svc.webapp.api.credentials import shown
from svc.webapp.api.dispatch import Reply, failure
from svc.webapp.api.encoding import GZIP_BYTES_MIN, accepts_gzip, gzipped
from svc.webapp.api.registry import METHODS
from svc.webapp.api.scopes import basic_credentials
from svc.webapp.domain.origin import Origin, Origins
from svc.webapp.domain.services import Services
from svc.webapp.gate import BODIES_BYTES_MAX, Gate
from svc.webapp.priority import Priority, Turn

API_PREFIX = "/api/"

_DRAINED_BYTES_MAX = 16 * 1024 * 1024
"""Of a body that is too large, this much is read and dropped, so that the client gets its answer instead of a reset."""

_LATENCY_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """The HTTP face of a webapp."""

    port: int = setting(
        "PARLEY_WEBAPP_HTTP_PORT", default=8080, minimum=0, maximum=65535, help="HTTP port; 0 takes a free one"
    )
    body_bytes_max: int = setting(
        "PARLEY_WEBAPP_HTTP_BODY_BYTES_MAX", default=1_048_576, minimum=1_024, help="largest request body, in bytes"
    )
    request_s: float = setting(
        "PARLEY_WEBAPP_HTTP_REQUEST_S", default=10.0, minimum=0.1, help="longest that one request may take, in seconds"
    )
    requests_max: int = setting(
        "PARLEY_WEBAPP_HTTP_REQUESTS_MAX",
        default=1_000,
        minimum=1,
        help="requests served at once, gRPC included; the least important are refused first, with a 429",
    )
    bodies_bytes_max: int = setting(
        "PARLEY_WEBAPP_HTTP_BODIES_BYTES_MAX",
        default=BODIES_BYTES_MAX,
        minimum=65_536,
        help="bytes of bodies of all requests at once; more are refused with a 429",
    )
    keep_alive_s: int = setting(
        "PARLEY_WEBAPP_HTTP_KEEP_ALIVE_S", default=75, minimum=1, help="seconds that an idle connection is kept open"
    )
    public_url: str = setting(
        "PARLEY_PUBLIC_URL",
        default="",
        help="how all clients reach the Web API, https://chat.example.org; empty: as each request says",
    )
    trusted_proxies: str = setting(
        "PARLEY_TRUSTED_PROXIES",
        default="loopback,private",
        help="whose X-Forwarded-Proto, -Host, -Port and -For are believed: networks, loopback, private or none",
    )


class BodyTooLarge(Exception):
    """The body is larger than the limit."""


class Api:
    """The ASGI app behind /api/: one call a request."""

    def __init__(self, services: Services, config: HttpConfig, gate: Gate) -> None:
        """Raises ConfigError for addresses that are none."""
        self._services = services
        self._config = config
        self._gate = gate
        self._bites = Bites()
        self.origins = Origins(config.public_url, config.trusted_proxies)
        self._tracer = trace.get_tracer("parley.webapp")
        meter = metrics.get_meter("parley.webapp")
        self._requests = Tally(meter, "parley_http_requests", ("method", "outcome"), "calls by method and outcome")
        self._latency = meter.create_histogram(
            "parley_http_request_seconds",
            unit="s",
            description="time from the request's headers to its answer, by method",
            explicit_bucket_boundaries_advisory=list(_LATENCY_BUCKETS_S),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        name = scope["path"].removeprefix(API_PREFIX).rstrip("/")
        method = METHODS.get(name)
        label = name if method else "unknown"
        started = time.perf_counter()
        turn = Turn(method.priority if method else Priority.TRANSIENT, is_gone(receive))
        try:
            with self._tracer.start_as_current_span(_span_name(scope, label), kind=SpanKind.SERVER) as span:
                reply = await self._reply(scope, headers, receive, method, name, turn)
                if span.is_recording():
                    span.set_attribute("parley.outcome", reply.outcome)
        except ResourceExhaustedError as error:
            reply = dispatching.overloaded(error)
        finally:
            self._gate.let_go(turn)
        self._requests.add(1, label, _bounded(method, reply))
        self._latency.record(time.perf_counter() - started, {"method": label})
        await write(send, reply, accepts_gzip(headers.get("accept-encoding", "")))

    async def _reply(
        self, scope: Scope, headers: Headers, receive: Receive, method: Method | None, name: str, turn: Turn
    ) -> Reply:
        """Return the answer. Raises ResourceExhaustedError at the gate, before anything was done."""
        config, gate = self._config, self._gate
        try:
            with gate.arriving(turn):
                async with asyncio.timeout(config.request_s):
                    body = await read(receive, config.body_bytes_max, lambda size: gate.hold(turn, size))
        except BodyTooLarge:
            code = method.oversize if method else "invalid_arguments"
            message = f"[ERROR] the body must not be larger than {config.body_bytes_max} bytes"
            return failure(code, messages=(message,))
        except TimeoutError:
            return failure("request_timeout")
        if method is None:
            return dispatching.unknown_method(name)
        try:
            query = read_query(scope["query_string"]) if scope["query_string"] else {}
            basic = basic_credentials(headers.get("authorization", ""))
            raw = merge(basic, query, read_body(headers.get("content-type", ""), body))
        except ArgumentError as error:
            return dispatching.bad_arguments(error)
        origin = origin_of(self.origins, scope, headers)
        credential = shown(lambda each: headers.get(each, ""), raw, scope["method"], origin)
        with gate.admitted(turn):
            work = dispatching.dispatch(self._services, method, raw, credential, origin, config.request_s)
            # A crowd that begins must not be what everybody else waits for, at each turn of the loop.
            return await (self._bites.take(work) if method.priority >= Priority.BOOT else work)


def origin_of(origins: Origins, scope: Scope, headers: Headers) -> Origin:
    """Return how a request came to us."""
    peer = scope["client"][0] if scope.get("client") else ""
    return origins.of(peer, scope.get("scheme", "http"), lambda each: headers.get(each, ""))


def _span_name(scope: Scope, label: str) -> str:
    verb = scope["method"]
    return f"{verb if verb in ('GET', 'POST') else 'OTHER'} {label}"


def _bounded(method: Method | None, reply: Reply) -> str:
    # api.test fails with whatever word the client says; every other code is ours.
    is_echo = method is not None and method.is_public and not reply.body.get("ok")
    return "echoed" if is_echo else reply.outcome


def is_gone(receive: Receive) -> Callable[[], bool]:
    """Return what tells whether the client has hung up.

    ASGI says so only to who awaits it, and a task that does, for each request, costs more than most requests. So
    uvicorn's own record is looked at; under another server nobody ever seems gone.
    """
    cycle = getattr(receive, "__self__", None)
    return lambda: bool(getattr(cycle, "disconnected", False))


async def read(receive: Receive, bytes_max: int, hold: Callable[[int], None]) -> bytes:
    """Return the body, whose bytes are told to `hold`. Raises BodyTooLarge after it was read to its end, or to where
    patience ends.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            # Half a request is none: what came of it must not be carried out.
            raise TimeoutError
        part = message.get("body", b"")
        size += len(part)
        if size <= bytes_max:
            hold(len(part))
            parts.append(part)
        elif size > _DRAINED_BYTES_MAX:
            raise BodyTooLarge
        else:
            parts.clear()
        if not message.get("more_body", False):
            break
    if size > bytes_max:
        raise BodyTooLarge
    return b"".join(parts)


async def write(send: Send, reply: Reply, may_gzip: bool = False) -> None:
    """Write a reply: JSON, gzipped where that is taken and saves something, with the headers that clients look for."""
    body = orjson.dumps(reply.body)
    encoding: list[tuple[bytes, bytes]] = []
    if may_gzip and len(body) >= GZIP_BYTES_MIN:
        body = await gzipped(body)
        encoding = [(b"content-encoding", b"gzip")]
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        *encoding,
        # Also where it was not: a proxy must not give the one form to who takes the other.
        (b"vary", b"accept-encoding"),
        (b"content-length", str(len(body)).encode()),
        # errbot looks these up in a case-sensitive mapping: lower case, always there.
        (b"x-oauth-scopes", reply.scopes.encode()),
        (b"x-accepted-oauth-scopes", reply.accepted.encode()),
        (b"cache-control", b"private, no-cache, no-store, must-revalidate"),
        *((name.lower().encode(), value.encode()) for name, value in reply.headers.items()),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
