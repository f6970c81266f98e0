"""Decides on calls: by what is known here, else by one addition in memcached for each limit that a call counts to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from opentelemetry import metrics

from svc.kit.clock import Clock
from svc.kit.tally import Tally
from svc.webapp.cache.routes.route import Step, Sum
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import RateLimited
from svc.webapp.limits.buckets import start_of, verdict
from svc.webapp.limits.nearby import Nearby
from svc.webapp.limits.tiers import HOOK, Limit, Scale, Tier, limits_of, limits_of_try

__all__ = ["Counting", "Limiter", "Limits", "Unlimited"]


class Counting(Protocol):
    """Where the numbers are; a `Route` is one."""

    async def add(self, key: str, step: Step) -> Sum | None:
        """See `Route.add`."""
        ...


class Limits(Protocol):
    """What a call has to pass."""

    async def check(self, tier: Tier, method: str, caller: Caller, reference: str = "") -> None:
        """Count a call. Raises RateLimited, and then it counts for nothing. `reference`: as for `limits_of`."""
        ...

    async def check_hook(self, hook_id: str) -> None:
        """Count a call of an incoming webhook. Raises RateLimited."""
        ...

    async def check_try(self, login: str, address: str) -> None:
        """Count a try to get in, whatever the setting. Raises RateLimited. Arguments: as for `limits_of_try`."""
        ...


class Unlimited:
    """There are no limits."""

    async def check(self, tier: Tier, method: str, caller: Caller, reference: str = "") -> None:
        """See `Limits`."""

    async def check_hook(self, hook_id: str) -> None:
        """See `Limits`."""

    async def check_try(self, login: str, address: str) -> None:
        """See `Limits`."""


class Limiter:
    """`Limits` that all webapps keep together."""

    def __init__(self, counting: Counting, scale: Scale, clock: Clock, nearby: Nearby | None = None) -> None:
        """`scale` is of calls, not of tries. `counting` answers in a node's deadline, 50 ms, or says that it cannot."""
        self._counting = counting
        self._times = scale.times
        self._clock = clock
        self._nearby = nearby or Nearby()
        self._tally = Tally(
            metrics.get_meter(__name__),
            "parley.webapp.limits",
            ("tier", "result"),
            "calls by tier and result: allowed, refused, known (refused without asking), alone_… (without memcached)",
        )

    async def check(self, tier: Tier, method: str, caller: Caller, reference: str = "") -> None:
        """See `Limits`."""
        if self._times:
            limits = limits_of(tier, method, caller.team_id, caller.app_id or caller.user_id, reference)
            await self._check(tier.name, [Limit(limit.key, limit.rate.scaled(self._times)) for limit in limits])

    async def check_hook(self, hook_id: str) -> None:
        """See `Limits`."""
        if self._times:
            await self._check("HOOK", (Limit(f"r1:hook:{hook_id}", HOOK.scaled(self._times)),))

    async def check_try(self, login: str, address: str) -> None:
        """See `Limits`."""
        limits = limits_of_try(login, address)
        if limits:
            await self._check("TRY", limits)

    async def _check(self, label: str, limits: Sequence[Limit]) -> None:
        now_us = self._clock.wall_us()
        known_us = max(self._nearby.wait_us(*limit, now_us) for limit in limits)
        if known_us:
            self._tally.add(1, label, "known")
            raise RateLimited(known_us / 1_000_000)
        for limit in limits:
            self._nearby.take(*limit, now_us)
        if len(limits) == 1:
            sums: Sequence[Sum | None] = (await self._add(limits[0], now_us),)
        else:
            sums = await asyncio.gather(*(self._add(limit, now_us) for limit in limits))
        counted = tuple(zip(limits, sums, strict=True))
        waits = [self._judge(limit, each, now_us) for limit, each in counted]
        alone = "alone_" if None in sums else ""
        if not any(waits):
            self._tally.add(1, label, f"{alone}allowed")
            return
        # Counted by one limit, refused by another: it counts for neither.
        for (limit, each), wait_us in zip(counted, waits, strict=True):
            if not wait_us:
                self._take_back(limit, each)
        self._tally.add(1, label, f"{alone}refused")
        raise RateLimited(max(waits) / 1_000_000)

    async def _add(self, limit: Limit, now_us: int) -> Sum | None:
        rate = limit.rate
        return await self._counting.add(limit.key, Step(rate.interval_us, start_of(rate, now_us), rate.ttl_s))

    def _judge(self, limit: Limit, counted: Sum | None, now_us: int) -> int:
        """Return how long the call, which was counted here and there, is early by one limit; 0 for one in time."""
        if counted is None:
            return 0  # What is known here allowed it.
        found = verdict(limit.rate, counted.value, now_us)
        if found.wait_us:
            self._take_back(limit, counted)
            self._nearby.saw(limit.key, counted.value - limit.rate.interval_us, now_us)
        elif found.righted is None:
            self._nearby.saw(limit.key, counted.value, now_us)
        else:
            counted.replace(found.righted)
        return found.wait_us

    def _take_back(self, limit: Limit, counted: Sum | None) -> None:
        self._nearby.give_back(*limit)
        if counted is not None:
            counted.take_back()
