"""Remembering what is done: a stamp is a copy of what a step was made from, so that comparing it is exact and cheap.

`./parley` compares the same copies with `cmp`, which costs it 2 ms a file and no Python.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def is_fresh(stamp: Path, inputs: Mapping[str, bytes]) -> bool:
    """Say whether the step was finished with exactly these inputs (name to content)."""
    try:
        return all((stamp / name).read_bytes() == content for name, content in inputs.items())
    except OSError:
        return False


def write(stamp: Path, inputs: Mapping[str, bytes]) -> None:
    """Record that the step is finished. Atomic: a crash leaves the old stamp, none, or the new one."""
    fresh = stamp.with_name(f"{stamp.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, content in inputs.items():
        (fresh / name).write_bytes(content)
    clear(stamp)
    fresh.rename(stamp)


def clear(stamp: Path) -> None:
    """Forget that the step was ever finished; the first act of redoing it."""
    shutil.rmtree(stamp, ignore_errors=True)


@contextmanager
def exclusive(lock: Path, waiting: str) -> Iterator[int]:
    """Hold `lock` while setting up; a second run waits for the first, after printing `waiting`. Gives the descriptor.

    The kernel drops the lock with its holder, so a killed run never blocks the next one.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(waiting, file=sys.stderr, flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle.fileno()
