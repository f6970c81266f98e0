"""Which edge is asked, for how long it is waited for, and when it is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest

from discovery.view import Instance
from parley.boot.v1 import boot_pb2
from parley.edge.v1 import edge_service_pb2 as pb
from parley.edge.v1 import edge_service_pb2_grpc as rpc
from svc.kit.clock import SystemClock
from svc.kit.config import InstanceConfig
from svc.kit.errors import NotFoundError, NotOwnerError, ParleyError, UnavailableError
from svc.kit.rpc import CHANNEL_OPTIONS, Service, rpc_server
from svc.webapp import edge_tier
from svc.webapp.edge_tier import EdgeTier
from svc.webapp.priority import Priority, Turn, taking

TEAM = "T0000000001"
REQUEST = pb.BootRequest(team_id=TEAM, user_id="U0000000001")


@dataclass
class Edge(rpc.EdgeServiceServicer):
    """An edge that takes as long as it is told to, and fails as it is told to."""

    takes_s: list[float] = field(default_factory=list)
    """For each boot in turn; then none."""
    fails: list[ParleyError] = field(default_factory=list)
    info: ParleyError | None = None
    is_mute: bool = False
    boots: int = 0
    together: list[int] = field(default_factory=list)
    """How many boots were asked together, each time."""

    async def Boot(self, request: pb.BootRequest, context: Any) -> pb.BootResponse:
        self.boots += 1
        if self.is_mute:
            await asyncio.sleep(30)
        if self.takes_s:
            await asyncio.sleep(self.takes_s.pop(0))
        if self.fails:
            raise self.fails.pop(0)
        return pb.BootResponse(model_offset=7)

    async def BootMany(self, request: pb.BootManyRequest, context: Any) -> pb.BootManyResponse:
        self.together.append(len(request.boots))
        return pb.BootManyResponse(boots=[await self.Boot(each, context) for each in request.boots])

    async def GetModelInfo(self, request: pb.GetModelInfoRequest, context: Any) -> pb.GetModelInfoResponse:
        if self.is_mute:
            await asyncio.sleep(30)
        if self.info is not None:
            raise self.info
        return pb.GetModelInfoResponse()

    async def GetObjects(self, request: pb.GetObjectsRequest, context: Any) -> pb.GetObjectsResponse:
        return pb.GetObjectsResponse(unknown_ids=[known.id for known in request.objects])

    async def Search(self, request: pb.SearchRequest, context: Any) -> pb.SearchResponse:
        return pb.SearchResponse()

    async def ListMembers(self, request: pb.ListMembersRequest, context: Any) -> pb.ListMembersResponse:
        raise NotFoundError("no such conversation")

    async def ListEmoji(self, request: pb.ListEmojiRequest, context: Any) -> pb.ListEmojiResponse:
        return pb.ListEmojiResponse(version=3)

    async def ReadModel(self, request: pb.ReadModelRequest, context: Any) -> AsyncIterator[pb.ReadModelResponse]:
        yield pb.ReadModelResponse(team=boot_pb2.Team(id=TEAM), model_offset=7)
        if self.fails:
            raise self.fails.pop(0)
        yield pb.ReadModelResponse()


class Plain:
    """Stubs and owners: one channel to one instance."""

    def __init__(self, address: str, channel: grpc.aio.Channel) -> None:
        self._instance = Instance("edge-az1-1-abcdef", "edge", address)
        self._channel = channel

    def owner(self, key: str) -> Instance:
        return self._instance

    def stub(self, stub_class: Callable[[grpc.aio.Channel], Any], instance: Instance) -> Any:
        return stub_class(self._channel)


@asynccontextmanager
async def tier(edge: Edge) -> AsyncIterator[EdgeTier]:
    """Serve `edge`, and yield what asks it."""
    config = InstanceConfig(secret="for tests")
    name = pb.DESCRIPTOR.services_by_name["EdgeService"].full_name
    service = Service(name, lambda server: rpc.add_EdgeServiceServicer_to_server(edge, server))
    async with rpc_server(config, [service]) as server:
        channel = grpc.aio.insecure_channel(server.address, options=CHANNEL_OPTIONS)
        plain = Plain(server.address, channel)
        try:
            yield EdgeTier(plain, plain, SystemClock())
        finally:
            await channel.close(None)


async def test_a_warm_edge_is_asked_once() -> None:
    """The way of nearly every boot."""
    edge = Edge()
    async with tier(edge) as asked:
        assert (await asked.boot(REQUEST)).model_offset == 7
        known = pb.GetObjectsRequest(team_id=TEAM, objects=[pb.KnownObject(id="U1")])
        assert list((await asked.objects(known)).unknown_ids) == ["U1"]
        assert (await asked.emoji(pb.ListEmojiRequest(team_id=TEAM))).version == 3
        assert [part.model_offset async for part in asked.model(pb.ReadModelRequest(team_id=TEAM))] == [7, 0]
    assert edge.boots == 1


async def test_those_who_come_back_in_a_crowd_are_asked_for_together() -> None:
    """Deltas of clients that can wait; a first boot among them waits for nobody."""
    edge = Edge()
    delta = pb.BootRequest(team_id=TEAM, user_id="U0000000001", since_model_offset=3)
    async with tier(edge) as asked:
        with taking(Turn(Priority.BOOT, is_patient=True)):
            boots = await asyncio.gather(*(asked.boot(delta) for _ in range(300)), asked.boot(REQUEST))
        assert {boot.model_offset for boot in boots} == {7}
        assert (await asked.boot(delta)).model_offset == 7
    assert edge.boots == 302
    assert sum(edge.together) > 200


async def test_an_edge_that_loads_is_waited_for() -> None:
    """It is silent for longer than an answer takes, and says when asked that it does not hold the workspace yet."""
    edge = Edge(takes_s=[30.0, edge_tier.ANSWER_S + 0.3], info=NotFoundError("not loaded"))
    async with tier(edge) as asked:
        assert (await asked.boot(REQUEST)).model_offset == 7
    assert edge.boots == 2


async def test_an_edge_that_hangs_is_left_alone_for_a_while() -> None:
    """The first to ask waits for less than a second, the next ones not at all; then it is tried again."""
    edge = Edge(is_mute=True)
    loop = asyncio.get_running_loop()
    async with tier(edge) as asked:
        began = loop.time()
        with pytest.raises(UnavailableError):
            await asked.boot(REQUEST)
        assert loop.time() - began < edge_tier.ANSWER_S + edge_tier.PROBE_S + 0.5
        silent_at = loop.time()
        for _ in range(100):
            with pytest.raises(UnavailableError):
                await asked.boot(REQUEST)
        assert loop.time() - silent_at < 0.3
        assert edge.boots == 1
        edge.is_mute = False
        async with asyncio.timeout(5.0):
            while True:
                try:
                    assert (await asked.boot(REQUEST)).model_offset == 7
                    break
                except UnavailableError:
                    await asyncio.sleep(0.05)


async def test_who_does_not_own_it_is_asked_again_and_what_is_refused_is_passed_on() -> None:
    """The ring may have moved between the two; an edge that does not vouch is not asked twice."""
    edge = Edge(fails=[NotOwnerError("not mine")])
    async with tier(edge) as asked:
        assert (await asked.boot(REQUEST)).model_offset == 7
        edge.boots, edge.fails = 0, [UnavailableError("cut off from an owner")]
        with pytest.raises(UnavailableError):
            await asked.boot(REQUEST)
        assert edge.boots == 1
        with pytest.raises(NotFoundError):
            await asked.members(pb.ListMembersRequest(team_id=TEAM))
        edge.fails = [UnavailableError("let go")]
        with pytest.raises(UnavailableError):
            _ = [part async for part in asked.model(pb.ReadModelRequest(team_id=TEAM))]


async def test_an_edge_that_is_not_there_is_known_at_once() -> None:
    """A refused connection is no wait."""
    channel = grpc.aio.insecure_channel("127.0.0.1:1", options=CHANNEL_OPTIONS)
    plain = Plain("127.0.0.1:1", channel)
    try:
        began = asyncio.get_running_loop().time()
        with pytest.raises(UnavailableError):
            await EdgeTier(plain, plain, SystemClock()).boot(REQUEST)
        assert asyncio.get_running_loop().time() - began < 0.5
    finally:
        await channel.close(None)
