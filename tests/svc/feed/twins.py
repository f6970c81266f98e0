"""Twins of what surrounds a feed: channel servers with tails, a ring, the log, and a consumer that keeps what comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random

import grpc

from discovery.ring import Member, Ring
from parley.channel.v1 import channel_service_pb2 as channel_pb
from parley.event.v1 import event_pb2 as event_pb
from svc.feed.feed import Feed, Subscriber
from svc.feed.filler import ChannelLog
from svc.kit.clock import SystemClock
from svc.kit.ids import id_from_number

A, B, C = "channel-a", "channel-b", "channel-c"
CHANNELS = [id_from_number("C", number * 7919) for number in range(60)]


class TwinStream:
    """One attachment to a server in memory."""

    def __init__(self, server: TwinServer) -> None:
        self.server = server
        self.out: asyncio.Queue[object] = asyncio.Queue()
        self.channels: set[str] = set()
        self.batches = 0
        self.acked = 0
        self.transients: list[event_pb.Event] = []

    async def write(self, request: channel_pb.AttachRequest, /) -> None:
        if self.server.is_dead:
            raise asyncio.InvalidStateError("the server is dead")
        kind = request.WhichOneof("frame")
        if kind == "hello":
            self.out.put_nowait(channel_pb.AttachResponse(welcome=channel_pb.Welcome(server_id=self.server.id)))
        elif kind == "subscribe":
            self.server.subscribe(self, request.subscribe)
        elif kind == "unsubscribe":
            self.channels -= set(request.unsubscribe.channel_ids)
        elif kind == "ack":
            self.acked = request.ack.batch_number
        elif kind == "ping":
            self.server.ping(self, request.ping)
        else:
            self.transients.extend(request.transient.events)

    async def read(self) -> object:
        return await self.out.get()

    def cancel(self) -> bool:
        self.server.streams.discard(self)
        return True

    def send(self, events: Sequence[event_pb.Event]) -> None:
        if events:
            self.batches += 1
            batch = channel_pb.Batch(batch_number=self.batches, events=events)
            self.out.put_nowait(channel_pb.AttachResponse(batch=batch))


class TwinServer:
    """A channel server in memory, with a tail of what was published to it."""

    def __init__(self, server_id: str) -> None:
        self.id = server_id
        self.is_dead = False
        self.is_taking = True
        self.answers_pings = True
        self.pings = 0
        self.fingerprint: int | None = None
        self.refusals = 0
        self.streams: set[TwinStream] = set()
        self.tails: dict[str, list[event_pb.Event]] = {}

    def publish(self, event: event_pb.Event) -> None:
        self.tails.setdefault(event.channel_id, []).append(event)
        for stream in self.streams:
            if event.channel_id in stream.channels:
                stream.send([event])

    def subscribe(self, stream: TwinStream, request: channel_pb.Subscribe) -> None:
        answer = channel_pb.Subscribed(request_number=request.request_number)
        for position in request.positions:
            if self.refusals:
                self.refusals -= 1
                answer.refused_channel_ids.append(position.channel_id)
                continue
            stream.channels.add(position.channel_id)
            tail = self.tails.get(position.channel_id, [])
            stream.send([event for event in tail if event.offset > position.offset])
            if not tail or tail[0].offset > position.offset + 1:
                head = tail[-1].offset if tail else 0
                answer.unproven.add(channel_id=position.channel_id, head_offset=head)
        stream.out.put_nowait(channel_pb.AttachResponse(subscribed=answer))

    def ping(self, stream: TwinStream, ping: channel_pb.Ping) -> None:
        self.pings += 1
        if self.answers_pings:
            fingerprint = ping.ring_fingerprint if self.fingerprint is None else self.fingerprint
            pong = channel_pb.Pong(number=ping.number, ring_fingerprint=fingerprint, is_taking=self.is_taking)
            stream.out.put_nowait(channel_pb.AttachResponse(pong=pong))

    def kill(self) -> None:
        self.is_dead = True
        for stream in self.streams:
            stream.out.put_nowait(grpc.aio.EOF)


class TwinMesh:
    """Servers, a ring, and the log; the consumer of the feed."""

    def __init__(self) -> None:
        self.servers = {each: TwinServer(each) for each in (A, B, C)}
        self.logs: dict[str, list[event_pb.Event]] = {}
        self.ring = Ring(())
        self.failures: list[Exception] = []
        self.limits: list[int] = []
        self.truncated_before = 0
        self.got: dict[str, list[int]] = {}
        self.losses: list[tuple[str, int]] = []
        self.suspected: list[str] = []
        self.clock = SystemClock()
        self.feed = Feed(
            Subscriber("gateway-test", "az1"),
            self.connect,
            self,
            self.clock,
            suspect=self.suspected.append,
            rng=Random(1),
            ping_every_s=0.01,
        )

    def connect(self, server_id: str) -> TwinStream:
        server = self.servers[server_id]
        if server.is_dead:
            raise ConnectionRefusedError(server_id)
        stream = TwinStream(server)
        server.streams.add(stream)
        return stream

    def move(self, *server_ids: str) -> None:
        self.ring = Ring([Member(each) for each in server_ids])
        self.feed.ring_changed(self.ring)

    def post(self, channel_id: str, is_published: bool = True) -> None:
        log = self.logs.setdefault(channel_id, [])
        log.append(event_pb.Event(channel_id=channel_id, offset=len(log) + 1, payload=b"{}"))
        owner = self.servers[self.ring.owner(channel_id)]
        if is_published and not owner.is_dead:
            owner.publish(log[-1])

    async def read_log(self, after: Sequence[tuple[str, int]], limit: int) -> Sequence[ChannelLog]:
        await asyncio.sleep(0)
        self.limits.append(limit)
        if self.failures:
            raise self.failures.pop()
        runs = []
        for channel_id, offset in after:
            log = self.logs.get(channel_id, [])
            start = max(offset, self.truncated_before)
            runs.append(ChannelLog(channel_id, log[start : start + limit], len(log), start > offset))
        return runs

    async def read_heads(self, channel_ids: Sequence[str]) -> Mapping[str, int]:
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop()
        return {each: len(self.logs[each]) for each in channel_ids if each in self.logs}

    def deliver(self, events: Sequence[event_pb.Event]) -> None:
        for event in events:
            self.got.setdefault(event.channel_id, []).append(event.offset)

    def lost(self, channel_id: str, last: int) -> None:
        self.losses.append((channel_id, last))

    def follow(self, channel_ids: Iterable[str]) -> None:
        for channel_id in channel_ids:
            self.feed.follow(channel_id, len(self.logs.get(channel_id, ())))

    async def settled(self) -> None:
        await until(lambda: self.feed.stats().unsettled == 0)

    async def level(self, within_s: float = 0.2) -> None:
        """Wait until the feed vouches for every channel."""
        await until(lambda: all(self.feed.vouches(each, within_s) for each in CHANNELS))

    async def complete(self) -> None:
        """Wait until everything in the log was delivered, and check that it was once and in order."""
        await until(lambda: all(self.got.get(each, [0])[-1] >= len(log) for each, log in self.logs.items()))
        for channel_id, log in self.logs.items():
            assert self.got[channel_id] == list(range(1, len(log) + 1))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)


@asynccontextmanager
async def running(*server_ids: str) -> AsyncIterator[TwinMesh]:
    mesh = TwinMesh()
    async with mesh.feed.running(mesh):
        mesh.move(*server_ids)
        mesh.follow(CHANNELS)
        await mesh.settled()
        yield mesh
