"""Lines: bidirectional streams that are kept open, one to each member of a ring, opened again when they break.

A line knows nothing of what it carries. What is to be sent is asked of its end (`outgoing`) when the line can take it,
so state waits in the end, merged and bounded, instead of in a queue behind a slow peer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Generic, Protocol, TypeVar

import grpc

from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.lifecycle import Tasks

Request = TypeVar("Request")
Response = TypeVar("Response")
Req_co = TypeVar("Req_co", covariant=True)
Req_contra = TypeVar("Req_contra", contravariant=True)
Resp_co = TypeVar("Resp_co", covariant=True)
Resp_contra = TypeVar("Resp_contra", contravariant=True)

FIRST_ANSWER_TIMEOUT_S = 2.0
"""Seconds until a peer must have answered the hello: longer than any pause seen on a healthy one."""

log = logging.getLogger(__name__)


class Stream(Protocol[Req_contra, Resp_co]):
    """What is used of a gRPC bidirectional call (`grpc.aio.StreamStreamCall` fits as it is)."""

    async def write(self, request: Req_contra, /) -> None:
        """Send a frame; waits while the peer does not read."""
        ...

    async def read(self) -> Resp_co | object:
        """Return the next frame, or grpc.aio.EOF at the end of the stream. Raises grpc.RpcError."""
        ...

    def cancel(self) -> bool:
        """End the call."""
        ...


class LineEnd(Protocol[Req_co, Resp_contra]):
    """Our end of a line. All calls come from the event loop, and none may wait."""

    @property
    def heartbeat_s(self) -> float | None:
        """The longest that we may be silent; None: say only what is new."""
        ...

    def hello(self) -> Req_co:
        """Return the first frame of a new stream."""
        ...

    def opened(self, first: Resp_contra) -> None:
        """The peer has answered the hello."""
        ...

    def received(self, response: Resp_contra) -> None:
        """A frame has come."""
        ...

    def outgoing(self) -> Iterable[Req_co]:
        """Return the frames to send now; asked for after every `wake`, and after a silence of `heartbeat_s`."""
        ...

    def closed(self) -> None:
        """The stream is gone, if it was opened."""
        ...


class Line(Generic[Request, Response]):
    """One stream to one peer, opened again with backoff until the peer is no longer wanted."""

    def __init__(
        self,
        peer_id: str,
        connect: Callable[[], Stream[Request, Response]],
        end: LineEnd[Request, Response],
        clock: Clock,
        rng: random.Random | None = None,
        rest_s: float = 0.0,
    ) -> None:
        """Prepare a line; `run` opens it with `connect`, which raises LookupError when the peer is not there.

        Between two times of speaking it rests for `rest_s` seconds, unless there is something that may not wait: what
        a crowd has to say one by one is said together then, and who is alone does not wait.
        """
        self.peer_id = peer_id
        self.is_wanted = True
        self.is_open = False
        self._is_failing = False
        self._connect = connect
        self._end = end
        self._clock = clock
        self._backoff = Backoff(0.05, 1.0, rng)
        self._rest_s = rest_s
        self._spoke_at = clock.now() - rest_s
        self._news = asyncio.Event()
        self._urgent = asyncio.Event()

    def wake(self, *, may_rest: bool = False) -> None:
        """Have `outgoing` asked soon; many calls in one turn of the loop, and while the line may rest, ask once."""
        self._news.set()
        if not may_rest:
            self._urgent.set()

    async def run(self) -> None:
        """Keep the stream open; returns when it has ended and the peer is not wanted any more."""
        while self.is_wanted:
            await self._attempt()
            if self.is_wanted:
                await self._clock.sleep(self._backoff.next_s())

    async def _attempt(self) -> None:
        try:
            stream = self._connect()
        except LookupError as error:
            # Only here: a KeyError of our end is a defect, and must not pass for a peer that has left.
            self._note(error)
            return
        try:
            try:
                await self._converse(stream)
            finally:
                stream.cancel()
        except* (grpc.RpcError, OSError, TimeoutError, asyncio.InvalidStateError) as group:
            self._note(group.exceptions[0])
        except* Exception as group:
            log.exception("line to %s failed", self.peer_id, exc_info=group.exceptions[0])

    def _note(self, failure: BaseException) -> None:
        """Tell of a line that broke, once a failure: the tries that follow say the same until the ring moves on."""
        log.log(logging.DEBUG if self._is_failing else logging.INFO, "line to %s: %s", self.peer_id, _reason(failure))
        self._is_failing = True

    async def _converse(self, stream: Stream[Request, Response]) -> None:
        async with asyncio.timeout(FIRST_ANSWER_TIMEOUT_S):
            await stream.write(self._end.hello())
            first = await stream.read()
        if first is grpc.aio.EOF:
            return
        self._backoff.reset()
        self._is_failing = False
        self.is_open = True
        try:
            self._end.opened(first)  # type: ignore[arg-type]  # EOF is excluded above
            self.wake()
            async with asyncio.TaskGroup() as both:
                writer = both.create_task(self._write(stream))
                await self._read(stream)
                writer.cancel()
        finally:
            self.is_open = False
            self._end.closed()

    async def _read(self, stream: Stream[Request, Response]) -> None:
        while (response := await stream.read()) is not grpc.aio.EOF:
            self._end.received(response)  # type: ignore[arg-type]  # EOF is excluded above

    async def _write(self, stream: Stream[Request, Response]) -> None:
        while True:
            try:
                async with asyncio.timeout(self._end.heartbeat_s):
                    await self._news.wait()
                    await self._rest()
            except TimeoutError:
                pass  # nothing new for a heartbeat: the end says so by what it sends
            self._news.clear()
            self._urgent.clear()
            self._spoke_at = self._clock.now()
            for request in self._end.outgoing():
                await stream.write(request)

    async def _rest(self) -> None:
        """Wait until the line has rested, or has to say what may not wait."""
        left_s = self._spoke_at + self._rest_s - self._clock.now()
        if left_s > 0.0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._urgent.wait()


def _reason(failure: BaseException) -> str:
    if isinstance(failure, grpc.aio.AioRpcError):
        return f"{failure.code().name}, {failure.details()}"
    return repr(failure)


class Lines(Generic[Request, Response]):
    """The lines to all members of a tier: opened for those that join, ended by themselves for those that left."""

    def __init__(self, make: Callable[[str], Line[Request, Response]], tasks: Tasks) -> None:
        """Use `make(member_id)` for a new line, and run lines in `tasks`."""
        self._make = make
        self._tasks = tasks
        self._lines: dict[str, Line[Request, Response]] = {}

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def open_count(self) -> int:
        """Return how many lines stand."""
        return sum(line.is_open for line in self._lines.values())

    def members(self, ids: Iterable[str]) -> None:
        """Have a line to each of `ids`; the others stay open until their peer ends them (make before break)."""
        wanted = set(ids)
        for peer_id, line in self._lines.items():
            line.is_wanted = peer_id in wanted
        for peer_id in wanted - self._lines.keys():
            line = self._lines[peer_id] = self._make(peer_id)
            self._tasks.spawn(self._run(line), f"line {peer_id}")

    def wake(self, peer_id: str, *, may_rest: bool = False) -> None:
        """Wake the line to a peer, if there is one."""
        line = self._lines.get(peer_id)
        if line is not None:
            line.wake(may_rest=may_rest)

    async def _run(self, line: Line[Request, Response]) -> None:
        try:
            while line.is_wanted:
                await line.run()
        finally:
            del self._lines[line.peer_id]


@asynccontextmanager
async def lines_of(
    make: Callable[[str], Line[Request, Response]], name: str, limit: int = 1_024
) -> AsyncIterator[Lines[Request, Response]]:
    """Hold lines for the length of a block; at most `limit` peers."""
    async with Tasks(name, limit) as tasks:
        yield Lines(make, tasks)
