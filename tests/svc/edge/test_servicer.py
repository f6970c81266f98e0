"""The edge over real gRPC, loading from a real gRPC twin of the webapp."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import grpc
import pytest

from discovery.ring import Member, Ring
from discovery.stubs import StubPools
from discovery.view import Instance, Snapshot
from discovery.watcher import ServiceWatcher
from parley.edge.v1 import edge_service_pb2 as pb
from parley.edge.v1 import edge_service_pb2_grpc as rpc
from parley.webapp.v1 import webapp_service_pb2 as webapp
from parley.webapp.v1 import webapp_service_pb2_grpc as webapp_rpc
from svc.edge.config import HoldLimits, ModelLimits
from svc.edge.loader import Loader
from svc.edge.ownership import Ownership
from svc.edge.servicer import EdgeServicer
from svc.edge.source import WebappSource
from svc.edge.workspaces import Workspaces
from svc.kit.clock import SystemClock
from svc.kit.config import InstanceConfig
from svc.kit.errors import (
    InvalidArgumentError,
    NotFoundError,
    NotOwnerError,
    ParleyError,
    UnavailableError,
    from_rpc_error,
)
from svc.kit.lifecycle import Tasks
from svc.kit.rpc import CHANNEL_OPTIONS, Service, rpc_server
from tests.svc.edge.twins import ALICE, BOB, GENERAL, RANDOM, TEAM, TwinFeed, World

HOLD = HoldLimits(load_timeout_s=0.5)


class TwinWebapp(webapp_rpc.WebappServiceServicer):
    """Serves LoadWorkspace from a world; raises `failures` first, one a call."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.failures: list[ParleyError] = []
        self.loads = 0

    async def LoadWorkspace(
        self, request: webapp.LoadWorkspaceRequest, context: Any
    ) -> AsyncIterator[webapp.LoadWorkspaceResponse]:
        self.loads += 1
        if self.failures:
            raise self.failures.pop(0)
        if request.team_id != self.world.team_id:
            raise NotFoundError(f"no workspace {request.team_id}")
        for part in self.world.parts():
            yield part


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
    stub: Any

    async def boot(self, user_id: str = ALICE, team_id: str = TEAM) -> pb.BootResponse:
        """Boot a user."""
        response: pb.BootResponse = await self.stub.Boot(pb.BootRequest(team_id=team_id, user_id=user_id), timeout=5)
        return response

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
        feed.consumer = Workspaces(HOLD, loader, feed, ownership, clock, loads)
        servicer = EdgeServicer(feed.consumer, ownership)
        service = Service(
            "parley.edge.v1.EdgeService", lambda server: rpc.add_EdgeServiceServicer_to_server(servicer, server)
        )
        server = await up.enter_async_context(rpc_server(instance, [service]))
        channel = await up.enter_async_context(grpc.aio.insecure_channel(server.address, options=CHANNEL_OPTIONS))
        yield Town(world, twin, feed, ownership, rpc.EdgeServiceStub(channel))


async def test_a_boot_is_answered_from_one_load_and_the_events_after_it() -> None:
    """A hundred boots at once cost the webapp one load; a change is in the next boot without another."""
    async with town() as here:
        boots = await asyncio.gather(*(here.boot() for _ in range(100)))
        assert all(boot.self.title == "first" and boot.user_count == 2 for boot in boots)
        here.world.user(ALICE, "second")
        here.world.channel(RANDOM)
        here.feed.pump()
        boot = await here.boot()
        assert (boot.self.title, boot.model_offset) == ("second", 5)
        assert [channel.id for channel in boot.channels] == [GENERAL, RANDOM]
        assert here.webapp.loads == 1


async def test_objects_come_by_id_and_version() -> None:
    """What the caller has is left out; what the workspace has not is named."""
    async with town() as here:
        wanted = [
            pb.KnownObject(id=ALICE, version=1, held=True),
            pb.KnownObject(id=BOB, version=1, held=True),
            pb.KnownObject(id=GENERAL),
            pb.KnownObject(id=RANDOM),
        ]
        response = await here.stub.GetObjects(pb.GetObjectsRequest(team_id=TEAM, objects=wanted), timeout=5)
        assert [user.id for user in response.users] == [BOB]
        assert [channel.id for channel in response.channels] == [GENERAL]
        assert list(response.unknown_ids) == [RANDOM]


async def test_the_model_is_described_once_it_is_held() -> None:
    """Asking for its numbers does not load it."""
    async with town() as here:
        asked = pb.GetModelInfoRequest(team_id=TEAM)
        assert isinstance(await here.refusal(here.stub.GetModelInfo(asked, timeout=5)), NotFoundError)
        await here.boot()
        info = await here.stub.GetModelInfo(asked, timeout=5)
        assert (info.model_offset, info.user_count, info.channel_count, info.load_count) == (3, 2, 1, 1)


async def test_another_edges_workspace_is_refused_with_the_ring() -> None:
    """All three calls answer NOT_OWNER, so that the caller looks at its own ring again."""
    async with town() as here:
        here.ownership.ring = Ring([Member("edge-2")])
        calls = [
            here.boot(),
            here.stub.GetObjects(pb.GetObjectsRequest(team_id=TEAM), timeout=5),
            here.stub.GetModelInfo(pb.GetModelInfoRequest(team_id=TEAM), timeout=5),
        ]
        for call in calls:
            error = await here.refusal(call)
            assert isinstance(error, NotOwnerError)
            assert error.ring_fingerprint == here.ownership.ring.fingerprint
        assert here.webapp.loads == 0


async def test_a_webapp_that_fails_for_a_moment_is_not_noticed() -> None:
    """The load is tried again within its time; only when that is over the caller hears of it."""
    async with town() as here:
        here.webapp.failures = [UnavailableError("restarting")]
        assert (await here.boot()).self.title == "first"
    async with town() as here:
        here.webapp.failures = [UnavailableError("down")] * 1000
        assert isinstance(await here.refusal(here.boot()), UnavailableError)


async def test_bad_requests_say_what_is_wrong() -> None:
    """Ids of other things, strangers, and more objects than allowed."""
    async with town() as here:
        wrong = [
            (here.boot(team_id="acme"), InvalidArgumentError),
            (here.boot(user_id=""), InvalidArgumentError),
            (here.boot(user_id="U0000000009"), NotFoundError),
            (here.boot(team_id="T0000000009"), NotFoundError),
            (
                here.stub.GetObjects(
                    pb.GetObjectsRequest(team_id=TEAM, objects=[pb.KnownObject(id=ALICE)] * 501), timeout=5
                ),
                InvalidArgumentError,
            ),
        ]
        for call, expected in wrong:
            assert type(await here.refusal(call)) is expected
