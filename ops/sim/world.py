"""Virtual time and processes: a heap of what happens next, and a loop for each process that asyncio is content with.

Real coroutines of the tiers run here unchanged. A process that is killed does nothing more, not even its `finally`; one
that is paused does everything later, at a time that it does not expect. Nothing here waits, so an hour takes
milliseconds; and nothing is asked of the machine, so a run repeats exactly.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, cast

EPOCH_US = 1_800_000_000_000_000
"""Later than the one of our ids."""
TRACE_LINES = 50


class Violation(Exception):
    """Something that must be true is not: the run ends here."""

    def __init__(self, invariant: str, detail: str) -> None:
        super().__init__(f"{invariant}: {detail}")
        self.invariant = invariant
        self.detail = detail


class _Handle:
    """A callback that is due; what asyncio's Handle and TimerHandle are to its own loop."""

    __slots__ = ("args", "callback", "context", "due", "host", "is_cancelled")

    def __init__(
        self, host: Host, callback: Callable[..., Any], args: Any, context: contextvars.Context, due: float
    ) -> None:
        self.host = host
        self.callback = callback
        self.args = args
        self.context = context
        self.due = due
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True

    def cancelled(self) -> bool:
        return self.is_cancelled

    def when(self) -> float:
        return self.due


class World:
    """Time, the processes in it, what was counted and what is remembered for the report."""

    def __init__(self, seed: int, *, keeps_trace: bool = False) -> None:
        """Draw everything from `seed`; with `keeps_trace` all lines are kept instead of the last ones."""
        self.seed = seed
        self.now = 0.0
        self.counts: Counter[str] = Counter()
        self.violation: Violation | None = None
        self.steps = 0
        self.trace_lines: deque[tuple[Any, ...]] = deque(maxlen=None if keeps_trace else TRACE_LINES)
        self.hosts: list[Host] = []
        self._heap: list[tuple[float, int, _Handle]] = []
        self._ready: deque[_Handle] = deque()
        self._count = 0

    def rng(self, name: str) -> Random:
        """Return dice of their own for one purpose, so that one more throw here changes nothing there."""
        return Random(f"{self.seed}/{name}")

    def trace(self, *words: Any) -> None:
        """Note what happens; words are made text only when somebody reads it."""
        self.trace_lines.append((self.now, *words))

    def violate(self, invariant: str, detail: str) -> None:
        """End the run: an invariant does not hold. The first one counts."""
        if self.violation is None:
            self.trace("VIOLATION", invariant, detail)
            self.violation = Violation(invariant, detail)

    def at(self, due: float, host: Host, callback: Callable[..., Any], *args: Any) -> _Handle:
        """Call back in a process at a time (now at the earliest)."""
        return self._push(_Handle(host, callback, args, host.context, max(due, self.now)))

    def _push(self, handle: _Handle) -> _Handle:
        self._count += 1
        heapq.heappush(self._heap, (handle.due, self._count, handle))
        return handle

    def _soon(self, handle: _Handle) -> _Handle:
        self._ready.append(handle)
        return handle

    def run(self, until: float) -> None:
        """Let everything happen that is due by `until`. Raises Violation."""
        ready, heap = self._ready, self._heap
        try:
            while self.violation is None:
                while ready:
                    self._do(ready.popleft())
                if not heap or heap[0][0] > until:
                    break
                due, _, handle = heapq.heappop(heap)
                self.now = due
                self._do(handle)
        finally:
            asyncio._set_running_loop(None)
        if self.violation is not None:
            raise self.violation
        self.now = max(self.now, until)

    def _do(self, handle: _Handle) -> None:
        if handle.is_cancelled:
            return
        host = handle.host
        if not host.is_running:
            host.missed(handle)
            return
        self.steps += 1
        asyncio._set_running_loop(host.as_loop)
        handle.context.run(handle.callback, *handle.args)

    def close(self) -> None:
        """Let go of every process; what its coroutines would still like to do is not done."""
        for host in self.hosts:
            host.is_alive = False
            host.is_running = False
        self._heap.clear()
        self._ready.clear()
        for host in self.hosts:
            host.tasks.clear()
        self.hosts.clear()


