"""Pure: what this gateway tells presence of its users, and what its clients want to know of others.

The presence servers are told only the union of all interests, and only of users that they own. What is to be said is
kept as sets of users, so a change that is taken back before it was sent is never sent, and nothing queues up.

Who looks at somebody of another workspace sees an absent person, as who looks at an id that nobody has. Presence says
of which workspace each active user is.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from discovery.ring import Ring
from svc.gateway.presence.attendance import Attendance, Sessions

USERS_MAX = 4_096
"""Users in one frame, as the contract says."""

Looker = TypeVar("Looker", bound=Hashable)

Told = tuple[str, bool]
"""A user, and whether it is active."""

State = tuple[str, bool, str]
"""The same with the user's workspace, empty for one without sessions."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one presence server should know now; each list holds at most USERS_MAX users."""

    users: Sequence[Sessions] = ()
    """Users with sessions here; with a count of 0 when the last one went."""
    added: Sequence[str] = ()
    removed: Sequence[str] = ()


class _Server:
    """A presence server whose line is up: what it was told, and what is to be told."""

    __slots__ = ("changed", "told", "unwatched", "watched", "watches")

    def __init__(self) -> None:
        self.told: set[str] = set()  # users with sessions here, as far as it knows
        self.watches: set[str] = set()  # users that it watches for us
        self.changed: set[str] = set()
        self.watched: set[str] = set()
        self.unwatched: set[str] = set()


