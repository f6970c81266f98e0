"""Return tickets: what a session needs to go on at another gateway, given to its client while all is well.

When a gateway dies its clients have all that they need: where the others are, a ticket that any of them takes, and what
the ticket vouches for (see returning.py). Nobody else has to do anything for them: no webapp, no edge, no database.

A ticket is sent a little after a session has settled, and again before it expires, when what the session follows has
changed, and when gateways have come or gone; each client at a time of its own. It is sent over its own socket only.
"""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from discovery.view import Instance
from svc.gateway.door import Connections
from svc.gateway.frames import json_frame
from svc.gateway.hub import Hub
from svc.gateway.returning import CHANNELS_MAX, Returned, starts_of
from svc.gateway.sockets import Connection
from svc.gateway.tickets import TICKET_KIND
from svc.kit.clock import Clock
from svc.kit.config import setting
from svc.kit.tokens import Signer
from svc.shapes.ways import has_door

GATEWAYS_MAX = 3
"""Gateways that a client is told of."""

FIRST_S = (1.0, 5.0)
"""How long after its beginning a session gets its first ticket."""

SOON_S = (0.5, 2.0)
"""How long after a change; one who joins ten channels gets one ticket for it."""

MOVED_S = 30.0
"""In what time all are told that gateways have come or gone, or that there are many more of us."""

GROWN = 1.25
SPREAD_S_MIN = 0.5
"""All are told anew when the time to spread over is so much longer than they were told, and longer than half a second:
some four tickets a session while a gateway fills."""

RENEWAL = (0.35, 0.5)
"""After which share of its life a ticket is renewed."""

NAP_S = 0.1
AT_ONCE = 100
"""Tickets made in a turn: 100 us each, with 30 channels."""

_LEFT_OUT = frozenset(("cold", "reconnect"))
"""Flags that said how the session began."""


@dataclass(frozen=True, slots=True)
class ReturnLimits:
    """How clients may come back."""

    return_s: float = setting(
        "PARLEY_GATEWAY_RETURN_S",
        default=300.0,
        minimum=0.0,
        maximum=3_600.0,
        help="seconds for which a session may be continued at another gateway by a ticket that was sent to its client; "
        "a ticket that is stolen is good for as long; 0 gives out none",
    )
    returns_per_s: float = setting(
        "PARLEY_GATEWAY_RETURNS_PER_S",
        default=240.0,
        minimum=1.0,
        help="clients a second that are to come back to each of the other gateways when this one dies",
    )
    return_spread_s_max: float = setting(
        "PARLEY_GATEWAY_RETURN_SPREAD_S_MAX",
        default=8.0,
        minimum=0.0,
        help="longest time over which clients spread themselves when they come back",
    )


