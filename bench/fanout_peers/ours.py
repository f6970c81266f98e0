"""Ours: a channel server and a gateway as `make run` starts them, with presence beside them, and a stand-in for webapp.

Nothing of the way of an event is left out or switched off: Publish stream, channel server, Attach stream, gateway with
its sessions, limits, dedupe and pings. Every socket is another user's, who follows the workspace, a channel of its own
and the one that is published in, and comes with a ticket signed as webapp signs it. What stands in for webapp
(`StandIn`) is asked what these users follow and what the log holds, which a gateway asks when sessions begin and when
events are missing: five thousand seeded users would be measured by their seeding. An event that reaches a socket
passes no webapp, nor admin, which finds the owner of a channel; the benchmark publishes at the owner itself.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from types import MappingProxyType

import grpc

from bench.cores import move
from bench.fanout_load import Endpoint
from bench.fanout_peers.peer import Peer, Place, event
from discovery.front import Discovery
from discovery.registrar import new_instance_id
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec, none
from parley.channel.v1 import channel_service_pb2 as channel_pb
from parley.channel.v1.channel_service_pb2_grpc import ChannelServiceStub
from parley.event.v1 import event_pb2 as event_pb
from parley.webapp.v1 import webapp_service_pb2 as webapp_pb
from parley.webapp.v1.webapp_service_pb2_grpc import WebappServiceServicer, add_WebappServiceServicer_to_server
from svc.feed.lines import Stream
from svc.gateway.tickets import TICKET_KIND
from svc.kit.clock import SystemClock
from svc.kit.config import InstanceConfig
from svc.kit.lifecycle import background
from svc.kit.rpc import CHANNEL_OPTIONS, Service, rpc_server
from svc.kit.tokens import Signer

PublishStream = Stream[channel_pb.PublishRequest, channel_pb.PublishResponse]

TEAM, ROOM, AUTHOR = "T0000000001", "C0000000001", "U0000000001"
TICKET_TTL_S = 30.0
LOG_EVENTS_MAX = 1_000


class StandIn(WebappServiceServicer):
    """What a gateway asks of webapp about users who are all in one channel. Its log has every event ever published."""

    def __init__(self) -> None:
        self.head = 0
        """Offset up to which events of the channel were published."""

    async def ListSubscriptions(  # noqa: N802 - gRPC's name
        self, request: webapp_pb.ListSubscriptionsRequest, context: object
    ) -> webapp_pb.ListSubscriptionsResponse:
        """Answer that a user follows itself, its workspace and the channel."""
        heads = {request.user_id: 0, request.team_id: 0, ROOM: self.head}
        return webapp_pb.ListSubscriptionsResponse(heads=[position(each, offset) for each, offset in heads.items()])

    async def ReadHeads(  # noqa: N802
        self, request: webapp_pb.ReadHeadsRequest, context: object
    ) -> webapp_pb.ReadHeadsResponse:
        """Answer how far the channel has come; no other has any event."""
        asked = [each for each in request.channel_ids if each == ROOM and self.head]
        return webapp_pb.ReadHeadsResponse(heads=[position(each, self.head) for each in asked])

    async def ReadLog(  # noqa: N802
        self, request: webapp_pb.ReadLogRequest, context: object
    ) -> webapp_pb.ReadLogResponse:
        """Answer events of the channel."""
        return webapp_pb.ReadLogResponse(logs=[self._log(each, request.limit or 200) for each in request.after])

    def _log(self, after: event_pb.ChannelPosition, limit: int) -> webapp_pb.ChannelLog:
        head = self.head if after.channel_id == ROOM else 0
        upto = min(head, after.offset + min(limit, LOG_EVENTS_MAX))
        found = [_event(offset) for offset in range(after.offset + 1, upto + 1)]
        return webapp_pb.ChannelLog(channel_id=after.channel_id, events=found, head_offset=head)


class _Parley:
    """See Peer. Publishes on one stream, as admin does: a batch is what is to be published at once."""

    def __init__(self, endpoint: Endpoint, gateway: int, channel: int, stream: PublishStream, webapp: StandIn) -> None:
        self.endpoint = endpoint
        self.pids: Collection[int] = (gateway,)
        self.behind: Collection[int] = (channel,)
        self._stream = stream
        self._webapp = webapp

    async def publish(self, first: int, count: int) -> None:
        self._webapp.head = first + count - 1
        batch = [_event(offset) for offset in range(first, first + count)]
        await self._stream.write(channel_pb.PublishRequest(batch_number=first, events=batch))

    async def read_answers(self) -> None:
        """Take what the channel server answers, until cancelled. Raises RuntimeError when it refuses."""
        while isinstance(answer := await self._stream.read(), channel_pb.PublishResponse):
            if answer.refusals:
                raise RuntimeError(f"the channel server refuses: {answer.refusals[0]}")


@asynccontextmanager
async def parley(place: Place) -> AsyncIterator[Peer]:
    """Run it; the gateway has the server's processor, and whatever else there is runs where the clients do."""
    spec = MeshSpec(
        var=place.folder / "mesh", counts=none(channel=1, gateway=1, presence=1), zones=("az1",), graceful=False
    )
    async with AsyncExitStack() as up:
        mesh = await up.enter_async_context(Mesh(spec))
        webapp = StandIn()  # type: ignore[abstract]  # what it has not got, a gateway does not ask of it here
        await up.enter_async_context(standing_in(mesh, webapp))
        gateway, channel = [await mesh.instance(f"{tier}-az1-1") for tier in ("gateway", "channel")]
        endpoint = Endpoint(
            int(gateway.instance.meta["ws_port"]), Tickets(mesh.secret, gateway.instance.id).path, ready='"hello"'
        )
        dialled = grpc.aio.insecure_channel(channel.instance.address, options=CHANNEL_OPTIONS)
        line = await up.enter_async_context(dialled)
        pid = {tier: process.pid for tier in ("gateway", "channel") if (process := mesh.process(f"{tier}-az1-1"))}
        move(pid["gateway"], place.cores.server)
        peer = _Parley(endpoint, pid["gateway"], pid["channel"], ChannelServiceStub(line).Publish(), webapp)
        await up.enter_async_context(background("answers of the channel server", peer.read_answers()))
        yield peer


