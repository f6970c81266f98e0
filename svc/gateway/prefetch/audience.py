"""Pure: the connections of a channel that want to have a user before an event shows it."""

from __future__ import annotations

from collections.abc import Iterable

from parley.event.v1 import event_pb2 as event_pb
from svc.gateway.crowd import Crowd
from svc.gateway.members import Member
from svc.kit.ids import is_id

FAMILIAR_MIN = 64
"""Users of one channel whom all its connections are known to have: this many, and two for each connection; 100 bytes
each. They spare looking at every connection for every event.
"""


def named(event: event_pb.Event) -> list[str]:
    """Return the users whom a client needs to show an event: who caused it, and whom it mentions."""
    ids = [event.sender_id, *event.mentioned_user_ids]
    return [each for each in dict.fromkeys(ids) if is_id(each, "UW")]


class Audience:
    """The connections of one channel that want users before they appear, and users whom all of these have."""

    __slots__ = ("_familiar", "members")

    def __init__(self) -> None:
        self.members: Crowd[Member] = Crowd()
        self._familiar: set[str] | None = None  # None: nobody

    def add(self, member: Member) -> None:
        """Let a connection in, which may have met nobody."""
        self.members.add(member)
        self._familiar = None

    def strangers(self, event: event_pb.Event) -> list[str]:
        """Return the users of an event whom some may not have: in a channel at rest nobody, after one look-up."""
        familiar = self._familiar
        if familiar is None:
            return named(event)
        if event.sender_id in familiar and not event.mentioned_user_ids:
            return []
        return [each for each in named(event) if each not in familiar]

    def familiar(self, user_ids: Iterable[str]) -> None:
        """Remember that all of them have these users."""
        if self._familiar is None or len(self._familiar) >= FAMILIAR_MIN + 2 * len(self.members):
            self._familiar = set()
        self._familiar.update(user_ids)
