"""Latency: from a post over HTTP to the last of a thousand sockets, at a quarter, a half and four fifths of capacity.

The mesh is what `make run` starts, the load a program in C (postload.c) with a socket for each of the people, who are
all in one conversation. Its capacity is measured first: posts a second that reach their last socket, with as many under
way as WINDOW, so that gateways join what is pending for a socket as they do under load. Then posts are due at a steady
rate, whatever becomes of those before them, and the time of each counts from when it was due, not from when there was
room to send it (coordinated omission). Rounds of the three rates are interleaved; of each figure the median of the
rounds is given, and over all posts of all rounds (`pooled`), whose worst are those of one bad moment of the machine.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from bench.post_load import Run
from bench.post_stage import Stage, cores, spent, stage
from ops.chaos.recovery import percentile

Say = Callable[[str], None]
Json = dict[str, Any]

CLIENTS = 1_000
CHANNELS = 8
AUTHORS = 100
WINDOW = 16
LINES = 256
"""Connections that open loops have: a post waits for none, unless that many are under way."""
FRACTIONS = (0.25, 0.5, 0.8)
ROUNDS = 5
CELL_S = 4.0
CAPACITY_S = 3.0
WARM_UP_S = 2.0
SHARES = {"p50": 0.5, "p99": 0.99, "p999": 0.999}
BAR_AT = 0.5
BARS = {"p99_ms_at_half": 25.0, "lost": 0}


def measure(say: Say, clients: int = CLIENTS, rounds: int = ROUNDS) -> Json:
    """Return how long posts take; some two minutes."""
    return asyncio.run(_measure(say, clients, rounds))


async def _measure(say: Say, clients: int, rounds: int) -> Json:
    async with stage(say, clients, CHANNELS) as on:
        return await _Trial(on, say).run(rounds)


class _Trial:
    """Capacity, then rounds of the three rates."""

    def __init__(self, on: Stage, say: Say) -> None:
        self._on = on
        self._say = say
        self._cells: dict[float, list[Json]] = {fraction: [] for fraction in FRACTIONS}
        self._times: dict[float, list[list[float]]] = {fraction: [] for fraction in FRACTIONS}

    async def run(self, rounds: int) -> Json:
        """Return all that is measured."""
        load, everybody = self._on.load, len(self._on.people)
        load.aim(self._on.targets(range(everybody, everybody + 1))[:AUTHORS])
        await load.run(Run(WARM_UP_S, WINDOW, until="seen"))
        capacities = [await self._capacity() for _ in range(3)]
        capacity = statistics.median(capacities)
        self._say(f"{capacity:.0f} posts a second reach {everybody} sockets")
        for number in range(rounds):
            for fraction in FRACTIONS:
                await self._cell(fraction, fraction * capacity)
            half = self._times[BAR_AT][-1]
            self._say(f"round {number + 1}: p99 at half of it {percentile(sorted(half), 0.99):.1f} ms")
        return self._result(capacity)

    async def _capacity(self) -> float:
        found = await self._on.load.run(Run(CAPACITY_S, WINDOW, until="seen"))
        return float(found["seen"] / found["seen_s"])

    async def _cell(self, fraction: float, rate: float) -> None:
        before = self._on.used_s()
        found = await self._on.load.run(Run(CELL_S, LINES, rate))
        used = spent(before, self._on.used_s())
        found["cores"] = sum(used.values()) / max(CELL_S, found["seen_s"])
        found["used"] = {tier: round(1e6 * seconds / found["acked"]) for tier, seconds in used.items()}
        self._cells[fraction].append(found)
        self._times[fraction].append(await self._on.load.times_ms())

    def _result(self, capacity: float) -> Json:
        cells = [cell for found in self._cells.values() for cell in found]
        result: Json = {
            "cores": cores(),
            "clients": len(self._on.people),
            "capacity_per_s": round(capacity, 1),
            "deliveries_per_s": round(capacity * len(self._on.people)),
            "at": {f"{fraction:.0%}": self._figures(fraction, fraction * capacity) for fraction in FRACTIONS},
            "cpu_us_per_post_at_half": self._cells[BAR_AT][-1]["used"],
            "lost": sum(cell["awaited"] - cell["seen"] for cell in cells),
            "repeated": sum(cell["repeats"] for cell in cells),
            "failures": sorted({cell["failure"] for cell in cells if cell["failed"]}),
            "bars": BARS,
        }
        half = result["at"][f"{BAR_AT:.0%}"]["p99"]
        is_whole = not (result["lost"] or result["repeated"] or result["failures"])
        return {**result, "ok": is_whole and half <= BARS["p99_ms_at_half"]}

    def _figures(self, fraction: float, rate: float) -> Json:
        rounds = [sorted(times) for times in self._times[fraction]]
        everything = sorted(time for times in rounds for time in times)
        return {
            "posts_per_s": round(rate, 1),
            "posts": len(everything),
            **{name: _median(rounds, share) for name, share in SHARES.items()},
            "pooled": {name: round(percentile(everything, share), 1) for name, share in SHARES.items()},
            "max": round(everything[-1], 1) if everything else 0.0,
            "cores_used": round(statistics.median(cell["cores"] for cell in self._cells[fraction]), 2),
        }


def _median(rounds: Sequence[Sequence[float]], share: float) -> float:
    return round(statistics.median(percentile(times, share) for times in rounds), 1)
