"""A channel server over real gRPC in this process, and the two kinds of peers that talk to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from parley.channel.v1 import channel_service_pb2 as channel_pb2
from parley.channel.v1.channel_service_pb2_grpc import ChannelServiceStub
from parley.event.v1 import event_pb2
from svc.channel.config import FanoutLimits, PublishLimits, TailLimits
from svc.channel.ownership import Ownership
from svc.channel.servicer import ChannelServicer
from svc.channel.table import ChannelTable
from svc.kit.clock import SystemClock
from svc.kit.config import InstanceConfig
from svc.kit.errors import ParleyError, from_rpc_error
from svc.kit.lifecycle import Tasks, background
from svc.kit.rpc import CHANNEL_OPTIONS, rpc_server
from tests.svc.channel.world import FENCE_S, ME, HandFence, ring_of

PATIENCE_S = 5.0
"""Longest that a test waits for a frame that must come."""

INSTANCE = InstanceConfig(secret="0123456789abcdef")


@dataclass
class Running:
    """A served table."""

    table: ChannelTable
    servicer: ChannelServicer
    address: str
    stub: Any
    fence: HandFence
    server_id: str


@asynccontextmanager
async def channel_server(
    server_id: str = ME,
    members: Iterable[str] = (ME,),
    fanout: FanoutLimits | None = None,
    publish: PublishLimits | None = None,
) -> AsyncIterator[Running]:
    """Serve a channel table that owns what `members` leave it."""
    clock = SystemClock()
    fence = HandFence()
    fanout, publish = fanout or FanoutLimits(), publish or PublishLimits()
    table = ChannelTable(Ownership(server_id, FENCE_S, clock.wall_us, fence), TailLimits(), fanout, publish)
    table.move(ring_of(*members), clock.now())
    async with AsyncExitStack() as up:
        readers = await up.enter_async_context(Tasks("readers", limit=100))
        servicer = ChannelServicer(table, clock, fanout, publish, readers)
        server = await up.enter_async_context(rpc_server(INSTANCE, [servicer.service()]))
        await up.enter_async_context(background("ticks", servicer.run()))
        up.push_async_callback(servicer.drain, 0.0)
        channel = await up.enter_async_context(grpc.aio.insecure_channel(server.address, options=CHANNEL_OPTIONS))
        yield Running(table, servicer, server.address, ChannelServiceStub(channel), fence, server_id)


class Subscriber:
    """A gateway's end of an Attach stream."""

    def __init__(self, stub: Any, name: str) -> None:
        self.call = stub.Attach()
        self.name = name

    async def send(self, **frame: Any) -> None:
        """Send one frame."""
        await self.call.write(channel_pb2.AttachRequest(**frame))

    async def hello(self) -> channel_pb2.Welcome:
        """Open the line."""
        await self.send(hello=channel_pb2.Hello(subscriber_id=self.name, zone="az1"))
        return (await self.next()).welcome

    async def follow(self, **positions: int) -> channel_pb2.Subscribed:
        """Follow channels and return the answer; nothing may be replayed before it."""
        await self.send(
            subscribe=channel_pb2.Subscribe(
                request_number=1,
                positions=[event_pb2.ChannelPosition(channel_id=name, offset=at) for name, at in positions.items()],
            )
        )
        answer = await self.next()
        assert answer.WhichOneof("frame") == "subscribed", answer
        return answer.subscribed

    async def next(self) -> channel_pb2.AttachResponse:
        """Wait for the next frame."""
        async with asyncio.timeout(PATIENCE_S):
            frame = await self.call.read()
        assert isinstance(frame, channel_pb2.AttachResponse), "the line ended"
        return frame

    async def batch(self, ack: bool = True) -> list[tuple[str, int]]:
        """Wait for the next batch, acknowledge it, and return its events as (channel, offset)."""
        frame = await self.next()
        assert frame.WhichOneof("frame") == "batch", frame
        if ack:
            await self.send(ack=channel_pb2.Ack(batch_number=frame.batch.batch_number))
        return [(each.channel_id, each.offset) for each in frame.batch.events]

    async def ended(self) -> ParleyError | None:
        """Read until the line ends; return why, None for OK."""
        return await _ended(self.call)


class Publisher:
    """Admin's end of a Publish stream."""

    def __init__(self, stub: Any, fingerprint: int = 0) -> None:
        self.call = stub.Publish()
        self.fingerprint = fingerprint

    async def send(self, number: int, *events: event_pb2.Event) -> None:
        """Publish a batch."""
        await self.call.write(
            channel_pb2.PublishRequest(batch_number=number, ring_fingerprint=self.fingerprint, events=events)
        )

    async def answer(self) -> tuple[int, dict[int, str]]:
        """Wait for the next answer: batch number, and refusals by index."""
        async with asyncio.timeout(PATIENCE_S):
            answer = await self.call.read()
        assert answer is not grpc.aio.EOF, "the line ended"
        names = {each.index: channel_pb2.RefusalReason.Name(each.reason) for each in answer.refusals}
        return answer.batch_number, {index: name.removeprefix("REFUSAL_REASON_") for index, name in names.items()}

    async def ended(self) -> ParleyError | None:
        """Read until the line ends; return why, None for OK."""
        return await _ended(self.call)


async def _ended(call: Any) -> ParleyError | None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await call.read() is not grpc.aio.EOF:
                pass
            code = await call.code()
    except grpc.aio.AioRpcError as error:
        return from_rpc_error(error)
    if code is not grpc.StatusCode.OK:
        return from_rpc_error(
            grpc.aio.AioRpcError(
                code, await call.initial_metadata(), await call.trailing_metadata(), await call.details()
            )
        )
    return None
