"""Being found: registers this instance, puts the registration back whenever Consul lost it, and takes it out on exit.

Enter it after the server serves; leaving the block, or `leave()`, deregisters at once, so that peers look elsewhere
before the drain begins (they see it in under 10 ms). Consul gone never fails or holds up the instance: without it, the
instance runs, and is found again once Consul is back.
"""

import asyncio
import logging
import random
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType

from discovery.consul import ConsulClient, Registration
from discovery.fence import Fence
from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.config import InstanceConfig
from svc.kit.errors import ParleyError
from svc.kit.lifecycle import background

log = logging.getLogger(__name__)

CONFIRM_INTERVAL_S = 1.0
"""How often Consul is asked whether it still holds us: 1,000 instances are 1,000 calls/s spread over their agents."""

RETRY_CAP_S = 2.0
"""Longest wait between tries while Consul is away: how late a restarted Consul may get its registrations back."""

LEAVE_TIMEOUT_S = 1.0
"""Longest that a shutdown waits for Consul. Its health check notices a moment later what we could not say."""

FENCE_S = 5.0
"""Trust in the last confirmation where the caller says nothing: outlasts the election of a new Consul leader (3 s)."""


StopServing = Callable[[], Awaitable[None]]


class Registrar:
    """Keeps one registration in Consul for as long as the block lasts: `async with Registrar(consul, mine, clock)`.

    A crash leaves the registration to Consul's health check: out of every view in 0.5 to 1.3 s.
    """

    def __init__(
        self,
        consul: ConsulClient,
        registration: Registration,
        clock: Clock,
        *,
        stop_serving: StopServing | None = None,
        fence_s: float = FENCE_S,
        confirm_interval_s: float = CONFIRM_INTERVAL_S,
        rng: random.Random | None = None,
    ) -> None:
        """Take what to register and for how long to trust the last confirmation (seconds; see `Fence`).

        `stop_serving` makes health checks answer NOT_SERVING; it is called first on leaving.
        """
        self.registration = registration
        self.fence = Fence(fence_s)
        """Closed while Consul has not confirmed us for `fence_s`. Ask `fence.is_fenced(clock.now())`."""
        self._consul = consul
        self._clock = clock
        self._stop_serving = stop_serving
        self._confirm_interval_s = confirm_interval_s
        self._rng = rng or random.Random()
        self._backoff = Backoff(base_s=0.1, cap_s=RETRY_CAP_S, rng=self._rng)
        self._talking = asyncio.Lock()  # so that no registration under way lands after the deregistration
        self._leaving = False
        self._is_registered = False
        self._is_reachable = True
        self._stack = AsyncExitStack()

    def last_heard(self, now: float) -> float:
        """Return the seconds since Consul last confirmed this registration; infinite before the first time."""
        return self.fence.silence_s(now)

    async def __aenter__(self) -> "Registrar":
        """Register, once; when Consul does not answer, go on trying in the background."""
        await self._confirm()
        await self._stack.enter_async_context(background(f"registrar {self.registration.id}", self._keep()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Deregister, waiting LEAVE_TIMEOUT_S for Consul at most."""
        try:
            await self.leave()
        finally:
            await self._stack.__aexit__(kind, error, trace)  # the loop's own failure must reach it

    async def leave(self) -> None:
        """Stop serving, deregister now and stay out; may be called before the block ends. Idempotent; only logs."""
        if self._leaving:
            return
        self._leaving = True
        self.fence.forget()
        if self._stop_serving is not None:
            await self._stop_serving()
        try:
            async with asyncio.timeout(LEAVE_TIMEOUT_S), self._talking:
                await self._consul.deregister(self.registration.id, LEAVE_TIMEOUT_S)
        except (ParleyError, TimeoutError) as failure:
            log.warning("%s could not deregister, its health check will: %s", self.registration.id, failure)

    async def _keep(self) -> None:
        while True:
            # Jitter keeps the instances of one agent from asking in step.
            await self._clock.sleep(
                self._confirm_interval_s * self._rng.uniform(0.8, 1.2) if self._is_reachable else self._backoff.next_s()
            )
            await self._confirm()

    async def _confirm(self) -> None:
        """Ask whether Consul holds us, and register when it does not."""
        asked_at = self._clock.now()
        async with self._talking:
            if self._leaving:
                return
            try:
                if not (self._is_registered and await self._consul.holds(self.registration)):
                    await self._register()
            except ParleyError as error:
                self._unreachable(error)
                return
        self._reachable(asked_at)

    async def _register(self) -> None:
        if self._is_registered:
            log.warning("Consul lost %s, registering again", self.registration.id)
            self.fence.forget()
        await self._consul.register(self.registration)
        self._is_registered = True

    def _unreachable(self, error: ParleyError) -> None:
        if self._is_reachable:
            log.warning("%s is not confirmed by Consul, trying on: %s", self.registration.id, error)
        self._is_reachable = False

    def _reachable(self, asked_at: float) -> None:
        if not self._is_reachable:
            log.info("Consul confirms %s again", self.registration.id)
        self._is_reachable = True
        self._backoff.reset()
        self.fence.heard(asked_at)


def new_instance_id(tier: str, instance: InstanceConfig) -> str:
    """Return `<name>-<6 hex>`, unlike the id of any earlier start: what was made for a dead process fits no new one."""
    return f"{instance.name or f'{tier}-{instance.zone}'}-{secrets.token_hex(3)}"
