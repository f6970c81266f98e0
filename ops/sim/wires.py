"""Streams and calls between processes: gRPC as far as the tiers can see it, over lines that delay, hold and break.

One stream keeps its order, two know nothing of each other. A line breaks like the real one does: what is under way is
gone, the other side learns it by a reset, or, where nobody answers any more (a pause, a cut line), after its keepalive
gives up. A handler whose stream broke is cancelled, as grpc.aio does.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any
from zlib import crc32

import grpc

from ops.sim.world import Host, World
from svc.kit.errors import ParleyError

KEEPALIVE_S = (1.0, 3.0)
"""After how long a silent peer is given up: keepalive_time and keepalive_timeout of the kit."""

Handler = Callable[[AsyncIterator[Any], "CallContext"], AsyncIterator[Any]]


class Network:
    """How long things take, and who cannot talk to whom."""

    def __init__(self, world: World, slow: float) -> None:
        """`slow`: share of deliveries that take up to 150 ms instead of 2."""
        self.world = world
        self.slow = slow
        self.watcher = Host(world, "network")
        """Where lines are watched from: never killed nor paused."""
        self.hosts: dict[str, Host] = {}
        """Those that can be called, by instance id."""
        self._cuts: set[frozenset[str]] = set()
        self._streams: dict[Stream, None] = {}
        self._made: Counter[str] = Counter()

    def dice(self, one: Host, other: Host | None) -> Random:
        """Return the dice of a new line between two processes: their own, so that no other line changes them."""
        pair = f"{self.world.seed} {one} {other}"
        self._made[pair] += 1
        return Random(crc32(f"{pair} {self._made[pair]}".encode()))

    def delay(self, dice: Random) -> float:
        """Return how long a delivery takes, in seconds."""
        draw = dice.random()
        if draw < self.slow:
            return 0.002 + 0.15 * dice.random()
        return 0.0002 + 0.0015 * draw

    def are_cut(self, one: Host, other: Host) -> bool:
        """Return whether nothing gets through between two processes."""
        return bool(self._cuts) and frozenset((one.name, other.name)) in self._cuts

    def cut(self, one: Host, other: Host) -> None:
        """Let nothing through from now on; streams are given up when their keepalive fails."""
        self._cuts.add(frozenset((one.name, other.name)))
        for stream in self._between(one, other):
            stream.doubt(lambda: self.are_cut(one, other))

    def mend(self, one: Host, other: Host) -> None:
        """Let things through again."""
        self._cuts.discard(frozenset((one.name, other.name)))

    def mend_all(self) -> None:
        """Mend every cut."""
        self._cuts.clear()

    def reset(self, one: Host, other: Host) -> None:
        """Break the streams between two processes; what is under way is lost."""
        for stream in self._between(one, other):
            stream.snap("reset by a peer")

    def opened(self, stream: Stream) -> None:
        """Remember a stream while it stands."""
        self._streams[stream] = None

    def closed(self, stream: Stream) -> None:
        """Forget it."""
        self._streams.pop(stream, None)

    def attend(self, host: Host) -> None:
        """Make a process reachable by its name, and its streams break with it."""
        self.hosts[host.name] = host
        host.on_kill.append(lambda: self._gone(host))
        host.on_pause.append(lambda: self._silent(host))

    def _gone(self, host: Host) -> None:
        for stream in self._of(host):
            stream.snap("connection reset by peer")

    def _silent(self, host: Host) -> None:
        pauses = host.pauses
        for stream in self._of(host):
            stream.doubt(lambda: host.is_paused and host.pauses == pauses)

    def _of(self, host: Host) -> list[Stream]:
        return [stream for stream in self._streams if host in (stream.client, stream.server)]

    def _between(self, one: Host, other: Host) -> list[Stream]:
        return [stream for stream in self._of(one) if other in (stream.client, stream.server)]


class CallContext:
    """What the servicers use of grpc.aio's ServicerContext."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[Any], None]] = []
        self._is_over = False

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """See grpc.aio.ServicerContext."""
        self._callbacks.append(callback)

    def over(self) -> None:
        """The call has ended in whatever way."""
        if not self._is_over:
            self._is_over = True
            for callback in self._callbacks:
                callback(self)


class _Pipe:
    """One direction of a stream at its receiver: what arrived, and how it ends."""

    __slots__ = ("failure", "is_over", "items", "waiter")

    def __init__(self) -> None:
        self.items: deque[Any] = deque()
        self.is_over = False
        self.failure: BaseException | None = None
        self.waiter: asyncio.Future[None] | None = None

    def put(self, item: Any) -> None:
        if not self.is_over:
            self.items.append(item)
            self._wake()

    def end(self, failure: BaseException | None = None) -> None:
        if not self.is_over:
            self.is_over = True
            self.failure = failure
            self._wake()

    def _wake(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    async def get(self) -> Any:
        """Return the next item, or grpc.aio.EOF. Raises what ended the stream."""
        while not self.items:
            if self.is_over:
                if self.failure is not None:
                    raise self.failure
                return grpc.aio.EOF
            self.waiter = asyncio.get_running_loop().create_future()
            try:
                await self.waiter
            finally:
                self.waiter = None
        return self.items.popleft()


def rpc_error(code: grpc.StatusCode, message: str) -> grpc.aio.AioRpcError:
    """Return what a caller of grpc.aio gets."""
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), message)


