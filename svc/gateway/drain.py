"""Leaving without a herd: goodbyes spread over time, each followed by a Close a moment later."""

from __future__ import annotations

from collections.abc import Callable

from svc.gateway.close_codes import CloseCode
from svc.gateway.door import Connections
from svc.gateway.sockets import Connection
from svc.gateway.writing import CLOSE_TIMEOUT_S
from svc.kit.clock import Clock
from svc.kit.lifecycle import Tasks

CALM_RECONNECTS_PER_S = 50
"""Returning clients that are no herd: a gateway with few of them need not take the whole time to stop."""

STEP_S = 0.02
"""Connections are told in steps of this length."""


class Drain:
    """Empties a gateway, once."""

    def __init__(
        self,
        connections: Connections,
        shut: Callable[[], None],
        clock: Clock,
        tasks: Tasks,
        linger_s: float,
        before: Callable[[Connection], object] = lambda connection: None,
    ) -> None:
        """`shut` stops admission; a drain started by an operator runs in `tasks`. `before` hears of each goodbye.

        `linger_s`: seconds between goodbye and Close. A client opens its next connection while this one still delivers.
        """
        self._connections = connections
        self._shut = shut
        self._clock = clock
        self._tasks = tasks
        self._linger_s = linger_s
        self._before = before
        self._is_started = False

    def start(self, spread_s: float) -> None:
        """Begin to drain in the background; a second call changes nothing."""
        if not self._is_started:
            self._is_started = True
            self._shut()
            self._tasks.spawn(self._spread(spread_s, self._linger_s), "drain")

    async def finish(self, spread_s: float) -> None:
        """Drain within `spread_s`, sooner when there are few, and wait until every connection is gone, or cut."""
        self._is_started = True
        self._shut()
        calm_s = len(self._connections) / CALM_RECONNECTS_PER_S
        await self._spread(min(spread_s, calm_s), self._linger_s if spread_s else 0.0)
        deadline = self._clock.now() + CLOSE_TIMEOUT_S
        while len(self._connections) and self._clock.now() < deadline:
            await self._clock.sleep(STEP_S)

    async def _spread(self, spread_s: float, linger_s: float) -> None:
        """Say goodbye to each connection at its share of the time, and close it `linger_s` later."""
        leaving = [connection for connection in self._connections if not connection.is_closing]
        start = self._clock.now()
        told = closed = 0
        while closed < len(leaving) and len(self._connections):
            elapsed = self._clock.now() - start
            due = self._due(elapsed, spread_s, len(leaving))
            for connection in leaving[told:due]:
                self._before(connection)
                connection.say_goodbye()
            told = due
            due = self._due(elapsed - linger_s, spread_s, len(leaving))
            for connection in leaving[closed:due]:
                connection.close(CloseCode.GOING_AWAY, "this gateway is leaving: come back")
            closed = max(closed, due)
            await self._clock.sleep(STEP_S)

    @staticmethod
    def _due(elapsed_s: float, spread_s: float, count: int) -> int:
        """Return how many of `count` should have had their turn: the first at once, the last when the time is over."""
        if elapsed_s < 0:
            return 0
        return count if elapsed_s >= spread_s else 1 + int(count * elapsed_s / spread_s)
