"""What is in C, compiled where there is a compiler; elsewhere its twin in Python does the same."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ops.setup import stamps
from ops.setup.console import CommandFailed, Console


@dataclass(frozen=True, slots=True)
class Part:
    """One extension: its name, its source in the checkout, beside which its headers are, and what is lost without."""

    name: str
    source: Path
    without: str

    @property
    def stamp(self) -> Path:
        """Where it is written down what it was made of."""
        return Path(".local") / self.name.replace(" ", "-")


PARTS = (
    Part(
        "fan-out loop",
        Path("svc/gateway/fanout/_fanout.c"),
        "with a C compiler and Python's headers it is some times faster",
    ),
    Part(
        "channel rows",
        Path("svc/channel/rows/_rows.c"),
        "with a C compiler and Python's headers they are eight times smaller",
    ),
)

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


def ensure_native_parts(root: Path, console: Console) -> None:
    """Compile the parts that are missing or old for the project's Python. Where that fails it says so and returns."""
    for part in PARTS:
        _ensure(part, root, console)


def _ensure(part: Part, root: Path, console: Console) -> None:
    venv, source = root / ".venv", root / part.source
    read = sorted([source, *source.parent.glob("*.h")])
    inputs = {each.name: each.read_bytes() for each in (*read, venv / "pyvenv.cfg")}
    if stamps.is_fresh(root / part.stamp, inputs) and any(source.parent.glob(f"{source.stem}.*.so")):
        return
    console.begin(part.name)
    ask = [str(venv / "bin" / "python"), "-c", _ASK]
    include, suffix = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.split()
    built = source.with_suffix(suffix)
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None or not (Path(include) / "Python.h").is_file():
        built.unlink(missing_ok=True)
        console.done(f"in Python; {part.without}")
        return
    fresh = built.with_name(f"{built.name}.new")
    try:
        console.run([compiler, *_FLAGS, f"-I{include}", str(source), "-o", str(fresh)], cwd=root)
    except CommandFailed as failed:
        built.unlink(missing_ok=True)
        console.done(f"in Python: {failed.output.splitlines()[0] if failed.output else failed}")
        return
    # A process that runs has the old file mapped: it is replaced, never written to.
    fresh.rename(built)
    stamps.write(root / part.stamp, inputs)
    console.done(built.name)
