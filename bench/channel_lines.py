"""Lines to a channel server for benchmarks: what gateways and admins send, put together beforehand.

A load generator in Python would be slower than what it measures if it made an object for each channel; frames are bytes
here, and answers are taken apart after the time was taken.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from discovery.ring import Member, Ring
from parley.channel.v1 import channel_service_pb2 as channel_pb
from parley.event.v1 import event_pb2 as event_pb
from svc.channel.wire import varint
from svc.kit.lifecycle import Tasks
from svc.kit.rpc import CHANNEL_OPTIONS

SERVICE = "/parley.channel.v1.ChannelService/"
WINDOW = 8
"""Unanswered subscribes, as a gateway has them."""
AGAIN_S = 0.05
"""After a refusal, as a gateway waits: the server has not heard of the ring yet."""
PATIENCE_S = 60.0
BATCH = 1_024
COMMITTED_US = 1_700_000_000_000_000
PAYLOAD = b'{"type":"message","text":"' + b"x" * 172 + b'"}'
_SUBSCRIBE_TAG = bytes([channel_pb.AttachRequest.SUBSCRIBE_FIELD_NUMBER << 3 | 2])
_SUBSCRIBED = channel_pb.AttachResponse.SUBSCRIBED_FIELD_NUMBER << 3 | 2
_BATCH = channel_pb.AttachResponse.BATCH_FIELD_NUMBER << 3 | 2


class Gateway:
    """One attachment, without anything behind it."""

    def __init__(self, stream: Any, name: str) -> None:
        self._stream = stream
        self._name = name
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()
        self.arrived = 0
        """Events received."""

    async def attach(self) -> None:
        """Say hello, and read the welcome."""
        hello = channel_pb.AttachRequest(hello=channel_pb.Hello(subscriber_id=self._name, zone="az1"))
        await self._stream.write(hello.SerializeToString())
        await self._stream.read()

    async def read(self) -> None:
        """Take what comes, and acknowledge batches."""
        while isinstance(frame := await self._stream.read(), bytes):
            if frame[0] == _SUBSCRIBED:
                self._answers.put_nowait(frame)
            elif frame[0] == _BATCH:
                batch = channel_pb.AttachResponse.FromString(frame).batch
                self.arrived += len(batch.events)
                ack = channel_pb.AttachRequest(ack=channel_pb.Ack(batch_number=batch.batch_number))
                await self._stream.write(ack.SerializeToString())

    async def subscribe(self, frames: Sequence[tuple[bytes, int]]) -> int:
        """Subscribe to the channels of these frames; return how many there are. Asks again for what was refused."""
        waiting, asked, done = deque(frames), deque[tuple[bytes, int]](), 0
        async with asyncio.timeout(PATIENCE_S):
            while waiting or asked:
                while waiting and len(asked) < WINDOW:
                    asked.append(waiting.popleft())
                    await self._stream.write(_subscribe(asked[-1][0]))
                answer = await self._answers.get()
                frame, channels = asked.popleft()
                if channel_pb.AttachResponse.FromString(answer).subscribed.refused_channel_ids:
                    waiting.append((frame, channels))
                    await asyncio.sleep(AGAIN_S)
                else:
                    done += channels
        return done


@dataclass(slots=True, eq=False)
class Server:
    """A channel server that runs, and the stand-ins attached to it."""

    id: str
    pid: int
    dialled: grpc.aio.Channel
    readers: Tasks
    gateways: dict[int, Gateway] = field(default_factory=dict)

    @classmethod
    @asynccontextmanager
    async def at(cls, address: str, server_id: str, pid: int) -> AsyncIterator[Server]:
        """Connect to it for the length of a block."""
        async with (
            grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) as dialled,
            Tasks("readers", limit=100) as readers,
        ):
            yield cls(server_id, pid, dialled, readers)

    async def attach(self, number: int) -> None:
        """Attach a stand-in."""
        gateway = self.gateways[number] = Gateway(self.line("Attach"), f"gateway-{number}")
        await gateway.attach()
        self.readers.spawn(_until_over(gateway), f"gateway {number}")

    def line(self, method: str) -> Any:
        """Open a stream of bytes."""
        return self.dialled.stream_stream(SERVICE + method)()

    @property
    def ring_fingerprint(self) -> int:
        """Of the ring on which it is alone."""
        return Ring([Member(self.id)]).fingerprint

    def rss_bytes(self) -> int:
        """Return the memory that it has now."""
        return self._memory("VmRSS")

    def rss_highest_bytes(self) -> int:
        """Return the most memory that it ever had."""
        return self._memory("VmHWM")

    def _memory(self, name: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024


async def _until_over(gateway: Gateway) -> None:
    """A server that leaves ends its lines."""
    with suppress(grpc.aio.AioRpcError):
        await gateway.read()


async def publish(server: Server, channel_ids: Sequence[str], offset: int) -> int:
    """Publish an event in each channel, wait for the answers, and return how many events came to the stand-ins."""
    before = sum(each.arrived for each in server.gateways.values())
    stream = server.line("Publish")
    async with asyncio.timeout(PATIENCE_S):
        for start in range(0, len(channel_ids), BATCH):
            places = [(each, offset) for each in channel_ids[start : start + BATCH]]
            await stream.write(encoded_batch(start + 1, server.ring_fingerprint, places))
            answer = channel_pb.PublishResponse.FromString(await stream.read())
            if answer.refusals:
                raise RuntimeError(f"the channel server refuses: {answer.refusals[0]}")
    await stream.done_writing()
    return sum(each.arrived for each in server.gateways.values()) - before


def encoded_batch(number: int, fingerprint: int, places: Sequence[tuple[str, int]]) -> bytes:
    """Return an encoded PublishRequest with an event of some 250 bytes in each place, by a ring."""
    events = [
        event_pb.Event(
            channel_id=channel_id,
            offset=offset,
            kind=event_pb.EVENT_KIND_MESSAGE,
            sender_id="U0000000001",
            payload=PAYLOAD,
            commit_unix_us=COMMITTED_US + offset,
            message_ts_us=COMMITTED_US + offset,
        )
        for channel_id, offset in places
    ]
    return channel_pb.PublishRequest(
        batch_number=number, ring_fingerprint=fingerprint, events=events
    ).SerializeToString()


def _subscribe(positions: bytes) -> bytes:
    """Return an encoded AttachRequest that subscribes to encoded positions."""
    body = b"\x08\x01" + positions
    return _SUBSCRIBE_TAG + varint(len(body)) + body
