"""The gateway's fan-out loop in C, compiled where there is a compiler; elsewhere the gateway has it in Python."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from ops.setup import stamps
from ops.setup.console import CommandFailed, Console

SOURCE = Path("svc") / "gateway" / "fanout" / "_fanout.c"

_STAMP = Path(".local") / "fanout-loop"
_ASK = "import sysconfig; print(sysconfig.get_path('include'), sysconfig.get_config_var('EXT_SUFFIX'), sep='\\n')"
_FLAGS = (
    "-O2",
    "-g",
    "-Wall",
    "-Wextra",
    "-Wno-missing-field-initializers",
    "-Wno-unused-parameter",
    "-shared",
    "-fPIC",
)


def ensure_fanout_loop(root: Path, console: Console) -> None:
    """Compile the loop for the project's Python if it is missing or old. Where that fails it says so and returns."""
    venv = root / ".venv"
    inputs = {"source": (root / SOURCE).read_bytes(), "pyvenv.cfg": (venv / "pyvenv.cfg").read_bytes()}
    if stamps.is_fresh(root / _STAMP, inputs) and any((root / SOURCE).parent.glob("_fanout.*.so")):
        return
    console.begin("fan-out loop")
    ask = [str(venv / "bin" / "python"), "-c", _ASK]
    include, suffix = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.split()
    built = (root / SOURCE).with_suffix(suffix)
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None or not (Path(include) / "Python.h").is_file():
        built.unlink(missing_ok=True)
        console.done("in Python; with a C compiler and Python's headers it is some times faster")
        return
    fresh = built.with_name(f"{built.name}.new")
    try:
        console.run([compiler, *_FLAGS, f"-I{include}", str(root / SOURCE), "-o", str(fresh)], cwd=root)
    except CommandFailed as failed:
        built.unlink(missing_ok=True)
        console.done(f"in Python: {failed.output.splitlines()[0] if failed.output else failed}")
        return
    # A gateway that runs has the old file mapped: it is replaced, never written to.
    fresh.rename(built)
    stamps.write(root / _STAMP, inputs)
    console.done(built.name)
