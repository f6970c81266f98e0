"""Apps' programs: one that takes its events over Socket Mode, and one behind a request URL. Each believes each word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, cast

import orjson

from ops.sim.door import ask
from ops.sim.gateways import GatewayProcess
from ops.sim.lookups import TEAM
from ops.sim.mesh import Mesh
from ops.sim.sockets import Socket
from ops.sim.world import Host
from parley_client.retrying import Backoff
from svc.kit.errors import ParleyError
from svc.webapp.domain.apps.model import App

EVENT_TYPES = (
    "message.channels",
    "app_mention",
    "reaction_added",
    "reaction_removed",
    "pin_added",
    "member_joined_channel",
    "member_left_channel",
    "file_shared",
    "file_deleted",
)
SOCKET_APP = App(
    TEAM,
    "A0000000001",
    "socket",
    "U00000000B1",
    "B0000000001",
    "",
    bytes(32),
    "secret",
    "vt",
    event_types=EVENT_TYPES,
    is_socket_mode=True,
    revision_us=1,
)
URL_APP = App(
    TEAM,
    "A0000000002",
    "url",
    "U00000000B2",
    "B0000000002",
    "",
    bytes(32),
    "secret",
    "vt",
    event_types=EVENT_TYPES,
    request_url="http://app/events",
    revision_us=1,
)
APPS = (SOCKET_APP, URL_APP)


class Hearing(Protocol):
    """Who is told of what programs hear."""

    def heard(self, app: App, source: str, callback: dict[str, Any]) -> None:
        """An event reached a program. `source`: the connection or the webapp, if it comes from there for the first time
        and was never sent from elsewhere; else "".
        """
        ...


class SocketProgram:
    """Has one connection at a time, and acknowledges what it gets, mostly at once."""

    def __init__(self, mesh: Mesh, hearing: Hearing) -> None:
        """Come on at once."""
        self.host = Host(mesh.world, "app-socket")
        self._mesh = mesh
        self._hearing = hearing
        self._rng = mesh.world.rng(self.host.name)
        self._backoff = Backoff(0.1, 1.0, self._rng)
        self._socket: Socket | None = None
        self._ended: asyncio.Future[None] | None = None
        mesh.programs[SOCKET_APP.id] = self
        self.host.spawn(self._run(), "app")

    async def take(self, caller: Host, body: bytes, attempt: int) -> int:
        """See mesh.Program: it has no URL."""
        return 404

    def vanish(self) -> None:
        """Let its line go dead."""
        if self._socket is not None:
            self._socket.vanish()

    def come_anew(self) -> None:
        """Be started anew; what was heard is remembered."""
        if self._socket is not None:
            self._socket.close()
        self._over(None)

    async def _run(self) -> None:
        while True:
            began = self._mesh.world.now
            await self._connection()
            if self._mesh.world.now - began > 2.0:
                self._backoff.reset()
            await asyncio.sleep(self._backoff.next_s())

    async def _connection(self) -> None:
        mesh, world = self._mesh, self._mesh.world
        try:
            gateway_id = await ask(mesh, self.host, self._rng, lambda webapp: webapp.gateway(), tries=1)
        except ParleyError:
            return
        gateway = cast(GatewayProcess, mesh.processes[gateway_id])
        self._ended = asyncio.get_running_loop().create_future()
        socket = self._socket = Socket(mesh.network, self.host, gateway.host, self._frame, self._over)
        if not gateway.host.is_alive:
            return
        world.trace(self.host.name, "connects to", gateway_id)
        world.at(world.now + mesh.network.delay(self._rng), gateway.host, gateway.admit_app, socket, SOCKET_APP)
        await self._ended
        self._socket = None
        world.trace(self.host.name, "is closed")

    def _over(self, _: int | None) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    def _frame(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "disconnect":
            self._mesh.world.trace(self.host.name, "is told to leave:", frame["reason"])
        if frame["type"] != "events_api" or self._socket is None:
            return
        socket = self._socket
        is_first = self._mesh.first_sent[frame["envelope_id"]] == socket.connection_id and not frame["retry_attempt"]
        self._hearing.heard(SOCKET_APP, socket.connection_id if is_first else "", frame["payload"])
        answer: Callable[[], None] = lambda: socket.send({"envelope_id": frame["envelope_id"]})  # noqa: E731
        draw = self._rng.random()
        if draw < 0.7:
            answer()
        elif draw < 0.98:
            self._mesh.world.at(self._mesh.world.now + self._rng.random(), self.host, answer)
        # The others are never answered: they come once more.


class UrlProgram:
    """Takes requests; some it refuses, and of some it says that it did not take them. See mesh.Program."""

    def __init__(self, mesh: Mesh, hearing: Hearing) -> None:
        self.host = Host(mesh.world, "app-url")
        self._hearing = hearing
        self._rng = mesh.world.rng(self.host.name)
        mesh.programs[URL_APP.request_url] = self

    async def take(self, caller: Host, body: bytes, attempt: int) -> int:
        """See Program."""
        draw = self._rng.random()
        if not body:
            return 200 if draw < 0.8 else 500
        if draw < 0.1:
            return 503
        self._hearing.heard(URL_APP, "" if attempt else caller.name, orjson.loads(body))
        if draw > 0.7:
            await asyncio.sleep(0.5 * self._rng.random())
        return 500 if draw > 0.97 else 200
