"""Pure: a workspace's model: what it holds, what loads it, and the changes that keep it right.

A model is right as of an offset of the workspace's channel (T…). Offsets are dense, so each event is the next one, one
that is had already, or proof that something was missed; only a load repairs the last. A load reads its offset first and
the objects after, so objects may be newer than it: then a change does not replace a higher version by a lower one.

Objects are held serialized, in a table by the number of their id, and parsed when asked for. Measured with 32,000 users
and 10,000 channels of 160 bytes each (6.7 MB), as resident memory of a process beyond an empty edge:

    message objects by id                         53.6 MB
    pairs of version and serialized form by id    15.6 MB
    version and serialized form by number         11.6 MB    what is used
    one run of memory, offsets by number          11.8 MB    and holes to fill after changes

With the names that can be searched (names.py) a model takes 20.7 MB, 20.8 at the highest while it is loaded; its own
estimate says 19.2. On two cores with other work: 4 us for an object by id, 2 us for its version, 1.6 us an object when
all are read; a load takes 30 us an object, 20 ms a page of 500, and sorts for 60 ms in pieces of 10. Of two such models
let go, the allocator keeps 14 MB of 40, which the next load uses.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from parley.boot.v1 import boot_pb2 as boot
from parley.webapp.v1 import webapp_service_pb2 as webapp
from svc.edge.config import ModelLimits
from svc.edge.names import Names
from svc.edge.objects import Objects
from svc.kit.errors import FailedPreconditionError, InternalError, UnavailableError


class Applied(Enum):
    """What an event did to a model."""

    APPLIED = "applied"
    KNOWN = "known"
    """At or below the model's offset: nothing."""
    GAP = "gap"
    """Events before it were missed: nothing, and the model must be loaded again."""


class Model:
    """One workspace as of `offset`. Changed by `apply` alone."""

    def __init__(self, team: boot.Team, offset: int) -> None:
        self.team = team
        self.offset = offset
        self.users: Objects[boot.User] = Objects(boot.User)
        self.channels: Objects[boot.Channel] = Objects(boot.Channel)
        self.user_names = Names()
        self.channel_names = Names()

    @property
    def bytes(self) -> int:
        """Estimated bytes of memory."""
        names = self.user_names.memory_bytes + self.channel_names.memory_bytes
        return self.users.memory_bytes + self.channels.memory_bytes + names

    def apply(self, offset: int, change: boot.ModelChange | None) -> Applied:
        """Take the event at `offset` of the workspace's channel; `change` is None for one that changes no object."""
        if offset <= self.offset:
            return Applied.KNOWN
        if offset > self.offset + 1:
            return Applied.GAP
        self.offset = offset
        if change is not None:
            self._replace(change)
        return Applied.APPLIED

    def put(self, users: Iterable[boot.User] = (), channels: Iterable[boot.Channel] = ()) -> None:
        """Take objects as they are now. A channel that is not public (any more) is forgotten."""
        for user in users:
            number = self.users.put(user)
            if number is not None:
                self.user_names.put(number, user.name, (user.real_name, user.display_name), not user.deleted)
        for channel in channels:
            if channel.kind == boot.CHANNEL_KIND_PUBLIC:
                number = self.channels.put(channel)
                if number is not None:
                    self.channel_names.put(number, channel.name, active=not channel.is_archived)
            else:
                number = self.channels.remove(channel.id)
                if number is not None:
                    self.channel_names.remove(number)

    def settle(self) -> bool:
        """Put a part of the names that were loaded in order, some ms at the most; False when all is."""
        return self.user_names.settle() or self.channel_names.settle()

    def _replace(self, change: boot.ModelChange) -> None:
        if change.HasField("team"):
            self.team = change.team
        self.put(change.users, change.channels)


class ModelBuilder:
    """Takes the parts of one load in their order: a header, pages, a trailer that counts what was sent."""

    def __init__(self, team_id: str, limits: ModelLimits) -> None:
        self._team_id = team_id
        self._limits = limits
        self._model: Model | None = None
        self._trailer: webapp.WorkspaceTrailer | None = None
        self._users = 0
        self._channels = 0

    def take(self, part: webapp.LoadWorkspaceResponse) -> None:
        """Take the next part.

        Raises InternalError for one out of order, FailedPreconditionError for a workspace that is too large.
        """
        kind = part.WhichOneof("part")
        if kind == "header":
            self._begin(part.header)
        elif self._model is None or self._trailer is not None:
            raise InternalError(f"a load has no {kind or 'empty part'} here", subject="part")
        elif kind == "users":
            self._users = self._counted("users_max", self._users + len(part.users.users), self._limits.users_max)
            self._model.put(users=part.users.users)
        elif kind == "channels":
            sent = self._channels + len(part.channels.channels)
            self._channels = self._counted("channels_max", sent, self._limits.channels_max)
            self._model.put(channels=part.channels.channels)
        elif kind == "trailer":
            self._trailer = part.trailer
        # Anything else is newer than this reader, which can do without it.

    def settle(self) -> bool:
        """Do a part, of some ms at the most, of the work that `finish` would do at once; False when nothing is left."""
        return self._model is not None and self._model.settle()

    def finish(self) -> Model:
        """Return the model. Raises UnavailableError when the load broke off, InternalError for wrong counts."""
        if self._model is None or self._trailer is None:
            raise UnavailableError("the load broke off before its trailer")
        sent, said = (self._users, self._channels), (self._trailer.user_count, self._trailer.channel_count)
        if sent != said:
            raise InternalError(f"a load of {sent} users and channels says that it has {said}", subject="trailer")
        while self.settle():
            pass
        return self._model

    def _begin(self, header: webapp.WorkspaceHeader) -> None:
        if self._model is not None:
            raise InternalError("a load has one header", subject="part")
        if header.team.id != self._team_id:
            raise InternalError(f"a load of {self._team_id} is of {header.team.id!r}", subject="header.team")
        self._model = Model(header.team, header.model_offset)

    def _counted(self, subject: str, actual: int, limit: int) -> int:
        if actual > limit:
            raise FailedPreconditionError(
                f"workspace {self._team_id} is too large for this edge", subject=subject, limit=limit, actual=actual
            )
        return actual
