"""A store and its clients in virtual time: as many requests as a test wants, in a second of its own.

The store shares its workers among what is under way, and gets worse by what is too many (as a database does, by locks
and caches). A request uses it several times, one after the other, so that one which is given up half-way was work for
nothing. Clients leave after `PATIENCE_S`, ask again at once when nobody answered, and come back when they are told to;
how often, and for how long, `PERSISTENCE` says.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Protocol

from svc.kit.limiter import GradientLimit, LimitRules
from svc.kit.line import Line, Shed
from svc.webapp.priority import Priority
from svc.webapp.store.admission import RANKS, rank_of, retry_after_s

WORKERS = 4
STEPS = 3
"""Uses of the store that a request needs."""
WORK_S = 0.02
"""All of them together, in a store that does nothing else."""
CAPACITY = WORKERS / WORK_S
"""Requests a second."""
CONNECTIONS = 16
WAITING_MAX = 1024
PATIENCE_S = 3.5
"""What a gateway gives a post; people have no more."""
PERSISTENCE = {
    Priority.POST: (10, 15.0),
    Priority.READ: (10, 10.0),
    Priority.BOOT: (100, 3600.0),
    Priority.TRANSIENT: (1, 0.0),
    Priority.BACKGROUND: (1, 0.0),
}
"""Tries, and seconds since the first in which another is begun. Who boots tries until he is in."""

Load = Mapping[Priority, float]
"""Requests a second, as shares of the capacity."""


@dataclass(slots=True, eq=False)
class Request:
    """One try."""

    priority: Priority
    came_at: float
    first_at: float
    tries: int = 1
    steps_left: int = STEPS
    is_over: bool = False

    @property
    def rank(self) -> int:
        return rank_of(self.priority, self.steps_left < STEPS)

    def may_try_again(self, now: float) -> bool:
        tries, seconds = PERSISTENCE[self.priority]
        return self.tries < tries and now - self.first_at <= seconds


class Waiting(Protocol):
    """What is before the store."""

    def come(self, request: Request, now: float) -> None: ...

    def leave(self, request: Request, now: float) -> None: ...

    def done(self, request: Request, took_s: float, now: float) -> None: ...


@dataclass(slots=True)
class Second:
    """What became of the requests of one class that came in one second."""

    came: int = 0
    served: int = 0
    shed: int = 0
    left: int = 0
    took_s: list[float] = field(default_factory=list)


class World:
    """Events in order of time, the store, and the clients."""

    def __init__(self, load: Callable[[float], Load], seed: int = 1) -> None:
        self.now = 0.0
        self.rng = Random(seed)
        self.in_use = 0
        self.slower: Callable[[float], float] = lambda now: 1.0
        self.stalls: tuple[float, float] = (0.0, 0.0)
        """From, until: nothing is answered."""
        self.seconds: dict[Priority, dict[int, Second]] = defaultdict(lambda: defaultdict(Second))
        self._load = load
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self.line: Waiting

    def at(self, when: float, do: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, do))

    def run(self, until: float) -> None:
        for priority in Priority:
            self.at(self.rng.random() * 0.01, partial(self._next, priority))
        while self._events[0][0] < until:
            self.now, _, do = heapq.heappop(self._events)
            do()

    def _next(self, priority: Priority) -> None:
        rate = self._load(self.now).get(priority, 0.0) * CAPACITY
        if rate:
            self._ask(Request(priority, self.now, self.now))
        self.at(self.now + (self.rng.expovariate(rate) if rate else 0.1), lambda: self._next(priority))

    def _ask(self, request: Request) -> None:
        self.second(request).came += 1
        if request.priority is not Priority.BACKGROUND:
            self.at(self.now + PATIENCE_S, lambda: self._lose_patience(request))
        self.line.come(request, self.now)

    def _ask_again(self, request: Request, after_s: float) -> None:
        if request.may_try_again(self.now + after_s):
            when = self.now + after_s
            again = Request(request.priority, when, request.first_at, request.tries + 1)
            self.at(when, lambda: self._ask(again))

    def second(self, request: Request) -> Second:
        return self.seconds[request.priority][int(request.came_at)]

    def _lose_patience(self, request: Request) -> None:
        if request.is_over:
            return
        request.is_over = True
        self.second(request).left += 1
        self.line.leave(request, self.now)
        self._ask_again(request, 0.0)

    def shed(self, request: Request, after_s: float) -> None:
        """Tell a client to come back after `after_s`; 0: nothing was said, so it comes back in a moment."""
        if request.is_over:
            return
        request.is_over = True
        self.second(request).shed += 1
        self._ask_again(request, after_s or 0.1)

    def begin(self, request: Request) -> None:
        """Let the store work on a request, one step."""
        self.in_use += 1
        began = self.now
        crowd = max(1.0, self.in_use / WORKERS) * (1 + 0.005 * max(0, self.in_use - WORKERS))
        ends = began + self.rng.uniform(0.7, 1.3) * WORK_S / STEPS * crowd * self.slower(began)
        if self.stalls[0] <= ends < self.stalls[1]:
            ends = self.stalls[1] + self.rng.random() * WORK_S * crowd

        def end() -> None:
            self.in_use -= 1
            request.steps_left -= 1
            if not request.is_over and not request.steps_left:
                request.is_over = True
                self.second(request).served += 1
                self.second(request).took_s.append(self.now - request.came_at)
            self.line.done(request, self.now - began, self.now)
            if not request.is_over:
                self.line.come(request, self.now)

        self.at(ends, end)

    def served(self, priority: Priority, since: int, until: int) -> float:
        """Return how many a second of those who came in [since, until) were served, as a share of the capacity."""
        counts = self.seconds[priority]
        return sum(counts[second].served for second in range(since, until)) / (until - since) / CAPACITY

    def share(self, since: int, until: int, *priorities: Priority) -> float:
        """Return the share of tries made in [since, until) that were served."""
        found = [self.seconds[p][second] for p in priorities or Priority for second in range(since, until)]
        return sum(each.served for each in found) / max(1, sum(each.came for each in found))


class Ours:
    """The line and the limit as the webapp has them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._line: Line[Request] = Line(RANKS, WAITING_MAX)
        self.limiter = GradientLimit(LimitRules(floor=CONNECTIONS // 4, ceiling=CONNECTIONS))
        self.longest = 0

    def come(self, request: Request, now: float) -> None:
        if self._line.enter(request.rank, self.limiter.limit, now):
            self._world.begin(request)
            return
        try:
            displaced = self._line.join(request, request.rank, now)
        except Shed:
            self._shed(request, now)
            return
        if displaced is not None:
            self._shed(displaced, now)
        self.longest = max(self.longest, len(self._line))
        calm_s = RANKS[request.rank].calm_s
        self._world.at(now + calm_s, lambda: self._wait_over(request))
        self._settle(now)

    def leave(self, request: Request, now: float) -> None:
        self._line.leave(request, request.rank)

    def done(self, request: Request, took_s: float, now: float) -> None:
        self.limiter.sample(took_s, self._line.in_use, now)
        self._line.release()
        self._settle(now)

    def _wait_over(self, request: Request) -> None:
        if self._line.leave(request, request.rank):
            self._shed(request, self._world.now)

    def _settle(self, now: float) -> None:
        settled = self._line.settle(self.limiter.limit, now, lambda request: request.is_over)
        for request in settled.granted:
            self._world.begin(request)
        for request, _ in settled.shed:
            self._shed(request, now)

    def _shed(self, request: Request, now: float) -> None:
        pressed_s = self._line.pressed_s(request.rank, now)
        self._world.shed(request, retry_after_s(request.priority, pressed_s, self._world.rng))


class Plain:
    """What it is compared with: a fixed number at once, first come first served, two seconds of waiting."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._queue: dict[Request, None] = {}

    def come(self, request: Request, now: float) -> None:
        if self._world.in_use < CONNECTIONS:
            self._world.begin(request)
        elif len(self._queue) >= WAITING_MAX:
            self._world.shed(request, 0.0)
        else:
            self._queue[request] = None
            self._world.at(now + 2.0, lambda: self._wait_over(request))

    def leave(self, request: Request, now: float) -> None:
        self._queue.pop(request, None)

    def done(self, request: Request, took_s: float, now: float) -> None:
        while self._queue and self._world.in_use < CONNECTIONS:
            first = next(iter(self._queue))
            del self._queue[first]
            self._world.begin(first)

    def _wait_over(self, request: Request) -> None:
        if request in self._queue:
            del self._queue[request]
            self._world.shed(request, 0.0)
