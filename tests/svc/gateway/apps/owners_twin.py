"""The webapps as a gateway's app connections see them: streams in memory, whose owner is told what to say."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import aiohttp
import grpc

from parley.webapp.v1 import webapp_service_pb2 as pb
from svc.gateway.admission import Admission, AdmissionLimits
from svc.gateway.apps.desk import AppDesk, AppLimits
from svc.gateway.door import Connections, Door, open_door
from svc.gateway.drain import Drain
from svc.gateway.fanout.outbox import Outbox
from svc.gateway.keepalive import KeepaliveLimits, keep_alive
from svc.gateway.session import SessionLimits
from svc.gateway.sockets import Wiring
from svc.gateway.tickets import TICKET_KIND, TicketGate
from svc.kit.clock import SystemClock
from svc.kit.lifecycle import Tasks, background
from svc.kit.tokens import Signer

ME = "gateway-test-000001"
APP = "A0000000001"
TIMEOUT_S = 10.0


class TwinStream:
    """One stream (see svc.feed.lines.Stream)."""

    def __init__(self, owner_id: str) -> None:
        self.owner_id = owner_id
        self.said: asyncio.Queue[pb.AppStreamRequest] = asyncio.Queue()
        self._down: asyncio.Queue[pb.AppStreamResponse | object] = asyncio.Queue()
        self.is_cancelled = False

    async def write(self, request: pb.AppStreamRequest, /) -> None:
        """See Stream."""
        if self.is_cancelled:
            raise asyncio.InvalidStateError
        self.said.put_nowait(request)

    async def read(self) -> pb.AppStreamResponse | object:
        """See Stream."""
        return await self._down.get()

    def cancel(self) -> bool:
        """See Stream."""
        self.is_cancelled = True
        self._down.put_nowait(grpc.aio.EOF)
        return True

    async def hear(self) -> pb.AppStreamRequest:
        """Return what the gateway said next."""
        async with asyncio.timeout(TIMEOUT_S):
            return await self.said.get()

    async def open(self, count: int = 1) -> pb.AppOpen:
        """Take the connection in."""
        opened = (await self.hear()).open
        self.say(pb.AppStreamResponse(opened=pb.AppOpened(connection_count=count)))
        return opened

    def say(self, frame: pb.AppStreamResponse) -> None:
        """Say something."""
        self._down.put_nowait(frame)

    def send(self, envelope_id: str, frame: bytes) -> None:
        """Send an envelope."""
        self.say(pb.AppStreamResponse(envelope=pb.AppEnvelope(envelope_id=envelope_id, frame=frame)))

    def end(self) -> None:
        """End the stream as an owner does that owns no more."""
        self._down.put_nowait(grpc.aio.EOF)


class TwinOwners:
    """See lines.Owners."""

    def __init__(self) -> None:
        self.now = "webapp-1"
        self.streams: asyncio.Queue[TwinStream] = asyncio.Queue()

    def owner(self, app_id: str) -> str:
        """See Owners."""
        if not self.now:
            raise LookupError("nobody")
        return self.now

    def stream(self, owner_id: str) -> Any:
        """See Owners."""
        stream = TwinStream(owner_id)
        self.streams.put_nowait(stream)
        return stream

    async def next(self) -> TwinStream:
        """Return the next stream that is opened."""
        async with asyncio.timeout(TIMEOUT_S):
            return await self.streams.get()


@dataclass
class AppHouse:
    """A gateway for apps."""

    owners: TwinOwners
    desk: AppDesk
    connections: Connections
    drain: Drain
    port: int
    signer: Signer
    http: aiohttp.ClientSession

    def url(self, **claims: Any) -> str:
        """Return a URL as webapp gives it out."""
        told = {
            "jti": secrets.token_hex(8),
            "team": "T0000000001",
            "user": "U0000000B07",
            "bot": "B0000000001",
            "gateway": ME,
            "kind": "socket_mode",
            "app": APP,
            **claims,
        }
        now = SystemClock().wall_us() / 1_000_000
        return f"ws://127.0.0.1:{self.port}/ws/{self.signer.sign(TICKET_KIND, told, 30.0, now)}"

    @asynccontextmanager
    async def connected(self, **claims: Any) -> AsyncIterator[tuple[aiohttp.ClientWebSocketResponse, TwinStream]]:
        """Be connected, taken in by the owner; hello has not been read."""
        async with self.http.ws_connect(self.url(**claims), autoping=False) as ws:
            stream = await self.owners.next()
            await stream.open()
            yield ws, stream


@asynccontextmanager
async def app_house(
    limits: AppLimits | None = None, keepalive: KeepaliveLimits | None = None
) -> AsyncIterator[AppHouse]:
    """Open a gateway for the length of a block."""
    clock, owners, signer = SystemClock(), TwinOwners(), Signer("a secret of sixteen")
    async with AsyncExitStack() as up:
        tasks = await up.enter_async_context(Tasks("test", 1_000))
        connections = Connections(100)
        outbox = Outbox(asyncio.get_running_loop(), 1024 * 1024)
        desk = AppDesk(connections, outbox, owners, tasks, clock, ME, limits or AppLimits())
        wiring = Wiring(outbox, desk, clock.now, b"")
        admission = Admission(AdmissionLimits(), Random(1), clock.now())
        gate = TicketGate(signer, ME)
        door = Door(gate, admission, connections, wiring, SessionLimits(), clock, ME, Random(1), desk.admit)
        await up.enter_async_context(background("app connections", desk.run()))
        await up.enter_async_context(
            background("pings", keep_alive(connections, keepalive or KeepaliveLimits(), clock))
        )
        port = await up.enter_async_context(open_door(door.answer, "127.0.0.1", 0))
        http = await up.enter_async_context(aiohttp.ClientSession())
        drain = Drain(connections, door.shut, clock, tasks, linger_s=0.2)
        up.push_async_callback(drain.finish, 0)
        yield AppHouse(owners, desk, connections, drain, port, signer, http)
