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
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import uvloop

from bench.cores import Cores, on, raise_files_limit
from bench.fanout_figures import BARS, Cell, figures, misses
from bench.fanout_peers import PEERS, PeerMissing, Place
from bench.fanout_runner import PeerBroken, Runner
from ops.local.ports import Ports
from svc.kit.lifecycle import Tasks

Say = Callable[[str], None]

FILES_SPARE = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, and for how long."""

    sockets: tuple[int, ...] = (1_000, 5_000)
    windows: tuple[int, ...] = (1, 4, 16, 64)
    rounds: int = 5
    cell_s: float = 0.35
    """Of one server in one round; a window that is begun is ended, and there is at least one."""
    budget_s: float = 420.0
    """Nothing is measured later than this, but for the first round of each number of sockets."""
    servers: tuple[str, ...] = tuple(PEERS)
    """Each is in every row of the figures: with its figures, and with why where there are none, or of fewer rounds."""


@dataclass(slots=True)
class _Run:
    """One run of the benchmark."""

    plan: Plan
    say: Say
    place: Place
    tasks: Tasks
    runners: list[Runner] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    failed: dict[tuple[int, str], str] = field(default_factory=dict)
    """Of a number of sockets and a server: why it was measured no more."""
    cells: list[Cell] = field(default_factory=list)

    async def measure(self, sockets: int, until: float) -> None:
        """Measure all servers with so many sockets; of those that are not there, remember why."""
        for name in self.plan.servers:
            if name not in self.missing and name not in {runner.name for runner in self.runners}:
                await self._start(name, sockets)
        for runner in tuple(self.runners):
            self.say(f"{runner.name}: {sockets} sockets")
            await self._try(runner, sockets, runner.grow(sockets))
        for number in range(self.plan.rounds):
            self.say(f"{sockets} sockets, round {number + 1} of {self.plan.rounds}")
            for window in self.plan.windows:
                if number and time.monotonic() > until:
                    self.say(f"{sockets} sockets: the time is over in round {number + 1}")
                    return
                for runner in _turned(self.runners, number):
                    await self._try(runner, sockets, self._cell(runner, window, number))

    async def _start(self, name: str, sockets: int) -> None:
        """Start a server with its clients' process; one that broke with fewer sockets gets another chance."""
        self.say(f"{name} starts")
        folder = self.place.folder / f"{name}-{sockets}"
        folder.mkdir()
        runner = Runner(name, self.tasks)
        try:
            await runner.start(replace(self.place, folder=folder))
        except PeerMissing as error:
            self.missing[name] = str(error)
            self.say(f"{name} is missing: {error}")
        except PeerBroken as error:
            self.failed[sockets, name] = f"did not start: {error}"
            self.say(f"{name} did not start: {error}")
        else:
            self.runners.append(runner)

    async def _cell(self, runner: Runner, window: int, number: int) -> None:
        self.cells.append(await runner.cell(window, number, self.plan.cell_s))

    async def _try(self, runner: Runner, sockets: int, step: Awaitable[object]) -> None:
        """Do a step; a server that fails is stopped, and the others are measured on."""
        try:
            await runner.do(step)
        except PeerBroken as error:
            self.failed[sockets, runner.name] = str(error)
            self.say(f"{runner.name} failed with {sockets} sockets: {error}")
            self.runners.remove(runner)
            await runner.stop()


def measure(say: Say, clients: int = 0, window: int = 0, plan: Plan | None = None) -> dict[str, Any]:
    """Return what each server delivers; takes some five minutes, seven at most.

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
    until = time.monotonic() + plan.budget_s
    async with _place(cores, files_max) as place, Tasks("servers", limit=len(plan.servers)) as tasks:
        run = _Run(plan, say, place, tasks)
        for sockets in plan.sockets:
            if sockets + FILES_SPARE > files_max:
                why = f"no more than {files_max} files may be open here; see ulimit -Hn"
                run.failed |= {(sockets, name): why for name in plan.servers}
                continue
            # Each number of sockets has its share of what time is left.
            left = len(plan.sockets) - plan.sockets.index(sockets)
            await run.measure(sockets, time.monotonic() + (until - time.monotonic()) / left)
    return _result(run)


def _result(run: _Run) -> dict[str, Any]:
    missing = {
        (sockets, name): f"not installed: {why}" for sockets in run.plan.sockets for name, why in run.missing.items()
    }
    found = figures(run.cells, run.plan.windows, missing | run.failed)
    missed = misses(found, run.plan.rounds)
    return {
        "event_bytes": 200,
        "server_core": sorted(run.place.cores.server),
        "rest_cores": sorted(run.place.cores.rest),
        "load_average": [round(each, 1) for each in os.getloadavg()],
        "figures": found,
        "missing": run.missing,
        "failed": {f"{name}, {sockets} sockets": why for (sockets, name), why in run.failed.items()},
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


def _turned(runners: Sequence[Runner], number: int) -> list[Runner]:
    """Return them beginning with another one each round."""
    if not runners:
        return []
    first = number % len(runners)
    return [*runners[first:], *runners[:first]]
