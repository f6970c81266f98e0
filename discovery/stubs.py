"""Stub pools: one gRPC channel an instance address, and calls that have a deadline, a budget for retries, and a place.

The only file outside the gRPC server that sees a gRPC channel. Stateless tiers are reached by `call`, which picks the
instance (`balancer`), their answers in parts by `stream`; owners on a ring by `call_owner`. Long streams take a stub
of an instance (`stub`) and keep it. This is the one layer that retries: gRPC's own retries are off, and servicers
never repeat a call.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry import metrics

from discovery.balancer import Balancer
from discovery.probe import PROBE_TIMEOUT_S
from discovery.ring_watcher import RingWatcher
from discovery.view import Instance, Snapshot
from discovery.watcher import ServiceWatcher
from svc.kit.backoff import Backoff, RetryBudget
from svc.kit.clock import Clock
from svc.kit.errors import DeadlineError, ParleyError, UnavailableError, from_rpc_error
from svc.kit.lifecycle import Tasks
from svc.kit.rpc import CHANNEL_OPTIONS

S = TypeVar("S")
Q = TypeVar("Q")
R = TypeVar("R")
log = logging.getLogger(__name__)

LINGER_S = 5.0
"""How long a channel outlives its instance in the view: Consul may change its mind."""

CLOSE_GRACE_S = 60.0
"""How long streams on a lingering channel may go on after that: make before break, while the peer is still there."""

CLOSINGS_MAX = 10_000
"""Channels being closed at once; each is a timer."""


PROBE_OPTIONS = (
    # Not the connection, nor the backoff after a failure, that stubs to the same address share.
    ("grpc.use_local_subchannel_pool", 1),
    # gRPC gives one attempt to connect this long (20 s by default): busy is not dead, and refused is known at once.
    ("grpc.min_reconnect_backoff_ms", round(PROBE_TIMEOUT_S * 1000)),
    ("grpc.enable_retries", 0),
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When one call may become several. Only for idempotent methods, or requests with a request id."""

    attempts_max: int = 3
    """Tries in all, the first included; within the one deadline of the call."""
    base_s: float = 0.02
    cap_s: float = 0.5
    """Waits between tries: uniform up to base * 2^n, at most cap."""
    attempt_timeout_s: float | None = None
    """Longest that one try may take, so that a hung instance leaves time for another; None: the whole deadline."""


NO_RETRY = RetryPolicy(attempts_max=1)


