"""How a database server is, at one moment. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from ops.database.positions import Position


class Reach(Enum):
    """What became of asking a server."""

    UP = "up"
    DEAD = "dead"
    """Its port refuses: no process listens there."""
    SILENT = "silent"
    """No answer in time: it hangs, or the network is cut. It may go on later and not know that it was replaced."""


@dataclass(frozen=True, slots=True)
class SemiSync:
    """Semi-synchronous replication as its primary sees it."""

    enabled: bool = False
    status: bool = False
    """What `Rpl_semi_sync_master_status` says: off once a commit has waited for `timeout_s` in vain."""
    clients: int = 0
    """Replicas connected; a dead one counts until something is sent to it."""
    waits_without: bool = True
    """Whether commits wait also while no replica is connected."""
    timeout_s: float = 0.0
    oldest_wait_s: float = 0.0
    """How long the commit that waits longest has waited at most."""

    @property
    def holds(self) -> bool:
        """Whether a commit that is answered now is on a replica."""
        return self.enabled and self.status and (self.clients > 0 or self.waits_without)

    @property
    def sure_s(self) -> float:
        """For how many seconds more no commit can be answered that is on no replica, whatever happens.

        It turns itself off when a commit has waited for the timeout, and no sooner; without `waits_without` as soon as
        the replica is gone.
        """
        return max(0.0, self.timeout_s - self.oldest_wait_s) if self.holds and self.waits_without else 0.0


@dataclass(frozen=True, slots=True)
class Replication:
    """A replica's side of it."""

    source: str
    """`host:port` of the server that it follows."""
    io_running: bool
    """Whether it is connected and receives."""
    sql_running: bool
    """Whether it applies what it received."""
    received: Position = field(default_factory=Position)
    behind_s: float | None = None
    io_error: str = ""
    sql_error: str = ""
    is_diverged: bool = False
    """Whether the source refused it for good: it asked for what the source does not have, or has no more."""


@dataclass(frozen=True, slots=True)
class Status:
    """One server. Everything after `detail` is known only when it is up."""

    address: str
    reach: Reach
    detail: str = ""
    """Why it could not be asked."""
    server_id: int = 0
    read_only: bool = True
    has: Position = field(default_factory=Position)
    """All transactions in its binary log, and those that it got before there was one."""
    position: str = ""
    """The last GTID of each domain, as MariaDB writes it."""
    semi_sync: SemiSync = SemiSync()
    replication: Replication | None = None

    @property
    def is_up(self) -> bool:
        """Whether it answered."""
        return self.reach is Reach.UP

    @property
    def received(self) -> Position:
        """Everything that it has, applied or not."""
        waiting = self.replication.received if self.replication else Position()
        return Position.parse(str(self.has), str(waiting))

    def has_yet_to_apply(self, target: Position | None) -> Position:
        """Return what it must still apply to have all that it received, and all of `target`."""
        return Position.parse(str(self.received), str(target or "")).beyond(self.has)

    @property
    def is_in_step(self) -> bool:
        """Whether it is a replica that receives and applies."""
        return self.replication is not None and self.replication.io_running and self.replication.sql_running
