"""Pure: one user, folded: what each gateway said of its sessions, and what becomes of that.

**Several devices.** A user is present while any gateway has a session of it that is not idle.

**Away by hand.** The user said so itself, and webapp stored it; gateways pass it on, each with the offset of the user's
channel as of which it is so. They may differ: one has yet to hear of a change, or it is dead and believed for its
lease. So the newest word wins, by offset and not by arrival: a gateway that is late, or that replays old events to a
session that resumed, cannot undo what is newer. Of two words of the same age the one that says away wins. A gateway
without sessions of the user has no word, and without any session the user is away in any case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf


@dataclass(frozen=True, slots=True)
class Reported:
    """What a gateway says of one user: open sessions, of these the idle ones, and the user's own word."""

    user_id: str
    count: int
    idle_count: int = 0
    is_away_by_hand: bool = False
    away_offset: int = 0
    team_id: str = ""


@dataclass(slots=True)
class Sessions:
    """What one gateway said of one user, and until when that stands (inf: until it says otherwise)."""

    said: Reported
    until: float = inf
    early: bool = False


@dataclass(slots=True)
class Standing:
    """A user with sessions, or within the grace after the last one that was not idle."""

    active_at: float
    team_id: str = ""
    sessions: dict[str, Sessions] = field(default_factory=dict)
    active: bool = False
    since: float = -inf
    """When it became active."""
    away_at: float = inf
    """The end of its grace; inf: it is not within one."""
    away_since: float = -inf
    """When it was last called away; -inf: so long ago that coming back is no flapping."""
    look_at: float = inf
    flips: int = 0

    @property
    def count(self) -> int:
        """Open sessions over all gateways."""
        return sum(each.said.count for each in self.sessions.values())

    @property
    def idle_count(self) -> int:
        """Of these, the idle ones."""
        return sum(each.said.idle_count for each in self.sessions.values())

    @property
    def is_present(self) -> bool:
        """Whether any session is not idle."""
        return any(each.said.count > each.said.idle_count for each in self.sessions.values())

    @property
    def is_away_by_hand(self) -> bool:
        """Whether the user set itself away: the newest word."""
        newest = max(
            ((each.said.away_offset, each.said.is_away_by_hand) for each in self.sessions.values()), default=None
        )
        return newest is not None and newest[1]

    def come_back(self, now: float, flap_window_s: float) -> None:
        """Become active, and count it as a flip if that was soon after being called away."""
        self.active = True
        self.away_at = inf
        self.since = now
        self.flips = self.flips + 1 if now - self.away_since < flap_window_s else 0

    def go_away(self, now: float) -> None:
        """Be away from now on. Who left by hand does not flap."""
        self.active = False
        self.away_at = inf
        self.away_since = -inf if self.is_away_by_hand else now
