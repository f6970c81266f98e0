"""A gateway in this process: real sockets and sessions, in-memory twins of the feed, webapp and presence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp
import orjson
import pytest
import uvloop

from discovery.ring import Member, Ring
from parley.event.v1 import event_pb2 as event_pb
from parley.webapp.v1 import webapp_service_pb2 as webapp_pb
from svc.feed.feed import Subscriber
from svc.feed.filler import ChannelLog
from svc.gateway import frames
from svc.gateway.admission import Admission, AdmissionLimits
from svc.gateway.desk import FrontDesk
from svc.gateway.door import Connections, Door, open_door
from svc.gateway.drain import Drain
from svc.gateway.fanout.outbox import Outbox
from svc.gateway.hub import Hub
from svc.gateway.keepalive import KeepaliveLimits, keep_alive
from svc.gateway.lazy.lazy import Lazy, LazyLimits
from svc.gateway.openings import Openings
from svc.gateway.posts import Posts
from svc.gateway.prefetch.prefetch import Prefetch, PrefetchLimits
from svc.gateway.presence.reports import Presence
from svc.gateway.session import SessionLimits
from svc.gateway.sockets import Wiring
from svc.gateway.tickets import TICKET_KIND, TicketGate
from svc.gateway.webapp import Subscriptions
from svc.kit.clock import SystemClock
from svc.kit.errors import NotFoundError, UnauthenticatedError, UnavailableError
from svc.kit.lifecycle import Tasks, background
from svc.kit.tokens import Signer
from svc.shapes.vouching import Vouched
from tests.svc.gateway.edge_twin import TwinEdge
from tests.svc.gateway.presence_twin import PRESENCE_SERVER, TwinPresence

ME = "gateway-test-000001"
TEAM = "T0000000001"
TIMEOUT_S = 5.0


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run on uvloop, as in production."""
    return {"uvloop": uvloop.new_event_loop}


class TwinMesh:
    """Webapp's log, the channel servers and the feed in one: what is posted is logged, and delivered if followed."""

    def __init__(self) -> None:
        self.logs: dict[str, list[event_pb.Event]] = {}
        self.members: dict[str, list[str]] = {}
        self.away: set[str] = set()
        self.revoked: set[bytes] = set()
        self.followed: dict[str, int] = {}
        self.hub: Hub | None = None
        self.is_down = False
        self.is_stuck = False
        """Whether nobody can tell that channels are level."""
        self.asked = 0
        """How often it was asked what a session follows."""
        self.posts: list[webapp_pb.PostMessageRequest] = []
        self.refusal = ""
        self.pause_s = 0.0

    def follow(self, channel_id: str, after: int) -> None:
        self.followed[channel_id] = after
        asyncio.get_running_loop().call_soon(self._catch_up, channel_id)

    def unfollow(self, channel_id: str) -> None:
        del self.followed[channel_id]

    def is_level(self, channel_id: str) -> bool:
        return not self.is_stuck and self.followed.get(channel_id) == len(self.logs.get(channel_id, ()))

    def publish_transient(self, event: event_pb.Event) -> None:
        asyncio.get_running_loop().call_soon(self._deliver, [event])

    def append(self, channel_id: str, is_delivered: bool = True, **fields: Any) -> event_pb.Event:
        """Commit an event, and publish it."""
        log = self.logs.setdefault(channel_id, [])
        offset = len(log) + 1
        text = fields.pop("text", "hi")
        body = {"type": "message", "channel": channel_id, "text": text, "position": f"{channel_id}:{offset}"}
        fields.setdefault("payload", orjson.dumps(body))
        log.append(event_pb.Event(channel_id=channel_id, offset=offset, **fields))
        if is_delivered:
            self._catch_up(channel_id)
        return log[-1]

    async def subscriptions(self, team_id: str, user_id: str, token_prefix: bytes = b"") -> Subscriptions:
        self.asked += 1
        self._check()
        if token_prefix in self.revoked:
            raise UnauthenticatedError("revoked")
        if team_id != TEAM or user_id not in self.members:
            raise NotFoundError("no such user")
        followed = (user_id, *self.members[user_id])
        heads = [(channel, len(self.logs.get(channel, ()))) for channel in followed]
        return Subscriptions(heads, user_id in self.away)

    async def post(self, request: webapp_pb.PostMessageRequest) -> webapp_pb.PostMessageResponse:
        self.posts.append(request)
        await asyncio.sleep(self.pause_s)
        self._check()
        if self.refusal:
            return webapp_pb.PostMessageResponse(error=self.refusal)
        event = self.append(
            request.channel_id,
            text=request.text,
            sender_id=request.user_id,
            origin_connection_id=request.origin_connection_id,
        )
        ts = f"1700000000.{event.offset:06d}"
        return webapp_pb.PostMessageResponse(ts=ts, text=request.text, offset=event.offset)

    async def read_log(self, after: Sequence[tuple[str, int]], limit: int) -> Sequence[ChannelLog]:
        self._check()
        await asyncio.sleep(0)
        logs = {channel_id: self.logs.get(channel_id, []) for channel_id, _ in after}
        return [ChannelLog(each, logs[each][n : n + limit], len(logs[each]), False) for each, n in after]

    async def read_heads(self, channel_ids: Sequence[str]) -> Mapping[str, int]:
        return {each: len(self.logs[each]) for each in channel_ids if each in self.logs}

    def _check(self) -> None:
        if self.is_down:
            raise UnavailableError("webapp is away")

    def _catch_up(self, channel_id: str) -> None:
        after = self.followed.get(channel_id)
        if after is not None:
            events = self.logs.get(channel_id, [])[after:]
            self.followed[channel_id] = after + len(events)
            self._deliver(events)

    def _deliver(self, events: Sequence[event_pb.Event]) -> None:
        assert self.hub is not None
        self.hub.deliver([event for event in events if event.channel_id in self.followed])


