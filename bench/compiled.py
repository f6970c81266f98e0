"""Programs in C of a benchmark, compiled when they are first run: measuring must cost less than what is measured."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from ops.local.errors import LocalError
from ops.setup.binaries import ROOT

SOURCES = Path(__file__).parent / "native"
BUILT = ROOT / ".local" / "bench" / "native"
FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror")


def compiled(name: str) -> Path:
    """Return the program that `native/<name>.c` makes, compiled anew whenever that or a header has changed. Raises
    LocalError.
    """
    source = SOURCES / f"{name}.c"
    digest = hashlib.sha256()
    for each in (source, *sorted(SOURCES.glob("*.h"))):
        digest.update(hashlib.sha256(each.read_bytes()).digest())
    program = BUILT / f"{name}-{digest.hexdigest()[:12]}"
    if program.exists():
        return program
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise LocalError("There is no C compiler.", "apt-get install gcc libc6-dev, or set CC.")
    BUILT.mkdir(parents=True, exist_ok=True)
    fresh = program.with_name(f".{program.name}.{os.getpid()}")
    done = subprocess.run([compiler, *FLAGS, str(source), "-o", str(fresh)], capture_output=True, text=True)
    if done.returncode:
        raise LocalError(f"{source.name} does not compile:\n{done.stderr}")
    fresh.rename(program)
    return program
