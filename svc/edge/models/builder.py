"""Pure: one load of a workspace, put together from as many calls as it takes, and in small pieces of work.

The first header counts: it names the offset that everything received later is at least as new as. A call that broke is
gone on with from where it broke; emoji, which have no order of their own to go on in, are sent again each time.

A user's or channel's row gets its version a moment after the event that tells of it: who reads the row in between has
what is new under an old version, and no event comes to say so. So the last events before the header are put over what
was loaded (`put_over`); that changes nothing else, because a higher version stays.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TypeVar

from parley.boot.v1 import boot_pb2 as boot
from parley.webapp.v1 import webapp_service_pb2 as webapp
from svc.edge.config import ModelLimits
from svc.edge.models.changes import History
from svc.edge.models.model import Model
from svc.edge.models.numbers import number_of
from svc.kit.errors import FailedPreconditionError, InternalError, UnavailableError

T = TypeVar("T")

PIECE = 64
"""Objects put at once: 2 ms."""


class ModelBuilder:
    """Takes the parts of calls in their order: a header, pages, a trailer that counts what the call sent."""

    def __init__(self, team_id: str, limits: ModelLimits) -> None:
        self._team_id = team_id
        self._limits = limits
        self._model: Model | None = None
        self._place = webapp.LoadPlace()
        self._users: deque[boot.User] = deque()
        self._channels: deque[boot.Channel] = deque()
        self._history = History()
        self._has_header = False
        self._trailer: webapp.WorkspaceTrailer | None = None
        self._sent = [0, 0, 0]

    @property
    def offset(self) -> int:
        """Offset of the first header; 0 before it."""
        return 0 if self._model is None else self._model.offset

    def resume(self) -> webapp.LoadPlace | None:
        """Begin another call; return where it is to go on, None for the beginning."""
        self._has_header, self._trailer, self._sent = False, None, [0, 0, 0]
        if self._model is None:
            return None
        self._model.emoji.clear()
        place = webapp.LoadPlace()
        place.CopyFrom(self._place)
        return place

    def take(self, part: webapp.LoadWorkspaceResponse) -> None:
        """Take the next part; `work` is to be done after each.

        Raises InternalError for one out of order, FailedPreconditionError for a workspace that is too large.
        """
        kind = part.WhichOneof("part")
        if kind == "header":
            self._header(part.header)
        elif self._model is None or not self._has_header or self._trailer is not None:
            raise InternalError(f"a load has no {kind or 'empty part'} here", subject="part")
        elif kind == "users":
            self._take_users(self._model, part.users.users)
        elif kind == "channels":
            self._take_channels(self._model, part.channels.channels)
        elif kind == "emoji":
            self._sent[2] += len(part.emoji.emoji)
            self._model.emoji.put(part.emoji.emoji)
            self._check("emoji_max", len(self._model.emoji), self._limits.emoji_max)
        elif kind == "trailer":
            self._trailer = part.trailer
        # Anything else is newer than this reader, which can do without it.

    def work(self) -> bool:
        """Put a piece of what was taken into the model, 2 ms at the most; False when nothing is left."""
        if self._model is None:
            return False
        if self._users:
            users = _some(self._users)
            self._model.put(users=users)
            self._note(users)
        elif self._channels:
            channels = _some(self._channels)
            self._model.put(channels=channels)
            self._note(each for each in channels if each.kind == boot.CHANNEL_KIND_PUBLIC)
        return bool(self._users or self._channels)

    def check_whole(self) -> None:
        """Raise UnavailableError when the call broke off, InternalError when its counts are wrong."""
        if self._trailer is None:
            raise UnavailableError("the load broke off before its trailer")
        said = [self._trailer.user_count, self._trailer.channel_count, self._trailer.emoji_count]
        if self._sent != said:
            raise InternalError(f"a load of {self._sent} users, channels, emoji says {said}", subject="trailer")

    def put_over(self, changes: Iterable[boot.ModelChange]) -> None:
        """Take what the last events before the header, or any after it, say of users and channels, in order."""
        for change in changes:
            self._users.extend(change.users)
            self._channels.extend(change.channels)

    def settle(self) -> bool:
        """Do a part, of some ms at the most, of the work that `finish` would do at once; False when nothing is left."""
        return self.work() or (self._model is not None and self._model.settle())

    def finish(self) -> Model:
        """Return the model. Raises as `check_whole` does."""
        self.check_whole()
        while self.settle():
            pass
        assert self._model is not None, "there was a header before the trailer"
        self._model.remember(self._history)
        return self._model

    def _header(self, header: webapp.WorkspaceHeader) -> None:
        if self._has_header:
            raise InternalError("a load has one header", subject="part")
        if header.team.id != self._team_id:
            raise InternalError(f"a load of {self._team_id} is of {header.team.id!r}", subject="header.team")
        self._has_header = True
        if self._model is None:
            self._model = Model(header.team, header.model_offset)

    def _take_users(self, model: Model, users: Iterable[boot.User]) -> None:
        for user in users:
            self._users.append(user)
            self._sent[0] += 1
            self._place.after_user_id = user.id
        self._check("users_max", len(model.users) + len(self._users), self._limits.users_max)

    def _take_channels(self, model: Model, channels: Iterable[boot.Channel]) -> None:
        self._place.has_users = True
        for channel in channels:
            self._channels.append(channel)
            self._sent[1] += 1
            self._place.after_channel_id = channel.id
        self._check("channels_max", len(model.channels) + len(self._channels), self._limits.channels_max)

    def _note(self, objects: Iterable[boot.User | boot.Channel]) -> None:
        for each in objects:
            number = number_of(each.id)
            if number is not None:
                self._history.note(each.version, number)

    def _check(self, subject: str, actual: int, limit: int) -> None:
        if actual > limit:
            raise FailedPreconditionError(
                f"workspace {self._team_id} is too large for this edge: {subject} is {limit}, it has {actual}",
                subject=subject,
                limit=limit,
                actual=actual,
            )


def _some(waiting: deque[T]) -> list[T]:
    return [waiting.popleft() for _ in range(min(PIECE, len(waiting)))]
