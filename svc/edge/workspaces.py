"""The workspaces held: one load at a time for each, fresh by its events, the idlest forgotten when there is no room.

Load, then follow: the load names the offset that it has everything up to, and the workspace's channel is followed from
there, so a change that comes during a load is not missed but applied after it. When a change is missed nevertheless
(the feed says so, or an offset does), the old model is served for a moment while a new one is loaded; then nothing is,
until it is. Nor is a model answered from whose changes would not be heard: wrong for a second is the most that we are.
What cannot be loaded at all is remembered for a while (refusals.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from parley.event.v1 import event_pb2 as event_pb
from svc.edge.config import HoldLimits
from svc.edge.interfaces import Freshness
from svc.edge.loader import Loader
from svc.edge.models.model import Applied, Model
from svc.edge.ownership import Ownership
from svc.edge.refusals import Refusals
from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.errors import (
    FailedPreconditionError,
    NotFoundError,
    ParleyError,
    ResourceExhaustedError,
    UnavailableError,
)
from svc.kit.lifecycle import Tasks

log = logging.getLogger(__name__)

REFRESH_BASE_S = 0.1
REFRESH_CAP_S = 2.0
"""Waits between loads of a model that missed a change; each load has tries of its own."""


class Feed(Protocol):
    """What is used of the feed: the persisted events of a followed channel, each once and in order."""

    def follow(self, channel_id: str, after: int) -> None:
        """Have every event of a channel after offset `after` delivered, beginning soon."""
        ...

    def unfollow(self, channel_id: str) -> None:
        """Have no more of them."""
        ...


@dataclass(slots=True, eq=False)
class _Workspace:
    """One workspace, held or being loaded."""

    team_id: str
    model: Model | None = None
    loading: asyncio.Task[None] | None = None
    is_served: bool = False
    """Whether the first load is over: until then callers wait for it."""
    stale_since: float | None = None
    failure: ParleyError | None = None
    load_count: int = 0
    counted_bytes: int = 0


class Workspaces:
    """Models by workspace, the one asked for latest last. `tasks` runs one load for each workspace at the most."""

    def __init__(
        self,
        limits: HoldLimits,
        loader: Loader,
        feed: Feed,
        freshness: Freshness,
        ownership: Ownership,
        clock: Clock,
        tasks: Tasks,
    ) -> None:
        self._limits = limits
        self._loader = loader
        self._feed = feed
        self._freshness = freshness
        self._ownership = ownership
        self._clock = clock
        self._tasks = tasks
        self._held: OrderedDict[str, _Workspace] = OrderedDict()
        self._refusals = Refusals()
        self.bytes = 0
        """Estimated bytes of all models."""
        self.applied = 0
        """Events applied."""
        self.gaps = 0
        """Times that changes were missed."""
        self.evicted = 0
        """Workspaces forgotten for want of room."""

    def __len__(self) -> int:
        return len(self._held)

    @property
    def refused_count(self) -> int:
        """Workspaces that cannot be loaded."""
        return len(self._refusals)

    async def model(self, team_id: str) -> Model:
        """Return the model of a workspace, to be answered from before anything is awaited.

        The first caller's load serves all who come meanwhile; a caller that gives up leaves it running for the next
        one. Does not suspend when the model is held and vouched for; a doubt costs one read of a head. Raises
        NotOwnerError when the ring gives the workspace to another edge, what the load failed with, and UnavailableError
        when the model may have been wrong for too long.
        """
        self._ownership.check(team_id)
        workspace = self._held.get(team_id) or self._admit(team_id)
        self._held.move_to_end(team_id)
        if not workspace.is_served and workspace.loading is not None:
            await asyncio.wait({workspace.loading})
            self._ownership.check(team_id)
        if workspace.model is not None:
            await self._freshness.level(team_id, 0.0)
        if workspace.model is None:
            raise workspace.failure or UnavailableError(f"workspace {team_id} was let go while it was loaded")
        if workspace.stale_since is not None:
            self._check_stale(workspace.stale_since, team_id)
        return workspace.model

    def peek(self, team_id: str) -> tuple[Model, int] | None:
        """Return the model held for a workspace and how often it was loaded; None when it is not held."""
        workspace = self._held.get(team_id)
        return None if workspace is None or workspace.model is None else (workspace.model, workspace.load_count)

    def deliver(self, events: Sequence[event_pb.Event]) -> None:
        """Take events of followed channels, each channel's in order."""
        for event in events:
            workspace = self._held.get(event.channel_id)
            if workspace is not None and workspace.model is not None and event.offset:
                self._apply(workspace, workspace.model, event)

    def lost(self, channel_id: str, last: int) -> None:
        """Learn that events of a workspace's channel up to offset `last` can never be had: load the workspace again.

        What is held is served for `stale_max_s` meanwhile.
        """
        workspace = self._held.get(channel_id)
        if workspace is None or workspace.model is None or workspace.stale_since is not None:
            return
        self.gaps += 1
        workspace.stale_since = self._clock.now()
        log.warning("%s: changes %d to %d were missed, loading again", channel_id, workspace.model.offset + 1, last)
        self._start(workspace, self._refresh(workspace))

    def ring_changed(self) -> None:
        """Forget the workspaces that the ring gives to other edges now."""
        for team_id in [team_id for team_id in self._held if not self._ownership.owns(team_id)]:
            self._forget(self._held[team_id])

    def _check_stale(self, since: float, team_id: str) -> None:
        stale_s = self._clock.now() - since
        if stale_s > self._limits.stale_max_s:
            raise UnavailableError(f"workspace {team_id} missed a change {stale_s:.1f} s ago and is being loaded again")

    def _apply(self, workspace: _Workspace, model: Model, event: event_pb.Event) -> None:
        applied = model.apply(event.offset, event.model_change if event.HasField("model_change") else None)
        if applied is Applied.APPLIED:
            self.applied += 1
            self._count(workspace)
            self._make_room(workspace)
        elif applied is Applied.GAP:
            self.lost(event.channel_id, event.offset - 1)

    def _admit(self, team_id: str) -> _Workspace:
        self._refusals.check(team_id, self._clock.now())
        if len(self._held) >= self._limits.workspaces_max and not self._evict():
            raise ResourceExhaustedError(
                f"{len(self._held)} workspaces are being loaded",
                subject="workspaces_max",
                limit=self._limits.workspaces_max,
                actual=len(self._held) + 1,
            )
        workspace = _Workspace(team_id)
        self._start(workspace, self._first(workspace))
        self._held[team_id] = workspace
        return workspace

    def _start(self, workspace: _Workspace, load: Coroutine[Any, Any, None]) -> None:
        workspace.loading = self._tasks.spawn(load, name=f"load {workspace.team_id}")

    async def _first(self, workspace: _Workspace) -> None:
        """Load a workspace for those who wait; a failure is theirs, and the next one to ask tries again."""
        try:
            model = await self._loader.load(workspace.team_id, self._limits.load_timeout_s)
        except ParleyError as error:
            self._note(workspace.team_id, error)
            workspace.failure = error
            self._forget(workspace)
        else:
            self._refusals.loaded(workspace.team_id)
            self._install(workspace, model)
            await self._level(workspace.team_id)
            workspace.is_served = True

    def _note(self, team_id: str, error: ParleyError) -> None:
        """Say that a load failed; once, and with a pause before the next, when that would cost much and fail again."""
        is_cheap = error.retryable or isinstance(error, NotFoundError)
        if is_cheap or self._refusals.failed(team_id, error, self._clock.now()):
            log.warning("workspace %s could not be loaded: %s", team_id, error)

    async def _level(self, team_id: str) -> None:
        """Wait until the feed vouches for a workspace that it follows since a moment ago, or the time for that is over.

        What was committed during the load comes to the model meanwhile.
        """
        try:
            await self._freshness.level(team_id, self._limits.level_timeout_s)
        except UnavailableError as error:
            log.warning("workspace %s is loaded, but its changes are not heard: %s", team_id, error)

    async def _refresh(self, workspace: _Workspace) -> None:
        """Load a workspace again until that works, or has failed for too long."""
        backoff = Backoff(REFRESH_BASE_S, REFRESH_CAP_S)
        deadline = self._clock.now() + self._limits.refresh_timeout_s
        while (left_s := deadline - self._clock.now()) > 0:
            try:
                model = await self._loader.load(workspace.team_id, min(left_s, self._limits.load_timeout_s))
            except FailedPreconditionError as error:
                workspace.failure = error  # it has grown too large
                self._refusals.failed(workspace.team_id, error, self._clock.now())
                break
            except ParleyError as error:
                workspace.failure = error
                await self._clock.sleep(min(backoff.next_s(), left_s))
            else:
                self._install(workspace, model)
                return
        log.error("workspace %s is dropped, it could not be loaded again: %s", workspace.team_id, workspace.failure)
        self._forget(workspace)

    def _install(self, workspace: _Workspace, model: Model) -> None:
        """Serve a loaded model, follow its channel from where the load stands, and make room for it."""
        if workspace.model is not None:
            self._feed.unfollow(workspace.team_id)
        workspace.model, workspace.failure, workspace.stale_since = model, None, None
        workspace.load_count += 1
        self._feed.follow(workspace.team_id, model.offset)
        self._count(workspace)
        self._make_room(workspace)

    def _make_room(self, keep: _Workspace) -> None:
        """Forget the idlest ones until all fit, but never `keep`."""
        while self.bytes > self._limits.bytes_max and self._evict(keep):
            pass

    def _count(self, workspace: _Workspace) -> None:
        """Bring the sum of bytes up to date."""
        now_bytes = workspace.model.bytes if workspace.model is not None else 0
        self.bytes += now_bytes - workspace.counted_bytes
        workspace.counted_bytes = now_bytes

    def _evict(self, keep: _Workspace | None = None) -> bool:
        """Forget the idlest workspace that has a model; False when there is none beside `keep`."""
        idlest = next((one for one in self._held.values() if one.model is not None and one is not keep), None)
        if idlest is None:
            return False
        self.evicted += 1
        self._forget(idlest)
        return True

    def _forget(self, workspace: _Workspace) -> None:
        if self._held.get(workspace.team_id) is not workspace:
            return
        del self._held[workspace.team_id]
        if workspace.model is not None:
            self._feed.unfollow(workspace.team_id)
            workspace.model = None
        self._count(workspace)
        loading, workspace.loading = workspace.loading, None
        if loading is not None and loading is not asyncio.current_task():
            loading.cancel()
