"""Users that prefetch lacks, asked of the edge: all that are missed in one turn together, each once for everybody."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from parley.edge.v1 import edge_service_pb2 as pb
from svc.gateway.edge import Edges
from svc.gateway.prefetch.memory import ObjectCache
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError, ResourceExhaustedError
from svc.kit.lifecycle import Tasks
from svc.shapes.lazy import OBJECTS_MAX

FETCH_TIMEOUT_S = 1.0
"""What comes after the hold is over still fills the cache."""

PAUSE_S = 1.0
"""How long an edge that failed is left alone, for one workspace; nobody waits for it meanwhile."""

FETCHES_MAX = 32
"""Requests to the edge at once, of at most 500 users each."""

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Fetch:
    """One request for users of a workspace: gathers until the loop's next turn, then is under way."""

    team_id: str
    began: float
    user_ids: dict[str, None] = field(default_factory=dict)
    waits: list[Any] = field(default_factory=list)
    """What waits for it, whatever that is."""
    is_stale: bool = False
    """Whether the workspace stopped being followed meanwhile, so that what comes may be old."""


class Fetches:
    """The requests under way. What they bring is in the cache before `on_over` is called."""

    def __init__(
        self, edges: Edges, cache: ObjectCache, tasks: Tasks, clock: Clock, on_over: Callable[[Fetch], None]
    ) -> None:
        """Ask `edges` in `tasks`; `on_over` is called once for each fetch, failed ones too."""
        self._edges = edges
        self._cache = cache
        self._tasks = tasks
        self._clock = clock
        self._on_over = on_over
        self._gathering: dict[str, Fetch] = {}
        self._fetching: dict[tuple[str, str], Fetch] = {}
        self._paused: dict[str, float] = {}
        self._open = 0

    def fetch(self, team_id: str, user_id: str) -> Fetch | None:
        """Return the fetch that will bring a user, begun if need be; None when there is none now."""
        fetch = self._fetching.get((team_id, user_id))
        if fetch is None:
            fetch = self._gathering.get(team_id)
            if fetch is None or len(fetch.user_ids) >= OBJECTS_MAX:
                fetch = self._begin(team_id)
            if fetch is None:
                return None
            fetch.user_ids[user_id] = None
            self._fetching[team_id, user_id] = fetch
        return fetch

    def unfollowed(self, team_id: str) -> None:
        """Let nothing that is under way for a workspace into the cache."""
        for fetch in self._fetching.values():
            fetch.is_stale = fetch.is_stale or fetch.team_id == team_id

    def _begin(self, team_id: str) -> Fetch | None:
        now = self._clock.now()
        if self._open >= FETCHES_MAX or self._paused.get(team_id, now) > now:
            return None
        fetch = Fetch(team_id, now)
        try:
            self._tasks.spawn(self._run(fetch), "prefetch")
        except ResourceExhaustedError:
            return None
        self._open += 1
        self._gathering[team_id] = fetch
        return fetch

    async def _run(self, fetch: Fetch) -> None:
        if self._gathering.get(fetch.team_id) is fetch:
            del self._gathering[fetch.team_id]
        objects = [pb.KnownObject(id=user_id) for user_id in fetch.user_ids]
        try:
            request = pb.GetObjectsRequest(team_id=fetch.team_id, objects=objects)
            answer = await self._edges.objects(request, FETCH_TIMEOUT_S)
            if not fetch.is_stale:
                self._take(fetch, answer)
        except ParleyError as error:
            self._pause(fetch.team_id)
            log.warning("%d users of %s could not be read ahead: %r", len(objects), fetch.team_id, error)
        finally:
            self._open -= 1
            for user_id in fetch.user_ids:
                del self._fetching[fetch.team_id, user_id]
            self._on_over(fetch)

    def _take(self, fetch: Fetch, answer: pb.GetObjectsResponse) -> None:
        now, now_unix_s = self._clock.now(), self._clock.wall_us() / 1_000_000
        for user in answer.users:
            self._cache.put(fetch.team_id, user, now, now_unix_s)
        for user_id in answer.unknown_ids:
            self._cache.put_unknown(fetch.team_id, user_id, now)

    def _pause(self, team_id: str) -> None:
        now = self._clock.now()
        self._paused = {team: until for team, until in self._paused.items() if until > now}
        self._paused[team_id] = now + PAUSE_S
