"""Which processors a benchmark's server has and which the rest, and what a server has used of its own, from /proc."""

from __future__ import annotations

import os
import resource
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NS = 1e-9


@dataclass(frozen=True, slots=True)
class Cores:
    """One processor for the server that is measured, and those of everything else."""

    server: frozenset[int]
    rest: frozenset[int]

    @classmethod
    def of(cls, usable: Collection[int]) -> Cores:
        """Divide what may be used: the first is the server's. Where there is one alone, all share it."""
        first, *others = sorted(usable)
        return cls(frozenset({first}), frozenset(others or {first}))

    @property
    def are_apart(self) -> bool:
        """Whether the server has its processor to itself, as far as this benchmark goes."""
        return not self.server & self.rest


@contextmanager
def on(cores: Collection[int]) -> Iterator[None]:
    """Let this thread, and what it starts, run on these processors alone for the length of a block."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def move(pid: int, cores: Collection[int]) -> None:
    """Move a process, with all of its threads, to these processors."""
    for task in _tasks(pid):
        os.sched_setaffinity(int(task.name), cores)


def cpu_s(pids: Iterable[int]) -> float:
    """Return the processor seconds of processes and their children; of threads that live, which a server's do."""
    return sum(_cpu_ns(pid) for pid in pids) * NS


def raise_files_limit(wanted: int) -> int:
    """Let this process and what it starts have `wanted` files open, or as many as are allowed; return how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else soft


def _cpu_ns(pid: int) -> int:
    spent = 0
    for task in _tasks(pid):
        # On the processor, in nanoseconds: 10 ms, as stat has it, is too coarse for a measurement of half a second.
        spent += int((task / "schedstat").read_text().split()[0])
        spent += sum(map(_cpu_ns, map(int, (task / "children").read_text().split())))
    return spent


def _tasks(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").iterdir())