class StubPools:
    """Channels and balancers of one process, fed by its watchers. An async context manager.

    Bounds: one channel an instance in view (and those lingering); a retry budget of 10 % a tier.
    """

    def __init__(self, zone: str, clock: Clock, rng: random.Random | None = None) -> None:
        """Take the caller's own zone, which stateless tiers are called in first."""
        self._zone = zone
        self._clock = clock
        self._rng = rng or random.Random()
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._stubs: dict[tuple[str, object], Any] = {}
        self._views: dict[str, Snapshot] = {}
        self._balancers: dict[str, Balancer] = {}
        self._budgets: dict[str, RetryBudget] = {}
        self._rings: dict[str, RingWatcher] = {}
        self._closings = Tasks("stub pools", limit=CLOSINGS_MAX)
        self._stack = AsyncExitStack()
        meter = metrics.get_meter("parley.discovery")
        self._out_of_zone = meter.create_counter("parley_out_of_zone_picks", description="picks outside the own zone")
        self._retries = meter.create_counter("parley_retries", description="calls tried again, by tier")

    async def __aenter__(self) -> "StubPools":
        """Ready to follow watchers."""
        await self._stack.enter_async_context(self._closings)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every channel at once; end your streams first."""
        await self._stack.aclose()
        channels, self._channels = self._channels, {}
        self._stubs.clear()
        for channel in channels.values():
            await channel.close(None)

    def follow(self, tier: str, watcher: ServiceWatcher) -> None:
        """Let `pick(tier)` and `call(tier, ...)` choose among what `watcher` sees."""
        self._balancers[tier] = Balancer(tier, self._zone, self._rng)
        watcher.subscribe(lambda snapshot: self._update(tier, snapshot))

    def follow_ring(self, tier: str, ring: RingWatcher) -> None:
        """Let `pick_owner(tier, key)` and `call_owner(tier, ...)` go by `ring`; a zone's ring before that of all."""
        held = self._rings.get(tier)
        if held is None or held.cell is None or ring.cell is not None:
            self._rings[tier] = ring

    def pick(self, tier: str, avoid: frozenset[str] = frozenset()) -> Instance:
        """Return an instance of a stateless tier to call now. Raises UnavailableError; KeyError if never followed."""
        balancer = self._balancers[tier]
        before = balancer.out_of_zone_picks
        instance = balancer.pick(self._clock.now(), avoid)
        if balancer.out_of_zone_picks > before:
            self._out_of_zone.add(1, {"tier": tier, "zone": instance.zone})
        return instance

    def pick_owner(self, tier: str, key: str) -> Instance:
        """Return the instance that owns `key` on the tier's ring. Raises RingEmptyError; KeyError if never followed."""
        ring = self._rings[tier]
        instance = ring.owner(key)
        if ring.cell is not None and instance.zone != self._zone:
            self._out_of_zone.add(1, {"tier": tier, "zone": instance.zone})
        return instance

    def stub(self, stub_class: Callable[[grpc.aio.Channel], S], instance: Instance) -> S:
        """Return the (cached) stub of an instance: for streams, and for calls that choose their instance themselves.

        Such calls raise grpc.aio.AioRpcError: pass it through `kit.errors.from_rpc_error`, and give a deadline.
        """
        key = (instance.address, stub_class)
        found = self._stubs.get(key)
        if found is None:
            found = self._stubs[key] = stub_class(self._channel(instance.address))
        stub: S = found
        return stub

    async def call(
        self,
        tier: str,
        stub_class: Callable[[grpc.aio.Channel], S],
        method: Callable[[S], "grpc.aio.UnaryUnaryMultiCallable[Q, R]"],
        request: Q,
        *,
        timeout_s: float,
        retry: RetryPolicy = NO_RETRY,
    ) -> R:
        """Call a stateless tier: `await pools.call("admin", AdminServiceStub, lambda s: s.Resolve, request, ...)`.

        `timeout_s` covers all tries together. A retry goes to another instance where there is one. Raises the kit's
        errors; after DeadlineError and UnavailableError it is not known whether the call happened.
        """
        tried: set[str] = set()

        async def attempt(left_s: float) -> R:
            instance = self.pick(tier, frozenset(tried))
            tried.add(instance.id)
            async with self._counted(self._balancers[tier], instance.id):
                return await _invoke(method(self.stub(stub_class, instance)), request, left_s)

        return await self._persist(tier, attempt, timeout_s, retry)

    async def stream(
        self,
        tier: str,
        stub_class: Callable[[grpc.aio.Channel], S],
        method: "Callable[[S], grpc.aio.UnaryStreamMultiCallable[Q, R]]",
        request: Q,
        *,
        timeout_s: float,
    ) -> AsyncGenerator[R, None]:
        """Yield what an instance of a stateless tier answers; ended early, the call is cancelled. Never tried again.

        `timeout_s` covers all of it. Raises the kit's errors.
        """
        call = method(self.stub(stub_class, self.pick(tier)))(request, timeout=timeout_s)
        try:
            async for part in call:
                yield part
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        finally:
            call.cancel()

    async def call_owner(
        self,
        tier: str,
        key: str,
        stub_class: Callable[[grpc.aio.Channel], S],
        method: Callable[[S], "grpc.aio.UnaryUnaryMultiCallable[Q, R]"],
        request: Q,
        *,
        timeout_s: float,
        retry: RetryPolicy = NO_RETRY,
    ) -> R:
        """Call the owner of `key`; a retry asks the ring again. Otherwise as `call`."""

        async def attempt(left_s: float) -> R:
            instance = self.pick_owner(tier, key)
            return await _invoke(method(self.stub(stub_class, instance)), request, left_s)

        return await self._persist(tier, attempt, timeout_s, retry)

    async def _persist(
        self, tier: str, attempt: Callable[[float], Awaitable[R]], timeout_s: float, retry: RetryPolicy
    ) -> R:
        """Try until it works, the policy or the tier's budget ends it, or the deadline comes."""
        budget = self._budgets.setdefault(tier, RetryBudget())
        backoff = Backoff(retry.base_s, retry.cap_s, self._rng)
        deadline = self._clock.now() + timeout_s
        budget.record_call(self._clock.now())
        for tries in range(1, retry.attempts_max + 1):
            try:
                return await attempt(_patience(deadline - self._clock.now(), retry))
            except ParleyError as error:
                pause_s = max(backoff.next_s(), error.retry_after_s)
                now = self._clock.now()
                is_last = tries == retry.attempts_max or not error.retryable or now + pause_s >= deadline
                if is_last or not budget.may_retry(now):
                    raise
                self._retries.add(1, {"tier": tier})
                await self._clock.sleep(pause_s)
        raise DeadlineError(f"{tier}: no try was made in {timeout_s} s")

    @asynccontextmanager
    async def _counted(self, balancer: Balancer, instance_id: str) -> AsyncIterator[None]:
        balancer.started(instance_id)
        failed = False
        try:
            yield
        except (UnavailableError, DeadlineError):
            failed = True
            raise
        finally:
            balancer.finished(instance_id, self._clock.now(), failed=failed)

    def _channel(self, address: str) -> grpc.aio.Channel:
        channel = self._channels.get(address)
        if channel is None:
            channel = self._channels[address] = grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)
        return channel

    def _update(self, tier: str, snapshot: Snapshot) -> None:
        self._balancers[tier].update(snapshot.instances)
        before = self._views.get(tier)
        self._views[tier] = snapshot
        stays = {instance.address for instance in snapshot.instances}
        for instance in before.instances if before else ():
            if instance.address not in stays and instance.address in self._channels:
                self._closings.spawn(self._close_later(instance.address), name=f"close {instance.address}")

    async def _close_later(self, address: str) -> None:
        """Close a channel whose address is in no view any more, unless it comes back meanwhile."""
        await self._clock.sleep(LINGER_S)
        if any(address == instance.address for view in self._views.values() for instance in view.instances):
            return
        channel = self._channels.pop(address, None)
        for key in [key for key in self._stubs if key[0] == address]:
            del self._stubs[key]
        if channel is not None:
            try:
                await channel.close(CLOSE_GRACE_S)
            except asyncio.CancelledError:
                await channel.close(None)
                raise


def _patience(left_s: float, retry: RetryPolicy) -> float:
    return max(0.001, left_s if retry.attempt_timeout_s is None else min(left_s, retry.attempt_timeout_s))


async def _invoke(method: "grpc.aio.UnaryUnaryMultiCallable[Q, R]", request: Q, timeout_s: float) -> R:
    try:
        return await method(request, timeout=timeout_s)
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from error


async def grpc_probe(instance: Instance) -> bool:
    """Return whether the instance says that it is serving, asked over a connection of its own."""
    async with grpc.aio.insecure_channel(instance.address, options=PROBE_OPTIONS) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[no-untyped-call]
        try:
            answer = await check(health_pb2.HealthCheckRequest(), timeout=PROBE_TIMEOUT_S)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
