"""The gateway's end of a stream, in a process of its own: what a gateway does with events before its hub gets them.

`python -m bench.streams_end ADDRESS SERVER_ID CHANNELS`: follows that many channels, says "ready", and for each line on
its input how many events it was handed so far. Ends when its input does, or when an event comes out of its order.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

import grpc
import uvloop

from discovery.ring import Member, Ring
from parley.channel.v1.channel_service_pb2_grpc import ChannelServiceStub
from parley.event.v1 import event_pb2 as event_pb
from svc.feed.feed import Feed, Subscriber
from svc.feed.filler import ChannelLog
from svc.kit.clock import SystemClock
from svc.kit.rpc import CHANNEL_OPTIONS


def channel_name(number: int) -> str:
    """Return the id of the n-th channel."""
    return f"C{number:010}"


class Counting:
    """A consumer that counts, and looks at the order."""

    def __init__(self) -> None:
        self.events = 0
        self._lasts: dict[str, int] = {}

    def deliver(self, events: Sequence[event_pb.Event]) -> None:
        """See Consumer."""
        lasts = self._lasts
        for event in events:
            if event.offset != lasts.get(event.channel_id, 0) + 1:
                raise SystemExit(f"{event.channel_id}: {event.offset} after {lasts.get(event.channel_id, 0)}")
            lasts[event.channel_id] = event.offset
        self.events += len(events)

    def lost(self, channel_id: str, last: int) -> None:
        """See Consumer."""
        raise SystemExit(f"{channel_id}: lost up to {last}")


class _EmptyLog:
    """A log in which nothing was ever written."""

    async def read_log(self, after: Sequence[tuple[str, int]], limit: int) -> Sequence[ChannelLog]:
        return [ChannelLog(channel_id, [], 0, False) for channel_id, _ in after]

    async def read_heads(self, channel_ids: Sequence[str]) -> Mapping[str, int]:
        return {}


async def main(address: str, server_id: str, channels: int) -> None:
    """Follow, and answer."""
    loop = asyncio.get_running_loop()
    consumer = Counting()
    async with AsyncExitStack() as up:
        dialled = await up.enter_async_context(grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS))
        stub = ChannelServiceStub(dialled)
        feed = Feed(Subscriber("bench-end", "az1"), lambda _: stub.Attach(), _EmptyLog(), SystemClock())
        await up.enter_async_context(feed.running(consumer))
        feed.ring_changed(Ring([Member(server_id)]))
        for number in range(channels):
            feed.follow(channel_name(number), 0)
        while feed.stats().unsettled or not all(feed.is_level(channel_name(each)) for each in range(channels)):
            await asyncio.sleep(0.01)
        _say("ready")
        while await loop.run_in_executor(None, sys.stdin.readline):
            _say(str(consumer.events))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