@dataclass
class House:
    """A running gateway, and clients of it."""

    mesh: TwinMesh
    edge: TwinEdge
    presence: TwinPresence
    reports: Presence
    connections: Connections
    door: Door
    outbox: Outbox
    openings: Openings
    lazy: Lazy
    prefetch: Prefetch
    drain: Drain
    port: int
    signer: Signer
    http: aiohttp.ClientSession
    minted: int = field(default=0)

    def url(
        self,
        user_id: str,
        flags: Sequence[str] = (),
        gateway: str = ME,
        bot: str = "",
        ttl_s: float = 30,
        vouched: Vouched | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> str:
        self.minted += 1
        claims: dict[str, Any] = {
            "jti": f"j{self.minted}",
            "team": TEAM,
            "user": user_id,
            "bot": bot,
            "gateway": gateway,
        }
        if vouched is not None:
            claims["vouched"] = vouched.claim()
        now = SystemClock().wall_us() / 1_000_000
        claims |= {"kind": "rtm", "flags": list(flags), **(more or {})}
        ticket = self.signer.sign(TICKET_KIND, claims, ttl_s, now)
        return f"http://127.0.0.1:{self.port}/ws/{ticket}"

    async def connect(self, user_id: str, *channels: str, flags: Sequence[str] = (), bot: str = "") -> Client:
        """Return a client whose session follows its channels."""
        self.mesh.members.setdefault(user_id, []).extend(channels)
        before = {connection.number for connection in self.connections}
        socket = await self.http.ws_connect(self.url(user_id, flags, bot=bot), autoping=False, autoclose=False)
        client = Client(socket)
        assert (await client.json())["type"] == "hello"
        mine = next(connection for connection in self.connections if connection.number not in before)
        await until(lambda: len(mine.channels) == 1 + len(set(self.mesh.members[user_id])))
        return client


class Client:
    """A WebSocket client with deadlines; server pings are skipped unless asked for."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def frame(self, skips_pings: bool = True) -> aiohttp.WSMessage:
        while True:
            frame = await self.socket.receive(timeout=TIMEOUT_S)
            if frame.type is not aiohttp.WSMsgType.PING or not skips_pings:
                return frame

    async def json(self) -> Any:
        frame = await self.frame()
        assert frame.type is aiohttp.WSMsgType.TEXT, frame
        return orjson.loads(frame.data)

    async def texts(self, count: int) -> list[str]:
        """Return the texts of the next `count` messages."""
        return [(await self.json())["text"] for _ in range(count)]

    async def say(self, **frame: Any) -> None:
        await self.socket.send_str(orjson.dumps(frame).decode())

    async def ask(self, **frame: Any) -> Any:
        await self.say(**frame)
        return await self.json()

    async def close_code(self) -> int:
        """Return the code of the Close that comes next."""
        frame = await self.frame()
        assert frame.type is aiohttp.WSMsgType.CLOSE, frame
        await self.socket.close()
        return int(frame.data)

    async def hears_nothing(self) -> bool:
        """Tell whether a ping is answered before anything else arrives."""
        return bool(await self.ask(type="ping", probe=1) == {"type": "pong", "probe": 1})


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, at most TIMEOUT_S."""
    async with asyncio.timeout(TIMEOUT_S):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(
    limits: SessionLimits,
    keepalive: KeepaliveLimits,
    admission: AdmissionLimits,
    connections_max: int,
    bytes_max: int,
    lazy_limits: LazyLimits | None = None,
) -> Any:
    clock, mesh, presence_twin, signer = SystemClock(), TwinMesh(), TwinPresence(), Signer("a secret of sixteen")
    edge = TwinEdge()
    async with AsyncExitStack() as up:
        tasks = await up.enter_async_context(Tasks("test", 1_000))
        connections = Connections(connections_max)
        outbox = Outbox(asyncio.get_running_loop(), bytes_max)
        presence = Presence(Subscriber(ME, "az1"), presence_twin, tasks, clock, keepalive.idle_s)
        openings = Openings(mesh, mesh, presence, tasks, clock, Random(1))
        lazy = Lazy(edge, tasks, clock, Random(1), lazy_limits or LazyLimits(), bytes_max)
        prefetch = Prefetch(edge, tasks, clock, outbox.call_later, PrefetchLimits())
        desk = FrontDesk(
            connections, mesh, openings, Posts(mesh, tasks), lazy, prefetch, presence, clock, outbox.push_all
        )
        mesh.hub = desk.hub
        wiring = Wiring(outbox, desk, clock.now, frames.hello(ME))
        limiter = Admission(admission, Random(1), clock.now())
        openings.on_listed = lambda took_s: limiter.opened(took_s, clock.now())
        door = Door(TicketGate(signer, ME), limiter, connections, wiring, limits, clock, ME, Random(1))
        await up.enter_async_context(presence.running())
        presence.ring_changed(Ring([Member(PRESENCE_SERVER)]))
        await up.enter_async_context(background("pings", keep_alive(connections, keepalive, clock)))
        port = await up.enter_async_context(open_door(door.answer, "127.0.0.1", 0))
        http = await up.enter_async_context(aiohttp.ClientSession())
        drain = Drain(connections, door.shut, clock, tasks, linger_s=0.2)
        up.push_async_callback(drain.finish, 0)
        yield House(
            mesh=mesh,
            edge=edge,
            presence=presence_twin,
            reports=presence,
            connections=connections,
            door=door,
            outbox=outbox,
            openings=openings,
            lazy=lazy,
            prefetch=prefetch,
            drain=drain,
            port=port,
            signer=signer,
            http=http,
        )


Opener = Callable[..., Coroutine[Any, Any, House]]


@pytest.fixture
async def open_house() -> AsyncIterator[Opener]:
    """Open a gateway with limits of one's own."""
    async with AsyncExitStack() as up:

        async def open_one(
            limits: SessionLimits | None = None,
            keepalive: KeepaliveLimits | None = None,
            admission: AdmissionLimits | None = None,
            connections_max: int = 100,
            bytes_max: int = 1024 * 1024,
            lazy: LazyLimits | None = None,
        ) -> House:
            made = running(
                limits or SessionLimits(),
                keepalive or KeepaliveLimits(),
                admission or AdmissionLimits(),
                connections_max,
                bytes_max,
                lazy,
            )
            house: House = await up.enter_async_context(made)
            return house

        yield open_one


@pytest.fixture
async def house(open_house: Opener) -> House:
    """A gateway with the usual limits."""
    return await open_house()
