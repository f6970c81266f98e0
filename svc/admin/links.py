"""The lines to the channel servers: one publish stream to each member of the ring, opened again whenever it is lost."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from typing import Any

import grpc

from parley.channel.v1 import channel_service_pb2 as channel_pb2
from svc.admin.router import Router
from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError, UnavailableError, from_rpc_error
from svc.kit.lifecycle import Tasks

log = logging.getLogger(__name__)

RECONNECT_BASE_S = 0.02
RECONNECT_CAP_S = 0.5
"""A dead server leaves the ring in 0.5 to 1.3 s; asking twice a second until then costs nothing."""


class Link:
    """One line to one channel server, for as long as `run` runs. Sends what the router has for it, in batches."""

    def __init__(
        self,
        owner: str,
        router: Router,
        clock: Clock,
        connect: Callable[[str], Any],
        suspect: Callable[[str], None],
        tasks: Tasks,
        rng: random.Random | None = None,
    ) -> None:
        """`connect(owner)` returns a ChannelServiceStub; `suspect(owner)` is told when the line breaks."""
        self._owner = owner
        self._router = router
        self._clock = clock
        self._connect = connect
        self._suspect = suspect
        self._tasks = tasks
        self._bell = asyncio.Event()
        self._call: Any = None
        self._backoff = Backoff(RECONNECT_BASE_S, RECONNECT_CAP_S, rng)

    def ready(self) -> None:
        """Look whether there is something to send."""
        self._bell.set()

    def reset(self) -> None:
        """Give the line up and open another."""
        if self._call is not None:
            self._call.cancel()

    async def run(self) -> None:
        """Keep a line until cancelled."""
        while True:
            try:
                await self._converse()
            except ParleyError as error:
                log.warning("line to %s broke: %s", self._owner, error.message)
                self._suspect(self._owner)
            self._router.lost(self._owner)
            await self._clock.sleep(self._backoff.next_s())

    async def _converse(self) -> None:
        """Open a stream and use it until it ends. Raises what ended it, if it was not in peace."""
        self._call = call = self._connect(self._owner).Publish()
        reader = self._tasks.spawn(self._read(call), name=f"answers of {self._owner}")
        reader.add_done_callback(lambda _: self._bell.set())
        try:
            while not reader.done():
                self._bell.clear()
                if not await self._send(call):
                    break
                if not reader.done():
                    await self._bell.wait()
            failure = await reader
        finally:
            call.cancel()
            reader.cancel()
        if failure is not None:
            raise failure

    async def _send(self, call: Any) -> bool:
        """Send what there is; False when the stream has ended, of which the reader knows why."""
        while (batch := self._router.take(self._owner, self._clock.now())) is not None:
            number, items = batch
            request = channel_pb2.PublishRequest(
                batch_number=number,
                ring_fingerprint=self._router.ring.fingerprint,
                events=[item.event for item in items],
            )
            try:
                await call.write(request)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                return False
            except asyncio.CancelledError:
                _raise_own_cancellation()
                return False
        return True

    async def _read(self, call: Any) -> ParleyError | None:
        """Take answers until the stream ends; return why, None for in peace."""
        try:
            async for response in call:
                self._backoff.reset()
                refusals = {refusal.index: refusal.reason for refusal in response.refusals}
                self._router.answered(self._owner, response.batch_number, refusals, self._clock.now())
        except grpc.aio.AioRpcError as error:
            return from_rpc_error(error)
        except asyncio.CancelledError:
            _raise_own_cancellation()
            return UnavailableError("the line was given up because it did not answer")
        return None


def _raise_own_cancellation() -> None:
    """In a handler of CancelledError: raise it on if this task was cancelled; gRPC raises it for its calls, too."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Links:
    """A link to each member of the ring."""

    def __init__(
        self,
        router: Router,
        clock: Clock,
        connect: Callable[[str], Any],
        suspect: Callable[[str], None],
        tasks: Tasks,
        rng: random.Random | None = None,
    ) -> None:
        """`tasks` bounds the lines: two for each channel server."""
        self._router = router
        self._clock = clock
        self._connect = connect
        self._suspect = suspect
        self._tasks = tasks
        self._rng = rng
        self._links: dict[str, tuple[Link, asyncio.Task[None]]] = {}

    def __len__(self) -> int:
        return len(self._links)

    def ready(self, owner: str) -> None:
        """Tell a link that the router may have something for it."""
        known = self._links.get(owner)
        if known is not None:
            known[0].ready()

    def reset(self, owner: str) -> None:
        """Give up a line that does not answer."""
        known = self._links.get(owner)
        if known is not None:
            log.warning("%s does not answer, trying another line", owner)
            known[0].reset()

    def follow(self, owners: Iterable[str]) -> None:
        """Have links to these channel servers and no others."""
        wanted = set(owners)
        for owner in self._links.keys() - wanted:
            self._links.pop(owner)[1].cancel()
        for owner in sorted(wanted - self._links.keys()):
            link = Link(owner, self._router, self._clock, self._connect, self._suspect, self._tasks, self._rng)
            self._links[owner] = (link, self._tasks.spawn(link.run(), name=f"line to {owner}"))
