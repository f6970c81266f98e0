"""The gRPC boundary of an admin server: publish streams of webapps, and the question who owns a channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial

import grpc

from discovery.ring import slot
from parley.admin.v1 import admin_service_pb2 as admin_pb2
from parley.admin.v1.admin_service_pb2_grpc import AdminServiceServicer, add_AdminServiceServicer_to_server
from parley.event.v1 import event_pb2
from svc.admin.config import AdminConfig
from svc.admin.links import Links
from svc.admin.router import Router
from svc.kit.clock import Clock
from svc.kit.errors import InvalidArgumentError, ParleyError, ResourceExhaustedError
from svc.kit.lifecycle import Tasks
from svc.kit.replies import Replies
from svc.kit.rpc import Service, when_over
from svc.kit.telemetry import inject_traceparent, span_from

SERVICE_NAME = "parley.admin.v1.AdminService"

EVENTS_MAX = 1_024
"""The contract's limit on the events of one batch."""

TICK_S = 0.02
"""Retries and deadlines are this much too late at the most; the first retry waits 20 ms at the most."""

PublishContext = grpc.aio.ServicerContext[admin_pb2.PublishRequest, admin_pb2.PublishResponse]
LocateContext = grpc.aio.ServicerContext[admin_pb2.LocateRequest, admin_pb2.LocateResponse]
Answers = Replies[admin_pb2.PublishResponse]


class AdminServicer(AdminServiceServicer):
    """Serves one router. `readers` bounds the streams open at a time."""

    def __init__(self, router: Router, links: Links, clock: Clock, config: AdminConfig, readers: Tasks) -> None:
        self._router = router
        self._links = links
        self._clock = clock
        self._config = config
        self._readers = readers
        self._lines: dict[Answers, None] = {}
        self._settled_some = asyncio.Event()
        self._is_draining = False

    def service(self) -> Service:
        """Return what the gRPC server is given."""
        return Service(SERVICE_NAME, lambda server: add_AdminServiceServicer_to_server(self, server))

    async def Publish(  # noqa: N802 - gRPC's name
        self, requests: AsyncIterator[admin_pb2.PublishRequest], context: PublishContext
    ) -> AsyncIterator[admin_pb2.PublishResponse]:
        """Take batches; answer each once all of its events are settled."""
        limit = self._config.publishers_max
        if len(self._lines) >= limit:
            raise ResourceExhaustedError(
                f"{limit} publishers are connected", subject="publishers_max", limit=limit, actual=limit + 1
            )
        answers: Answers = Replies(self._config.publish_window)
        self._lines[answers] = None
        when_over(context, lambda: self._lines.pop(answers, None))
        reader = self._readers.spawn(self._read(requests, answers), name="publish reader")
        when_over(context, reader.cancel)
        try:
            async for answer in answers:
                yield answer
        finally:
            self._lines.pop(answers, None)
            reader.cancel()

    async def Locate(self, request: admin_pb2.LocateRequest, context: LocateContext) -> admin_pb2.LocateResponse:  # noqa: N802
        """Say who owns a channel."""
        if not request.channel_id:
            raise InvalidArgumentError("a channel id is needed", subject="channel_id")
        ring = self._router.ring
        owner = ring.members[ring.owner(request.channel_id)]
        return admin_pb2.LocateResponse(
            owner_id=owner.id,
            owner_address=owner.address,
            slot=slot(request.channel_id),
            ring_fingerprint=ring.fingerprint,
        )

    async def run(self) -> None:
        """Do what is due, TICK_S after TICK_S, until cancelled."""
        while True:
            await self._clock.sleep(TICK_S)
            self.tick()

    def tick(self) -> None:
        """Do what is due now."""
        now = self._clock.now()
        self._router.due(now)
        for owner in self._router.stuck(now):
            self._links.reset(owner)

    async def drain(self, drain_s: float) -> None:
        """Settle what is under way, give back the rest after `drain_s` seconds, and end all streams."""
        self._is_draining = True
        deadline = self._clock.now() + drain_s
        while self._router.events_under_way and self._clock.now() < deadline:
            await self._clock.sleep(TICK_S)
        self._router.give_back_all()
        for answers in self._lines:
            answers.finish()
        # One turn more for the writers: an open stream would make the server's stop wait for its whole grace.
        await self._clock.sleep(TICK_S)

    async def _read(self, requests: AsyncIterator[admin_pb2.PublishRequest], answers: Answers) -> None:
        in_use: set[int] = set()
        try:
            async for request in requests:
                _check(request, in_use)
                in_use.add(request.batch_number)
                answers.begin()
                self._submit(request, answers, in_use)
                await answers.room()
                while not self._router.has_room:
                    self._settled_some.clear()
                    await self._settled_some.wait()
            answers.finish()
        except ParleyError as error:
            answers.finish(error)

    def _submit(self, request: admin_pb2.PublishRequest, answers: Answers, in_use: set[int]) -> None:
        settled = partial(self._settled, request.batch_number, answers, in_use)
        if self._is_draining:
            settled(list(range(len(request.events))))
            return
        _trace(request.events)
        self._router.submit(request.events, self._clock.now(), settled)

    def _settled(self, number: int, answers: Answers, in_use: set[int], undelivered: list[int]) -> None:
        in_use.discard(number)
        answers.answer(admin_pb2.PublishResponse(batch_number=number, undelivered_indexes=undelivered))
        self._settled_some.set()


def _check(request: admin_pb2.PublishRequest, in_use: set[int]) -> None:
    count = len(request.events)
    if not 1 <= count <= EVENTS_MAX:
        raise InvalidArgumentError("a batch has 1 to 1,024 events", subject="events", limit=EVENTS_MAX, actual=count)
    if request.batch_number in in_use:
        raise InvalidArgumentError("the batch number is in use", subject="batch_number", actual=request.batch_number)


def _trace(events: Sequence[event_pb2.Event]) -> None:
    """Give each sampled event a span of its own, whose context it carries on."""
    for event in events:
        if event.traceparent:
            with span_from(event.traceparent, "admin.route", channel_id=event.channel_id, offset=event.offset):
                event.traceparent = inject_traceparent()
