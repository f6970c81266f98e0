"""A routine replacement of cache nodes under load: what it costs the database, in a plain pool and in ours.

A quarter of eight memcached nodes is replaced by empty ones, first in sequence, then (another quarter) at once. A
replaced node leaves Consul at once; its process ends when nobody needs it any more, GRACE_S later at the latest.
The plain mode is a hash over the nodes that Consul lists, without leases, warm-up, gutter or pace; both modes have the
same readers, the same mesh and the same machine, one after the other in each round.

On paper: at a steady hit rate of 95 % the database gets 5 of 100 look-ups; with an eighth of the keys gone, up to 17.
Warmed from the node before, it stays at 5.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from bench.cache_reads import CacheReads
from bench.database_load import INTERVAL_S, watching
from bench.read_load import ReadLoad, Sample, make_town
from discovery.consul import ConsulClient
from ops.chaos.recovery import percentile
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec, none
from ops.seeding import SeedSpec
from svc.kit.lifecycle import background
from svc.webapp.cache.pools.follow import table_key
from svc.webapp.cache.pools.table import Table, parse_table
from svc.webapp.cache.routes.config import PLAIN_FILE
from svc.webapp.store.dsn import Dsn

Say = Callable[[str], None]

ROUNDS = 1
NODES = 8
IN_SEQUENCE = ("1", "2")
AT_ONCE = ("3", "4")
"""Seats: a quarter of eight each."""

RATE = 240.0
"""Calls a second: half of what two webapps, the servers and the readers bear together on two cores."""
READERS, PEOPLE, CHANNELS, MESSAGES = 150, 2_000, 60, 1_500

IDLE_S = 5.0
WARM_S = 310.0
"""Longer than any class lives: what was loaded together at first expires together, and would look like a trouble."""
MEET_S = 300.0
"""How long people are remembered: who is looked at for the first time is spread over it (see ReadLoad)."""
STEADY_S = 40.0
AFTER_S = 20.0
CALM_S = 5.0
GRACE_S = 150.0
PAUSE_S = 10.0
"""Between the steps of who has nothing to wait for."""
WINDOW_S = 10.0
"""Database load is judged over this long: at 30 queries a second, chance alone moves one window by a seventeenth, and
the highest of a minute by an eighth."""
POLL_S = 0.25

MODES: Mapping[str, Mapping[str, str]] = {
    "plain": {"PARLEY_CACHE_ROUTES_FILE": str(PLAIN_FILE), "PARLEY_CACHE_KEEPER": "false"},
    "ours": {},
}

BARS = {"in_sequence": 1.2, "at_once": 2.0, "errors": 0, "recovery_s": 60.0, "plain_at_least": 1.4}


@dataclass(frozen=True, slots=True)
class Figures:
    """What one replacement did."""

    db_qps_steady: float
    db_qps_peak: float
    amplification: float
    hit_rate_steady: float
    hit_rate_min: float
    p99_ms_steady: float
    p99_ms_worst: float
    errors: int
    recovery_s: float


def measure(say: Say) -> dict[str, Any]:
    """Return what replacements did to the database, by mode; takes about 19 minutes."""
    return asyncio.run(_measure(say))


async def _measure(say: Say) -> dict[str, Any]:
    trials: dict[str, list[dict[str, Figures]]] = {mode: [] for mode in MODES}
    for number in range(ROUNDS):
        for mode, environ in MODES.items():
            trials[mode].append(await _Trial(mode, environ, number, say).run())
    results = [
        {"mode": mode, "replaced": phase, **_median([trial[phase] for trial in each])}
        for mode, each in trials.items()
        for phase in ("in_sequence", "at_once")
    ]
    return {
        "nodes": NODES,
        "calls_per_s": RATE,
        "rounds": ROUNDS,
        "window_s": WINDOW_S,
        "results": results,
        "bars": BARS,
        "ok": all(map(_is_within_bars, results)),
    }


def _is_within_bars(result: dict[str, Any]) -> bool:
    if result["mode"] == "plain":
        # A trouble that the plain pool does not have is not what this measures.
        return bool(result["amplification"] >= BARS["plain_at_least"])
    return bool(
        result["amplification"] <= BARS[result["replaced"]]
        and result["errors"] <= BARS["errors"]
        and result["recovery_s"] <= BARS["recovery_s"]
    )


def _median(figures: list[Figures]) -> dict[str, float]:
    rows = [asdict(each) for each in figures]
    return {name: round(statistics.median(row[name] for row in rows), 3) for name in rows[0]}


class _Trial:
    """One mode, once."""

    def __init__(self, mode: str, environ: Mapping[str, str], number: int, say: Say) -> None:
        self._mode = mode
        self._environ = environ
        self._seed = number
        self._tell = say

    def _say(self, text: str) -> None:
        self._tell(f"{self._mode}: {text}")

    async def run(self) -> dict[str, Figures]:
        async with AsyncExitStack() as up:
            self._say("a mesh of two webapps and eight memcached nodes")
            folder = Path(up.enter_context(tempfile.TemporaryDirectory(prefix="parley-bench-")))
            spec = MeshSpec(
                var=folder,
                counts=none(webapp=2, admin=1, channel=1, gateway=1),
                zones=("az1",),
                memcached=NODES,
                memcached_gutter=1,
                environ=self._environ,
                graceful=False,
            )
            self._mesh = await up.enter_async_context(Mesh(spec))
            self._consul = await up.enter_async_context(ConsulClient(self._mesh.consul_addr))
            town = await make_town(self._mesh, SeedSpec("Bench", "bench", PEOPLE, CHANNELS, MESSAGES, seed=1), READERS)
            dsn = Dsn.parse(self._mesh.dsns.channel)
            self._database = await up.enter_async_context(watching(dsn))
            self._reads = await up.enter_async_context(CacheReads.watching(self._mesh))
            idle_qps = await self._idle()
            self._load = ReadLoad(list(self._mesh.web_urls.values()), town, RATE, Random(self._seed), MEET_S)
            await up.enter_async_context(background("readers", self._load.run()))
            self._say(f"warming for {WARM_S:.0f} s, then {STEADY_S:.0f} s of steady load")
            await asyncio.sleep(WARM_S)
            found = await self._phases(idle_qps)
            if self._load.failures:
                self._say(f"failed calls: {self._load.failures}")
            return found

    async def _idle(self) -> float:
        """Return what the system asks its database when nobody does anything."""
        began = time.monotonic()
        await asyncio.sleep(IDLE_S)
        return self._database.rate(began, time.monotonic())

    async def _phases(self, idle_qps: float) -> dict[str, Figures]:
        found = {}
        for phase, seats, step in (
            ("in_sequence", IN_SEQUENCE, self._one_by_one),
            ("at_once", AT_ONCE, self._all_at_once),
        ):
            steady_from = time.monotonic()
            await asyncio.sleep(STEADY_S)
            began = time.monotonic()
            self._say(f"seats {', '.join(seats)} are replaced: {phase}")
            await step(seats)
            await asyncio.sleep(AFTER_S)
            ended = time.monotonic()
            found[phase] = self._figures(steady_from, began, ended, idle_qps)
            self._say(f"{phase}: {found[phase]}")
            series = self._database.windows(steady_from, ended, WINDOW_S)[:: int(WINDOW_S / INTERVAL_S)]
            self._say(f"{phase}: queries a second: " + " ".join(f"{rate - idle_qps:.0f}" for _, rate in series))
            await asyncio.sleep(CALM_S)
        return found

    async def _one_by_one(self, seats: tuple[str, ...]) -> None:
        for seat in seats:
            await self._replace(seat)
            await self._until("reads from its new node", seat, lambda table, old: old not in table.taken)
        await self._end(seats)

    async def _all_at_once(self, seats: tuple[str, ...]) -> None:
        for seat in seats:
            await self._replace(seat)
        await self._end(seats)

    async def _replace(self, seat: str) -> None:
        """Register an empty node for a seat, and take the one that is there out of Consul."""
        await self._mesh.add_cache_node("main", seat)
        await self._mesh.deregister_cache_node(self._name(seat))

    async def _end(self, seats: tuple[str, ...]) -> None:
        """End the old nodes, once nobody needs them."""
        try:
            async with asyncio.timeout(GRACE_S):
                for seat in seats:
                    await self._until("let its old node go", seat, lambda table, old: old not in table.addresses)
        except TimeoutError:
            self._say("the old nodes end before the new ones are filled")
        for seat in seats:
            await self._mesh.stop(self._name(seat))

    def _name(self, seat: str) -> str:
        """Return the name of the node that a seat began with."""
        return f"memcached-az1-{seat}"

    async def _until(self, what: str, seat: str, is_so: Callable[[Table, str], bool]) -> None:
        """Wait for something to be true of the pool's table and a seat's old node; a plain pool gets a while."""
        began = time.monotonic()
        if self._mode == "plain":
            await asyncio.sleep(PAUSE_S)
            return
        old = self._mesh.cache_address(self._name(seat))
        while True:
            value, _ = await self._consul.get(table_key("main"))
            if value is not None and is_so(parse_table(value), old):
                self._say(f"seat {seat} {what} after {time.monotonic() - began:.1f} s")
                return
            await asyncio.sleep(POLL_S)

    def _figures(self, steady_from: float, began: float, ended: float, idle_qps: float) -> Figures:
        steady = self._database.rate(steady_from, began) - idle_qps
        windows = [(end, rate - idle_qps) for end, rate in self._database.windows(began, ended, WINDOW_S)]
        peak = max(rate for _, rate in windows)
        late = [end for end, rate in windows if rate > BARS["in_sequence"] * steady]
        samples = self._load.samples
        return Figures(
            round(steady, 1),
            round(peak, 1),
            round(peak / steady, 3),
            round(self._reads.hit_rate(steady_from, began), 4),
            round(self._reads.hit_rate_min(began, ended, WINDOW_S), 4),
            round(_p99_ms(samples, steady_from, began), 1),
            round(max(_p99_ms(samples, at, at + WINDOW_S) for at in _steps(began, ended)), 1),
            sum(not sample.ok for sample in samples if began <= sample.due <= ended),
            round(max(late) - began, 1) if late else 0.0,
        )


def _steps(began: float, ended: float) -> list[float]:
    return [began + number * WINDOW_S for number in range(int((ended - began) // WINDOW_S))]


def _p99_ms(samples: list[Sample], since: float, until: float) -> float:
    taken = sorted(sample.latency_s for sample in samples if since <= sample.due < until)
    return 1000 * percentile(taken, 0.99) if taken else 0.0
