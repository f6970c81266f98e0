"""A feed joined to the mesh: the channel ring from Consul, Attach streams to its members, the log behind webapp."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from discovery.front import Discovery
from discovery.stubs import RetryPolicy, StubPools
from parley.channel.v1.channel_service_pb2_grpc import ChannelServiceStub
from parley.event.v1 import event_pb2 as event_pb
from parley.webapp.v1 import webapp_service_pb2 as webapp_pb
from parley.webapp.v1.webapp_service_pb2_grpc import WebappServiceStub
from svc.feed.feed import AttachStream, Feed, Subscriber
from svc.feed.filler import ChannelLog, LogReader
from svc.feed.uplinks import Consumer
from svc.kit.clock import Clock

READ_TIMEOUT_S = 3.0
"""Deadline of a log read; a webapp that hangs leaves time for a second one within it."""

READ_RETRY = RetryPolicy(attempts_max=3, attempt_timeout_s=1.5)
"""Reads are idempotent, and a hole that waits stops a channel: try another webapp soon."""


class WebappLog:
    """The durable log as webapp tells it; see filler.LogReader."""

    def __init__(self, pools: StubPools) -> None:
        """Call webapps through `pools`, which must follow the tier."""
        self._pools = pools

    async def read_log(self, after: Sequence[tuple[str, int]], limit: int) -> Sequence[ChannelLog]:
        """See filler.LogReader.read_log."""
        positions = [event_pb.ChannelPosition(channel_id=channel_id, offset=offset) for channel_id, offset in after]
        answer = await self._pools.call(
            "webapp",
            WebappServiceStub,
            lambda stub: stub.ReadLog,
            webapp_pb.ReadLogRequest(after=positions, limit=limit),
            timeout_s=READ_TIMEOUT_S,
            retry=READ_RETRY,
        )
        return [ChannelLog(run.channel_id, run.events, run.head_offset, run.truncated) for run in answer.logs]

    async def read_heads(self, channel_ids: Sequence[str]) -> Mapping[str, int]:
        """See filler.LogReader.read_heads."""
        answer = await self._pools.call(
            "webapp",
            WebappServiceStub,
            lambda stub: stub.ReadHeads,
            webapp_pb.ReadHeadsRequest(channel_ids=channel_ids),
            timeout_s=READ_TIMEOUT_S,
            retry=READ_RETRY,
        )
        return {head.channel_id: head.offset for head in answer.heads}


async def discovered_feed(
    disco: Discovery,
    subscriber: Subscriber,
    clock: Clock,
    ping_every_s: float | None = None,
    log: LogReader | None = None,
) -> Feed:
    """Return a feed that finds the channel servers and webapps through Consul; start it with `following`.

    `ping_every_s`: see Feed. `log`: where holes are filled from, for who need not ask a webapp.
    """
    await disco.watch("webapp")
    watcher = await disco.ring("channel")

    def connect(server_id: str) -> AttachStream:
        instance = watcher.instance(server_id)
        if instance is None:
            raise LookupError(f"{server_id} is not on the ring any more")
        return disco.pools.stub(ChannelServiceStub, instance).Attach()

    return Feed(
        subscriber,
        connect,
        log or WebappLog(disco.pools),
        clock,
        suspect=watcher.watcher.suspect,
        ping_every_s=ping_every_s,
    )


@asynccontextmanager
async def following(disco: Discovery, feed: Feed, consumer: Consumer) -> AsyncIterator[Feed]:
    """Run `feed` for `consumer`, going by the channel ring, for the length of a block."""
    watcher = await disco.ring("channel")
    async with feed.running(consumer):
        unsubscribe = watcher.subscribe(feed.ring_changed)
        try:
            yield feed
        finally:
            unsubscribe()
