"""The door that boots pass: the rate of `domain.boot.rate`, told what happens in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from random import Random

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from svc.kit.clock import Clock
from svc.webapp.domain.boot.rate import BootClass, BootRate, BootRules
from svc.webapp.domain.refusal import RateLimited

__all__ = ["BootGate"]

TICK_S = 0.05
"""How often the loop is looked at: ten times in a window."""


class BootGate:
    """Lets boots begin. Refused ones had nothing done for them."""

    def __init__(
        self, rules: BootRules, clock: Clock, rng: Random, is_database_slow: Callable[[], bool] = lambda: False
    ) -> None:
        """`is_database_slow`: whether answers take longer than they used to, now."""
        self._clock = clock
        self._rate = BootRate(rules, clock.now(), rng)
        self._is_database_slow = is_database_slow
        meter = metrics.get_meter(__name__)
        self._begun = meter.create_counter("parley.webapp.boots", description="boots let begin, by class")
        self._refused = meter.create_counter("parley.webapp.boots.refused", description="boots refused, by class")

    @property
    def rate(self) -> float:
        """Boots a second that are let begin, now."""
        return self._rate.rate

    def check(self, who: BootClass) -> None:
        """Raise RateLimited when a boot of this class would not be let begin; takes nothing, whoever it is that asks.

        To be asked before it is known who that is: in a storm most are refused, and to know each costs as much as a
        tenth of a boot.
        """
        after_s = self._rate.check(who, self._clock.now())
        if after_s:
            self._refused.add(1, {"class": who.name.lower()})
            raise RateLimited(after_s)

    @contextmanager
    def booting(self, who: BootClass) -> Iterator[None]:
        """Let a boot take place in the block. Raises RateLimited."""
        began = self._clock.now()
        self._rate.note_database(self._is_database_slow(), began)
        after_s = self._rate.take(who, began)
        label = {"class": who.name.lower()}
        if after_s:
            self._refused.add(1, label)
            raise RateLimited(after_s)
        self._begun.add(1, label)
        try:
            yield
        finally:
            self._rate.ends(began, self._clock.now())

    def note_served(self, by_edge: bool, began: float) -> None:
        """Learn by whom a boot was served that began at this time."""
        self._rate.note_served(by_edge, began, self._clock.now())

    async def watch_loop(self) -> None:
        """Note how late the loop is, for ever."""
        while True:
            due = self._clock.now() + TICK_S
            await self._clock.sleep(TICK_S)
            now = self._clock.now()
            self._rate.note_loop(max(0.0, now - due), now)

    def observe(self) -> None:
        """Publish the rate as an OpenTelemetry gauge; once a process."""

        def rate(_: CallbackOptions) -> Iterable[Observation]:
            yield Observation(self.rate)

        metrics.get_meter(__name__).create_observable_gauge(
            "parley.webapp.boots.rate", [rate], unit="1/s", description="boots a second that are let begin"
        )
