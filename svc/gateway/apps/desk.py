"""Where Socket Mode connections report: each gets its line to the owner, and an end when it is old."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from random import Random

from svc.gateway.apps.connection import AppConnection
from svc.gateway.apps.lines import OwnerEnd, Owners
from svc.gateway.apps.session import AppAck
from svc.gateway.close_codes import CloseCode
from svc.gateway.door import Connections
from svc.gateway.fanout.outbox import Outbox
from svc.gateway.sockets import Connection, Wiring
from svc.gateway.talk import AnyAction
from svc.gateway.tickets import Ticket
from svc.kit.clock import Clock
from svc.kit.config import setting
from svc.kit.errors import ResourceExhaustedError
from svc.kit.lifecycle import Tasks

LOOK_S = 0.5
"""Between two looks at which connections are old, and which lines are at the wrong owner."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AppLimits:
    """How long Socket Mode connections live."""

    lifetime_s: float = setting(
        "PARLEY_GATEWAY_SOCKET_MODE_S",
        default=18_060.0,
        minimum=1.0,
        help="seconds after which an app's connection is ended, and its client comes back, perhaps elsewhere",
    )
    warning_s: float = setting(
        "PARLEY_GATEWAY_SOCKET_MODE_WARNING_S",
        default=10.0,
        minimum=0.0,
        help="seconds before that at which the client is warned; from then on it gets nothing new there",
    )
    silent_s: float = setting(
        "PARLEY_GATEWAY_SOCKET_MODE_SILENT_S",
        default=8.0,
        minimum=0.5,
        maximum=11.0,
        help="seconds after which a client that was given an event and says nothing, not even to a ping, gets no more "
        "until it is heard, and its events go elsewhere; after 12 an event would count as refused",
    )


class AppDesk:
    """The Socket Mode connections of a gateway (see sockets.Desk)."""

    def __init__(
        self,
        connections: Connections,
        outbox: Outbox,
        owners: Owners,
        tasks: Tasks,
        clock: Clock,
        host: str,
        limits: AppLimits,
        rng: Random | None = None,
    ) -> None:
        """Be the desk of the gateway `host`; lines run in `tasks`."""
        self._rng = rng
        self._wiring = Wiring(outbox, self, clock.now, b"")
        self._host = host
        self._limits = limits
        self.acks = 0
        self._connections = connections
        self._owners = owners
        self._tasks = tasks
        self._clock = clock
        self._ends: dict[Connection, tuple[OwnerEnd, asyncio.Task[None]]] = {}
        self._silent: dict[AppConnection, None] = {}

    def __len__(self) -> int:
        return len(self._ends) + len(self._silent)

    def admit(self, ticket: Ticket, name: tuple[str, int], opened_unix_s: int) -> AppConnection:
        """Return the listener of an app's socket that is being upgraded (see door.AppEntry)."""
        return AppConnection(
            self._wiring, ticket, name, opened_unix_s, self._host, self._limits.lifetime_s, self._limits.silent_s
        )

    def opened(self, connection: Connection) -> None:
        """See sockets.Desk."""
        assert isinstance(connection, AppConnection), "the door gives this desk no others"
        self._connections.add(connection)
        self._join(connection)

    def _join(self, connection: AppConnection) -> None:
        """Open a connection's line to its app's owner."""
        end = OwnerEnd(connection, self._owners, self._clock, self._rng)
        try:
            task = self._tasks.spawn(end.line.run(), "line to an app's owner")
        except ResourceExhaustedError:
            connection.close(CloseCode.NOT_READY, "too many connections are being opened")
            return
        self._ends[connection] = end, task

    def act(self, connection: Connection, action: AnyAction) -> None:
        """See sockets.Desk."""
        found = self._ends.get(connection)
        if found is not None and isinstance(action, AppAck):
            self.acks += 1
            found[0].ack(action)

    def stirred(self, connection: Connection) -> None:
        """See sockets.Desk: apps are never idle."""

    def closed(self, connection: Connection) -> None:
        """See sockets.Desk."""
        self._connections.remove(connection)
        if isinstance(connection, AppConnection):
            self._silent.pop(connection, None)
        self._part(connection)

    def _part(self, connection: Connection) -> None:
        """End a connection's line: what it has not acknowledged goes to the next."""
        found = self._ends.pop(connection, None)
        if found is not None:
            end, task = found
            end.line.is_wanted = False
            task.cancel()

    async def run(self) -> None:
        """Send old connections away, lines to their owners, and part owners from silent clients; runs for ever."""
        while True:
            await self._clock.sleep(LOOK_S)
            now = self._clock.now()
            for connection, (end, _) in tuple(self._ends.items()):
                end.check_owner()
                if isinstance(connection, AppConnection):
                    self._age(connection, end, now - connection.opened_at)
                    self._listen(connection, now)
            for connection in tuple(self._silent):
                self._listen(connection, now)

    def _listen(self, connection: AppConnection, now: float) -> None:
        """Part a client that says nothing from its owner, and join them again once it is heard."""
        is_silent = connection.is_silent(now)
        if connection.is_closing:
            return
        if is_silent and connection not in self._silent:
            log.info("%s: nothing is heard of %s's client", connection.id, connection.ticket.app_id)
            self._silent[connection] = None
            self._part(connection)
        elif not is_silent and connection in self._silent:
            self._silent.pop(connection, None)
            self._join(connection)

    def _age(self, connection: AppConnection, end: OwnerEnd, age_s: float) -> None:
        if age_s >= self._limits.lifetime_s:
            connection.close(CloseCode.GOING_AWAY, "this connection is old: come back")
        elif age_s >= self._limits.lifetime_s - self._limits.warning_s:
            connection.say_goodbye()
        if connection.is_leaving:
            end.line.wake()
