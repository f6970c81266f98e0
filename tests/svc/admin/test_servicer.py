"""The admin service over real gRPC, between a webapp's stream and two real channel servers on a ring set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
import pytest

from discovery.ring import Member, Ring, slot
from parley.admin.v1 import admin_service_pb2 as admin_pb2
from parley.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from parley.event.v1 import event_pb2
from svc.admin.config import AdminConfig, RouterLimits
from svc.admin.links import Links
from svc.admin.router import Router
from svc.admin.servicer import AdminServicer
from svc.kit.clock import SystemClock
from svc.kit.errors import InvalidArgumentError, ParleyError, UnavailableError, from_rpc_error
from svc.kit.lifecycle import Tasks, background
from svc.kit.rpc import CHANNEL_OPTIONS, rpc_server
from tests.svc.channel.lines import INSTANCE, PATIENCE_S, Running, Subscriber, channel_server
from tests.svc.channel.world import event, owned_by, ring_of

A, B = "server-a", "server-b"
(OF_A,) = owned_by(A, ring_of(A, B))
(OF_B,) = owned_by(B, ring_of(A, B))


class Routers:
    """An admin server, and the ring that it and the channel servers are told."""

    def __init__(
        self, stub: Any, router: Router, links: Links, servicer: AdminServicer, servers: list[Running]
    ) -> None:
        self.stub = stub
        self.router = router
        self.links = links
        self.servicer = servicer
        self.servers = {server.server_id: server for server in servers}
        self.suspected: list[str] = []

    def move(self, *owners: str) -> None:
        """Give everybody a new ring."""
        self.move_admin(*owners)
        for server in self.servers.values():
            server.table.move(ring_of(*owners), SystemClock().now())

    def move_admin(self, *owners: str) -> None:
        """Give a new ring to admin alone."""
        self.router.move(
            Ring(Member(owner, address=self.servers[owner].address) for owner in owners), SystemClock().now()
        )
        self.links.follow(owners)


@asynccontextmanager
async def routers(deadline_s: float = PATIENCE_S) -> AsyncIterator[Routers]:
    """Admin with two channel servers, each owning its share."""
    clock = SystemClock()
    limits = RouterLimits(deadline_s=deadline_s)
    config = AdminConfig(instance=INSTANCE, router=limits)
    async with AsyncExitStack() as up:
        servers = [await up.enter_async_context(channel_server(each, (A, B))) for each in (A, B)]
        stubs = {server.server_id: server.stub for server in servers}
        lines = await up.enter_async_context(Tasks("lines", limit=10))
        router = Router(limits, lambda owner: links.ready(owner))
        links = Links(router, clock, stubs.__getitem__, lambda owner: parts.suspected.append(owner), lines)
        readers = await up.enter_async_context(Tasks("readers", limit=10))
        servicer = AdminServicer(router, links, clock, config, readers)
        server = await up.enter_async_context(rpc_server(INSTANCE, [servicer.service()]))
        await up.enter_async_context(background("ticks", servicer.run()))
        up.push_async_callback(servicer.drain, 0.0)
        channel = await up.enter_async_context(grpc.aio.insecure_channel(server.address, options=CHANNEL_OPTIONS))
        parts = Routers(AdminServiceStub(channel), router, links, servicer, servers)
        parts.move(A, B)
        yield parts


class Webapp:
    """A webapp's end of a publish stream."""

    def __init__(self, stub: Any) -> None:
        self.call = stub.Publish()

    async def send(self, number: int, *events: event_pb2.Event) -> None:
        """Publish a batch."""
        await self.call.write(admin_pb2.PublishRequest(batch_number=number, events=events))

    async def answer(self) -> tuple[int, list[int]]:
        """Wait for the next answer: batch number, undelivered indexes."""
        async with asyncio.timeout(PATIENCE_S):
            answer = await self.call.read()
        assert isinstance(answer, admin_pb2.PublishResponse), "the line ended"
        return answer.batch_number, list(answer.undelivered_indexes)

    async def failure(self) -> ParleyError:
        """Wait for the line to fail; return why."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.answer()
        return from_rpc_error(caught.value)


async def follow(server: Running, name: str, channel: str) -> Subscriber:
    """A gateway that follows a channel at a server."""
    subscriber = Subscriber(server.stub, name)
    await subscriber.hello()
    answer = await subscriber.follow(**{channel: 0})
    assert not answer.refused_channel_ids
    return subscriber


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition that must come true."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.005)


async def test_a_batch_reaches_the_followers_at_both_owners_before_it_is_answered() -> None:
    """The main journey of this tier."""
    async with routers() as parts:
        gateways = [await follow(parts.servers[server], "g1", channel) for server, channel in ((A, OF_A), (B, OF_B))]
        webapp = Webapp(parts.stub)
        await webapp.send(7, event(OF_A, 1), event(OF_B, 1))
        assert await gateways[0].batch() == [(OF_A, 1)]
        assert await gateways[1].batch() == [(OF_B, 1)]
        assert await webapp.answer() == (7, [])


async def test_a_hundred_batches_arrive_in_order() -> None:
    """Pipelined, joined into larger batches on the way, each answered once."""
    async with routers() as parts:
        gateway = await follow(parts.servers[A], "g1", OF_A)
        webapp = Webapp(parts.stub)
        for number in range(1, 101):
            await webapp.send(number, event(OF_A, number))
        got: list[tuple[str, int]] = []
        while len(got) < 100:
            got += await gateway.batch()
        assert got == [(OF_A, number) for number in range(1, 101)]
        assert sorted([await webapp.answer() for _ in range(100)]) == [(number, []) for number in range(1, 101)]


async def test_what_a_server_refuses_is_delivered_by_the_new_owner_as_soon_as_the_ring_moves() -> None:
    """Admin's ring is behind: refused, parked, and on its way again at once when the new ring comes."""
    async with routers() as parts:
        for server in parts.servers.values():
            server.table.move(ring_of(A), SystemClock().now())
        gateway = await follow(parts.servers[A], "g1", OF_B)
        webapp = Webapp(parts.stub)
        await webapp.send(1, event(OF_B, 1), event(OF_B, 2))
        await until(lambda: sum(parts.router.counts.refusals.values()) >= 2)
        parts.move_admin(A)
        assert await gateway.batch() == [(OF_B, 1), (OF_B, 2)]
        assert await webapp.answer() == (1, [])
        assert len(parts.links) == 1


