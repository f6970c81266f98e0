"""Pure: coming back with a return ticket, which says what its bearer followed a moment ago, so that nobody is asked.

The ticket is for the *starts* that were sent with it: what the session followed when it was made, each with an offset
that had been reached then. They are signed, and so a truth of the past. What the client brings beside them, its
positions, proves nothing. So

    what it follows      the starts, and what the user's own channel says from its start on: all that was joined and
                         left since, whatever the client has seen of that, is applied before anything is followed
    is it welcome        a revocation of its token is in the own channel as well, and ends it there
    where it goes on     at its own positions; but a channel that nobody follows here begins at its start, which exists:
                         a position that was made up harms nobody but its inventor

Until the own channel is proven to be level the client gets what is new to it in there and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from parley.event.v1 import event_pb2 as event_pb
from svc.gateway.frames import json_frame
from svc.gateway.resume import Start, dropped_frame, positions_frames
from svc.shapes.positions import TokenMalformed, decode, encode

CHANNELS_MAX = 2_000
"""Channels of a session that gets tickets: they are joined in one go, 5 ms. Who follows more boots."""

DIGEST_BYTES = 16
"""The starts are made here and not by who presents them, so nobody can look for two that have the same."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What a ticket says of the session that it was given to."""

    is_away_by_hand: bool
    digest: str
    """Of the starts that belong to it."""

    def claim(self) -> list[Any]:
        """Return it as a ticket has it."""
        return [int(self.is_away_by_hand), self.digest]

    @classmethod
    def of_claim(cls, claim: object) -> Returned | None:
        """Return what a signed ticket has; None when there is nothing, or nothing that is understood."""
        match claim:
            case [int(is_away), str(digest)]:
                return cls(bool(is_away), digest)
        return None


def starts_of(positions: Mapping[str, int]) -> tuple[str, str]:
    """Return what a session follows as it is sent to its client, and the digest by which a ticket names that."""
    starts = encode(positions.items())
    return starts, _digest(starts)


def _digest(starts: str) -> str:
    made = hashlib.blake2b(starts.encode(), digest_size=DIGEST_BYTES).digest()
    return base64.urlsafe_b64encode(made).decode()


class Returning:
    """A session that comes back, until its user's own channel is level."""

    __slots__ = ("_announced", "_dropped", "follows", "had", "own", "own_start", "waiting")

    def __init__(self, user_id: str, starts: Mapping[str, int], had: Mapping[str, int]) -> None:
        """`starts`: what the ticket vouches for. `had`: the client's positions. The user's own channel is in both."""
        self.follows = {channel_id: start for channel_id, start in starts.items() if channel_id != user_id}
        """What the session follows as far as is known, each with an offset that exists."""
        self.had = dict(had)
        self.own = had[user_id]
        """Up to where the client has the own channel: what is not above is applied, and not told again."""
        self.own_start = starts[user_id]
        self.waiting = False
        """See resume.Replay: nothing is ever waited for here but the own channel."""
        self._announced: set[str] = set()
        self._dropped: set[str] = set()

    def change(self, offset: int, change: event_pb.SubscriptionChange) -> list[bytes]:
        """Apply a change of the own channel, and return the frames that go before its event."""
        joined: list[tuple[str, int]] = []
        dropped: list[str] = []
        for added in change.added:
            channel_id = added.channel_id
            is_told = channel_id in self._announced or (channel_id in self.had and channel_id not in self._dropped)
            if offset > self.own and not is_told:
                joined.append((channel_id, added.offset))
                self._announced.add(channel_id)
                self.follows[channel_id] = added.offset
            else:
                self.follows.setdefault(channel_id, added.offset)
        for channel_id in change.removed_channel_ids:
            self.follows.pop(channel_id, None)
            if offset > self.own and (channel_id in self._announced or channel_id in self.had):
                self._announced.discard(channel_id)
                self._dropped.add(channel_id)
                dropped.append(channel_id)
        frames = [dropped_frame(dropped)] if dropped else []
        return [*frames, *(positions_frames(joined) if joined else ())]

    def settled(self, user_id: str) -> tuple[list[bytes], list[Start]]:
        """Return the last word on what is followed, and from where, now that the own channel is level.

        `head` of a start is an offset that exists.
        """
        unknown: list[tuple[str, int]] = []
        starts: list[Start] = []
        for channel_id, start in self.follows.items():
            is_had = channel_id in self.had and channel_id not in self._dropped
            if not is_had and channel_id not in self._announced:
                unknown.append((channel_id, start))
            after = self.had[channel_id] if is_had else start
            starts.append(Start(channel_id, after, start))
        gone = [each for each in self.had if each not in self.follows and each != user_id]
        gone = [each for each in gone if each not in self._dropped]
        frames = [dropped_frame(gone)] if gone else []
        return [*frames, *(positions_frames(unknown) if unknown else ())], starts

    @property
    def resumed_frame(self) -> bytes:
        """Say that the ticket was understood."""
        return json_frame({"type": "resumed", "channels": 1 + sum(each in self.had for each in self.follows)})


def returning_of(user_id: str, returned: Returned | None, token: str, starts: str) -> Returning | None:
    """Return how a session comes back, None when it has to begin in another way: it has no ticket for these starts, or
    no positions of its own.
    """
    if returned is None or _digest(starts) != returned.digest:
        return None
    try:
        vouched, had = decode(starts), decode(token)
    except TokenMalformed:
        return None
    if user_id not in vouched or user_id not in had:
        return None
    return Returning(user_id, vouched, had)