class Interests(Generic[Looker]):
    """Sessions by user, and lookers by the users that they look at."""

    def __init__(self) -> None:
        self._ring = Ring(())
        self._here = Attendance()
        self._lookers: dict[str, set[Looker]] = {}
        self._looks_at: dict[Looker, tuple[str, tuple[str, ...]]] = {}
        self._active_in: dict[str, str | None] = {}  # the workspace of one who is active; None for one who is away
        self._servers: dict[str, _Server] = {}

    def connected(self, user_id: str, now: float, team_id: str = "") -> None:
        """Count one more session of a user; told when its word is `heard`, or by `due`."""
        self._here.connected(user_id, now, team_id)
        self._note_user(user_id)

    def disconnected(self, user_id: str, was_idle: bool = False) -> None:
        """Count one session less."""
        self._here.disconnected(user_id, was_idle)
        self._note_user(user_id)

    def idled(self, user_id: str, change: int) -> None:
        """Count one idle session of a user more (1) or less (-1)."""
        self._here.idled(user_id, change)
        self._note_user(user_id)

    def heard(self, user_id: str, is_away: bool, offset: int) -> None:
        """Take a user's word of being away by hand, as of an offset of its channel; the newest one counts."""
        if self._here.heard(user_id, is_away, offset):
            self._note_user(user_id)

    def is_away(self, user_id: str) -> bool:
        """Tell whether a user with a session here is known to have said that it is away."""
        return self._here.is_away(user_id)

    def due(self, now: float) -> None:
        """Tell of the users who were held back for long enough."""
        for user_id in self._here.due(now):
            self._note_user(user_id)

    def look(self, looker: Looker, user_ids: Sequence[str], team_id: str = "") -> list[Told]:
        """Replace what `looker` of a workspace looks at; return the states known already (others come as changes)."""
        _, before = self._looks_at.get(looker, ("", ()))
        if user_ids:
            self._looks_at[looker] = team_id, tuple(user_ids)
        else:
            self._looks_at.pop(looker, None)
        for user_id in user_ids:
            lookers = self._lookers.setdefault(user_id, set())
            lookers.add(looker)
            if len(lookers) == 1:
                self._note_interest(user_id)
        for user_id in set(before).difference(user_ids):
            lookers = self._lookers[user_id]
            lookers.discard(looker)
            if not lookers:
                del self._lookers[user_id]
                self._active_in.pop(user_id, None)
                self._note_interest(user_id)
        known = self._active_in
        return [(user_id, known[user_id] == team_id) for user_id in user_ids if user_id in known]

    def changed(self, server_id: str, states: Iterable[State]) -> dict[Looker, list[Told]]:
        """Take states from a server; return what each looker is to be told.

        Word of users that the server does not own (any more), and of states known already, goes no further.
        """
        told: dict[Looker, list[Told]] = {}
        for user_id, is_active, team_id in states:
            lookers = self._lookers.get(user_id)
            if not lookers or self._owner(user_id) != server_id:
                continue
            is_new, before = user_id not in self._active_in, self._active_in.get(user_id)
            now = self._active_in[user_id] = team_id if is_active else None
            if now == before and not is_new:
                continue
            for looker in lookers:
                own_id, _ = self._looks_at[looker]
                if is_new or (now == own_id) is not (before == own_id):
                    told.setdefault(looker, []).append((user_id, now == own_id))
        return told

    def ring_changed(self, ring: Ring) -> None:
        """Go by this ring of presence servers: users that moved are told to their new owners, and taken back."""
        before, self._ring = self._ring, ring
        for user_id in self._here.user_ids | self._lookers.keys():
            old = before.owner(user_id) if before.members else None
            if old != self._owner(user_id):
                self._note_user(user_id, old)
                self._note_interest(user_id, old)

    def server_up(self, server_id: str) -> None:
        """A line to a server stands: tell it everything about its users."""
        self._servers[server_id] = server = _Server()
        for user_id in self._here.user_ids:
            if self._sessions_for(user_id, server_id) is not None:
                server.changed.add(user_id)
        for user_id in self._lookers:
            if self._owner(user_id) == server_id:
                server.watched.add(user_id)

    def server_down(self, server_id: str) -> None:
        """The line is gone; the server forgets us when our lease ends."""
        self._servers.pop(server_id, None)

    def servers_with_news(self) -> list[str]:
        """Return the servers for which `flush` would give something."""
        return [
            server_id
            for server_id, server in self._servers.items()
            if server.changed or server.watched or server.unwatched
        ]

    def flush(self, server_id: str) -> Iterator[Report]:
        """Yield what the server is to be told now."""
        server = self._servers.get(server_id)
        while server is not None and (server.changed or server.watched or server.unwatched):
            changed, added, removed = _cut(server.changed), _cut(server.watched), _cut(server.unwatched)
            users = [self._sessions_for(user_id, server_id) or Sessions(user_id, 0) for user_id in changed]
            server.told.difference_update(changed)
            server.told.update(each.user_id for each in users if each.count)
            server.watches.update(added)
            server.watches.difference_update(removed)
            yield Report(users, added, removed)

    def _owner(self, user_id: str) -> str | None:
        return self._ring.owner(user_id) if self._ring.members else None

    def _sessions_for(self, user_id: str, server_id: str) -> Sessions | None:
        return self._here.sessions(user_id) if self._owner(user_id) == server_id else None

    def _note_user(self, user_id: str, *others: str | None) -> None:
        for server_id in {self._owner(user_id), *others}:
            server = self._servers.get(server_id) if server_id is not None else None
            if server is not None and server_id is not None:
                if self._sessions_for(user_id, server_id) is not None or user_id in server.told:
                    server.changed.add(user_id)
                else:
                    server.changed.discard(user_id)

    def _note_interest(self, user_id: str, *others: str | None) -> None:
        for server_id in {self._owner(user_id), *others}:
            server = self._servers.get(server_id) if server_id is not None else None
            if server is None:
                continue
            wanted = user_id in self._lookers and self._owner(user_id) == server_id
            server.watched.discard(user_id)
            server.unwatched.discard(user_id)
            if wanted and user_id not in server.watches:
                server.watched.add(user_id)
            elif not wanted and user_id in server.watches:
                server.unwatched.add(user_id)


def _cut(users: set[str]) -> list[str]:
    """Take at most USERS_MAX out of a set."""
    taken = [user_id for user_id, _ in zip(users, range(USERS_MAX), strict=False)]
    users.difference_update(taken)
    return taken