class ReturnTickets:
    """Gives tickets to the sessions of a gateway."""

    def __init__(
        self,
        hub: Hub,
        connections: Connections,
        signer: Signer,
        gateways: Callable[[], Sequence[Instance]],
        is_away: Callable[[str], bool],
        me: Instance,
        limits: ReturnLimits,
        clock: Clock,
        rng: Random,
    ) -> None:
        """`gateways` returns those that are healthy now; of `me` only the id and the zone count. `is_away` tells
        whether a user said that it is away.
        """
        self._hub = hub
        self._connections = connections
        self._signer = signer
        self._gateways = gateways
        self._is_away = is_away
        self._me = me
        self._limits = limits
        self._clock = clock
        self._rng = rng
        self._due: dict[Connection, float] = {}
        self._order: list[tuple[float, int, Connection]] = []
        self._others: tuple[Instance, ...] = ()
        self._told_s = 0.0
        self.given = 0
        """Tickets given out."""

    def begun(self, connection: Connection) -> None:
        """Give a session its first ticket, after a while, if its client could use one."""
        if self._limits.return_s and connection.is_aware and connection.ticket.way is not None:
            self._plan(connection, self._rng.uniform(*FIRST_S))

    def changed(self, connection: Connection) -> None:
        """Give it another one soon, since what it follows has changed."""
        self._sooner(connection, self._rng.uniform(*SOON_S))

    def closed(self, connection: Connection) -> None:
        """Forget one that is gone."""
        self._due.pop(connection, None)

    def renew(self, connection: Connection) -> None:
        """Give it another one now: it is being sent away."""
        if connection in self._due:
            self._give(connection)

    async def run(self) -> None:
        """Give out tickets for ever."""
        while True:
            self._look_around()
            self.step(self._clock.now())
            await self._clock.sleep(NAP_S)

    def step(self, now: float) -> None:
        """Give tickets to those whose time has come."""
        for _ in range(AT_ONCE):
            if not self._order or self._order[0][0] > now:
                return
            due, _, connection = heapq.heappop(self._order)
            if self._due.get(connection) == due:
                self._give(connection)

    def _look_around(self) -> None:
        """See who is there, and how many of us; when that has changed much, all sessions are told."""
        others = [each for each in self._gateways() if each.id != self._me.id and has_door(each.meta)]
        near = tuple(each for each in others if each.zone == self._me.zone) or tuple(others)
        is_moved, self._others = near != self._others, near
        spread_s = self._spread_s()
        # Whoever came while few were there was told to come back among few: all of them would, at first and at once.
        if is_moved or spread_s > GROWN * max(SPREAD_S_MIN, self._told_s):
            self._told_s = spread_s
            for connection in tuple(self._due):
                self._sooner(connection, self._rng.uniform(0.0, MOVED_S))
        self._told_s = min(self._told_s, spread_s)

    def _sooner(self, connection: Connection, wait_s: float) -> None:
        planned = self._due.get(connection)
        if planned is not None and planned > self._clock.now() + wait_s:
            self._plan(connection, wait_s)

    def _plan(self, connection: Connection, wait_s: float) -> None:
        due = self._due[connection] = self._clock.now() + wait_s
        heapq.heappush(self._order, (due, connection.number, connection))
        if len(self._order) > 64 + 4 * len(self._due):
            self._order = [each for each in self._order if self._due.get(each[2]) == each[0]]
            heapq.heapify(self._order)

    def _give(self, connection: Connection) -> None:
        """Send a ticket, and plan the next one."""
        if connection.is_closing:
            return
        self._plan(connection, self._limits.return_s * self._rng.uniform(*RENEWAL))
        positions = self._hub.positions(connection) if self._others else None
        if positions is None:
            self._sooner(connection, self._rng.uniform(*FIRST_S))  # nobody to go to, or not settled yet
        elif len(positions) <= CHANNELS_MAX:
            connection.push(self._frame(connection, positions))
            self.given += 1

    def _frame(self, connection: Connection, positions: dict[str, int]) -> bytes:
        bearer, now_unix_s = connection.ticket, self._clock.wall_us() / 1_000_000
        assert bearer.way is not None
        starts, digest = starts_of(positions)
        claims = bearer.claims() | {
            "jti": secrets.token_urlsafe(9),
            "flags": sorted((bearer.flags - _LEFT_OUT) | {"resume", "resume_aware"}),
            "return": Returned(self._is_away(connection.user_id), digest).claim(),
        }
        chosen = self._rng.sample(self._others, min(GATEWAYS_MAX, len(self._others)))
        return json_frame(
            {
                "type": "return",
                "ticket": self._signer.sign(TICKET_KIND, claims, self._limits.return_s, now_unix_s),
                "starts": starts,
                "gateways": [
                    {"id": each.id, "url": bearer.way.door(each.id, each.address, each.meta)} for each in chosen
                ],
                "expires_in": int(self._limits.return_s),
                "spread": round(self._spread_s(), 2),
            }
        )

    def _spread_s(self) -> float:
        """Return in what time all clients here are to come back if all had to, so that the others bear it."""
        wanted_s = len(self._connections) / (self._limits.returns_per_s * max(1, len(self._others)))
        return min(self._limits.return_spread_s_max, wanted_s)
