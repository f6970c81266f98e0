"""An app on Socket Mode: notes what it hears, acknowledges it, comes back when its connection breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from discovery.ring import Member, Ring
from ops.chaos.record import App, Heard
from ops.chaos.stage import Api, AppSeat, StageError
from ops.local.mesh import Mesh
from svc.kit.backoff import Backoff
from svc.kit.lifecycle import background

PING_S = 5.0
FRAME_BYTES_MAX = 1 << 22


class AppListener:
    """The app of the run; `said` is everything that it heard, in order."""

    def __init__(self, seat: AppSeat, mesh: Mesh, api: Api, http: aiohttp.ClientSession) -> None:
        self._seat = seat
        self._mesh = mesh
        self._api = api
        self._http = http
        self._connections = 0
        self._host = ""
        self.said: list[Heard] = []
        self.subjects: set[tuple[str, str]] = set()
        """(channel, subject) of what was heard."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[AppListener]:
        """Be connected, as far as possible, for the block."""
        async with background("app", self._run()):
            yield self

    def heard(self) -> App:
        """Return what it noted."""
        return App(frozenset(self._seat.channels), tuple(self.said))

    def is_warm(self) -> bool:
        """Tell whether it has heard from each of its conversations."""
        return {channel_id for channel_id, _ in self.subjects} >= set(self._seat.channels)

    def misses(self, channel_id: str, subject: str) -> bool:
        """Tell whether something has yet to come that it is owed."""
        return channel_id in self._seat.channels and (channel_id, subject) not in self.subjects

    async def owner(self) -> str:
        """Return the name of the webapp that serves it. Raises StageError when there is none."""
        listed = [each for each in await self._mesh.instances("webapp") if each.health == "passing"]
        names = {each.instance.id: each.name for each in listed}
        owner = Ring(tuple(Member(instance_id) for instance_id in names)).owner(self._seat.app_id)
        if owner is None:
            raise StageError("no webapp owns the app")
        return names[owner]

    async def gateway(self) -> str:
        """Return the name of the gateway of its connection. Raises StageError when there is none."""
        for each in await self._mesh.instances("gateway"):
            if each.instance.id == self._host:
                return each.name
        raise StageError("the app is not connected")

    async def _run(self) -> None:
        backoff = Backoff(base_s=0.1, cap_s=1.0)
        while True:
            try:
                if await self._connection():
                    backoff.reset()
            except (OSError, TimeoutError, aiohttp.ClientError, orjson.JSONDecodeError):
                pass  # what follows is the next try
            await asyncio.sleep(backoff.next_s())

    async def _connection(self) -> bool:
        """Live through one connection; return whether it was greeted."""
        answer = await self._api.call(self._seat.person, "apps.connections.open")
        if not answer.get("ok"):
            return False
        connecting = self._http.ws_connect(answer["url"], heartbeat=PING_S, max_msg_size=FRAME_BYTES_MAX)
        async with asyncio.timeout(5.0):
            ws = await connecting
        before = self._connections
        async with ws:
            async for frame in ws:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    await self._frame(ws, orjson.loads(frame.data))
        return self._connections > before

    async def _frame(self, ws: aiohttp.ClientWebSocketResponse, frame: Mapping[str, Any]) -> None:
        match frame.get("type"):
            case "hello":
                self._connections += 1
                self._host = frame["debug_info"]["host"]
            case "events_api":
                self._note(frame["payload"])
                await ws.send_str(orjson.dumps({"envelope_id": frame["envelope_id"]}).decode())

    def _note(self, payload: Mapping[str, Any]) -> None:
        event = payload["event"]
        subject = subject_of(event)
        channel_id = str(event.get("channel") or event.get("item", {}).get("channel", ""))
        if subject:
            self.said.append(Heard(payload["event_id"], channel_id, subject, self._connections))
            self.subjects.add((channel_id, subject))


def subject_of(event: Mapping[str, Any]) -> str:
    """Return what an event says, once in its channel; "" for those that the app is not judged by. Pure."""
    match event.get("type"):
        case "message" if "subtype" not in event:
            return f"message {event['ts']}"
        case "reaction_added":
            return f"added {event['item']['ts']} {event['reaction']} {event['user']} {event['event_ts']}"
    return ""
