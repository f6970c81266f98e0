"""The door: the HTTP upgrade, where tickets are checked and everyone who may not come in is told why."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from random import Random
from typing import Any

import orjson
from picows import WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener, ws_create_server

from svc.gateway.admission import Admission, arrival_of
from svc.gateway.session import Session, SessionLimits
from svc.gateway.sockets import RESUME_BYTES_MAX, Connection, Wiring
from svc.gateway.tickets import Ticket, TicketGate, TicketRefused
from svc.kit.clock import Clock
from svc.kit.listening import listen, listeners

PATH = "/ws/"

READ_BUFFER_BYTES = 2_048
"""Where picows begins (it grows): most clients send less at once, and an idle connection keeps this much."""

AppEntry = Callable[[Ticket, tuple[str, int], int], Connection]
"""Makes the connection of an app of its ticket, its name, and the time (unix seconds)."""

RETRY_AFTER_MAX_S = 5
"""Refused clients are spread over this many seconds."""


class Refusal(Exception):
    """An upgrade that is answered with an HTTP status instead."""

    def __init__(self, status: HTTPStatus, error: str, retry_after_s: int = 0) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.retry_after_s = retry_after_s


class Connections:
    """The open connections, by number; at most `limit`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.opened = 0
        self._open: dict[int, Connection] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Connection]:
        """Return the open connections as they are now, in the order of their numbers."""
        return iter(tuple(self._open.values()))

    def add(self, connection: Connection) -> None:
        """Take in an opened connection."""
        self.opened += 1
        self._open[connection.number] = connection

    def remove(self, connection: Connection) -> None:
        """Forget one; harmless when it is not there."""
        self._open.pop(connection.number, None)


class Door:
    """Turns upgrade requests into connections."""

    def __init__(
        self,
        gate: TicketGate,
        admission: Admission,
        connections: Connections,
        wiring: Wiring,
        limits: SessionLimits,
        clock: Clock,
        instance_id: str,
        rng: Random,
        apps: AppEntry | None = None,
    ) -> None:
        """Admit bearers of tickets that `gate` accepts, as fast as `admission` allows, until `shut`.

        `apps` makes the connections of apps; without it there are none.
        """
        self._gate = gate
        self._apps = apps
        self._admission = admission
        self._connections = connections
        self._wiring = wiring
        self._limits = limits
        self._clock = clock
        self._instance_id = instance_id
        self._rng = rng
        self._number = 0
        self.is_shut = False
        self.refused = 0

    def shut(self) -> None:
        """Let nobody in any more."""
        self.is_shut = True

    def answer(self, request: WSUpgradeRequest) -> Connection | WSUpgradeResponseWithListener:
        """Return the listener of an admitted connection, or an HTTP response. Given to picows."""
        try:
            return self._admit(request)
        except Refusal as refusal:
            self.refused += 1
            return WSUpgradeResponseWithListener(_response(refusal), None)

    def _admit(self, request: WSUpgradeRequest) -> Connection:
        # Clients append a bare "?" or a query, and send any Host and Origin: only the path counts. Where one host
        # stands before several gateways, it names the one; that a ticket is for us is written in the ticket.
        path = request.path.decode(errors="replace").partition("?")[0]
        if not path.startswith(PATH):
            raise Refusal(HTTPStatus.NOT_FOUND, "not_found")
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise Refusal(HTTPStatus.UPGRADE_REQUIRED, "websocket_required")
        tokens = request.headers.get("Connection", "").lower().split(",")
        if "upgrade" in (token.strip() for token in tokens):
            # Firefox sends "keep-alive, Upgrade", which picows would not recognise.
            request.headers["Connection"] = "Upgrade"
        self._check_room()
        return self._connection(path.removeprefix(PATH).rstrip("/").rpartition("/")[2])

    def _check_room(self) -> None:
        if self.is_shut or len(self._connections) >= self._connections.limit:
            wait_s = self._rng.randint(1, RETRY_AFTER_MAX_S)
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "draining" if self.is_shut else "full", wait_s)

    def _check_rate(self, bearer: Ticket) -> None:
        wait_s = self._admission.admit(arrival_of(bearer.flags), self._clock.now())
        if wait_s:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "busy", wait_s)

    def _connection(self, ticket: str) -> Connection:
        now_unix_s = self._clock.wall_us() / 1_000_000
        try:
            bearer = self._gate.admit(ticket, now_unix_s, self._check_rate)
        except TicketRefused as error:
            raise Refusal(HTTPStatus.FORBIDDEN, str(error)) from error
        self._number += 1
        # Sorted by text as by number, for the operators' pages.
        name = (f"{self._instance_id}-{self._number:010d}", self._number)
        if bearer.app_id:
            return self._app_connection(bearer, name, int(now_unix_s))
        session = Session(self._limits, self._clock.now(), awaits_resume=bearer.resumes)
        return Connection(self._wiring, session, bearer, name, int(now_unix_s))

    def _app_connection(self, bearer: Ticket, name: tuple[str, int], now_unix_s: int) -> Connection:
        if self._apps is None:
            raise Refusal(HTTPStatus.FORBIDDEN, "Socket Mode is not served here")
        return self._apps(bearer, name, now_unix_s)


def _response(refusal: Refusal) -> WSUpgradeResponse:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if refusal.retry_after_s:
        headers["Retry-After"] = str(refusal.retry_after_s)
    if refusal.status is HTTPStatus.UPGRADE_REQUIRED:
        headers["Upgrade"] = "websocket"
    body = orjson.dumps({"ok": False, "type": "error", "error": {"code": 1, "msg": refusal.error}})
    response: WSUpgradeResponse = WSUpgradeResponse.create_error_response(refusal.status, body, headers)
    return response


class _QuietLog(logging.LoggerAdapter[logging.Logger]):
    """picows logs each connection, and each broken frame as an error: the clients' doing, so debug.

    An adapter also keeps it from making a logger for every connection. Exceptions of ours keep their level.
    """

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.debug(msg, *args, **kwargs)

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.debug(msg, *args, **kwargs)

    def info(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.debug(msg, *args, **kwargs)


@asynccontextmanager
async def open_door(
    answer: Callable[[WSUpgradeRequest], Connection | WSUpgradeResponseWithListener],
    host: str,
    port: int,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """Listen for WebSockets for the length of a block, with `tls` over TLS alone; yields the port.

    Raises OSError when it is taken.
    """
    listener = listen(host, port)
    async with AsyncExitStack() as up:
        for each in listeners(listener):
            server = await ws_create_server(
                answer,
                sock=each,
                ssl=tls,
                max_frame_size=RESUME_BYTES_MAX,
                read_buffer_init_size=READ_BUFFER_BYTES,
                enable_auto_pong=False,
                logger_name=_QuietLog(logging.getLogger("picows.gateway"), {}),
                # A storm of reconnecting clients waits here instead of being refused by the kernel.
                backlog=4_096,
            )
            # Not wait_closed: it waits for connections, whose end is the drain's business.
            up.callback(server.close)
        yield listener.getsockname()[1]