class Host:
    """One process (or one person's device). Dead for good once killed: a restart is another one."""

    def __init__(self, world: World, name: str, wall_skew_us: int = 0) -> None:
        """`wall_skew_us`: by how much its wall clock is ahead."""
        self.world = world
        self.name = name
        self.is_alive = True
        self.is_running = True
        self.clock = HostClock(self, wall_skew_us)
        self.context = contextvars.copy_context()
        self.loop = HostLoop(self)
        self.as_loop = cast(asyncio.AbstractEventLoop, self.loop)
        self.tasks: list[asyncio.Task[Any]] = []
        self.on_kill: list[Callable[[], None]] = []
        """What the rest of the world notices: connections that break, transactions that roll back."""
        self.on_pause: list[Callable[[], None]] = []
        self.pauses = 0
        self._missed: list[_Handle] = []
        world.hosts.append(self)

    def __repr__(self) -> str:
        return self.name

    @property
    def is_paused(self) -> bool:
        """Whether it is stopped, and will go on."""
        return self.is_alive and not self.is_running

    def spawn(self, work: Coroutine[Any, Any, Any], name: str = "") -> asyncio.Task[Any]:
        """Run a coroutine in this process, from outside of it."""
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self.as_loop)
        try:
            return self.loop.start(work, name)
        finally:
            asyncio._set_running_loop(before)

    def kill(self) -> None:
        """kill -9."""
        if self.is_alive:
            self.is_alive = self.is_running = False
            self._missed.clear()
            for notice in tuple(self.on_kill):  # some take themselves off the list
                notice()

    def pause(self) -> None:
        """SIGSTOP."""
        if self.is_running:
            self.is_running = False
            self.pauses += 1
            for notice in tuple(self.on_pause):
                notice()

    def resume(self) -> None:
        """SIGCONT: everything that came meanwhile is there at once."""
        if self.is_paused:
            self.is_running = True
            missed, self._missed = self._missed, []
            for handle in missed:
                self.world._soon(handle)

    def missed(self, handle: _Handle) -> None:
        """Keep what is due in a paused process for later."""
        if self.is_alive:
            self._missed.append(handle)

    def every(self, seconds: float, work: Callable[[], None]) -> None:
        """Call `work` again and again, the first time after `seconds`."""

        def turn() -> None:
            work()
            self.world.at(self.world.now + seconds, self, turn)

        self.world.at(self.world.now + seconds, self, turn)


class HostClock:
    """kit.clock.Clock of one process."""

    def __init__(self, host: Host, wall_skew_us: int) -> None:
        self._world = host.world
        self._skew_us = wall_skew_us

    def now(self) -> float:
        """See Clock."""
        return self._world.now

    def wall_us(self) -> int:
        """See Clock."""
        return EPOCH_US + int(self._world.now * 1_000_000) + self._skew_us

    async def sleep(self, seconds: float) -> None:
        """See Clock."""
        await asyncio.sleep(max(0.0, seconds))


class HostLoop:
    """What tasks, futures, events and timeouts ask of their loop. Anything else is not there, and says so."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._world = host.world
        self._as_loop = cast(asyncio.AbstractEventLoop, self)

    def time(self) -> float:
        """Return the virtual time."""
        return self._world.now

    def get_debug(self) -> bool:
        """Return False: nothing here is slow."""
        return False

    def is_running(self) -> bool:
        """Return True: whoever asks is called by it."""
        return True

    def is_closed(self) -> bool:
        """Return False."""
        return False

    def create_future(self) -> asyncio.Future[Any]:
        """See AbstractEventLoop."""
        return asyncio.Future(loop=self._as_loop)

    def create_task(self, coro: Any, *, name: Any = None, context: Any = None) -> asyncio.Task[Any]:
        """See AbstractEventLoop."""
        return self.start(coro, name or "task", context)

    def start(self, coro: Any, name: str, context: Any = None) -> asyncio.Task[Any]:
        """Start a task; it belongs to the process."""
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self._as_loop, name=name, context=context)
        # Kept to the end of the run: a coroutine that is collected would still run its `finally`.
        self._host.tasks.append(task)
        return task

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        """See AbstractEventLoop."""
        host = self._host
        handle = _Handle(host, callback, args, context or host.context, self._world.now)
        return cast(asyncio.Handle, self._world._soon(handle))

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        """See AbstractEventLoop."""
        handle = _Handle(self._host, callback, args, context or self._host.context, max(when, self._world.now))
        return cast(asyncio.TimerHandle, self._world._push(handle))

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        """See AbstractEventLoop."""
        return self.call_at(self._world.now + delay, callback, *args, context=context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Take an exception that nobody retrieved: a defect, unless the process is dead."""
        error = context.get("exception")
        if self._host.is_alive and error is not None:
            self._world.violate("no exception is lost", f"{self._host.name}: {context.get('message')}: {error!r}")
