"""The door: the HTTP upgrade, where tickets are checked and everyone who may not come in is told why."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from random import Random

import orjson

from svc.gateway.admission import Admission, arrival_of
from svc.gateway.session import Session, SessionLimits
from svc.gateway.sockets import Connection, Wiring
from svc.gateway.tickets import Ticket, TicketGate, TicketRefused
from svc.gateway.websocket.serving import serve_websockets
from svc.gateway.websocket.upgrade import VERSION, Request, refusing
from svc.kit.clock import Clock
from svc.kit.listening import listen, listeners

PATH = "/ws/"

ACCEPTS_A_TURN = 1
"""New connections in a turn of the loop, and so upgrades: some 300 microseconds each. What follows is done in bites
(see openings.py), so that turns are short however many come back, and hundreds a second are still taken in."""

BACKLOG = 4_096
"""A storm of reconnecting clients waits here instead of being refused by the kernel."""

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

    def answer(self, request: Request) -> Connection | bytes:
        """Return an admitted connection, or an HTTP response (see websocket.serving.Answer)."""
        try:
            return self._admit(request)
        except Refusal as refusal:
            self.refused += 1
            return _response(refusal)

    def _admit(self, request: Request) -> Connection:
        # Clients append a bare "?" or a query, and send any Host and Origin: only the path counts. Where one host
        # stands before several gateways, it names the one; that a ticket is for us is written in the ticket.
        path = request.path.partition("?")[0]
        if not path.startswith(PATH):
            raise Refusal(HTTPStatus.NOT_FOUND, "not_found")
        if not request.wants_websocket:
            raise Refusal(HTTPStatus.UPGRADE_REQUIRED, "websocket_required")
        self._check_room()
        return self._connection(path.removeprefix(PATH).rstrip("/").rpartition("/")[2], request)

    def _check_room(self) -> None:
        if self.is_shut or len(self._connections) >= self._connections.limit:
            wait_s = self._rng.randint(1, RETRY_AFTER_MAX_S)
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "draining" if self.is_shut else "full", wait_s)

    def _check(self, bearer: Ticket, request: Request) -> None:
        """Look at all that is left before a ticket is used up. Raises Refusal."""
        wait_s = self._admission.admit(arrival_of(bearer.flags), self._clock.now())
        if wait_s:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "busy", wait_s)
        if request.accept is None:
            raise Refusal(HTTPStatus.BAD_REQUEST, "no_sound_handshake")

    def _connection(self, ticket: str, request: Request) -> Connection:
        now_unix_s = self._clock.wall_us() / 1_000_000
        try:
            bearer = self._gate.admit(ticket, now_unix_s, lambda bearer: self._check(bearer, request))
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


def _response(refusal: Refusal) -> bytes:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if refusal.retry_after_s:
        headers["Retry-After"] = str(refusal.retry_after_s)
    if refusal.status is HTTPStatus.UPGRADE_REQUIRED:
        headers["Upgrade"] = "websocket"
    if refusal.status is HTTPStatus.BAD_REQUEST:
        headers["Sec-WebSocket-Version"] = VERSION
    body = orjson.dumps({"ok": False, "type": "error", "error": {"code": 1, "msg": refusal.error}})
    return refusing(refusal.status, body, headers)


@asynccontextmanager
async def open_door(
    answer: Callable[[Request], Connection | bytes], host: str, port: int, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Listen for WebSockets for the length of a block, with `tls` over TLS alone; yields the port.

    Raises OSError when it is taken.
    """
    listener = listen(host, port, awaits_request=True)
    async with AsyncExitStack() as up:
        await serve_websockets(answer, listeners(listener, ACCEPTS_A_TURN), up, BACKLOG, tls)
        yield listener.getsockname()[1]
