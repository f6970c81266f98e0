"""Prefetch: the user who wrote a message, and those whom it mentions, reach a client just before the message does.

Only connections that asked for it (ticket flag `lazy_aware`) take part, and only for users whom they have not met. A
user that is not in the cache is asked of the edge, together with all others that are missed in the same turn of the
loop, and once for everybody. Until it comes, those who lack it have their output held, in order, for HOLD_S at most:
then they go without, and their clients ask (see svc.gateway.lazy). Nothing here is needed for a message to arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from parley.event.v1 import event_pb2 as event_pb
from svc.gateway.edge import Edges
from svc.gateway.members import Member
from svc.gateway.prefetch.fetches import Fetch, Fetches
from svc.gateway.prefetch.memory import HeldOutput, ObjectCache, fingerprint, objects_frame
from svc.kit.clock import Clock
from svc.kit.config import setting
from svc.kit.lifecycle import Tasks

HOLD_S = 0.05
"""Longest that output waits for a user: an edge answers in 2 ms, and a person does not see 50."""


@dataclass(frozen=True, slots=True)
class PrefetchLimits:
    """What prefetch may remember."""

    prefetch_bytes_max: int = setting(
        "PARLEY_GATEWAY_PREFETCH_BYTES_MAX",
        default=32 * 1024 * 1024,
        minimum=64 * 1024,
        help="bytes of users' objects kept to be sent before messages; one takes 1.5 KB; others are asked for again",
    )


@dataclass(eq=False, slots=True)
class _Wait:
    """A place in the output of one connection, left open for these users until so many fetches are over."""

    member: Member
    place: int
    user_ids: tuple[str, ...]
    fetches: int


@dataclass(eq=False, slots=True)
class _Hold:
    """A connection whose output is held, until a moment at most."""

    output: HeldOutput
    until: float
    user_ids: set[str] = field(default_factory=set)
    waits: dict[int, _Wait] = field(default_factory=dict)
    """By place."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to do for everybody who lacks the same users: push a frame with these now, or wait for fetches."""

    frame: bytes
    user_ids: tuple[str, ...]
    fetches: tuple[Fetch, ...] = ()


Lacking = tuple[str, ...]


