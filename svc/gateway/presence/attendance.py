"""Pure: the sessions of each user at this gateway, which of them are idle, and what the user said of itself.

Whether a user is away by hand is known only when its session has been opened. Until then the session is held back:
else the reload of somebody who is away by hand would be seen as coming back. Not for longer than HELD_S, though: a
session is presence, too, while webapp does not answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import KeysView
from dataclasses import dataclass

HELD_S = 1.0
"""Longest that a session is held back. Opening one takes some 10 ms; amid 500 a second, a good part of this."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """What presence is told of one user: open sessions here, of these the idle ones, and its own word."""

    user_id: str
    count: int
    idle_count: int = 0
    is_away_by_hand: bool = False
    away_offset: int = 0
    """Offset of the user's channel as of which the word is so."""
    team_id: str = ""


@dataclass(slots=True)
class _User:
    team_id: str
    held_until: float
    count: int = 0
    idle_count: int = 0
    word: tuple[int, bool] | None = None
    """(offset, is away); None: not known yet, so held back."""


class Attendance:
    """Users with sessions here. Methods that return a bool tell whether presence is to hear of it."""

    def __init__(self) -> None:
        self._users: dict[str, _User] = {}
        self._held: deque[tuple[float, str]] = deque()

    @property
    def user_ids(self) -> KeysView[str]:
        """Users with sessions, held back or not."""
        return self._users.keys()

    def connected(self, user_id: str, now: float, team_id: str = "") -> None:
        """Count one more session of a user of a workspace."""
        user = self._users.get(user_id)
        if user is None:
            user = self._users[user_id] = _User(team_id, now + HELD_S)
            self._held.append((user.held_until, user_id))
        user.count += 1

    def disconnected(self, user_id: str, was_idle: bool) -> None:
        """Count one session less; with the last one the user's word is forgotten."""
        user = self._users.get(user_id)
        if user is None:
            return
        user.count -= 1
        user.idle_count -= was_idle
        if user.count <= 0:
            del self._users[user_id]

    def is_away(self, user_id: str) -> bool:
        """Tell whether a user is known to have said that it is away."""
        user = self._users.get(user_id)
        return user is not None and user.word is not None and user.word[1]

    def idled(self, user_id: str, change: int) -> None:
        """Count one idle session more (1) or less (-1)."""
        user = self._users.get(user_id)
        if user is not None:
            user.idle_count += change

    def heard(self, user_id: str, is_away: bool, offset: int) -> bool:
        """Take a user's word as of an offset of its channel; older ones, and those of nobody here, are dropped."""
        user = self._users.get(user_id)
        if user is None or (user.word is not None and user.word >= (offset, is_away)):
            return False
        user.word = (offset, is_away)
        return True

    def due(self, now: float) -> list[str]:
        """Return the users who are held back no longer, although their word is not known."""
        freed: list[str] = []
        while self._held and self._held[0][0] <= now:
            held_until, user_id = self._held.popleft()
            user = self._users.get(user_id)
            if user is not None and user.word is None and user.held_until == held_until:
                user.word = (0, False)
                freed.append(user_id)
        return freed

    def sessions(self, user_id: str) -> Sessions | None:
        """Return what presence is to be told of a user; None when it has no session, or is held back."""
        user = self._users.get(user_id)
        if user is None or user.word is None:
            return None
        offset, is_away = user.word
        return Sessions(user_id, user.count, user.idle_count, is_away, offset, user.team_id)
