"""Pure: who is active, and until when.

A user is active while some gateway reports open sessions that are not idle, and for a grace after the last one went: a
reloaded page or a gateway's restart is not seen by anyone. Each flip back within the flap window doubles that grace, up
to its maximum. Who sets itself away is away at once, and back at once (standing.py says whose word counts).

What a gateway said is believed while it is heard from, and one lease longer. Two things put a report in doubt until
it is repeated: its gateway said hello again (its earlier reports may be out of date), or the ring gave the user to
another server. And one makes it early: the gateway saw the ring give us the user before we did. Doubtful and early
reports have a time after which they go.

Being unknown is not being away: after a start, or a move of the ring, the gateways are still reporting. Until that has
settled, an unknown user's state is held back from those who look, so that a restart here flips nobody to away and back.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf

from svc.kit.errors import FailedPreconditionError, ResourceExhaustedError
from svc.presence.config import RosterLimits
from svc.presence.standing import Reported, Sessions, Standing

Owns = Callable[[str], bool]
"""Tells whether this server owns a user by one immutable ring."""


@dataclass(frozen=True, slots=True)
class UserState:
    """One user as others see it. `active_at` is when it was last active, by the clock of `now`; None: not seen yet."""

    user_id: str
    active: bool = False
    connections: int = 0
    active_at: float | None = None
    idle_connections: int = 0
    is_away_by_hand: bool = False
    team_id: str = ""
    """The user's workspace; empty when it has no sessions."""


@dataclass(frozen=True, slots=True)
class Due:
    """What the passing of time brought: users whose state changed, and gateways that are believed no longer."""

    changes: list[UserState]
    silent_gateways: list[str]


@dataclass(frozen=True, slots=True)
class _Departed:
    active_at: float
    away_since: float
    flips: int


@dataclass(slots=True)
class _Gateway:
    lease_ends: float
    users: set[str]


def away_grace_s(limits: RosterLimits, flips: int) -> float:
    """Return the grace after `flips` returns in a row, each within the flap window: doubled, up to the max."""
    return min(limits.away_grace_s * 2.0 ** min(flips, 30), max(limits.away_grace_s, limits.away_grace_max_s))


