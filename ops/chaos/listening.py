"""An app on Socket Mode: notes what it hears, acknowledges it, comes back when its connection breaks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from ops.chaos.noting import Notes
from ops.chaos.reconnecting import stay_connected
from ops.chaos.stage import Api, AppSeat, StageError
from ops.local.mesh import Mesh
from svc.kit.lifecycle import background


class AppListener:
    """The app of the run that has sockets."""

    def __init__(self, seat: AppSeat, mesh: Mesh, api: Api, http: aiohttp.ClientSession) -> None:
        self.notes = Notes(seat, mesh)
        self._mesh = mesh
        self._api = api
        self._http = http
        self._connections = 0
        self._host = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[AppListener]:
        """Be connected, as far as possible, for the block."""
        person = self.notes.seat.person
        connected = stay_connected(self._api, self._http, person, "apps.connections.open", self._frame)
        async with background("app", connected):
            yield self

    async def gateway(self) -> str:
        """Return the name of the gateway of its connection. Raises StageError when there is none."""
        for each in await self._mesh.instances("gateway"):
            if each.instance.id == self._host:
                return each.name
        raise StageError("the app is not connected")

    async def _frame(self, ws: aiohttp.ClientWebSocketResponse, frame: Mapping[str, Any]) -> bool:
        match frame.get("type"):
            case "hello":
                self._connections += 1
                self._host = frame["debug_info"]["host"]
                return True
            case "events_api":
                self.notes.take(frame["payload"], self._connections)
                await ws.send_str(orjson.dumps({"envelope_id": frame["envelope_id"]}).decode())
        return False