class Prefetch:
    """Introduces users to connections. Everything it remembers may be lost; then clients ask themselves."""

    def __init__(
        self,
        edges: Edges,
        tasks: Tasks,
        clock: Clock,
        call_later: Callable[[float, Callable[[], object]], object],
        limits: PrefetchLimits,
    ) -> None:
        """Ask `edges` in `tasks`; `call_later` runs a callback of ours after so many seconds."""
        self._clock = clock
        self._call_later = call_later
        self._cache = ObjectCache(limits.prefetch_bytes_max)
        self._fetches = Fetches(edges, self._cache, tasks, clock, self._settle)
        self._holds: dict[Member, _Hold] = {}
        self._is_timed = False
        self.introduced = 0
        """Users pushed to connections."""
        self.held = 0
        """Times that a connection's output was held."""
        self.expired = 0
        """Of these, times that it went on without what it waited for."""

    @property
    def cached_bytes(self) -> int:
        """Return what the cache takes."""
        return self._cache.bytes

    def introduce(self, event: event_pb.Event, user_ids: Iterable[str], members: Iterable[Member]) -> bool:
        """See members.Onlooker."""
        numbered = {user_id: fingerprint(user_id) for user_id in user_ids}
        numbers = tuple(numbered.values())
        plans: dict[Lacking, _Plan] = {}
        have_all = True
        for member in members:
            met = member.met
            if met is None or not met.lacks(numbers):
                continue
            if member.id == event.origin_connection_id:
                have_all = False  # it gets no event, so it meets nobody
                continue
            lacking = tuple([user_id for user_id, number in numbered.items() if number not in met])
            have_all = self._introduce(member, lacking, plans) and have_all
        return have_all

    def passed(self, event: event_pb.Event) -> None:
        """See members.Onlooker: keeps the cache as the workspace is."""
        if event.HasField("model_change"):
            now, now_unix_s = self._clock.now(), self._clock.wall_us() / 1_000_000
            for user in event.model_change.users:
                # Also those whom nobody asked for: an edge that is a moment behind may be asked next.
                self._cache.put(event.channel_id, user, now, now_unix_s)

    def unfollowed(self, channel_id: str) -> None:
        """See members.Onlooker: what is not followed may change unheard."""
        if channel_id.startswith("T"):
            self._cache.forget_team(channel_id)
            self._fetches.unfollowed(channel_id)

    def closed(self, member: Member) -> None:
        """Forget a connection."""
        self._holds.pop(member, None)

    def _introduce(self, member: Member, lacking: Lacking, plans: dict[Lacking, _Plan]) -> bool:
        """Push what a member lacks, or hold its output until that is here; return whether it has it all now."""
        hold = self._holds.get(member)
        if hold is not None:
            lacking = tuple([user_id for user_id in lacking if user_id not in hold.user_ids])
        plan = plans.get(lacking)
        if plan is None:
            plan = plans[lacking] = self._plan(member.team_id, lacking)
        if plan.fetches:
            self._wait(member, hold, lacking, plan.fetches)
            return False
        if plan.frame:
            member.push(plan.frame)
        self._meet(member, plan.user_ids)
        return hold is None and plan.user_ids == lacking

    def _plan(self, team_id: str, lacking: Lacking) -> _Plan:
        now = self._clock.now()
        strange = [user_id for user_id in lacking if self._cache.get(team_id, user_id, now) is None]
        fetches = [self._fetches.fetch(team_id, user_id) for user_id in strange]
        awaited = dict.fromkeys(fetch for fetch in fetches if fetch is not None and now - fetch.began < HOLD_S)
        return _Plan(b"", (), tuple(awaited)) if awaited else self._known(team_id, lacking)

    def _known(self, team_id: str, user_ids: Lacking) -> _Plan:
        """Return a plan of those who are in the cache; who does not exist is met as well, so that nobody asks again."""
        now = self._clock.now()
        known = {user_id: self._cache.get(team_id, user_id, now) for user_id in user_ids}
        objects = [each.json for each in known.values() if each is not None and each.json]
        met = tuple([user_id for user_id, each in known.items() if each is not None])
        return _Plan(objects_frame(objects) if objects else b"", met)

    def _meet(self, member: Member, user_ids: Iterable[str]) -> None:
        for user_id in user_ids:
            self.introduced += 1
            if member.met is not None:
                member.met.add(fingerprint(user_id))

    def _wait(self, member: Member, hold: _Hold | None, lacking: Lacking, fetches: Sequence[Fetch]) -> None:
        output = member.hold()  # also when it is held: the place comes after whatever was pushed since
        if hold is None:
            hold = self._holds[member] = _Hold(output, self._clock.now() + HOLD_S)
            self.held += 1
            if not self._is_timed:
                self._is_timed = True
                self._call_later(HOLD_S, self._expire)
        wait = _Wait(member, hold.output.leave_place(), lacking, len(fetches))
        hold.waits[wait.place] = wait
        hold.user_ids.update(lacking)
        for fetch in fetches:
            fetch.waits.append(wait)

    def _settle(self, fetch: Fetch) -> None:
        """Fill the places that waited for nothing but this fetch."""
        plans: dict[tuple[str, Lacking], _Plan] = {}
        waits: list[_Wait] = fetch.waits
        for wait in waits:
            wait.fetches -= 1
            hold = self._holds.get(wait.member)
            if wait.fetches or hold is None or hold.waits.get(wait.place) is not wait:
                continue
            self._fill(hold, wait, plans)
            if not hold.waits:
                del self._holds[wait.member]
                wait.member.release(hold.output)

    def _fill(self, hold: _Hold, wait: _Wait, plans: dict[tuple[str, Lacking], _Plan]) -> None:
        key = (wait.member.team_id, wait.user_ids)
        plan = plans.get(key)
        if plan is None:
            plan = plans[key] = self._known(*key)
        del hold.waits[wait.place]
        hold.output.fill(wait.place, plan.frame)
        self._meet(wait.member, plan.user_ids)

    def _expire(self) -> None:
        """Let go of those who waited long enough; holds begin in the order of this dictionary."""
        self._is_timed = False
        now = self._clock.now()
        plans: dict[tuple[str, Lacking], _Plan] = {}
        while self._holds:
            member, hold = next(iter(self._holds.items()))
            if hold.until > now:
                self._is_timed = True
                self._call_later(hold.until - now, self._expire)
                return
            self.expired += 1
            for wait in tuple(hold.waits.values()):
                self._fill(hold, wait, plans)
            del self._holds[member]
            member.release(hold.output)