class Roster:
    """The users of one presence server. Every method that changes it takes `now` and returns the states to announce.

    Only users owned by the ring are announced; anyone else is away as far as this server says. No locks: one task at a
    time may call it. `refused` counts reports of new users beyond `users_max`.
    """

    def __init__(self, limits: RosterLimits, owns: Owns, now: float) -> None:
        self._limits = limits
        self._owns = owns
        self._gateways: dict[str, _Gateway] = {}
        self._users: dict[str, Standing] = {}
        self._departed: dict[str, _Departed] = {}
        self._untold: set[str] = set()
        self._looks: list[tuple[float, str]] = []
        self._settled_at = now + limits.settle_s
        self.refused = 0

    @property
    def user_count(self) -> int:
        """Users with sessions, or within the grace after them."""
        return len(self._users)

    @property
    def gateway_count(self) -> int:
        """Gateways that are believed, attached or within their lease."""
        return len(self._gateways)

    def hello(self, gateway_id: str, now: float) -> None:
        """Begin a gateway's report. What it said on an earlier line is in doubt until said again, for one lease.

        Raises ResourceExhaustedError beyond `gateways_max`.
        """
        gateway = self._gateways.get(gateway_id)
        if gateway is None:
            if len(self._gateways) >= self._limits.gateways_max:
                raise ResourceExhaustedError(
                    f"{len(self._gateways)} gateways report already",
                    subject="gateways_max",
                    limit=self._limits.gateways_max,
                    actual=len(self._gateways) + 1,
                )
            self._gateways[gateway_id] = _Gateway(now + self._limits.lease_s, set())
            return
        gateway.lease_ends = now + self._limits.lease_s
        for user_id in gateway.users:
            user = self._users[user_id]
            self._doubt(user_id, user, user.sessions[gateway_id], now + self._limits.lease_s)

    def heard(self, gateway_id: str, now: float) -> None:
        """Renew a gateway's lease. Raises FailedPreconditionError when its lease has ended: it must say hello again."""
        gateway = self._gateways.get(gateway_id)
        if gateway is None:
            raise FailedPreconditionError("the lease has ended; say hello again", subject="gateway_id")
        gateway.lease_ends = now + self._limits.lease_s

    def report(self, gateway_id: str, users: Iterable[Reported], now: float) -> list[UserState]:
        """Replace what the gateway said of each user (a count of 0: no sessions). Renews the lease.

        Raises FailedPreconditionError as `heard` does.
        """
        self.heard(gateway_id, now)
        changes: list[UserState] = []
        for said in users:
            user = self._users.get(said.user_id)
            if said.count > 0:
                user = user or self._admit(said.user_id, now)
                if user is None:
                    continue
                self._keep(gateway_id, said, user, now)
            elif user is None or not self._drop(gateway_id, said.user_id, user):
                continue
            if user.active or user.is_present:
                user.active_at = now
            self._settle(said.user_id, user, now, changes)
        return changes

    def state(self, user_id: str) -> UserState:
        """Return a user's state; away for the unknown and for users that the ring gives to another server."""
        if not self._owns(user_id):
            return UserState(user_id)
        user = self._users.get(user_id)
        if user is None:
            departed = self._departed.get(user_id)
            return UserState(user_id, active_at=departed.active_at if departed else None)
        return UserState(
            user_id, user.active, user.count, user.active_at, user.idle_count, user.is_away_by_hand, user.team_id
        )

    def look(self, user_ids: Iterable[str], now: float) -> list[UserState]:
        """Return the states that may be told at once to one who begins to look.

        The others follow from `due`: users not known to be active once this server has settled, and users that the
        ring gives to another server if it ever gives them to this one.
        """
        told: list[UserState] = []
        for user_id in user_ids:
            if not self._owns(user_id):
                continue
            if now < self._settled_at and not self._is_active(user_id) and user_id not in self._departed:
                self._untold.add(user_id)
            else:
                told.append(self.state(user_id))
        return told

    def ring_changed(self, owns: Owns, watched: Iterable[str], now: float) -> list[UserState]:
        """Take a new ring; `watched` are all users that anyone looks at. Takes some 2 us a user held or watched.

        Early reports of users gained are trusted from now on; reports of users lost are in doubt until repeated.
        """
        before, self._owns = self._owns, owns
        changes: list[UserState] = []
        for user_id, user in self._users.items():
            if owns(user_id):
                for sessions in user.sessions.values():
                    if sessions.early:
                        sessions.early, sessions.until = False, inf
                if user.active and not before(user_id):
                    changes.append(self.state(user_id))
            elif before(user_id):
                for sessions in user.sessions.values():
                    self._doubt(user_id, user, sessions, now + self._limits.stray_s)
        self._departed = {user_id: gone for user_id, gone in self._departed.items() if owns(user_id)}
        gained = {user_id for user_id in watched if owns(user_id) and not before(user_id)}
        gained = {user_id for user_id in gained if not self._is_active(user_id)}
        self._untold = {user_id for user_id in self._untold if owns(user_id)} | gained
        self._settled_at = now + self._limits.settle_s
        return changes

    def due(self, now: float) -> Due:
        """Apply everything whose time has come: leases, doubtful reports, graces, the end of settling."""
        changes: list[UserState] = []
        silent = [gateway_id for gateway_id, gateway in self._gateways.items() if gateway.lease_ends <= now]
        for gateway_id in silent:
            for user_id in self._gateways.pop(gateway_id).users:
                user = self._users[user_id]
                del user.sessions[gateway_id]
                self._settle(user_id, user, now, changes)
        while self._looks and self._looks[0][0] <= now:
            at, user_id = heapq.heappop(self._looks)
            found = self._users.get(user_id)
            if found is not None and found.look_at == at:
                found.look_at = inf
                self._expire(user_id, found, now)
                self._settle(user_id, found, now, changes)
        if self._untold and now >= self._settled_at:
            changes += [self.state(user_id) for user_id in self._untold if not self._is_active(user_id)]
            self._untold.clear()
        return Due(changes, silent)

    def _admit(self, user_id: str, now: float) -> Standing | None:
        """Begin a user's record, with what is remembered of its flapping; None when there is no room."""
        if len(self._users) >= self._limits.users_max:
            self.refused += 1
            return None
        user = self._users[user_id] = Standing(now)
        departed = self._departed.pop(user_id, None)
        if departed is not None:
            user.away_since, user.flips = departed.away_since, departed.flips
        return user

    def _is_active(self, user_id: str) -> bool:
        user = self._users.get(user_id)
        return user is not None and user.active

    def _keep(self, gateway_id: str, said: Reported, user: Standing, now: float) -> None:
        sessions = user.sessions[gateway_id] = Sessions(said)
        user.team_id = said.team_id or user.team_id
        self._gateways[gateway_id].users.add(said.user_id)
        if not self._owns(said.user_id):
            sessions.early = True
            self._doubt(said.user_id, user, sessions, now + self._limits.stray_s)

    def _drop(self, gateway_id: str, user_id: str, user: Standing) -> bool:
        self._gateways[gateway_id].users.discard(user_id)
        return user.sessions.pop(gateway_id, None) is not None

    def _doubt(self, user_id: str, user: Standing, sessions: Sessions, until: float) -> None:
        sessions.until = min(sessions.until, until)
        self._look_again(user_id, user, sessions.until)

    def _expire(self, user_id: str, user: Standing, now: float) -> None:
        """Drop the doubtful reports whose time is over, and come back for those whose time is not."""
        for gateway_id in [gateway_id for gateway_id, said in user.sessions.items() if said.until <= now]:
            self._drop(gateway_id, user_id, user)
        later = min((said.until for said in user.sessions.values()), default=inf)
        if later < inf:
            self._look_again(user_id, user, later)

    def _settle(self, user_id: str, user: Standing, now: float, changes: list[UserState]) -> None:
        """Fold the sessions into one state, and add it to `changes` when others must know."""
        if user.is_away_by_hand or not (user.is_present or self._has_grace(user_id, user, now)):
            was_active = user.active
            if was_active:
                user.go_away(now)
            if not user.sessions:
                self._depart(user_id, user)
            if was_active:
                self._announce(user_id, changes)
        elif user.is_present:
            user.away_at = inf
            if not user.active:
                user.come_back(now, self._limits.flap_window_s)
                self._announce(user_id, changes)

    def _has_grace(self, user_id: str, user: Standing, now: float) -> bool:
        """Tell whether a user who is not present is active all the same; its grace begins when first asked."""
        if not user.active or now >= user.away_at or not self._owns(user_id):
            return False
        if user.away_at == inf:
            if now - user.since > self._limits.flap_window_s:
                user.flips = 0
            user.away_at = now + away_grace_s(self._limits, user.flips)
        self._look_again(user_id, user, user.away_at)
        return True

    def _depart(self, user_id: str, user: Standing) -> None:
        del self._users[user_id]
        if self._owns(user_id):
            self._departed[user_id] = _Departed(user.active_at, user.away_since, user.flips)
            if len(self._departed) > self._limits.departed_max:
                del self._departed[next(iter(self._departed))]

    def _announce(self, user_id: str, changes: list[UserState]) -> None:
        self._untold.discard(user_id)
        if self._owns(user_id):
            changes.append(self.state(user_id))

    def _look_again(self, user_id: str, user: Standing, at: float) -> None:
        """Have `due` settle this user at `at`. An earlier appointment stands; it makes the later one when it comes."""
        if at < user.look_at:
            user.look_at = at
            heapq.heappush(self._looks, (at, user_id))
