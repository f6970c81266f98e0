"""The channel service over real gRPC: publishers and subscribers that behave, misbehave, break and are replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace

from parley.channel.v1 import channel_service_pb2 as channel_pb2
from parley.event.v1 import event_pb2
from svc.channel.config import FanoutLimits, PublishLimits
from svc.kit.errors import InvalidArgumentError, ResourceExhaustedError, UnavailableError
from tests.svc.channel.lines import PATIENCE_S, Publisher, Running, Subscriber, channel_server
from tests.svc.channel.world import event


async def attached(server: Running, name: str, **positions: int) -> Subscriber:
    """A subscriber that follows channels."""
    subscriber = Subscriber(server.stub, name)
    await subscriber.hello()
    await subscriber.follow(**positions)
    return subscriber


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition that must come true."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.005)


async def test_an_event_reaches_its_followers_and_the_publish_is_answered_after_their_acks() -> None:
    """The main journey of this tier."""
    async with channel_server() as server:
        gateways = [await attached(server, name, C1=0) for name in ("g1", "g2")]
        publisher = Publisher(server.stub, server.table.ownership.fingerprint)
        await publisher.send(7, event("C1", 1), event("C2", 1))
        assert await gateways[0].batch() == [("C1", 1)]
        assert await gateways[1].batch(ack=False) == [("C1", 1)]
        answer = asyncio.create_task(publisher.answer())
        await until(lambda: gateways_acked(server) == 1)
        assert not answer.done()
        await gateways[1].send(ack=channel_pb2.Ack(batch_number=1))
        assert await answer == (7, {})


def gateways_acked(server: Running) -> int:
    """How many attachments have acknowledged something."""
    return sum(each.tracker.acked > 0 for each in server.table.audience.attachments)


async def test_batches_are_pipelined_and_answered_as_they_settle() -> None:
    """A batch that waits for a slow subscriber does not hold up the next."""
    async with channel_server() as server:
        gateway = await attached(server, "g1", C1=0)
        publisher = Publisher(server.stub)
        await publisher.send(1, event("C1", 1))
        await publisher.send(2, event("C2", 1))
        assert await publisher.answer() == (2, {})
        await gateway.batch()
        assert await publisher.answer() == (1, {})


async def test_a_full_window_stops_the_reading_until_an_answer() -> None:
    """More batches than the window are taken only as answers go out."""
    async with channel_server(publish=PublishLimits(window_batches=2)) as server:
        gateway = await attached(server, "g1", C1=0)
        publisher = Publisher(server.stub)
        for number in range(1, 5):
            await publisher.send(number, event("C1", number))
        await until(lambda: server.table.counts.published == 2)
        while server.table.counts.published < 4:
            await gateway.batch()
        assert {(await publisher.answer())[0] for _ in range(2)} == {1, 2}


async def test_events_of_other_owners_are_refused_by_name() -> None:
    """The other events of the batch are taken."""
    async with channel_server(members=("somebody-else",)) as server:
        publisher = Publisher(server.stub)
        await publisher.send(1, event("C1", 1), event("", 1))
        assert await publisher.answer() == (1, {0: "NOT_OWNER", 1: "INVALID"})


async def test_typing_passes_through_and_is_not_stored() -> None:
    """From one subscriber's line to all that follow."""
    async with channel_server() as server:
        first, second = await attached(server, "g1", C1=0), await attached(server, "g2", C1=0)
        await first.send(transient=channel_pb2.Transient(events=[event("C1", 0)]))
        assert await second.batch() == [("C1", 0)]
        assert await first.batch() == [("C1", 0)]
        assert len(server.table.states) == 0


@pytest.mark.parametrize(
    ("frames", "subject"),
    [
        ([{"ack": channel_pb2.Ack(batch_number=1)}], "hello"),
        ([{"hello": channel_pb2.Hello()}], "hello"),
        ([{"hello": channel_pb2.Hello(subscriber_id="x")}] * 2, "hello"),
        ([{"hello": channel_pb2.Hello(subscriber_id="x")}, {}], "frame"),
        (
            [
                {"hello": channel_pb2.Hello(subscriber_id="x")},
                {"subscribe": channel_pb2.Subscribe(positions=[event_pb2.ChannelPosition(channel_id="C1")] * 4097)},
            ],
            "subscribe.positions",
        ),
        (
            [
                {"hello": channel_pb2.Hello(subscriber_id="x")},
                {"subscribe": channel_pb2.Subscribe(positions=[event_pb2.ChannelPosition(channel_id="")])},
            ],
            "subscribe.positions.channel_id",
        ),
        (
            [
                {"hello": channel_pb2.Hello(subscriber_id="x")},
                {"transient": channel_pb2.Transient(events=[event("C1", 0, payload=b"x" * 600_000)])},
            ],
            "payload",
        ),
        (
            [
                {"hello": channel_pb2.Hello(subscriber_id="x")},
                {"transient": channel_pb2.Transient(events=[event("C1", 5)])},
            ],
            "transient.events.offset",
        ),
        (
            [{"hello": channel_pb2.Hello(subscriber_id="x")}, {"ack": channel_pb2.Ack(batch_number=3)}],
            "ack.batch_number",
        ),
    ],
)
async def test_a_malformed_attachment_ends_and_nobody_else_notices(frames: list[dict[str, Any]], subject: str) -> None:
    """INVALID_ARGUMENT that names the field; the neighbour goes on."""
    async with channel_server() as server:
        neighbour = await attached(server, "g1", C1=0)
        broken = Subscriber(server.stub, "x")
        for frame in frames:
            await broken.send(**frame)
        failure = await broken.ended()
        assert isinstance(failure, InvalidArgumentError)
        assert failure.subject == subject
        await Publisher(server.stub).send(1, event("C1", 1))
        assert await neighbour.batch() == [("C1", 1)]
        assert len(server.table.audience.attachments) == 1


