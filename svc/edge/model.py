"""Pure: a workspace's model: what it holds, what loads it, and the changes that keep it right.

A model is right as of an offset of the workspace's channel (T…). Offsets are dense, so each event is the next one, one
that is had already, or proof that something was missed; only a load repairs the last. A load reads its offset first and
the objects after, so objects may be newer than it: then a change does not replace a higher version by a lower one.

Objects are held as their serialized form and parsed when asked for: a user of usual shape is 200 bytes instead of a
message object of 1 KB.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Generic, TypeVar

from parley.boot.v1 import boot_pb2 as boot
from parley.webapp.v1 import webapp_service_pb2 as webapp
from svc.edge.config import ModelLimits
from svc.kit.errors import FailedPreconditionError, InternalError, UnavailableError

OBJECT_OVERHEAD_BYTES = 240
"""Of each object, beside its serialized form: the id (60), its place in a dict (100), a pair and two headers (80)."""

Message = TypeVar("Message", boot.User, boot.Channel)


class Applied(Enum):
    """What an event did to a model."""

    APPLIED = "applied"
    KNOWN = "known"
    """At or below the model's offset: nothing."""
    GAP = "gap"
    """Events before it were missed: nothing, and the model must be loaded again."""


class Objects(Generic[Message]):
    """Objects of one kind by id, each with its version."""

    def __init__(self, kind: type[Message]) -> None:
        self._kind: type[Message] = kind
        self._held: dict[str, tuple[int, bytes]] = {}
        self.bytes = 0
        """Estimated bytes of memory."""

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Message]:
        """Yield every object, in the order of ids as loaded; new ones last."""
        return (self._kind.FromString(data) for _, data in self._held.values())

    def get(self, object_id: str) -> Message | None:
        """Return an object; None when there is none."""
        held = self._held.get(object_id)
        return None if held is None else self._kind.FromString(held[1])

    def version(self, object_id: str) -> int | None:
        """Return an object's version; None when there is none."""
        held = self._held.get(object_id)
        return None if held is None else held[0]

    def put(self, message: Message) -> bool:
        """Take an object unless a higher version is held; return whether it was taken."""
        held = self._held.get(message.id)
        if held is not None:
            if message.version < held[0]:
                return False
            self.bytes -= len(held[1]) + OBJECT_OVERHEAD_BYTES
        data = message.SerializeToString()
        self._held[message.id] = (message.version, data)
        self.bytes += len(data) + OBJECT_OVERHEAD_BYTES
        return True

    def remove(self, object_id: str) -> None:
        """Forget an object; nothing happens when there is none."""
        held = self._held.pop(object_id, None)
        if held is not None:
            self.bytes -= len(held[1]) + OBJECT_OVERHEAD_BYTES


class Model:
    """One workspace as of `offset`. Changed by `apply` alone."""

    def __init__(self, team: boot.Team, offset: int) -> None:
        self.team = team
        self.offset = offset
        self.users: Objects[boot.User] = Objects(boot.User)
        self.channels: Objects[boot.Channel] = Objects(boot.Channel)

    @property
    def bytes(self) -> int:
        """Estimated bytes of memory."""
        return self.users.bytes + self.channels.bytes

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
            self.users.put(user)
        for channel in channels:
            if channel.kind == boot.CHANNEL_KIND_PUBLIC:
                self.channels.put(channel)
            else:
                self.channels.remove(channel.id)

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

    def finish(self) -> Model:
        """Return the model. Raises UnavailableError when the load broke off, InternalError for wrong counts."""
        if self._model is None or self._trailer is None:
            raise UnavailableError("the load broke off before its trailer")
        sent, said = (self._users, self._channels), (self._trailer.user_count, self._trailer.channel_count)
        if sent != said:
            raise InternalError(f"a load of {sent} users and channels says that it has {said}", subject="trailer")
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
