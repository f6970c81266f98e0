"""Many seeds on several cores: workers are started, their lines are read, their counts are added up."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from ops.sim.worker import CHUNK, HASH_SEED, VIOLATED, command


@dataclass(slots=True)
class Report:
    """What became of all seeds."""

    played: int = 0
    virtual_s: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    shown: list[Mapping[str, Any]] = field(default_factory=list)
    """The runs that failed, by seed; with a trace, all of them."""
    errors: list[str] = field(default_factory=list)
    """What workers said that ended in another way."""

    @property
    def failures(self) -> list[Mapping[str, Any]]:
        """The runs in which something was not true."""
        return [each for each in self.shown if each["invariant"]]

    @property
    def is_clean(self) -> bool:
        """Whether everything was true in every run."""
        return not self.failures and not self.errors


@dataclass(frozen=True, slots=True)
class Order:
    """What to play."""

    first: int
    count: int
    jobs: int = 1
    keeps_trace: bool = False
    stops: bool = False
    """At the first violation."""
    cwd: Path | None = None
    """The tree whose code is played; None: this one."""
    python_path: str = ""
    """What PYTHONPATH is for it; "": as here."""


def play(order: Order, on_progress: Callable[[int], None] = lambda _: None) -> Report:
    """Play the seeds; `on_progress` hears how many are done, from several threads."""
    report = Report()
    jobs = max(1, min(order.jobs, -(-order.count // CHUNK)))
    threads = [Thread(target=_work, args=(order, jobs, part, report, on_progress)) for part in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report.shown.sort(key=lambda line: int(line["seed"]))
    return report


def _work(order: Order, jobs: int, part: int, report: Report, on_progress: Callable[[int], None]) -> None:
    options = ["--of", str(jobs), "--part", str(part)]
    options += ["--trace"] if order.keeps_trace else []
    options += ["--stop"] if order.stops else []
    environ = os.environ | HASH_SEED | {"GRPC_ENABLE_FORK_SUPPORT": "0"}
    if order.python_path:
        environ["PYTHONPATH"] = order.python_path
    worker = subprocess.Popen(
        command(order.first, order.count, *options),
        cwd=order.cwd,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said: list[str] = []
    listener = Thread(target=lambda: said.extend(worker.stderr or ()))
    listener.start()
    for text in worker.stdout or ():
        line = json.loads(text)
        if "seed" in line:
            report.shown.append(line)
            continue
        report.played += line["played"]
        report.virtual_s += line["virtual_s"]
        report.counts.update(line["counts"])
        on_progress(report.played)
    listener.join()
    if worker.wait() not in (0, VIOLATED):
        report.errors.append("".join(said[-20:]) or f"a worker ended with {worker.returncode}")
