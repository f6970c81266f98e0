"""Pure: a workspace's model: what it holds, and the changes that keep it right. Loads are taken by builder.py.

A model is right as of an offset of the workspace's channel (T…). Offsets are dense, so each event is the next one, one
that is had already, or proof that something was missed; only a load repairs the last. A load reads its offset first and
the objects after, so objects may be newer than it: then a change does not replace a higher version by a lower one.

Objects are held serialized, in a table by the number of their id, and parsed when asked for. Measured with 32,000 users
and 10,000 channels of 160 bytes each (6.7 MB), as resident memory of a process beyond an empty edge:

    message objects by id                         53.6 MB
    pairs of version and serialized form by id    15.6 MB
    version and serialized form by number         11.6 MB    what is used
    one run of memory, offsets by number          11.8 MB    and holes to fill after changes

With the names that can be searched (names.py) and 2,000 emoji a model takes 22.0 MB, 22.3 at the highest while it is
loaded; its own estimate says 19.6. 20,000 changes known take 0.4 MB more. A load takes 20 us of the processor an object
and 40 ms to sort, all in pieces of 8 ms at the most. Of two such models let go, the allocator keeps 14 MB of 40, which
the next load uses.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from parley.boot.v1 import boot_pb2 as boot
from svc.edge.models.changes import Changes, History
from svc.edge.models.emoji import CustomEmoji
from svc.edge.models.names import Names
from svc.edge.models.numbers import number_of
from svc.edge.models.objects import Objects


class Applied(Enum):
    """What an event did to a model."""

    APPLIED = "applied"
    KNOWN = "known"
    """At or below the model's offset: nothing."""
    GAP = "gap"
    """Events before it were missed: nothing, and the model must be loaded again."""


class Model:
    """One workspace as of `offset`. Changed by `apply` alone, and by its builder before anybody sees it."""

    def __init__(self, team: boot.Team, offset: int) -> None:
        self.team = team
        self.team_version = offset
        """Offset at which the workspace itself last changed, or that the model was loaded at."""
        self.offset = offset
        self.users: Objects[boot.User] = Objects(boot.User)
        self.channels: Objects[boot.Channel] = Objects(boot.Channel)
        self.emoji = CustomEmoji(offset)
        self.user_names = Names()
        self.channel_names = Names()
        self._changes = Changes(offset)

    @property
    def bytes(self) -> int:
        """Estimated bytes of memory."""
        names = self.user_names.memory_bytes + self.channel_names.memory_bytes
        objects = self.users.memory_bytes + self.channels.memory_bytes
        return objects + names + self.emoji.memory_bytes + self._changes.memory_bytes

    def apply(self, offset: int, change: boot.ModelChange | None) -> Applied:
        """Take the event at `offset` of the workspace's channel; `change` is None for one that changes no object."""
        if offset <= self.offset:
            return Applied.KNOWN
        if offset > self.offset + 1:
            return Applied.GAP
        self.offset = offset
        if change is not None:
            self._replace(offset, change)
        return Applied.APPLIED

    def changes_since(self, offset: int) -> tuple[str, ...] | None:
        """Return the ids of users and public channels that changed after `offset`, at most 1,000.

        None when they are more, when that is not known, and for an offset that the model has not come to.
        """
        return None if offset > self.offset else self._changes.since(offset)

    def put(self, users: Iterable[boot.User] = (), channels: Iterable[boot.Channel] = ()) -> list[int]:
        """Take objects as they are now; return the numbers of those that anyone may have known.

        A channel that is not public (any more) is forgotten.
        """
        touched: list[int] = []
        for user in users:
            number = self.users.put(user)
            if number is not None:
                self.user_names.put(number, user.name, (user.real_name, user.display_name), not user.deleted)
            touched.append(number or number_of(user.id) or 0)
        for channel in channels:
            if channel.kind == boot.CHANNEL_KIND_PUBLIC:
                number = self.channels.put(channel)
                if number is not None:
                    self.channel_names.put(number, channel.name, active=not channel.is_archived)
                touched.append(number or number_of(channel.id) or 0)
            else:
                number = self.channels.remove(channel.id)
                if number is not None:
                    self.channel_names.remove(number)
                    touched.append(number)
        return touched

    def settle(self) -> bool:
        """Put a part of the names that were loaded in order, some ms at the most; False when all is."""
        return self.user_names.settle() or self.channel_names.settle()

    def remember(self, history: History) -> None:
        """Know what a load says of the changes before it."""
        self._changes = history.changes(self.offset)

    def _replace(self, offset: int, change: boot.ModelChange) -> None:
        if change.HasField("team"):
            self.team, self.team_version = change.team, offset
        if change.emoji or change.removed_emoji:
            self.emoji.change(offset, change.emoji, change.removed_emoji)
        self._changes.note(offset, self.put(change.users, change.channels))
