"""The gRPC boundary of a channel server: two kinds of streams, each with one reader and one writer.

The writer is the call itself (a generator); its reader is a task that ends with it. What is malformed ends the stream
that it came on, with INVALID_ARGUMENT and the numbers; nobody else notices.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from parley.channel.v1 import channel_service_pb2 as channel_pb2
from parley.channel.v1.channel_service_pb2_grpc import ChannelServiceServicer
from svc.channel.config import FanoutLimits, PublishLimits
from svc.channel.fanout import Attachment
from svc.channel.publishing import PublishLine
from svc.channel.table import ChannelTable
from svc.channel.wire import Packed, check_transients, packed, parse_request, serialize_response
from svc.kit.clock import Clock
from svc.kit.errors import DeadlineError, InvalidArgumentError, ParleyError, ResourceExhaustedError, UnavailableError
from svc.kit.lifecycle import Tasks
from svc.kit.rpc import Service, when_over

SERVICE_NAME = "parley.channel.v1.ChannelService"

HELLO_TIMEOUT_S = 5.0
"""Longest that an attached stream may stay nameless; a subscriber says hello with its first packet."""

TICK_S = 0.05
"""Holes are given up and dead subscribers noticed this much too late at the most; 20 wake-ups a second cost nothing."""

AttachFrame = Packed | channel_pb2.AttachRequest
AttachContext = grpc.aio.ServicerContext[AttachFrame, channel_pb2.AttachResponse]
PublishContext = grpc.aio.ServicerContext[channel_pb2.PublishRequest, channel_pb2.PublishResponse]


class ChannelServicer(ChannelServiceServicer):
    """Serves one table. `readers` bounds the streams open at a time."""

    def __init__(
        self, table: ChannelTable, clock: Clock, fanout: FanoutLimits, publish: PublishLimits, readers: Tasks
    ) -> None:
        self._table = table
        self._clock = clock
        self._fanout = fanout
        self._publish = publish
        self._readers = readers
        self._lines: dict[PublishLine, None] = {}

    def service(self) -> Service:
        """Return what the gRPC server is given."""
        return Service(SERVICE_NAME, self._add_to)

    async def Publish(  # noqa: N802 - gRPC's name
        self, requests: AsyncIterator[channel_pb2.PublishRequest], context: PublishContext
    ) -> AsyncIterator[channel_pb2.PublishResponse]:
        """Take batches; answer each once it is settled."""
        limit = self._publish.publishers_max
        if len(self._lines) >= limit:
            raise ResourceExhaustedError(
                f"{limit} publishers are connected", subject="publishers_max", limit=limit, actual=limit + 1
            )
        line = PublishLine(self._table, self._clock, self._publish)
        self._lines[line] = None
        when_over(context, lambda: self._lines.pop(line, None))
        reader = self._readers.spawn(line.read(requests), name="publish reader")
        when_over(context, reader.cancel)
        try:
            async for answer in line.answers:
                yield answer
        finally:
            self._lines.pop(line, None)
            reader.cancel()

    async def Attach(  # type: ignore[override]  # noqa: N802
        self, requests: AsyncIterator[AttachFrame], context: AttachContext
    ) -> AsyncIterator[bytes | channel_pb2.AttachResponse]:
        """Serve one subscriber until it leaves, is cut off, or this server leaves."""
        hello = await _hello(requests)
        bell = asyncio.Event()
        attachment = Attachment(hello.subscriber_id, hello.zone, self._fanout, bell.set)
        self._table.attach(attachment)
        when_over(context, lambda: self._table.audience.detach(attachment))
        reader = self._readers.spawn(self._read(requests, attachment), name=f"attach reader {hello.subscriber_id}")
        when_over(context, reader.cancel)
        try:
            ownership = self._table.ownership
            yield channel_pb2.AttachResponse(
                welcome=channel_pb2.Welcome(server_id=ownership.instance_id, ring_fingerprint=ownership.fingerprint)
            )
            while True:
                bell.clear()
                while (frame := attachment.take(self._clock.now())) is not None:
                    yield frame
                if not attachment.is_open:
                    break
                await bell.wait()
        finally:
            reader.cancel()
            self._table.audience.detach(attachment)
        if attachment.ending is not None:
            raise attachment.ending

    async def run(self) -> None:
        """Do what is due, TICK_S after TICK_S, until cancelled."""
        while True:
            await self._clock.sleep(TICK_S)
            self.tick()

    def tick(self) -> None:
        """Do what is due now."""
        now = self._clock.now()
        self._table.tick(now)
        for line in tuple(self._lines):
            line.expire(now)

    async def drain(self, drain_s: float) -> None:
        """Refuse what is new, finish what is under way, and end all streams after `drain_s` seconds at the latest.

        To be called once this server is in nobody's ring any more, or soon will not be. What is not acknowledged by
        then is refused, so that it is published again at the new owner.
        """
        self._table.drain()
        deadline = self._clock.now() + drain_s
        while not self._table.is_drained and self._clock.now() < deadline:
            await self._clock.sleep(TICK_S)
        for line in self._lines:
            line.finish(channel_pb2.REFUSAL_REASON_DRAINING)
        self._table.close()
        # One turn more for the writers: an open stream would make the server's stop wait for its whole grace.
        await self._clock.sleep(TICK_S)

    async def _read(self, requests: AsyncIterator[AttachFrame], attachment: Attachment) -> None:
        try:
            async for request in requests:
                self._handle(request, attachment)
            self._table.audience.detach(attachment)
        except ParleyError as error:
            self._table.audience.detach(attachment, error)

    def _handle(self, request: AttachFrame, attachment: Attachment) -> None:
        many = packed(request)
        if many is not None and many.kind == "subscribe":
            self._table.subscribe(attachment, many.data, self._clock.now())
        elif many is not None:
            self._table.unsubscribe(attachment, many.data, self._clock.now())
        elif not isinstance(request, Packed):
            self._handle_parsed(request, attachment)

    def _handle_parsed(self, request: channel_pb2.AttachRequest, attachment: Attachment) -> None:
        kind = request.WhichOneof("frame")
        if kind == "ack":
            attachment.tracker.ack(request.ack.batch_number, self._clock.now())
            attachment.wake()
        elif kind == "transient":
            check_transients(request.transient.events)
            self._table.transient(request.transient.events)
        elif kind == "ping":
            self._table.ping(attachment, request.ping, self._clock.now())
        else:
            raise InvalidArgumentError("a frame is missing, or is a second hello", subject=kind or "frame")

    def _add_to(self, server: grpc.aio.Server) -> None:
        """Register like the generated code does, except that batches are bytes already."""
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "Publish": grpc.stream_stream_rpc_method_handler(
                self.Publish,
                request_deserializer=channel_pb2.PublishRequest.FromString,
                response_serializer=channel_pb2.PublishResponse.SerializeToString,
            ),
            "Attach": grpc.stream_stream_rpc_method_handler(
                self.Attach,
                request_deserializer=parse_request,
                response_serializer=serialize_response,
            ),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE_NAME, handlers),))


async def _hello(requests: AsyncIterator[AttachFrame]) -> channel_pb2.Hello:
    """Return the hello that a stream must begin with."""
    try:
        async with asyncio.timeout(HELLO_TIMEOUT_S):
            async for request in requests:
                if (
                    isinstance(request, Packed)
                    or request.WhichOneof("frame") != "hello"
                    or not request.hello.subscriber_id
                ):
                    raise InvalidArgumentError("the first frame must be a hello with a name", subject="hello")
                return request.hello
    except TimeoutError:
        raise DeadlineError(f"no hello within {HELLO_TIMEOUT_S} s", subject="hello") from None
    raise UnavailableError("the stream ended before its hello")
