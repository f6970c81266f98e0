"""Pure: from what was measured in rounds to the figures of `bench.fanout`, and whether they are what they should be."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

FLOOR = "floor"
OURS = "parley"

BARS = {
    "with_1_in_flight": {"ratio_cpu": 0.9, "ratio_wall": 0.7},
    "with_64_in_flight": {"ratio_cpu": 5.0, "ratio_wall": 5.0},
    "ahead_of_every_peer": True,
}
"""For ours, as a multiple of the floor in the same window; and the other peers in every window, by both figures."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One server, measured for a moment."""

    server: str
    sockets: int
    window: int
    round: int
    deliveries: int
    wall_s: float
    cpu_s: float
    """Of the server's processes."""
    behind_s: float = 0.0
    """Of processes that the server needs, which are not on its processor: for ours the channel server."""

    @property
    def per_s(self) -> float:
        """Deliveries a second by wall clock."""
        return self.deliveries / self.wall_s

    @property
    def per_cpu_s(self) -> float:
        """Deliveries a second of the server's processor time."""
        return self.deliveries / self.cpu_s


def figures(
    cells: Iterable[Cell], windows: Sequence[int] = (), unmeasured: Mapping[tuple[int, str], str] = MappingProxyType({})
) -> dict[str, Any]:
    """Return sockets -> window -> server -> medians. Ratios are medians of those to the floor of the same round.

    `unmeasured`: of numbers of sockets and servers, why there are no figures in some of these `windows`, or of some
    rounds alone; it is told as `failed` in their rows.
    """
    groups: dict[tuple[int, int, str], list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[cell.sockets, cell.window, cell.server].append(cell)
    found: dict[str, Any] = {}
    for (sockets, window, server), rounds in groups.items():
        floor = {cell.round: cell for cell in groups.get((sockets, window, FLOOR), ())}
        found.setdefault(str(sockets), {}).setdefault(str(window), {})[server] = _figures(rounds, floor)
    for (sockets, server), why in unmeasured.items():
        for window in windows:
            row = found.setdefault(str(sockets), {}).setdefault(str(window), {}).setdefault(server, {})
            row["failed"] = why
    return found


def _figures(rounds: Sequence[Cell], floor: Mapping[int, Cell]) -> dict[str, Any]:
    pairs = [(cell, floor[cell.round]) for cell in rounds if cell.round in floor]
    told: dict[str, Any] = {
        "per_s": round(statistics.median(cell.per_s for cell in rounds)),
        "per_cpu_s": round(statistics.median(cell.per_cpu_s for cell in rounds)),
        "core_used": round(statistics.median(cell.cpu_s / cell.wall_s for cell in rounds), 2),
        "rounds": len(rounds),
    }
    if any(cell.behind_s for cell in rounds):
        told["behind_used"] = round(statistics.median(cell.behind_s / cell.wall_s for cell in rounds), 2)
        whole = [cell.deliveries / (cell.cpu_s + cell.behind_s) for cell in rounds]
        told["per_cpu_s_with_behind"] = round(statistics.median(whole))
    if pairs:
        told["ratio_wall"] = round(statistics.median(cell.per_s / below.per_s for cell, below in pairs), 2)
        told["ratio_cpu"] = round(statistics.median(cell.per_cpu_s / below.per_cpu_s for cell, below in pairs), 2)
    return told


def misses(found: Mapping[str, Any], rounds: int = 0) -> list[str]:
    """Return the bars that ours misses, in words; none when all is well. Fewer `rounds` than these are no figure."""
    said = []
    for sockets, windows in found.items():
        for window, servers in windows.items():
            where = f"{sockets} sockets, {window} in flight"
            ours = servers.get(OURS)
            if ours is None or "per_s" not in ours:
                said.append(f"{where}: ours was not measured")
                continue
            said += [
                f"{where}: {server} has {row['rounds']} rounds of {rounds}"
                for server, row in servers.items()
                if row.get("rounds", rounds) < rounds
            ]
            for figure, least in _least(window).items():
                if ours.get(figure, 0.0) < least:
                    said.append(f"{where}: {figure} {ours.get(figure)} < {least}")
            for peer, theirs in servers.items():
                if peer not in (OURS, FLOOR) and "per_s" in theirs:
                    said += [f"{where}: {peer} has {each}" for each in _ahead(theirs, ours)]
    return said


def _least(window: str) -> Mapping[str, float]:
    least = BARS.get(f"with_{window}_in_flight", {})
    return least if isinstance(least, dict) else {}


def _ahead(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    """Return by which figures they are ahead of us."""
    return [f"{name} {theirs[name]}, ours {ours[name]}" for name in ("per_s", "per_cpu_s") if theirs[name] > ours[name]]
