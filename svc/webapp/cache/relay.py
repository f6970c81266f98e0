"""What a node did not confirm to have deleted, told to the other webapps before the write is acked.

A node that hangs, or that this webapp alone cannot reach, may go on answering others with what is wrong. So they are
told which keys on which node, and take the deletions as their own: done now, or before they read from it again. A
webapp that does not answer in time is told again in the background for as long as it is in view; the write does not
wait for that. Then a reader through that webapp may see the value from before until it was told, and, if this process
dies first, until the value expires.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

import grpc
from opentelemetry import metrics

from discovery.view import Instance
from parley.webapp.v1 import webapp_service_pb2 as pb
from parley.webapp.v1.webapp_service_pb2_grpc import WebappServiceStub
from svc.kit.clock import Clock
from svc.kit.errors import InvalidArgumentError, ParleyError, from_rpc_error
from svc.kit.lifecycle import background
from svc.webapp.cache.cache import Cache
from svc.webapp.cache.routes.route import Undelivered

__all__ = ["Hearing", "Stubs", "WebappRelay", "run_relay", "undelivered_of"]

log = logging.getLogger(__name__)

TELL_S = 0.1
"""How long a write waits for the other webapps; they answer in 1 to 3 ms."""
AGAIN_S = 0.25
"""Between two tries to tell who did not answer; each has a second."""
KEYS_MAX = 4_096
NODES_MAX = 256
"""Of one request: the contract."""
OWED_MAX = 50_000
"""Keys that a webapp that does not answer is still to be told; the oldest are dropped. What nobody could be told for
so long has mostly expired."""
AT_ONCE_MAX = 64
"""Webapps told at the same time."""

_Stub = TypeVar("_Stub")
_Debt = dict[tuple[str, str], None]
"""(node, key), in the order of coming."""


class Stubs(Protocol):
    """What telling needs of discovery.stubs.StubPools."""

    def stub(self, stub_class: Callable[[grpc.aio.Channel], _Stub], instance: Instance) -> _Stub:
        """Return the stub of an instance."""
        ...


class WebappRelay:
    """A cache's Relay over gRPC. Holds for each webapp in view what it has not confirmed, at most OWED_MAX keys."""

    def __init__(self, own_id: str, webapps: Callable[[], Iterable[Instance]], stubs: Stubs, clock: Clock) -> None:
        """See `run_relay`."""
        self._own_id = own_id
        self._webapps = webapps
        self._stubs = stubs
        self._clock = clock
        self._owed: dict[str, _Debt] = {}
        self._places = asyncio.Semaphore(AT_ONCE_MAX)
        meter = metrics.get_meter(__name__)
        self._told = meter.create_counter("parley.webapp.cache.told", description="webapps told, by result")

    async def tell(self, undelivered: Undelivered) -> None:
        """See Relay: at most TELL_S."""
        requests = tuple(_requests((node, key) for node, keys in undelivered.items() for key in keys))
        async with asyncio.TaskGroup() as group:
            for webapp in self._others():
                group.create_task(self._tell(webapp, undelivered, requests))

    async def run(self) -> None:
        """Tell again who did not answer, for ever."""
        while True:
            await self._clock.sleep(AGAIN_S)
            others = {webapp.id: webapp for webapp in self._others()}
            for gone in self._owed.keys() - others.keys():
                del self._owed[gone]
            async with asyncio.TaskGroup() as group:
                for webapp_id in self._owed:
                    group.create_task(self._tell_again(others[webapp_id]))

    def _others(self) -> list[Instance]:
        return [webapp for webapp in self._webapps() if webapp.id != self._own_id]

    async def _tell(
        self, webapp: Instance, undelivered: Undelivered, requests: Sequence[pb.ForgetCachedRequest]
    ) -> None:
        try:
            async with asyncio.timeout(TELL_S), self._places:
                for request in requests:
                    await self._call(webapp, request, TELL_S)
        except (ParleyError, TimeoutError) as error:
            self._told.add(1, {"result": "failed"})
            if webapp.id not in self._owed:
                # Once, until it has heard everything.
                log.warning("%s was not told which cached values are wrong, and will be: %s", webapp.id, error)
            debt = self._owed.setdefault(webapp.id, {})
            debt.update(dict.fromkeys((node, key) for node, keys in undelivered.items() for key in keys))
            for oldest in list(debt)[: max(0, len(debt) - OWED_MAX)]:
                del debt[oldest]
        else:
            self._told.add(1, {"result": "ok"})

    async def _tell_again(self, webapp: Instance) -> None:
        debt = self._owed[webapp.id]
        pairs = list(debt)
        try:
            for request in _requests(pairs):
                async with self._places:
                    await self._call(webapp, request, 1.0)
        except ParleyError as error:
            log.debug("%s was not told again: %s", webapp.id, error)
            return
        for pair in pairs:
            debt.pop(pair, None)
        if not debt and self._owed.get(webapp.id) is debt:
            del self._owed[webapp.id]
            log.info("%s was told which cached values are wrong", webapp.id)

    async def _call(self, webapp: Instance, request: pb.ForgetCachedRequest, timeout_s: float) -> None:
        try:
            await self._stubs.stub(WebappServiceStub, webapp).ForgetCached(request, timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error


class Hearing:
    """The other end: takes what others could not deliver."""

    def __init__(self, cache: Cache, undelivered: Callable[[Undelivered], None]) -> None:
        """`undelivered` gives keys to the nodes of this process, by address, as deletions that they missed."""
        self._cache = cache
        self._undelivered = undelivered

    def hear(self, undelivered: Undelivered) -> None:
        """Make sure that no read that begins later sees these keys as these nodes have them now. Does not wait."""
        self._undelivered(undelivered)
        for keys in undelivered.values():
            self._cache.forget_reads(keys)


def undelivered_of(request: pb.ForgetCachedRequest) -> Mapping[str, Sequence[str]]:
    """Return what a request says. Raises InvalidArgumentError over a limit."""
    count = sum(len(node.keys) for node in request.nodes)
    for subject, limit, actual in (("nodes", NODES_MAX, len(request.nodes)), ("keys", KEYS_MAX, count)):
        if actual > limit:
            raise InvalidArgumentError(f"{subject}: at most {limit}", subject=subject, limit=limit, actual=actual)
    return {node.address: tuple(node.keys) for node in request.nodes}


def _requests(pairs: Iterable[tuple[str, str]]) -> Iterator[pb.ForgetCachedRequest]:
    """Yield requests within the limits that name all (node, key) pairs."""
    nodes: dict[str, list[str]] = {}
    count = 0
    for address, key in pairs:
        if count >= KEYS_MAX or (address not in nodes and len(nodes) >= NODES_MAX):
            yield _request(nodes)
            nodes, count = {}, 0
        nodes.setdefault(address, []).append(key)
        count += 1
    if nodes:
        yield _request(nodes)


def _request(nodes: Mapping[str, Sequence[str]]) -> pb.ForgetCachedRequest:
    named = (pb.CacheNodeKeys(address=address, keys=keys) for address, keys in nodes.items())
    return pb.ForgetCachedRequest(nodes=named)


@asynccontextmanager
async def run_relay(
    own_id: str, webapps: Callable[[], Iterable[Instance]], stubs: Stubs, clock: Clock
) -> AsyncIterator[WebappRelay]:
    """Yield a relay to all `webapps` in view but our own; it tells again while the block runs."""
    relay = WebappRelay(own_id, webapps, stubs, clock)
    async with background("tell caches again", relay.run()):
        yield relay
