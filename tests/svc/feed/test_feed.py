"""The feed as a whole, against twins of the channel servers and the log: kills, moves and holes lose nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random

import grpc
import pytest

from discovery.ring import Member, Ring
from parley.channel.v1 import channel_service_pb2 as channel_pb
from parley.event.v1 import event_pb2 as event_pb
from svc.feed.feed import Feed, Subscriber
from svc.feed.filler import ChannelLog
from svc.feed.plan import Cause
from svc.kit.clock import SystemClock
from svc.kit.errors import ResourceExhaustedError, UnavailableError
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


@pytest.fixture
async def mesh() -> AsyncIterator[TwinMesh]:
    """Channels followed at two servers."""
    async with running(A, B) as made:
        yield made


async def test_events_are_delivered_and_their_batches_acknowledged(mesh: TwinMesh) -> None:
    """The acknowledgement follows the hand-over."""
    for channel_id in CHANNELS * 3:
        mesh.post(channel_id)
    await mesh.complete()
    for server in (mesh.servers[A], mesh.servers[B]):
        (stream,) = server.streams
        await until(lambda stream=stream: stream.acked == stream.batches)  # type: ignore[misc]


async def test_a_killed_server_s_channels_go_on_at_the_next_owner_and_nothing_is_lost(mesh: TwinMesh) -> None:
    """Some events reach the dead owner only, some nobody, some the new owner before we are there."""
    for channel_id in CHANNELS:
        mesh.post(channel_id)
    await mesh.complete()
    moved = [channel_id for channel_id in CHANNELS if mesh.ring.owner(channel_id) == A]
    mesh.servers[A].kill()
    for channel_id in CHANNELS:
        mesh.post(channel_id)
    mesh.ring = Ring([Member(B)])
    for channel_id in CHANNELS:
        mesh.post(channel_id)
    mesh.move(B)
    for channel_id in CHANNELS:
        mesh.post(channel_id)
    await mesh.settled()
    await mesh.complete()
    asked = mesh.feed.stats().asked
    assert (asked[Cause.NEW], asked[Cause.MOVED], asked[Cause.REATTACHED]) == (len(CHANNELS), len(moved), 0)
    assert mesh.suspected == [A]


async def test_a_joining_server_takes_its_share_without_a_gap_or_an_echo(mesh: TwinMesh) -> None:
    """Make before break; the old owner is left."""
    moved = {channel for channel in CHANNELS if Ring([Member(each) for each in (A, B, C)]).owner(channel) == C}
    for channel_id in CHANNELS:
        mesh.post(channel_id)
    mesh.move(A, B, C)
    for channel_id in CHANNELS * 2:
        mesh.post(channel_id)
    await mesh.settled()
    await mesh.complete()
    assert mesh.feed.stats().asked[Cause.MOVED] == len(moved)
    old = [stream for each in (A, B) for stream in mesh.servers[each].streams]
    await until(lambda: all(moved.isdisjoint(stream.channels) for stream in old))


async def test_a_cut_off_line_comes_back_and_catches_up(mesh: TwinMesh) -> None:
    """The server forgot the attachment; its tail still has what was missed."""
    (stream,) = mesh.servers[A].streams
    mesh.servers[A].streams.clear()
    for channel_id in CHANNELS * 2:
        mesh.post(channel_id)
    stream.out.put_nowait(grpc.aio.EOF)
    await until(lambda: bool(mesh.servers[A].streams))
    await mesh.complete()
    assert mesh.feed.stats().asked[Cause.REATTACHED] > 0


async def test_a_hole_is_filled_from_the_log_even_if_webapp_was_away(mesh: TwinMesh) -> None:
    """The event that was never published arrives all the same, in its place."""
    mesh.failures = [UnavailableError("away")]
    mesh.post(CHANNELS[0], is_published=False)
    mesh.post(CHANNELS[0])
    assert CHANNELS[0] not in mesh.got
    await mesh.complete()
    assert mesh.feed.stats().events_filled == 2
    assert mesh.feed.stats().holes == 1


async def test_log_answers_that_are_too_large_are_asked_for_in_smaller_pieces(mesh: TwinMesh) -> None:
    """Large messages must not stop a fill for ever."""
    mesh.failures = [ResourceExhaustedError("too large"), ResourceExhaustedError("too large")]
    mesh.post(CHANNELS[0], is_published=False)
    mesh.post(CHANNELS[0])
    await mesh.complete()
    assert mesh.limits == [100, 50, 25]


async def test_what_the_log_lost_is_said(mesh: TwinMesh) -> None:
    """The consumer hears of it before the events above."""
    for _ in range(9):
        mesh.post(CHANNELS[0], is_published=False)
    mesh.truncated_before = 6
    mesh.post(CHANNELS[0])
    await until(lambda: mesh.got.get(CHANNELS[0]) == [7, 8, 9, 10])
    assert mesh.losses == [(CHANNELS[0], 6)]


async def test_refused_channels_are_asked_for_until_they_are_taken() -> None:
    """The server's ring may lag behind ours for a moment."""
    mesh = TwinMesh()
    mesh.servers[A].refusals = 100
    async with mesh.feed.running(mesh):
        mesh.move(A)
        mesh.follow(CHANNELS)
        await mesh.settled()
        for channel_id in CHANNELS:
            mesh.post(channel_id)
        await mesh.complete()
    assert mesh.feed.stats().asked[Cause.REFUSED] == 100


