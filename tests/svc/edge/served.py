"""An edge over real gRPC, loading from a real gRPC twin of the webapp, with twins beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import grpc
import pytest

from discovery.ring import Member, Ring
from discovery.stubs import StubPools
from discovery.view import Instance, Snapshot
from discovery.watcher import ServiceWatcher
from parley.boot.v1 import boot_pb2 as boot_pb
from parley.edge.v1 import edge_service_pb2 as pb
from parley.edge.v1 import edge_service_pb2_grpc as rpc
from parley.webapp.v1 import webapp_service_pb2 as webapp
from parley.webapp.v1 import webapp_service_pb2_grpc as webapp_rpc
from svc.edge.config import AnswerLimits, HoldLimits, ModelLimits
from svc.edge.loader import Loader
from svc.edge.ownership import Ownership
from svc.edge.servicer import EdgeServicer, Neighbours
from svc.edge.source import WebappSource
from svc.edge.workspaces import Workspaces
from svc.kit.clock import SystemClock
from svc.kit.config import InstanceConfig
from svc.kit.errors import (
    NotFoundError,
    ParleyError,
    UnavailableError,
    from_rpc_error,
)
from svc.kit.lifecycle import Tasks
from svc.kit.rpc import CHANNEL_OPTIONS, Service, rpc_server
from tests.svc.edge.twins import ALICE, BOB, GENERAL, RANDOM, TEAM, TwinFeed, TwinFreshness, World

HOLD = HoldLimits(load_timeout_s=0.5, level_timeout_s=0.5)


class TwinWebapp(webapp_rpc.WebappServiceServicer):
    """Serves LoadWorkspace from a world; raises `failures` first, one a call."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.failures: list[ParleyError] = []
        self.loads = self.resumed = 0
        self.cut_after: int | None = None

    async def LoadWorkspace(
        self, request: webapp.LoadWorkspaceRequest, context: Any
    ) -> AsyncIterator[webapp.LoadWorkspaceResponse]:
        self.loads += 1
        self.resumed += request.HasField("resume")
        if self.failures:
            raise self.failures.pop(0)
        if request.team_id != self.world.team_id:
            raise NotFoundError(f"no workspace {request.team_id}")
        for part in self.world.parts(place=request.resume)[: self.cut_after]:
            yield part
        if self.cut_after is not None:
            self.cut_after = None
            raise UnavailableError("killed in the middle")

    async def ReadLog(self, request: webapp.ReadLogRequest, context: Any) -> webapp.ReadLogResponse:
        events = [event for event in self.world.log if event.offset > request.after[0].offset][: request.limit]
        return webapp.ReadLogResponse(logs=[webapp.ChannelLog(channel_id=TEAM, events=events)])


class TwinActivity:
    """Every conversation has come as far as its place in the request."""

    followed_count = 4

    async def activities(self, channel_ids: Sequence[str]) -> Sequence[boot_pb.ConversationActivity]:
        """See interfaces.Activity."""
        await asyncio.sleep(0)
        return [
            boot_pb.ConversationActivity(channel_id=channel_id, head_offset=place)
            for place, channel_id in enumerate(channel_ids)
        ]


class TwinMembers:
    """Tells what it was asked by the page that it returns."""

    async def page(
        self, team_id: str, user_id: str, channel_id: str, after_user_id: str, limit: int, *, is_public: bool
    ) -> pb.ListMembersResponse:
        """See interfaces.Members."""
        if not is_public:
            raise NotFoundError(f"{user_id} is not in {channel_id}")
        return pb.ListMembersResponse(user_ids=[after_user_id, user_id], total_count=limit)


class OneInstance:
    """A watcher that sees one instance, or nobody."""

    def __init__(self, tier: str, address: str) -> None:
        self.snapshot = Snapshot(f"parley-{tier}", 1, (Instance(f"{tier}-1", tier, address, "az1"),))

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        """See ServiceWatcher.subscribe."""
        callback(self.snapshot)
        return lambda: None


@dataclass
class Town:
    """An edge, the webapp it loads from, the feed that keeps it fresh, and a way to call it."""

    world: World
    webapp: TwinWebapp
    feed: TwinFeed
    ownership: Ownership
    freshness: TwinFreshness
    servicer: EdgeServicer
    stub: Any

    async def boot(self, user_id: str = ALICE, team_id: str = TEAM, **fields: Any) -> pb.BootResponse:
        """Boot a user."""
        request = pb.BootRequest(team_id=team_id, user_id=user_id, **{"channel_ids": [GENERAL, RANDOM], **fields})
        response: pb.BootResponse = await self.stub.Boot(request, timeout=5)
        return response

    async def found(self, prefix: str, **fields: Any) -> list[str]:
        """Search, and return the ids found."""
        request = pb.SearchRequest(team_id=TEAM, user_id=ALICE, prefix=prefix, **fields)
        response = await self.stub.Search(request, timeout=5)
        return [user.id for user in response.users] + [channel.id for channel in response.channels]

    async def refusal(self, call: Any) -> ParleyError:
        """Await a call that must fail and return why."""
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        return from_rpc_error(refused.value)


@asynccontextmanager
async def town() -> AsyncIterator[Town]:
    """Run an edge that owns every workspace, and a webapp with one."""
    world = World()
    world.user(ALICE, "first")
    world.user(BOB)
    world.channel(GENERAL)
    clock, instance = SystemClock(), InstanceConfig(secret="x" * 16)
    async with AsyncExitStack() as up:
        twin = TwinWebapp(world)  # type: ignore[abstract]  # an edge calls nothing else
        truth = Service(
            "parley.webapp.v1.WebappService",
            lambda server: webapp_rpc.add_WebappServiceServicer_to_server(twin, server),
        )
        webapp_server = await up.enter_async_context(rpc_server(instance, [truth]))
        pools = await up.enter_async_context(StubPools("az1", clock))
        pools.follow("webapp", cast(ServiceWatcher, OneInstance("webapp", webapp_server.address)))
        loads = await up.enter_async_context(Tasks("loads", limit=10))
        feed, ownership = TwinFeed(world), Ownership("edge-1", Ring([Member("edge-1")]))
        loader = Loader(WebappSource(pools), ModelLimits(), HOLD.loads_max, clock)
        freshness, beside = TwinFreshness(), Neighbours(TwinActivity(), TwinMembers())
        feed.consumer = Workspaces(HOLD, loader, feed, freshness, ownership, clock, loads)
        servicer = EdgeServicer(feed.consumer, ownership, beside, AnswerLimits(reads_max=2))
        service = Service(
            "parley.edge.v1.EdgeService", lambda server: rpc.add_EdgeServiceServicer_to_server(servicer, server)
        )
        server = await up.enter_async_context(rpc_server(instance, [service]))
        channel = await up.enter_async_context(grpc.aio.insecure_channel(server.address, options=CHANNEL_OPTIONS))
        yield Town(world, twin, feed, ownership, freshness, servicer, rpc.EdgeServiceStub(channel))