@pytest.mark.parametrize("events", [[], [event("C1", 1)] * 1025])
async def test_a_batch_of_no_or_too_many_events_ends_the_stream(events: list[event_pb2.Event]) -> None:
    """The contract's bounds."""
    async with channel_server() as server:
        publisher = Publisher(server.stub)
        await publisher.send(1, *events)
        failure = await publisher.ended()
        assert isinstance(failure, InvalidArgumentError)
        assert (failure.subject, failure.actual) == ("events", len(events))


async def test_a_batch_number_in_use_ends_the_stream() -> None:
    """Two batches of one number could not be told apart in the answers."""
    async with channel_server() as server:
        await attached(server, "g1", C1=0)
        publisher = Publisher(server.stub)
        await publisher.send(1, event("C1", 1))
        await publisher.send(1, event("C1", 2))
        failure = await publisher.ended()
        assert isinstance(failure, InvalidArgumentError)
        assert failure.subject == "batch_number"


async def test_the_same_subscriber_attaching_again_replaces_the_first() -> None:
    """The ghost of a broken line must not hold publishes up."""
    async with channel_server() as server:
        ghost = await attached(server, "g1", C1=0)
        publisher = Publisher(server.stub)
        await publisher.send(1, event("C1", 1))
        await ghost.batch(ack=False)
        fresh = Subscriber(server.stub, "g1")
        await fresh.hello()
        assert await publisher.answer() == (1, {})
        assert isinstance(await ghost.ended(), UnavailableError)
        assert len(server.table.audience.attachments) == 1


@pytest.mark.parametrize("how", ["cancelled", "half-closed"])
async def test_a_line_that_breaks_is_forgotten_at_once(how: str) -> None:
    """Whoever waited for its acknowledgement waits no longer."""
    async with channel_server() as server:
        gateway = await attached(server, "g1", C1=0)
        publisher = Publisher(server.stub)
        await publisher.send(1, event("C1", 1))
        await gateway.batch(ack=False)
        if how == "cancelled":
            gateway.call.cancel()
        else:
            await gateway.call.done_writing()
        assert await publisher.answer() == (1, {})
        await until(lambda: not server.table.audience.attachments and not server.table.rows.followed)


async def test_a_subscriber_that_does_not_acknowledge_is_cut_off_and_told_so() -> None:
    """It may come back; the publish is answered."""
    async with channel_server(fanout=FanoutLimits(ack_timeout_s=0.1)) as server:
        gateway = await attached(server, "g1", C1=0)
        publisher = Publisher(server.stub)
        await publisher.send(1, event("C1", 1))
        failure = await gateway.ended()
        assert isinstance(failure, ResourceExhaustedError)
        assert failure.retryable
        assert await publisher.answer() == (1, {})


async def test_a_subscriber_that_does_not_read_is_cut_off_and_costs_nobody_else_anything() -> None:
    """Its mailbox is bounded in bytes; the other gets everything."""
    async with channel_server(fanout=FanoutLimits(mailbox_bytes_max=1024 * 1024)) as server:
        await attached(server, "slow", C1=0)
        gateway = await attached(server, "g1", C1=0)
        publisher = Publisher(server.stub)
        got: list[tuple[str, int]] = []
        for number in range(1, 41):
            await publisher.send(number, event("C1", number, payload=b"x" * 200_000))
            while len(got) < number:
                got += await gateway.batch()
        assert got == [("C1", number) for number in range(1, 41)]
        assert [each.subscriber_id for each in server.table.audience.attachments] == ["g1"]


async def test_a_publish_that_waits_too_long_is_answered_with_a_refusal() -> None:
    """The subscriber makes progress, too slowly: admin is told to offer the event again."""
    async with channel_server(publish=PublishLimits(publish_timeout_s=0.1)) as server:
        gateway = await attached(server, "g1", C1=0)
        publisher = Publisher(server.stub)
        await publisher.send(1, event("C1", 1))
        assert await publisher.answer() == (1, {0: "ACK_TIMEOUT"})
        await gateway.batch()
        await publisher.send(2, event("C1", 1))
        assert await publisher.answer() == (2, {})


