"""Pure: what prefetch remembers: encoded users, whom each connection has met, and output that waits for a user.

The memory of a connection is a table of fingerprints, 4 bytes a user: 300 bytes for those who meet few, 8 KiB at most,
where a set of ids would take 64. Two of 32,000 users share a fingerprint in one workspace of ten; then some client is
not told of the second, and asks for it.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from parley.boot.v1 import boot_pb2 as boot
from svc.gateway.frames import text_frame
from svc.shapes.lazy import versioned_user

PAIRS_LEAST, PAIRS_MOST = 32, 1_024
"""Pairs of places in a connection's memory: it begins with the first, and never has more than 2,048 users."""

_ZERO = array("I", [0])

OBJECT_OVERHEAD_BYTES = 400
"""What a cached object costs beside its JSON: keys, two index entries, objects' heads."""

FRESH_S = 300.0
"""How long a cached user is taken for current; the season's time zone offset changes too."""


def fingerprint(user_id: str) -> int:
    """Return 32 bits of a user's id, never 0; the same within one process only."""
    return hash(user_id) & 0xFFFFFFFF or 1


class Met:
    """The users whom one connection has; the oldest are forgotten, which costs sending them once more."""

    __slots__ = ("_count", "_pairs", "_table")

    def __init__(self) -> None:
        """Begin with nobody."""
        self._table = _ZERO * (2 * PAIRS_LEAST)
        self._pairs = PAIRS_LEAST
        self._count = 0

    def __contains__(self, number: int) -> bool:
        """Tell whether the user with this fingerprint was met, and not forgotten."""
        place = 2 * (number & (self._pairs - 1))
        return self._table[place] == number or self._table[place + 1] == number

    def lacks(self, numbers: Sequence[int]) -> bool:
        """Tell whether any of these was not met."""
        table, mask = self._table, self._pairs - 1
        for number in numbers:
            place = 2 * (number & mask)
            if table[place] != number and table[place + 1] != number:
                return True
        return False

    def add(self, number: int) -> None:
        """Remember a user by fingerprint; where there is no room, the older of two is forgotten."""
        if number in self:
            return
        while self._is_full_at(number) and self._pairs < PAIRS_MOST and 4 * self._count >= self._pairs:
            self._grow()
        self._put(number)

    def _is_full_at(self, number: int) -> bool:
        return bool(self._table[2 * (number & (self._pairs - 1)) + 1])

    def _put(self, number: int) -> None:
        place = 2 * (number & (self._pairs - 1))
        self._count += not self._table[place + 1]  # else the older of the two makes room
        self._table[place + 1] = self._table[place]
        self._table[place] = number

    def _grow(self) -> None:
        """Double the table."""
        before = self._table
        self._pairs *= 2
        self._table = _ZERO * (2 * self._pairs)
        self._count = 0
        for place in range(0, len(before), 2):
            for number in (before[place + 1], before[place]):
                if number:
                    self._put(number)


@dataclass(frozen=True, slots=True)
class Known:
    """A user in the cache."""

    json: bytes
    """Its object; empty when the workspace has no such user."""
    version: int
    expires_at: float


class ObjectCache:
    """Encoded users by workspace and id, at most `bytes_max` of them; those not asked for longest are forgotten.

    Kept fresh by the events of followed workspaces. What an edge that was a moment behind answered before a workspace
    was followed would stay old, and so everything is asked for again after FRESH_S.
    """

    def __init__(self, bytes_max: int) -> None:
        """Start empty."""
        self._bytes_max = bytes_max
        self._known: OrderedDict[tuple[str, str], Known] = OrderedDict()
        self._teams: dict[str, set[str]] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._known)

    def get(self, team_id: str, user_id: str, now: float) -> Known | None:
        """Return what is known of a user; None when it has to be asked for."""
        known = self._known.get((team_id, user_id))
        if known is None or known.expires_at <= now:
            return None
        self._known.move_to_end((team_id, user_id))
        return known

    def put(self, team_id: str, user: boot.User, now: float, now_unix_s: float) -> None:
        """Take a user as it is; an older version than the one that is here changes nothing."""
        known = self._known.get((team_id, user.id))
        if known is not None and known.version > user.version and known.expires_at > now:
            return
        encoded = orjson.dumps(versioned_user(user, now_s=now_unix_s))
        self._put(team_id, user.id, Known(encoded, user.version, now + FRESH_S))

    def put_unknown(self, team_id: str, user_id: str, now: float) -> None:
        """Remember that there is no such user, unless an event has brought it meanwhile."""
        known = self._known.get((team_id, user_id))
        if known is None or known.expires_at <= now:
            self._put(team_id, user_id, Known(b"", 0, now + FRESH_S))

    def forget_team(self, team_id: str) -> None:
        """Forget the users of a workspace whose events are not followed any more, or were lost."""
        for user_id in self._teams.pop(team_id, ()):
            self._subtract(self._known.pop((team_id, user_id)))

    def _put(self, team_id: str, user_id: str, known: Known) -> None:
        before = self._known.pop((team_id, user_id), None)
        if before is not None:
            self._subtract(before)
        self._known[team_id, user_id] = known
        self._teams.setdefault(team_id, set()).add(user_id)
        self.bytes += len(known.json) + OBJECT_OVERHEAD_BYTES
        while self.bytes > self._bytes_max:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        (team_id, user_id), known = self._known.popitem(last=False)
        self._subtract(known)
        users = self._teams[team_id]
        users.discard(user_id)
        if not users:
            del self._teams[team_id]

    def _subtract(self, known: Known) -> None:
        self.bytes -= len(known.json) + OBJECT_OVERHEAD_BYTES


class HeldOutput:
    """What a connection is to write once it is known what belongs between: frames in order, with places left open."""

    __slots__ = ("_frames", "bytes")

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self.bytes = 0

    def take(self, frames: Sequence[bytes]) -> None:
        """Append frames."""
        self._frames += frames
        self.bytes += sum(map(len, frames))

    def leave_place(self) -> int:
        """Leave a place open here, and return it."""
        self._frames.append(b"")
        return len(self._frames) - 1

    def fill(self, place: int, frame: bytes) -> None:
        """Put a frame into a place."""
        self._frames[place] = frame
        self.bytes += len(frame)

    def frames(self) -> list[bytes]:
        """Return the frames, without the places that nothing was put into."""
        return [frame for frame in self._frames if frame]


def objects_frame(objects: Sequence[bytes]) -> bytes:
    """Return the frame that tells encoded users, to be shared by all who get it."""
    return text_frame(b'{"type":"user_objects","users":[' + b",".join(objects) + b"]}")