async def test_transient_events_go_to_the_owner_or_nowhere(mesh: TwinMesh) -> None:
    """Typing is dropped where its owner is not reached."""
    typing = event_pb.Event(channel_id=CHANNELS[0], kind=event_pb.EVENT_KIND_TYPING, payload=b"{}")
    mesh.feed.publish_transient(typing)
    owner = mesh.servers[mesh.ring.owner(CHANNELS[0])]
    (stream,) = owner.streams
    await until(lambda: stream.transients == [typing])
    mesh.servers[A].kill()
    mesh.servers[B].kill()
    mesh.feed.publish_transient(typing)
    assert stream.transients == [typing]


async def test_an_unfollowed_channel_is_left(mesh: TwinMesh) -> None:
    """Nothing of it is delivered any more."""
    mesh.feed.unfollow(CHANNELS[0])
    mesh.post(CHANNELS[0])
    owner = mesh.servers[mesh.ring.owner(CHANNELS[0])]
    (stream,) = owner.streams
    await until(lambda: CHANNELS[0] not in stream.channels)
    assert CHANNELS[0] not in mesh.got


async def test_an_empty_ring_changes_nothing(mesh: TwinMesh) -> None:
    """Better old owners than none."""
    mesh.feed.ring_changed(Ring(()))
    for channel_id in CHANNELS:
        mesh.post(channel_id)
    await mesh.complete()


async def test_a_level_feed_vouches_for_what_it_follows_and_for_nothing_else(mesh: TwinMesh) -> None:
    """Everything that was fanned out has been handed on before a pong says so."""
    for channel_id in CHANNELS:
        mesh.post(channel_id)
    posted_at = mesh.clock.now()
    await until(lambda: all(mesh.feed.vouches(each, mesh.clock.now() - posted_at) for each in CHANNELS))
    assert all(mesh.got[each] == [1] for each in CHANNELS)
    assert not mesh.feed.vouches(id_from_number("C", 1), 100.0)


async def test_silence_ends_the_vouching_and_a_word_brings_it_back(mesh: TwinMesh) -> None:
    """A partition breaks nothing that could be seen but the answers."""
    await mesh.level()
    mesh.servers[A].answers_pings = False
    mine = [channel_id for channel_id in CHANNELS if mesh.ring.owner(channel_id) == A]
    await until(lambda: not any(mesh.feed.vouches(each, 0.05) for each in mine))
    others = [channel_id for channel_id in CHANNELS if channel_id not in mine]
    await until(lambda: all(mesh.feed.vouches(each, 0.2) for each in others))
    mesh.servers[A].answers_pings = True
    await mesh.level()


@pytest.mark.parametrize("fault", ["fenced", "another ring"])
async def test_a_server_that_others_may_have_left_behind_proves_nothing(mesh: TwinMesh, fault: str) -> None:
    """It answers, but what it does not take is not known here."""
    await mesh.level()
    mesh.servers[A].is_taking = fault != "fenced"
    mesh.servers[A].fingerprint = 7 if fault == "another ring" else None
    mine = [channel_id for channel_id in CHANNELS if mesh.ring.owner(channel_id) == A]
    await until(lambda: not any(mesh.feed.vouches(each, 0.05) for each in mine))


async def test_a_channel_is_not_vouched_for_while_anything_of_it_is_missing(mesh: TwinMesh) -> None:
    """A hole, or a beginning that the log was not asked about yet."""
    await mesh.level()
    mesh.failures = [UnavailableError("away")]
    mesh.post(CHANNELS[0], is_published=False)
    mesh.post(CHANNELS[0])
    await until(lambda: not mesh.feed.vouches(CHANNELS[0], 100.0))
    await mesh.complete()
    assert mesh.feed.vouches(CHANNELS[0], 100.0)


async def test_a_new_owner_is_vouched_for_once_the_log_agrees(mesh: TwinMesh) -> None:
    """What the dead owner took and nobody passed on is in the log; until it is read, nothing is vouched for."""
    await mesh.level()
    mesh.servers[A].kill()
    for channel_id in CHANNELS:
        mesh.post(channel_id, is_published=False)
    mesh.failures = [UnavailableError("away")]
    mesh.move(B)
    moved = [channel_id for channel_id in CHANNELS if Ring([Member(A), Member(B)]).owner(channel_id) == A]
    assert not any(mesh.feed.vouches(each, 100.0) for each in moved)
    async with asyncio.timeout(5):
        while not all(mesh.feed.vouches(each, 1.0) for each in moved):
            for channel_id in moved:
                assert mesh.got.get(channel_id) == [1] or not mesh.feed.vouches(channel_id, 1.0)
            await asyncio.sleep(0.002)


async def test_without_pings_a_feed_vouches_for_nothing_and_says_nothing() -> None:
    """A gateway does not ask: nothing is sent for it."""
    quiet = TwinMesh()
    quiet.feed = Feed(Subscriber("gateway", "az1"), quiet.connect, quiet, SystemClock())
    async with quiet.feed.running(quiet):
        quiet.move(A)
        quiet.follow(CHANNELS[:1])
        await quiet.settled()
        await asyncio.sleep(0.05)
        assert not quiet.feed.vouches(CHANNELS[0], 100.0)
    assert quiet.servers[A].pings == 0
