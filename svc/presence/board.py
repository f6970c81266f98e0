"""Pure: the in-and-out board of one presence server, the roster and those who watch it joined.

Everything a gateway says enters here, and everything it must be told is left with the watchers, who call `wake`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from svc.presence.config import RosterLimits
from svc.presence.roster import Owns, Roster, UserState
from svc.presence.standing import Reported
from svc.presence.watchers import Watchers


class Board:
    """State of one presence server. Not safe for threads; every method returns at once."""

    def __init__(
        self, limits: RosterLimits, watched_max: int, owns: Owns, wake: Callable[[str], None], now: float
    ) -> None:
        """`watched_max`: users a gateway may watch; `wake` hears the id of each gateway for which news is pending."""
        self._roster = Roster(limits, owns, now)
        self._watchers = Watchers(watched_max, wake)
        self.lease_s = limits.lease_s
        self.announced = 0
        """Changes of state since start."""

    @property
    def user_count(self) -> int:
        """Users held: with sessions, or within the grace after them."""
        return self._roster.user_count

    @property
    def gateway_count(self) -> int:
        """Gateways believed."""
        return self._roster.gateway_count

    @property
    def watched_count(self) -> int:
        """Users that anyone watches."""
        return len(self._watchers.users)

    @property
    def left_out_count(self) -> int:
        """Users that gateways wanted to watch beyond what they may."""
        return self._watchers.left_out

    @property
    def refused_count(self) -> int:
        """Reports of new users turned away because the roster is full."""
        return self._roster.refused

    def hello(self, gateway_id: str, now: float) -> None:
        """Open a gateway's line, in place of an earlier one. Raises ResourceExhaustedError beyond `gateways_max`."""
        self._roster.hello(gateway_id, now)
        self._watchers.attach(gateway_id)

    def heartbeat(self, gateway_id: str, now: float) -> None:
        """Renew a lease. Raises FailedPreconditionError when it has ended."""
        self._roster.heard(gateway_id, now)

    def report(self, gateway_id: str, users: Iterable[Reported], now: float) -> None:
        """Take what a gateway says of users. Raises FailedPreconditionError when its lease has ended."""
        self._tell(self._roster.report(gateway_id, users, now))

    def watch(self, gateway_id: str, added: list[str], removed: list[str], now: float) -> None:
        """Change what a gateway watches, and leave it the state of each user added.

        Those beyond what a gateway may watch are left out. Raises FailedPreconditionError when its lease has ended.
        """
        self._roster.heard(gateway_id, now)
        self._watchers.watch(gateway_id, added, removed)
        for state in self._roster.look(added, now):
            self._watchers.tell_one(gateway_id, state)

    def take(self, gateway_id: str, users_max: int) -> list[UserState]:
        """Return what a gateway has still to be told, at most `users_max` users; it is woken again for the rest."""
        return self._watchers.take(gateway_id, users_max)

    def line_ended(self, gateway_id: str) -> None:
        """Note that a gateway can be told nothing more; what it reported stands until its lease ends."""
        self._watchers.detach(gateway_id)

    def tick(self, now: float) -> list[str]:
        """Apply what is due; return the gateways whose lease ended, to be cut off. Call it each 100 ms or so."""
        due = self._roster.due(now)
        self._tell(due.changes)
        for gateway_id in due.silent_gateways:
            self._watchers.detach(gateway_id)
        return due.silent_gateways

    def ring_changed(self, owns: Owns, now: float) -> None:
        """Take a new ring of presence servers."""
        self._tell(self._roster.ring_changed(owns, self._watchers.users, now))

    def state(self, user_id: str) -> UserState:
        """Return a user's state as this server sees it."""
        return self._roster.state(user_id)

    def _tell(self, states: list[UserState]) -> None:
        self.announced += len(states)
        self._watchers.tell(states)
