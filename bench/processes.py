"""What processes of a mesh have used: seconds of processor time, and memory, from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ops.local.mesh import Mesh

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
KIB = 1024


def cpu_s(mesh: Mesh, names: Iterable[str]) -> float:
    """Return the processor seconds, user and system, of these members since they started, all threads together."""
    return sum(pid_cpu_s(_pid(mesh, name)) for name in names)


def pid_cpu_s(pid: int) -> float:
    """Return the processor seconds of a process since it started."""
    return _cpu_ticks(pid) / TICKS_PER_S


def rss_bytes(mesh: Mesh, name: str) -> int:
    """Return how much memory of a member is resident."""
    status = Path(f"/proc/{_pid(mesh, name)}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * KIB


def _cpu_ticks(pid: int) -> int:
    # The name, in brackets, may hold anything; utime and stime are the 12th and 13th after it (proc(5)).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _pid(mesh: Mesh, name: str) -> int:
    process = mesh.process(name)
    if process is None:
        raise RuntimeError(f"{name} does not run")
    return process.pid
