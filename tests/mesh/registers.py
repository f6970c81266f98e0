"""What a reader may see of a value that several people write: the model of the cache's promise.

Who wrote something and had it acknowledged sees it, or something newer, from then on, wherever he asks. Everybody else
sees it within `bound_s`. What was written at once may be seen in either order, and a write whose outcome nobody knows
may be seen or not.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, field

UNKNOWN = math.inf
"""When a write was acknowledged that never was: it may have happened, and may be seen, at any time."""


@dataclass
class Written:
    """One write: somebody's, begun and acknowledged at these times."""

    value: Hashable
    writer: str
    began: float
    acked: float = UNKNOWN

    def must_be_seen_by(self, reader: str, began: float, bound_s: float) -> bool:
        """Whether a read that begins then has to see this, or something newer."""
        return self.acked < began if reader == self.writer else self.acked + bound_s < began


@dataclass
class Register:
    """One value over time."""

    first: Hashable
    bound_s: float
    writes: list[Written] = field(default_factory=list)

    def begin(self, value: Hashable, writer: str, now: float) -> Written:
        """Note that somebody begins to write; set `acked` when he is told that it is done."""
        self.writes.append(Written(value, writer, now))
        return self.writes[-1]

    def is_allowed(self, value: Hashable, reader: str, began: float, ended: float) -> bool:
        """Whether a read between these times may find `value`."""
        must = [each for each in self.writes if each.must_be_seen_by(reader, began, self.bound_s)]
        if value == self.first and not must:
            return True
        # Some write of this value must have begun by now, and none that has to be seen came wholly after it.
        return any(
            each.value == value and each.began < ended and not any(newer.began > each.acked for newer in must)
            for each in self.writes
        )
