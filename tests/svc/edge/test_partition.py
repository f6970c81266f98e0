"""An edge's feed and a channel server over real gRPC, with a wire between them that can be cut without a word."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import grpc

from parley.channel.v1.channel_service_pb2_grpc import ChannelServiceStub
from parley.event.v1 import event_pb2 as event_pb
from svc.edge.freshness import FRESH_S, PING_EVERY_S
from svc.feed.feed import Feed, Subscriber
from svc.feed.filler import ChannelLog
from svc.kit.clock import SystemClock
from svc.kit.rpc import CHANNEL_OPTIONS
from tests.svc.channel.lines import Publisher, Running, channel_server
from tests.svc.channel.world import ME, ring_of

CHANNEL = "C0000000001"
PROMISE_S = 1.0
"""Longest that anything wrong may be said after a change."""


class Wire:
    """A relay of bytes that stands still when told to: no reset, no end, just silence."""

    def __init__(self, target: str) -> None:
        self._host, _, port = target.rpartition(":")
        self._port = int(port)
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.address = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Wire]:
        """Relay for the length of a block."""
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection(self._host, self._port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(reader, to_writer))
                both.create_task(self._pass(to_reader, writer))
        except* (ConnectionError, asyncio.CancelledError):
            pass  # an end is an end
        finally:
            writer.close()
            to_writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await self.is_open.wait()
            writer.write(data)
        raise ConnectionResetError("one side has left")


@dataclass
class Edge:
    """The consumer of the feed, and the log."""

    heard: list[event_pb.Event] = field(default_factory=list)
    log: list[event_pb.Event] = field(default_factory=list)

    def deliver(self, events: Sequence[event_pb.Event]) -> None:
        """See uplinks.Consumer."""
        self.heard.extend(events)

    def lost(self, channel_id: str, last: int) -> None:
        """See uplinks.Consumer."""
        raise AssertionError("the log has everything")

    async def read_log(self, after: Sequence[tuple[str, int]], limit: int) -> Sequence[ChannelLog]:
        """See filler.LogReader."""
        return [ChannelLog(channel_id, self.log[at:], len(self.log), False) for channel_id, at in after]

    async def read_heads(self, channel_ids: Sequence[str]) -> Mapping[str, int]:
        """See filler.LogReader."""
        return {channel_id: len(self.log) for channel_id in channel_ids}

    def commit(self) -> event_pb.Event:
        """Something changes."""
        self.log.append(event_pb.Event(channel_id=CHANNEL, offset=len(self.log) + 1, payload=b"{}"))
        return self.log[-1]


@dataclass
class Scene:
    """All of it."""

    feed: Feed
    edge: Edge
    wire: Wire
    server: Running

    def vouches(self) -> bool:
        """Whether the edge would answer."""
        return self.feed.vouches(CHANNEL, FRESH_S)


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """A channel that is followed and level."""
    async with AsyncExitStack() as up:
        server = await up.enter_async_context(channel_server())
        wire = await up.enter_async_context(Wire(server.address).running())
        channel = await up.enter_async_context(grpc.aio.insecure_channel(wire.address, options=CHANNEL_OPTIONS))
        stub, edge = ChannelServiceStub(channel), Edge()
        feed = Feed(
            Subscriber("edge-1", "az1"), lambda _: stub.Attach(), edge, SystemClock(), ping_every_s=PING_EVERY_S
        )
        await up.enter_async_context(feed.running(edge))
        feed.ring_changed(ring_of(ME))
        feed.follow(CHANNEL, 0)
        there = Scene(feed, edge, wire, server)
        await until(there.vouches)
        yield there


async def until(holds: Callable[[], bool], timeout_s: float = 5.0) -> None:
    """Wait for what must come."""
    async with asyncio.timeout(timeout_s):
        while not holds():
            await asyncio.sleep(0.005)


async def test_an_edge_in_touch_has_heard_whatever_it_vouches_for() -> None:
    """Through many changes: never silent, and never behind by more than the promise."""
    async with scene() as there:
        publisher = Publisher(there.server.stub, there.server.table.ownership.fingerprint)
        for number in range(1, 21):
            await publisher.send(number, there.edge.commit())
            await publisher.answer()
            assert len(there.edge.heard) == number, "a publish is answered when those attached have it"
            assert there.vouches()
            await asyncio.sleep(0.05)


async def test_a_cut_wire_silences_the_edge_within_the_promise_and_is_made_good() -> None:
    """From a second after the first change that it did not hear of, it says nothing, for as long as the cut lasts."""
    async with scene() as there:
        publisher = Publisher(there.server.stub, there.server.table.ownership.fingerprint)
        there.wire.is_open.clear()
        await publisher.send(1, there.edge.commit())
        changed_at = time.monotonic()
        while time.monotonic() - changed_at < 2 * PROMISE_S:
            assert there.edge.heard == []
            assert not there.vouches() or time.monotonic() - changed_at < PROMISE_S
            await asyncio.sleep(0.005)
        assert not there.vouches()
        there.wire.is_open.set()
        await until(there.vouches, timeout_s=10.0)
        assert [event.offset for event in there.edge.heard] == [1]


async def test_what_waited_in_a_wire_is_not_taken_for_news() -> None:
    """Pongs that stood still for longer than FRESH_S prove nothing when they come; the change comes first."""
    async with scene() as there:
        there.wire.is_open.clear()
        await Publisher(there.server.stub, there.server.table.ownership.fingerprint).send(1, there.edge.commit())
        await until(lambda: there.server.table.counts.published == 1)
        await asyncio.sleep(FRESH_S + 0.1)
        assert not there.vouches()
        there.wire.is_open.set()
        async with asyncio.timeout(10.0):
            while not there.vouches():
                await asyncio.sleep(0)
        assert len(there.edge.heard) == 1
