"""Fan-out: how many events a second one gateway core brings to its sockets, beside a C loop and four other servers.

Measured is the whole way. A publisher publishes events of 200 bytes, `window` of them at once, and the next when every
socket has these; the clients, a program in C, count every event at every socket and look at its offset. For ours that
is publish at the channel server, stream, gateway, socket (see fanout_peers/ours.py); for the others their own way of
publishing. The server that is measured has a processor to itself, all else shares the rest. All servers run all the
time, with all their sockets connected, and take turns of CELL_S in each round, so that whatever else the machine does
meets all of them; figures are medians of the rounds, ratios medians of those to the floor of the same round.

The floor calls send() once a socket and event: what the kernel alone costs when nothing is joined.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import uvloop

from bench.cores import Cores, cpu_s, on, raise_files_limit
from bench.fanout_figures import BARS, Cell, figures, misses
from bench.fanout_load import Load, LoadError, load
from bench.fanout_peers import PEERS, Peer, PeerMissing, Place
from ops.local.ports import Ports

Say = Callable[[str], None]

WINDOW_TIMEOUT_S = 60.0
"""For 64 events to 5,000 sockets where the machine has much else to do: 320,000 sends take two seconds alone."""
WARM_UP = (1, 1, 1, 4)
FILES_SPARE = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, and for how long."""

    sockets: tuple[int, ...] = (1_000, 5_000)
    windows: tuple[int, ...] = (1, 4, 16, 64)
    rounds: int = 5
    cell_s: float = 0.35
    """Of one server in one round; a window that is begun is ended, and there is at least one."""
    budget_s: float = 300.0
    """Nothing is measured later than this, but for the first round of each number of sockets."""
    servers: tuple[str, ...] = tuple(PEERS)


@dataclass(slots=True)
class _Runner:
    """One server with its clients."""

    name: str
    peer: Peer
    load: Load
    offset: int = 0
    failure: str = ""

    async def cell(self, window: int, number: int, cell_s: float) -> Cell:
        """Measure for a moment."""
        spent, behind, began = cpu_s(self.peer.pids), cpu_s(self.peer.behind), time.perf_counter()
        windows = 0
        while windows == 0 or time.perf_counter() - began < cell_s:
            await self.window(window)
            windows += 1
        wall_s = time.perf_counter() - began
        return Cell(
            self.name,
            self.load.sockets,
            window,
            number,
            windows * window * self.load.sockets,
            wall_s,
            cpu_s(self.peer.pids) - spent,
            cpu_s(self.peer.behind) - behind,
        )

    async def window(self, count: int) -> None:
        """Publish some events, and return when every socket has them."""
        self.load.want(self.offset + count)
        await self.peer.publish(self.offset + 1, count)
        self.offset += count
        await self.load.have(self.offset, WINDOW_TIMEOUT_S)


@dataclass(slots=True)
class _Run:
    """One run of the benchmark."""

    plan: Plan
    say: Say
    cores: Cores
    runners: list[_Runner] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)

    async def start(self, place: Place, up: AsyncExitStack) -> None:
        """Start the servers, each with its clients' process."""
        for name in self.plan.servers:
            self.say(f"{name} starts")
            folder = place.folder / name
            folder.mkdir()
            own = Place(folder, place.cores, place.ports, place.files_max)
            try:
                peer = await up.enter_async_context(PEERS[name](own))
            except PeerMissing as error:
                self.missing[name] = str(error)
                self.say(f"{name} is missing: {error}")
                continue
            except (OSError, TimeoutError, ValueError) as error:
                self.failed[name] = f"did not start: {type(error).__name__} {error}".strip()
                self.say(f"{name} {self.failed[name]}")
                continue
            self.runners.append(_Runner(name, peer, await up.enter_async_context(load(peer.endpoint))))

    async def measure(self, sockets: int, until: float) -> None:
        """Measure all servers with so many sockets."""
        for runner in tuple(self.runners):
            self.say(f"{runner.name}: {sockets} sockets")
            await self._try(runner, self._warm_up(runner, sockets))
        for number in range(self.plan.rounds):
            self.say(f"{sockets} sockets, round {number + 1} of {self.plan.rounds}")
            for window in self.plan.windows:
                if number and time.monotonic() > until:
                    self.say(f"{sockets} sockets: the time is over in round {number + 1}")
                    return
                for runner in _turned(self.runners, number):
                    await self._try(runner, self._cell(runner, window, number))

    async def _warm_up(self, runner: _Runner, sockets: int) -> None:
        await runner.load.grow(sockets)
        for window in WARM_UP:
            await runner.window(window)

    async def _cell(self, runner: _Runner, window: int, number: int) -> None:
        self.cells.append(await runner.cell(window, number, self.plan.cell_s))

    async def _try(self, runner: _Runner, step: Any) -> None:
        """Do a step; a server that fails is measured no more, and the others are."""
        try:
            await step
        except (LoadError, TimeoutError, OSError) as error:
            self.failed[runner.name] = f"{runner.load.sockets} sockets: {type(error).__name__} {error}".strip()
            self.say(f"{runner.name} failed: {self.failed[runner.name]}")
            self.runners.remove(runner)


def measure(say: Say, clients: int = 0, window: int = 0, plan: Plan | None = None) -> dict[str, Any]:
    """Return what each server delivers; takes some five minutes.

    `clients`: so many sockets, not 1,000 and 5,000; `window`: so many events in flight, not 1, 4, 16 and 64.
    """
    whole = Plan()
    plan = plan or replace(
        whole, sockets=(clients,) if clients else whole.sockets, windows=(window,) if window else whole.windows
    )
    cores = Cores.of(os.sched_getaffinity(0))
    with on(cores.rest):
        return uvloop.run(_measure(plan, say, cores))


async def _measure(plan: Plan, say: Say, cores: Cores) -> dict[str, Any]:
    files_max = raise_files_limit(max(plan.sockets) + FILES_SPARE)
    run = _Run(plan, say, cores)
    until = time.monotonic() + plan.budget_s
    async with AsyncExitStack() as up:
        place = await up.enter_async_context(_place(cores, files_max))
        await run.start(place, up)
        for sockets in plan.sockets:
            if sockets + FILES_SPARE > files_max:
                run.failed[f"{sockets} sockets"] = f"no more than {files_max} files may be open here; see ulimit -Hn"
                continue
            # Each number of sockets has its share of what time is left.
            left = len(plan.sockets) - plan.sockets.index(sockets)
            await run.measure(sockets, time.monotonic() + (until - time.monotonic()) / left)
    return _result(run)


def _result(run: _Run) -> dict[str, Any]:
    found = figures(run.cells)
    missed = misses(found)
    return {
        "event_bytes": 200,
        "server_core": sorted(run.cores.server),
        "rest_cores": sorted(run.cores.rest),
        "load_average": [round(each, 1) for each in os.getloadavg()],
        "figures": found,
        "missing": run.missing,
        "failed": run.failed,
        "bars": BARS,
        "missed": missed,
        "ok": not missed and not run.failed,
    }


@asynccontextmanager
async def _place(cores: Cores, files_max: int) -> AsyncIterator[Place]:
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        ports = Ports()
        try:
            yield Place(Path(folder), cores, ports, files_max)
        finally:
            ports.close()


def _turned(runners: Sequence[_Runner], number: int) -> list[_Runner]:
    """Return them beginning with another one each round."""
    if not runners:
        return []
    first = number % len(runners)
    return [*runners[first:], *runners[:first]]
