"""The gRPC boundary of presence: checks frames, hands them to the board, and writes what the board has to tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc

from parley.presence.v1 import presence_service_pb2 as pb
from parley.presence.v1 import presence_service_pb2_grpc as rpc
from svc.kit.clock import Clock
from svc.kit.errors import DeadlineError, InvalidArgumentError, ParleyError
from svc.kit.lifecycle import Tasks
from svc.kit.rpc import when_over
from svc.presence import frames
from svc.presence.board import Board
from svc.presence.config import ReportLimits, RosterLimits
from svc.presence.lines import Line, Lines
from svc.presence.roster import Owns


class PresenceServicer(rpc.PresenceServiceServicer):
    """Serves Report and GetPresence from one board. `tasks` runs a reader for each line."""

    def __init__(
        self, limits: ReportLimits, roster_limits: RosterLimits, owns: Owns, clock: Clock, tasks: Tasks
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._tasks = tasks
        self._lines = Lines()
        self.board = Board(roster_limits, limits.watched_max, owns, self._lines.wake, clock.now())

    async def GetPresence(  # noqa: N802 - named by the contract
        self,
        request: pb.GetPresenceRequest,
        context: grpc.aio.ServicerContext[pb.GetPresenceRequest, pb.GetPresenceResponse],
    ) -> pb.GetPresenceResponse:
        now, unix_s = self._clock.now(), self._clock.wall_us() // 1_000_000
        states = [self.board.state(user_id) for user_id in frames.check_query(request)]
        return pb.GetPresenceResponse(users=[frames.user_presence(state, now, unix_s) for state in states])

    async def Report(  # noqa: N802 - named by the contract
        self,
        request_iterator: AsyncIterator[pb.ReportRequest],
        context: grpc.aio.ServicerContext[pb.ReportRequest, pb.ReportResponse],
    ) -> AsyncIterator[pb.ReportResponse]:
        requests = aiter(request_iterator)
        gateway_id = frames.check_hello(await self._first(requests))
        line = self._lines.open(gateway_id)
        when_over(context, lambda: self._close(line))
        self.board.hello(gateway_id, self._clock.now())
        line.reader = self._tasks.spawn(self._read(requests, line), name=f"report:{gateway_id}")
        yield frames.lease(self.board.lease_s)
        while await line.woken():
            await self._clock.sleep(self._limits.batch_s)
            states = self.board.take(gateway_id, self._limits.batch_users)
            if states:
                yield frames.changes(states, self._clock.now(), self._clock.wall_us() // 1_000_000)

    async def keep_time(self) -> None:
        """Apply what is due, for ever: leases, graces, settling; cut off the gateways that fell silent."""
        while True:
            await self._clock.sleep(self._limits.tick_s)
            for gateway_id in self.board.tick(self._clock.now()):
                self._lines.end(gateway_id, DeadlineError("nothing heard for a whole lease; say hello again"))

    def ring_changed(self, owns: Owns) -> None:
        """Take a new ring of presence servers; gateways report moved users anew by themselves."""
        self.board.ring_changed(owns, self._clock.now())

    def drain(self) -> None:
        """End every line with OK and refuse new ones: gateways go to the servers that the ring names now."""
        self._lines.drain()

    async def _first(self, requests: AsyncIterator[pb.ReportRequest]) -> pb.ReportRequest:
        try:
            async with asyncio.timeout(self._limits.hello_timeout_s):
                return await anext(requests)
        except TimeoutError:
            raise DeadlineError("no hello came in time", subject="hello") from None
        except StopAsyncIteration:
            raise InvalidArgumentError("the stream ended without a hello", subject="hello") from None

    def _close(self, line: Line) -> None:
        """Stop reading a line whose call is over, and forget its interests unless a newer line has taken its place."""
        if line.reader is not None:
            line.reader.cancel()
        if self._lines.close(line):
            self.board.line_ended(line.gateway_id)

    async def _read(self, requests: AsyncIterator[pb.ReportRequest], line: Line) -> None:
        """Take a line's frames until it ends; a bad one ends it with what is wrong."""
        try:
            async for frame in requests:
                if line.ended:  # by a newer line: what the older one says must not mix with it
                    return
                self._take(frame, line.gateway_id)
            line.end()
        except ParleyError as error:
            line.end(error)

    def _take(self, frame: pb.ReportRequest, gateway_id: str) -> None:
        kind = frame.WhichOneof("frame")
        now = self._clock.now()
        if kind == "connections":
            self.board.report(gateway_id, frames.check_connections(frame.connections), now)
        elif kind == "watch":
            added, removed = frames.check_watch(frame.watch)
            self.board.watch(gateway_id, added, removed, now)
        elif kind == "heartbeat":
            self.board.heartbeat(gateway_id, now)
        else:
            raise InvalidArgumentError(f"a line takes no {kind or 'empty frame'} here", subject="frame")
