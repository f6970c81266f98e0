"""What a webapp vouches for when it gives out a ticket, so that the gateway need not ask it again. Pure.

A boot has just found out what the user is in and how far all of that has come, and knows the positions from which its
client will resume: those that it came with, or those that the boot tells it. So the ticket says of such positions that
they are of just what the user follows, none of them beyond what is there. It names them by a digest: a client that
resumes from other positions is looked up as if nothing had been said.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["SHARED_REPLAY_MAX", "Vouched", "digest"]

SHARED_REPLAY_MAX = 100
"""Events that a resumed session may have missed for its channels to be followed from where it stands, which spares the
log a read where the owner's tail has them. With more, it catches up alone and at its own pace.
"""

DIGEST_BYTES = 24
"""A client chooses some of what is digested: to find two sets with one digest takes 2^96 tries."""


def digest(positions: Mapping[str, int]) -> str:
    """Return what tells positions from all others, in whatever order they are. 10 us for 30."""
    told = ";".join(f"{channel_id}:{offset}" for channel_id, offset in sorted(positions.items()))
    made = hashlib.blake2b(told.encode(), digest_size=DIGEST_BYTES).digest()
    return base64.urlsafe_b64encode(made).decode()


@dataclass(frozen=True, slots=True)
class Vouched:
    """What is known of one whose session has yet to begin."""

    own_head: int
    """Offset of the user's own channel that all of this is no older than."""
    is_away_by_hand: bool
    digests: tuple[str, ...]
    """Of positions from which the session may go on: they name what the user follows, its own channel and its
    workspace's with it, and no more; none is above its channel's head, and together they lack SHARED_REPLAY_MAX events
    at most."""

    def covers(self, positions: Mapping[str, int]) -> bool:
        """Tell whether these are such positions."""
        return digest(positions) in self.digests

    def claim(self) -> list[Any]:
        """Return it as a ticket has it."""
        return [self.own_head, int(self.is_away_by_hand), *self.digests]

    @classmethod
    def of_claim(cls, claim: object) -> Vouched | None:
        """Return what a signed ticket has; None when there is nothing, or nothing that is understood."""
        match claim:
            case [int(own_head), int(is_away), *digests] if all(isinstance(each, str) for each in digests):
                return cls(own_head, bool(is_away), tuple(map(str, digests)))
        return None