async def test_an_owner_that_hangs_loses_what_is_in_flight_to_the_new_one() -> None:
    """Nothing waits for the answer of a server that is no longer the owner."""
    async with routers() as parts:
        await follow(parts.servers[B], "silent", OF_B)
        webapp = Webapp(parts.stub)
        await webapp.send(1, event(OF_B, 1))
        await until(lambda: parts.servers[B].table.counts.published == 1)
        parts.move(A)
        assert await webapp.answer() == (1, [])


async def test_a_broken_line_is_opened_again_and_reported() -> None:
    """The event in flight is sent again; the second time nobody follows its channel, so it is settled."""
    async with routers() as parts:
        await follow(parts.servers[A], "silent", OF_A)
        webapp = Webapp(parts.stub)
        await webapp.send(1, event(OF_A, 1))
        await until(lambda: parts.servers[A].table.counts.published == 1)
        parts.links.reset(A)
        await until(lambda: parts.servers[A].table.counts.duplicates == 1)
        assert parts.suspected == [A]
        parts.servers[A].table.close()
        assert await webapp.answer() == (1, [])


async def test_events_that_nobody_takes_go_back_to_the_webapp_after_the_deadline() -> None:
    """With their indexes."""
    async with routers(deadline_s=0.2) as parts:
        parts.servers[B].table.move(ring_of(A), SystemClock().now())
        webapp = Webapp(parts.stub)
        await webapp.send(1, event(OF_A, 1), event(OF_B, 1), event(OF_B, 2))
        assert await webapp.answer() == (1, [1, 2])


@pytest.mark.parametrize("events", [[], [event(OF_A, 1)] * 1025])
async def test_a_malformed_batch_ends_its_stream_and_no_other(events: list[event_pb2.Event]) -> None:
    """The contract's bounds."""
    async with routers() as parts:
        broken, neighbour = Webapp(parts.stub), Webapp(parts.stub)
        await broken.send(1, *events)
        failure = await broken.failure()
        assert isinstance(failure, InvalidArgumentError)
        assert failure.subject == "events"
        await neighbour.send(1, event(OF_A, 1))
        assert await neighbour.answer() == (1, [])


async def test_locate_names_the_owner_and_the_ring() -> None:
    """And says UNAVAILABLE while there is none."""
    async with routers() as parts:
        answer = await parts.stub.Locate(admin_pb2.LocateRequest(channel_id=OF_B))
        assert (answer.owner_id, answer.owner_address) == (B, parts.servers[B].address)
        assert (answer.slot, answer.ring_fingerprint) == (slot(OF_B), ring_of(A, B).fingerprint)
        parts.router.move(Ring(()), SystemClock().now())
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await parts.stub.Locate(admin_pb2.LocateRequest(channel_id=OF_B))
        assert isinstance(from_rpc_error(caught.value), UnavailableError)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await parts.stub.Locate(admin_pb2.LocateRequest())
        assert isinstance(from_rpc_error(caught.value), InvalidArgumentError)


async def test_leaving_settles_what_is_under_way_and_gives_back_the_rest() -> None:
    """The webapp gets an answer for everything, and the stream ends in peace."""
    async with routers() as parts:
        await follow(parts.servers[A], "silent", OF_A)
        webapp = Webapp(parts.stub)
        await webapp.send(1, event(OF_A, 1))
        await until(lambda: parts.servers[A].table.counts.published == 1)
        drain = asyncio.create_task(parts.servicer.drain(0.1))
        await asyncio.sleep(0)
        await webapp.send(2, event(OF_B, 1))
        assert sorted([await webapp.answer(), await webapp.answer()]) == [(1, [0]), (2, [0])]
        await drain
        assert await webapp.call.code() is grpc.StatusCode.OK
