"""The requests of one webapp, over HTTP and gRPC together: so many at once, by class, and so many bytes of bodies.

Nobody waits here. Who waits, waits before a store, where it is known for how long; here it is only made sure that all
the waiting fits into memory. Each class leaves some of the places to those above it, so a flood of reads that hang
takes none of the last hundred places for posts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from random import Random

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from svc.kit.clock import Clock, SystemClock
from svc.kit.errors import ResourceExhaustedError
from svc.webapp.priority import Priority, Turn, taking
from svc.webapp.store.admission import retry_after_s

__all__ = ["BODIES_BYTES_MAX", "Gate"]

REQUESTS_MAX = 1_000
BODIES_BYTES_MAX = 64 * 1024 * 1024
"""Posts have a few hundred bytes; this is a thousand at 64 KiB, or 64 of the largest."""

SHARES = {
    Priority.POST: 1.0,
    Priority.READ: 0.9,
    Priority.BOOT: 0.6,
    Priority.TRANSIENT: 0.5,
    Priority.BACKGROUND: 0.5,
}
"""How full the webapp may be when one of a class comes in."""


class Gate:
    """Counts requests and bytes. Refuses with ResourceExhaustedError; then nothing was done."""

    def __init__(
        self,
        requests_max: int = REQUESTS_MAX,
        bytes_max: int = BODIES_BYTES_MAX,
        clock: Clock | None = None,
        rng: Random | None = None,
    ) -> None:
        """`requests_max` holds for requests under way, and by itself for those whose body has yet to arrive."""
        self._requests_max = requests_max
        self._bytes_max = bytes_max
        self._clock = clock or SystemClock()
        self._rng = rng or Random()
        self._full_since: dict[Priority, float] = {}
        self.under_way = 0
        self.arriving_count = 0
        self.bytes = 0
        self._shed = metrics.get_meter(__name__).create_counter(
            "parley.webapp.requests.shed", description="requests refused at the gate, by class and why"
        )

    @contextmanager
    def arriving(self, turn: Turn) -> Iterator[None]:
        """Count a request whose body is awaited: a slow sender takes no place from those who have something to do."""
        if self.arriving_count >= self._requests_max:
            raise self._refusal(turn.priority, "arriving", self.arriving_count, self._requests_max)
        self.arriving_count += 1
        try:
            yield
        finally:
            self.arriving_count -= 1

    def hold(self, turn: Turn, size: int) -> None:
        """Count `size` bytes of a body, until `let_go`."""
        if self.bytes + size > SHARES[turn.priority] * self._bytes_max:
            raise self._refusal(turn.priority, "bytes", self.bytes + size, self._bytes_max)
        self.bytes += size
        turn.body_bytes += size

    def let_go(self, turn: Turn) -> None:
        """The body is needed no longer."""
        self.bytes -= turn.body_bytes
        turn.body_bytes = 0

    @contextmanager
    def admitted(self, turn: Turn) -> Iterator[None]:
        """Let a request be under way for the block, and everything in it be of its turn."""
        self.enter(turn)
        try:
            with taking(turn):
                yield
        finally:
            self.leave()

    def enter(self, turn: Turn) -> None:
        """Count a request as under way, until `leave`."""
        places = max(1, int(self._requests_max * SHARES[turn.priority]))
        if self.under_way >= places:
            raise self._refusal(turn.priority, "requests", self.under_way, places)
        self.under_way += 1
        self._full_since.pop(turn.priority, None)

    def leave(self) -> None:
        """It is over."""
        self.under_way -= 1

    def observe(self) -> None:
        """Publish the counts as OpenTelemetry gauges; once a process."""

        def requests(_: CallbackOptions) -> Iterable[Observation]:
            yield Observation(self.under_way, {"stage": "under way"})
            yield Observation(self.arriving_count, {"stage": "arriving"})

        meter = metrics.get_meter(__name__)
        meter.create_observable_gauge("parley.webapp.requests", [requests], description="requests at this moment")
        meter.create_observable_gauge(
            "parley.webapp.requests.bytes",
            [lambda _: [Observation(self.bytes)]],
            unit="By",
            description="bodies of the requests at this moment",
        )

    def _refusal(self, priority: Priority, what: str, actual: int, limit: int) -> ResourceExhaustedError:
        self._shed.add(1, {"class": priority.name.lower(), "why": what})
        now = self._clock.now()
        full_s = now - self._full_since.setdefault(priority, now)
        return ResourceExhaustedError(
            f"overloaded: {what} at its limit for a {priority.name.lower()}",
            subject=f"webapp.{what}",
            limit=limit,
            actual=actual,
            retry_after_s=retry_after_s(priority, full_s, self._rng),
        )
