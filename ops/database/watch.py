"""The last look at a primary, kept for the time when it can no longer be asked. Pure.

Semi-synchronous replication turns itself off once a commit has waited for its timeout, and a dead primary does not tell
whether it had. So somebody looks every half second, and notes until when it cannot have happened: the time of the look
plus the timeout, less what the oldest commit has waited. A primary that was dead by then has lost nothing that it had
acknowledged, provided that a replica had caught up once and no look since then left a gap.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ops.database.positions import Position
from ops.database.status import Reach, Status

PREFIX = "parley/mysql-watch/"

INTERVAL_S = 0.5
"""How often it is looked: several times within the timeout of 3 s, so that a death between two looks is proven safe."""


def key(address: str) -> str:
    """Return the KV key of the watch over a server."""
    return PREFIX + address


@dataclass(frozen=True, slots=True)
class Watch:
    """What is known about a primary. Times are Unix seconds of the watcher's clock.

    `sure_until` ends the time in which no write can have been answered that is on no replica, 0 while there are such
    writes; `gone_by` is when it was first found dead, 0 while it is not; `position` what it had at the last look.
    """

    at: float = 0.0
    sure_until: float = 0.0
    gone_by: float = 0.0
    position: str = ""
    is_whole: bool = False
    """Whether everything acknowledged before the last look is on a replica."""

    @classmethod
    def parse(cls, value: bytes) -> Watch:
        """Return what the KV holds. Raises ValueError when it is none."""
        try:
            return cls(**json.loads(value))
        except TypeError as error:
            raise ValueError(f"not a watch: {error}") from error

    def encode(self) -> bytes:
        """Return the value for the KV."""
        fields: Mapping[str, Any] = asdict(self)
        return json.dumps(fields).encode()

    @property
    def has(self) -> Position:
        """What the primary had at the last look."""
        return Position.parse(self.position)

    def is_sure(self, now: float) -> bool:
        """Say whether a primary that is dead now had all that it acknowledged on a replica."""
        return (self.gone_by or now) <= self.sure_until

    def seen(self, primary: Status, replicas: Sequence[Status], began: float, now: float) -> Watch:
        """Return the watch after another look, begun at `began` and over by `now`.

        The primary must have been asked before its replicas: what it had then, they have, or they lag.
        """
        if primary.is_up:
            is_whole = began <= self.sure_until or any(_has_all(replica, primary) for replica in replicas)
            sure_s = primary.semi_sync.sure_s
            return Watch(began, began + sure_s if is_whole and sure_s else 0.0, 0.0, str(primary.has), is_whole)
        if primary.reach is Reach.DEAD and not self.gone_by:
            return replace(self, gone_by=now)
        return self


def _has_all(replica: Status, primary: Status) -> bool:
    return replica.is_in_step and not primary.has.beyond(replica.received)
