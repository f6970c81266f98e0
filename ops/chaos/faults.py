"""What can be done to a mesh, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

PRIMARY = "the primary database"
"""A target: whichever database is the primary when it is struck."""

APP_OWNER, APP_GATEWAY = "the webapp that serves the app", "the gateway of the app's socket"
URL_OWNER = "the webapp that serves the app behind a URL"
"""Targets: whichever it is when it is struck."""


class Action(Enum):
    """One kind of fault."""

    KILL = "kill"
    """kill -9, and a new start after `down_s`."""
    LOSE = "kill and lose the data of"
    """As KILL, with its data deleted in between."""
    RESTART = "restart"
    """A planned stop, and a new start after `down_s`."""
    PAUSE = "pause"
    """SIGSTOP for `down_s`: a process that hangs, and that does not know it when it goes on."""
    CUT = "cut off"
    """No network between the target and `peers` for `down_s`."""
    JOIN = "add one to"
    """One more instance of the tier that `target` names, in the zone `zone`."""
    FAIL_OVER = "kill, and replace by its replica,"
    """kill -9 of the primary database, its replica promoted at once; after `down_s` the dead one is the replica."""
    SWITCH = "exchange"
    """The database's replica and its primary, which is alive, change places."""
    KILL_ALL = "kill every"
    """kill -9 of all embedded servers of a kind at once, and a new start of all after `down_s`."""
    LEAVE = "take out"
    """A planned stop for good."""
    RETURN = "bring back"
    """A start of one that was taken out."""


class Cut(Enum):
    """How a network fails."""

    FREEZE = "frozen"
    """Packets vanish: nothing arrives, nothing is refused. What was sent arrives once the network is back."""
    RESET = "reset"
    """Every connection breaks at once, and no new one gets through."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a schedule: at `at_s` seconds of load, or once the fault before it is over.

    `target` is a member's name (a tier's for JOIN, a kind's for KILL_ALL, or PRIMARY); `peers` a tier, or "consul".
    """

    at_s: float
    action: Action
    target: str
    down_s: float = 0.0
    peers: str = ""
    cut: Cut = Cut.FREEZE
    zone: str = ""

    @property
    def is_wall(self) -> bool:
        """Whether it takes away the only way: nothing can be delivered until it is over, and recovery counts then."""
        return self.target in ("mariadb", PRIMARY) or (self.action is Action.CUT and self.peers != "consul")

    def describe(self) -> str:
        """Return it in words."""
        if self.action is Action.CUT:
            return f"cut {self.target} off from {self.peers}, {self.cut.value}, {self.down_s:.1f} s"
        if self.action is Action.JOIN:
            return f"add one to {self.target} in {self.zone}"
        return f"{self.action.value} {self.target}" + (f", {self.down_s:.1f} s" if self.down_s else "")


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault that happened. `since` is the monotonic second that recovery is counted from.

    Between `began` and `back` what it took away was missing; with a failover that is until the new primary took writes.
    """

    fault: Fault
    since: float
    began: float = 0.0
    back: float = 0.0
