"""The stream to admin: one at a time, to one instance, kept open; another instance takes over when it breaks.

Batches that the broken stream left unanswered are sent again on the next one, in order: owners drop what they have.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Protocol, TypeVar

import grpc

from discovery.view import Instance
from parley.admin.v1 import admin_service_pb2, admin_service_pb2_grpc
from parley.event.v1 import event_pb2
from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.errors import DeadlineError, UnavailableError, from_rpc_error
from svc.kit.lifecycle import background

__all__ = ["AdminPools", "AdminStream", "run_admin_stream"]

log = logging.getLogger(__name__)

TIER = "admin"
ANSWER_S = 5.0
"""How long a batch may take: admin's retry budget and a failover. Then it is left to the sweepers."""

BATCHES_MAX = 64
"""Unanswered batches: the publisher's window and the sweeper's one are well under it."""

_Stub = TypeVar("_Stub")
_Call = grpc.aio.StreamStreamCall[admin_service_pb2.PublishRequest, admin_service_pb2.PublishResponse]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Events that were sent, or will be, and whom to tell of the answer."""

    events: Sequence[event_pb2.Event]
    answer: asyncio.Future[Sequence[int]]


class AdminPools(Protocol):
    """What the stream needs of discovery.stubs.StubPools."""

    def pick(self, tier: str, avoid: frozenset[str] = ...) -> Instance:
        """Return an instance to call now. Raises UnavailableError."""
        ...

    def stub(self, stub_class: Callable[[grpc.aio.Channel], _Stub], instance: Instance) -> _Stub:
        """Return the stub of an instance."""
        ...


class AdminStream:
    """A publisher's AdminLink over one stream. Holds at most BATCHES_MAX unanswered batches, each for `answer_s`."""

    def __init__(self, pools: AdminPools, clock: Clock, rng: Random, answer_s: float = ANSWER_S) -> None:
        """See `run_admin_stream`."""
        self._pools = pools
        self._clock = clock
        self._backoff = Backoff(0.05, 1.0, rng)
        self._answer_s = answer_s
        self._number = 0
        self._unanswered: dict[int, _Batch] = {}
        self._outgoing: asyncio.Queue[int] = asyncio.Queue(BATCHES_MAX)
        self._call: _Call | None = None
        self._answered_at = 0.0

    async def publish(self, events: Sequence[event_pb2.Event]) -> Sequence[int]:
        """Return indexes of events that did not reach their owner.

        Raises DeadlineError after `answer_s`, UnavailableError when BATCHES_MAX batches are unanswered.
        """
        if len(self._unanswered) >= BATCHES_MAX:
            raise UnavailableError("admin answers nothing", limit=BATCHES_MAX, actual=len(self._unanswered))
        self._number += 1
        number, began = self._number, self._clock.now()
        answer: asyncio.Future[Sequence[int]] = asyncio.get_running_loop().create_future()
        self._unanswered[number] = _Batch(events, answer)
        self._outgoing.put_nowait(number)
        try:
            async with asyncio.timeout(self._answer_s):
                return await answer
        except TimeoutError as error:
            self._leave_if_silent_since(began)
            raise DeadlineError(f"admin did not answer a batch in {self._answer_s:g} s") from error
        finally:
            del self._unanswered[number]

    async def run(self) -> None:
        """Keep a stream open, for ever; each time one breaks, try another instance than the one that failed."""
        avoid: frozenset[str] = frozenset()
        while True:
            try:
                instance = self._pools.pick(TIER, avoid)
                avoid = frozenset((instance.id,))
                await self._stream(instance)
                log.info("the stream to %s ended", instance.id)
            except UnavailableError as error:
                log.warning("no stream to admin: %s", error)
            await self._clock.sleep(self._backoff.next_s())

    async def _stream(self, instance: Instance) -> None:
        """Use one stream until it ends. Raises UnavailableError when it breaks."""
        # A queue a stream: what the last one's sender may still take is among the unanswered, and sent again here.
        self._outgoing = asyncio.Queue(BATCHES_MAX)
        for number in sorted(self._unanswered):
            self._outgoing.put_nowait(number)
        stub = self._pools.stub(admin_service_pb2_grpc.AdminServiceStub, instance)
        self._call = call = stub.Publish(self._requests(self._outgoing))
        try:
            async for response in call:
                self._backoff.reset()
                self._answer(response)
        except grpc.aio.AioRpcError as error:
            raise UnavailableError(f"{instance.id}: {from_rpc_error(error).message}") from error
        except asyncio.CancelledError:
            # Either we are stopping, or the stream was left because it was silent.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise UnavailableError(f"{instance.id} did not answer in {self._answer_s:g} s") from None
        finally:
            call.cancel()

    async def _requests(self, outgoing: asyncio.Queue[int]) -> AsyncIterator[admin_service_pb2.PublishRequest]:
        while True:
            number = await outgoing.get()
            batch = self._unanswered.get(number)
            if batch is not None:
                yield admin_service_pb2.PublishRequest(batch_number=number, events=batch.events)

    def _answer(self, response: admin_service_pb2.PublishResponse) -> None:
        self._answered_at = self._clock.now()
        batch = self._unanswered.get(response.batch_number)
        if batch is not None and not batch.answer.done():
            batch.answer.set_result(tuple(response.undelivered_indexes))

    def _leave_if_silent_since(self, began: float) -> None:
        """Break a stream on which nothing at all was answered for a batch's whole time: its instance hangs."""
        if self._answered_at < began and self._call is not None:
            self._call.cancel()


@asynccontextmanager
async def run_admin_stream(pools: AdminPools, clock: Clock, rng: Random) -> AsyncIterator[AdminStream]:
    """Yield a link to admin that reconnects while the block runs."""
    stream = AdminStream(pools, clock, rng)
    async with background("admin-stream", stream.run()):
        yield stream