class Tickets:
    """Tickets of users, each another one, as rtm.connect gives them out."""

    def __init__(self, secret: str, gateway_id: str, more: Mapping[str, object] = MappingProxyType({})) -> None:
        """Say `more` in all of them."""
        self._signer = Signer(secret)
        self._gateway_id = gateway_id
        self._more = more

    def path(self, number: int) -> str:
        """Return where the n-th user connects."""
        claims = {
            "kind": "rtm",
            "flags": [],
            "jti": secrets.token_urlsafe(12),
            "team": TEAM,
            "user": user_id(number),
            "bot": "",
            "gateway": self._gateway_id,
            **self._more,
        }
        return f"/ws/{self._signer.sign(TICKET_KIND, claims, TICKET_TTL_S, time.time())}"


@asynccontextmanager
async def standing_in(mesh: Mesh, webapp: StandIn) -> AsyncIterator[None]:
    """Serve the stand-in, and let the mesh find it."""
    instance = InstanceConfig(name="webapp-az1-1", zone="az1", consul_addr=mesh.consul_addr, secret=mesh.secret)
    service = Service(
        "parley.webapp.v1.WebappService", lambda server: add_WebappServiceServicer_to_server(webapp, server)
    )
    async with AsyncExitStack() as up:
        disco = await up.enter_async_context(Discovery(instance, SystemClock(), Random(1)))
        server = await up.enter_async_context(rpc_server(instance, [service]))
        await up.enter_async_context(disco.registered("webapp", new_instance_id("webapp", instance), server, {}))
        yield


def user_id(number: int) -> str:
    """Return the id of the n-th user."""
    return f"U{number + 1_000:010d}"


def position(channel_id: str, offset: int) -> event_pb.ChannelPosition:
    """Return how far a channel has come."""
    return event_pb.ChannelPosition(channel_id=channel_id, offset=offset)


def _event(offset: int) -> event_pb.Event:
    return event_pb.Event(
        channel_id=ROOM,
        offset=offset,
        kind=event_pb.EVENT_KIND_MESSAGE,
        sender_id=AUTHOR,
        payload=event(offset),
        commit_unix_us=1_700_000_000_000_000 + offset,
        message_ts_us=1_700_000_000_000_000 + offset,
    )