async def test_too_many_publishers_are_refused() -> None:
    """With the limit in the error."""
    async with channel_server(publish=PublishLimits(publishers_max=1)) as server:
        first = Publisher(server.stub)
        await first.send(1, event("C1", 1))
        await first.answer()
        failure = await Publisher(server.stub).ended()
        assert isinstance(failure, ResourceExhaustedError)
        assert failure.limit == 1


async def test_a_drain_finishes_what_is_under_way_and_ends_all_streams_in_peace() -> None:
    """Subscribers are told; new publishes are refused; streams end with OK as soon as the subscribers have left."""
    async with channel_server() as server:
        gateway = await attached(server, "g1", C1=0)
        publisher = Publisher(server.stub)
        await publisher.send(1, event("C1", 1))
        await until(lambda: server.table.counts.published == 1)
        drain = asyncio.create_task(server.servicer.drain(PATIENCE_S))
        assert await gateway.batch() == [("C1", 1)]
        assert (await gateway.next()).draining.server_id == server.server_id
        assert await publisher.answer() == (1, {})
        await publisher.send(2, event("C1", 2))
        assert await publisher.answer() == (2, {0: "DRAINING"})
        await gateway.send(unsubscribe=channel_pb2.Unsubscribe(channel_ids=["C1"]))
        started = asyncio.get_running_loop().time()
        assert await gateway.ended() is None
        assert await publisher.ended() is None
        await drain
        assert asyncio.get_running_loop().time() - started < 1.0


async def test_a_drain_takes_no_longer_than_it_may_and_refuses_what_nobody_acknowledged() -> None:
    """A subscriber that stays and keeps silent: its publish is offered again elsewhere, not called delivered."""
    async with channel_server() as server:
        gateway = await attached(server, "g1", C1=0)
        publisher = Publisher(server.stub)
        await publisher.send(1, event("C1", 1))
        await gateway.batch(ack=False)
        await server.servicer.drain(0.1)
        assert await publisher.answer() == (1, {0: "DRAINING"})
        assert await publisher.ended() is None
        assert await gateway.ended() is None


async def test_a_fenced_server_refuses_once_a_publisher_holds_another_ring() -> None:
    """And takes publishes from those who hold its own until then."""
    async with channel_server() as server:
        server.fence.shut = True
        same = Publisher(server.stub, server.table.ownership.fingerprint)
        await same.send(1, event("C1", 1))
        assert await same.answer() == (1, {})
        await Publisher(server.stub, fingerprint=1).send(1, event("C1", 2))
        await until(lambda: server.table.ownership.is_fenced)
        await same.send(2, event("C1", 2))
        assert await same.answer() == (2, {0: "FENCED"})


async def test_a_traced_event_gets_a_span_and_carries_its_context_on(spans: Any) -> None:
    """The gateway's span will be a child of ours, ours of the publisher's."""
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with channel_server() as server:
        gateway = await attached(server, "g1", C1=0)
        await Publisher(server.stub).send(1, event("C1", 1, traceparent=traceparent), event("C1", 2))
        frame = await gateway.next()
        traced, plain = frame.batch.events
        (span,) = [each for each in spans.get_finished_spans() if each.name == "channel.fanout"]
        assert span.parent.span_id == 0xB7AD6B7169203331
        assert traced.traceparent.split("-")[2] == trace.format_span_id(span.context.span_id)
        assert plain.traceparent == ""


async def test_a_pong_comes_behind_everything_that_was_fanned_out_before_its_ping() -> None:
    """Even when the batches before it have not been acknowledged."""
    async with channel_server() as server:
        edge = await attached(server, "e1", C1=0)
        fingerprint = server.table.ownership.fingerprint
        await Publisher(server.stub).send(1, *(event("C1", offset) for offset in range(1, 4)))
        await until(lambda: server.table.counts.published == 3)
        await edge.send(ping=channel_pb2.Ping(number=7, ring_fingerprint=fingerprint))
        assert await edge.batch(ack=False) == [("C1", 1), ("C1", 2), ("C1", 3)]
        assert (await edge.next()).pong == channel_pb2.Pong(number=7, ring_fingerprint=fingerprint, is_taking=True)


async def test_a_server_that_takes_nothing_says_so_in_its_pongs() -> None:
    """Fenced and contradicted by the ring that the ping quotes, or draining."""
    async with channel_server() as server:
        edge = await attached(server, "e1", C1=0)
        server.fence.shut = True
        await edge.send(ping=channel_pb2.Ping(number=1, ring_fingerprint=server.table.ownership.fingerprint + 1))
        assert not (await edge.next()).pong.is_taking
        server.fence.shut = False
        await edge.send(ping=channel_pb2.Ping(number=2, ring_fingerprint=server.table.ownership.fingerprint))
        pong = await edge.next()
        while pong.WhichOneof("frame") != "pong":
            pong = await edge.next()
        assert pong.pong.is_taking
        server.table.drain()
        await edge.send(ping=channel_pb2.Ping(number=3, ring_fingerprint=server.table.ownership.fingerprint))
        while (last := await edge.next()).WhichOneof("frame") != "pong":
            pass
        assert last.pong.is_taking is False