class Stream:
    """A bidirectional call, as its caller sees it: `grpc.aio.StreamStreamCall` as far as it is used."""

    def __init__(
        self,
        network: Network,
        client: Host,
        server: Host | None,
        handler: Callable[[], Handler],
        requests: AsyncIterator[Any] | None = None,
        parse: Callable[[Any], Any] = lambda frame: frame,
    ) -> None:
        """Call `handler()` at the server; `parse` is what the wire does to its answers."""
        self.client = client
        self.server = server
        self._network = network
        self._world = network.world
        self._dice = network.dice(client, server)
        self._handler = handler
        self._parse = parse
        self._answers = _Pipe()
        self._requests = _Pipe()
        self._up_at = self._down_at = 0.0
        self._is_stuck = False
        self._snapped_at: float | None = None
        self._task: asyncio.Task[Any] | None = None
        self._context = CallContext()
        network.opened(self)
        self._send_up(self._accept)
        self._sender = client.spawn(self._pump(requests), "requests") if requests is not None else None

    # The caller's side

    async def write(self, request: Any) -> None:
        """Send a request."""
        if self._answers.is_over:
            raise self._answers.failure or asyncio.InvalidStateError("the call has ended")
        self._send_up(self._requests.put, request)

    async def read(self) -> Any:
        """Return the next answer or grpc.aio.EOF. Raises grpc.aio.AioRpcError."""
        return await self._answers.get()

    async def __aiter__(self) -> AsyncIterator[Any]:
        while (answer := await self._answers.get()) is not grpc.aio.EOF:
            yield answer

    def cancel(self) -> bool:
        """End the call from this side."""
        if self._answers.is_over or not self.client.is_alive:
            return False
        self._answers.end(asyncio.CancelledError())
        self._send_up(self._cancelled_by_client)
        return True

    async def _pump(self, requests: AsyncIterator[Any]) -> None:
        async for request in requests:
            if self._answers.is_over:
                return
            self._send_up(self._requests.put, request)

    # The server's side

    def _accept(self) -> None:
        assert self.server is not None
        self._task = self.server.spawn(self._serve(), "call")

    async def _serve(self) -> None:
        code, message = grpc.StatusCode.OK, ""
        try:
            async for answer in self._handler()(self._read_requests(), self._context):
                self._send_down(self._arrive, answer)
        except ParleyError as error:
            code, message = error.code, error.message
        finally:
            self._context.over()
        self._send_down(self._finish, code, message)

    async def _read_requests(self) -> AsyncIterator[Any]:
        while (request := await self._requests.get()) is not grpc.aio.EOF:
            yield request

    def _cancelled_by_client(self) -> None:
        self._network.closed(self)
        self._stop_serving()

    def _stop_serving(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
        self._context.over()

    # The line

    def _arrive(self, answer: Any) -> None:
        self._answers.put(self._parse(answer))

    def _finish(self, code: grpc.StatusCode, message: str) -> None:
        self._network.closed(self)
        self._answers.end(None if code is grpc.StatusCode.OK else rpc_error(code, message))

    def _send_up(self, work: Callable[..., Any], *args: Any) -> None:
        server = self.server
        if server is None or not server.is_alive:
            self.snap("nobody is there")
        elif self._carries():
            self._up_at = max(self._up_at, self._world.now + self._network.delay(self._dice))
            self._world.at(self._up_at, server, self._deliver, self._up_at, work, args)

    def _send_down(self, work: Callable[..., Any], *args: Any) -> None:
        if self._carries():
            self._down_at = max(self._down_at, self._world.now + self._network.delay(self._dice))
            self._world.at(self._down_at, self.client, self._deliver, self._down_at, work, args)

    def _carries(self) -> bool:
        """Whether what is sent now arrives. A line that lost one thing carries nothing more, until it is given up."""
        if self._is_stuck or self._snapped_at is not None or self.server is None:
            return False
        if self._network.are_cut(self.client, self.server):
            self._is_stuck = True
            self.doubt(lambda: True)
        return not self._is_stuck

    def _deliver(self, due: float, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Do what arrived; also when the line broke since (the receiver was paused), but not what came after that."""
        if self._snapped_at is None or due <= self._snapped_at:
            work(*args)

    def doubt(self, still: Callable[[], bool]) -> None:
        """Give the line up when its keepalive fails: if `still` holds by then."""

        def give_up() -> None:
            if still():
                self.snap("keepalive failed")

        self._world.at(self._world.now + self._dice.uniform(*KEEPALIVE_S), self._network.watcher, give_up)

    def snap(self, why: str) -> None:
        """Break the line: what is under way is lost, both sides learn it, each in its time."""
        if self._snapped_at is not None:
            return
        now = self._snapped_at = self._world.now
        self._network.closed(self)
        failure = rpc_error(grpc.StatusCode.UNAVAILABLE, why)
        self._world.at(now + self._network.delay(self._dice), self.client, self._answers.end, failure)
        if self.server is not None:
            self._world.at(now + self._network.delay(self._dice), self.server, self._stop_serving)
