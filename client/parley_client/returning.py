"""Pure: where to go when a connection breaks, without asking anybody: what the gateway said while it was well.

Any of the gateways named takes the ticket, each once. It is for a moment after the connection: who was away for longer
is told by a boot what has become of everything, in one answer instead of all that happened.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from parley_client.actions import Json

AWAY_MAX_S = 60.0
"""Seconds after a connection's end for which one comes back with its ticket."""

MARGIN_S = 5.0
"""By which a ticket is taken to expire earlier than it does: clocks differ, and a connection takes its time."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way back."""

    gateway_id: str
    url: str
    """With the ticket."""
    starts: str
    """What the resume frame repeats."""


class Returning:
    """The ticket that is held, and the gateways that have not seen it."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._gateways: list[tuple[str, str]] = []
        self._ticket = ""
        self._starts = ""
        self._expires_at = 0.0
        self._left_at: float | None = None
        self.spread_s: float | None = None
        """Over how many seconds those who were at the gateway are to spread themselves; None: nobody said."""

    @property
    def is_there(self) -> bool:
        """Whether there is a gateway to go to, unless it is too late."""
        return bool(self._gateways)

    def take(self, frame: Json, now: float) -> None:
        """Take what a gateway says: a `return` frame. One that is not understood is as good as none."""
        ticket, starts, spread = frame.get("ticket"), frame.get("starts"), frame.get("spread")
        gateways, lives_s = frame.get("gateways"), frame.get("expires_in")
        if not (isinstance(ticket, str) and isinstance(starts, str) and isinstance(gateways, list)):
            return
        self._ticket, self._starts = ticket, starts
        self._gateways = [
            (str(each.get("id", "")), str(each.get("url", ""))) for each in gateways if isinstance(each, dict)
        ]
        self._rng.shuffle(self._gateways)
        self._expires_at = now + (lives_s if isinstance(lives_s, int | float) else 0.0) - MARGIN_S
        self.spread_s = float(spread) if isinstance(spread, int | float) else None

    def left(self, now: float) -> None:
        """Note that the connection has ended."""
        self._left_at = now

    def forget(self) -> None:
        """Come back in the ordinary way next time."""
        self._gateways.clear()

    def way(self, now: float, dead: Collection[str]) -> Way | None:
        """Return a gateway to go to, each once and not one of the `dead`; None when there is none any more."""
        is_late = self._left_at is None or now > min(self._expires_at, self._left_at + AWAY_MAX_S)
        if is_late:
            self.forget()
        while self._gateways:
            gateway_id, url = self._gateways.pop()
            if gateway_id not in dead and url:
                return Way(gateway_id, url + self._ticket, self._starts)
        return None
