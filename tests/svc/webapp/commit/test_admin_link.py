"""The stream to admin, over real gRPC to admins that obey the test."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import grpc
import pytest

from discovery.view import Instance
from parley.admin.v1 import admin_service_pb2 as pb
from parley.admin.v1 import admin_service_pb2_grpc as rpc
from parley.event.v1 import event_pb2
from svc.kit.clock import SystemClock
from svc.kit.errors import DeadlineError, UnavailableError
from svc.kit.lifecycle import background
from svc.webapp.commit.admin_link import AdminStream

_Stub = TypeVar("_Stub")


class Admin(rpc.AdminServiceServicer):
    """An admin that notes what it gets; it may refuse channels, be silent, or break its streams."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.batches: list[list[tuple[str, int]]] = []
        self.undelivered: set[str] = set()
        self.silent = False
        self.dies_after = 1 << 30
        self.streams = 0

    async def Publish(
        self, requests: AsyncIterator[pb.PublishRequest], context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[pb.PublishResponse]:
        """Answer batches."""
        self.streams += 1
        async for request in requests:
            if len(self.batches) >= self.dies_after:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "dying")
            self.batches.append([(event.channel_id, event.offset) for event in request.events])
            left = [i for i, event in enumerate(request.events) if event.channel_id in self.undelivered]
            if not self.silent:
                yield pb.PublishResponse(batch_number=request.batch_number, undelivered_indexes=left)

    async def Locate(self, request: pb.LocateRequest, context: grpc.aio.ServicerContext[Any, Any]) -> pb.LocateResponse:
        """Nobody asks."""
        raise NotImplementedError


class Pools:
    """Stub pools over the test's own admins."""

    def __init__(self) -> None:
        self.instances: list[Instance] = []
        self._channels: dict[str, grpc.aio.Channel] = {}

    def pick(self, tier: str, avoid: frozenset[str] = frozenset()) -> Instance:
        """Return the first that is not to be avoided, unless there is no other."""
        assert tier == "admin"
        if not self.instances:
            raise UnavailableError("no admin")
        return next((i for i in self.instances if i.id not in avoid), self.instances[0])

    def stub(self, stub_class: Callable[[grpc.aio.Channel], _Stub], instance: Instance) -> _Stub:
        """Return a stub."""
        channel = self._channels.setdefault(instance.address, grpc.aio.insecure_channel(instance.address))
        return stub_class(channel)

    async def close(self) -> None:
        """Close what was opened."""
        for channel in self._channels.values():
            await channel.close(None)


@asynccontextmanager
async def linked(*names: str, answer_s: float = 5.0) -> AsyncIterator[tuple[AdminStream, Pools, dict[str, Admin]]]:
    """Yield a stream over admins of these names."""
    pools, admins = Pools(), {name: Admin(name) for name in names}
    async with AsyncExitStack() as stack:
        for admin in admins.values():
            server = grpc.aio.server()
            rpc.add_AdminServiceServicer_to_server(admin, server)
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            stack.push_async_callback(server.stop, None)
            pools.instances.append(Instance(admin.name, "admin", f"127.0.0.1:{port}"))
        stack.push_async_callback(pools.close)
        stream = AdminStream(pools, SystemClock(), random.Random(1), answer_s)
        await stack.enter_async_context(background("admin-stream", stream.run()))
        yield stream, pools, admins


def events(*offsets: int, channel_id: str = "C1") -> list[event_pb2.Event]:
    """Return events of a channel."""
    return [event_pb2.Event(channel_id=channel_id, offset=offset) for offset in offsets]


async def test_batches_keep_their_order_and_answers_find_their_batch() -> None:
    """Many at once on one stream."""
    async with linked("a") as (stream, _, admins):
        admins["a"].undelivered = {"C2"}
        mixed = [*events(7), *events(1, channel_id="C2"), *events(8)]
        answers = await asyncio.gather(*(stream.publish(events(i)) for i in range(1, 7)), stream.publish(mixed))
    assert answers == [(), (), (), (), (), (), (1,)]
    assert [batch[0][1] for batch in admins["a"].batches] == [1, 2, 3, 4, 5, 6, 7]
    assert admins["a"].streams == 1


async def test_another_admin_takes_over_what_is_unanswered() -> None:
    """In order, within the deadline, with no help from the caller."""
    async with linked("a", "b") as (stream, _, admins):
        admins["a"].silent = True
        calls = [asyncio.ensure_future(stream.publish(events(i))) for i in (1, 2)]
        async with asyncio.timeout(5):
            while len(admins["a"].batches) < 2:
                await asyncio.sleep(0.005)
        admins["a"].dies_after = 2
        calls.append(asyncio.ensure_future(stream.publish(events(3))))
        assert await asyncio.gather(*calls) == [(), (), ()]
    assert [batch[0][1] for batch in admins["b"].batches] == [1, 2, 3]


async def test_without_an_admin_a_batch_waits_for_one_and_then_gives_up() -> None:
    """The sweepers have it then."""
    async with linked(answer_s=0.3) as (stream, pools, _):
        with pytest.raises(DeadlineError):
            await stream.publish(events(1))
        assert pools.instances == []


async def test_a_hung_admin_is_left_for_another() -> None:
    """Its stream is open and silent: after a batch's whole time the stream is given up."""
    async with linked("a", "b", answer_s=0.3) as (stream, _, admins):
        admins["a"].silent = True
        with pytest.raises(DeadlineError):
            await stream.publish(events(1))
        async with asyncio.timeout(5):
            while not admins["b"].streams:
                await asyncio.sleep(0.005)
        assert await stream.publish(events(2)) == ()
    assert admins["b"].batches == [[("C1", 2)]]
