"""What processes of a mesh have used: seconds of processor time, and memory, from /proc."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from ops.local.mesh import Mesh

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
KIB = 1024
TIERS = ("webapp", "admin", "channel", "gateway", "presence", "edge")


def cpu_s(mesh: Mesh, names: Iterable[str]) -> float:
    """Return the processor seconds, user and system, of these members since they started, all threads together."""
    return sum(pid_cpu_s(_pid(mesh, name)) for name in names)


def pid_cpu_s(pid: int) -> float:
    """Return the processor seconds of a process since it started."""
    return _cpu_ticks(pid) / TICKS_PER_S


def rss_bytes(mesh: Mesh, name: str) -> int:
    """Return how much memory of a member is resident."""
    return pid_rss_bytes(_pid(mesh, name))


def pid_rss_bytes(pid: int) -> int:
    """Return how much memory of a process is resident."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * KIB


class TierMeter:
    """How many processors each tier uses, the gateway that dies apart, and the clients. MariaDB is not among them."""

    def __init__(self, mesh: Mesh, victim: str, client_pids: Sequence[int]) -> None:
        """Begin now. `victim`: the member that is left out."""
        self._mesh = mesh
        self._victim = victim
        self._client_pids = client_pids
        self._at = time.monotonic()
        self._used = self._read()

    def cores(self) -> dict[str, float]:
        """Return what was used since the last time, in processors."""
        used, now = self._read(), time.monotonic()
        passed_s, self._at = now - self._at, now
        found = {name: round((spent - self._used[name]) / passed_s, 2) for name, spent in used.items()}
        self._used = used
        return found

    def _read(self) -> dict[str, float]:
        names = {tier: [name for name in self._mesh.names(tier) if name != self._victim] for tier in TIERS}
        used = {tier: cpu_s(self._mesh, members) for tier, members in names.items()}
        bench_s = time.process_time()
        return {**used, "clients": sum(map(pid_cpu_s, self._client_pids)), "watchers_and_readers": bench_s}


def _cpu_ticks(pid: int) -> int:
    # The name, in brackets, may hold anything; utime and stime are the 12th and 13th after it (proc(5)).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _pid(mesh: Mesh, name: str) -> int:
    process = mesh.process(name)
    if process is None:
        raise RuntimeError(f"{name} does not run")
    return process.pid
