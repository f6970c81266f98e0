"""Python packages in a folder of their own, apart from the project's environment: installed once a set of pins."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ops.setup import stamps
from ops.setup.console import CommandFailed, Console, SetupError


@dataclass(frozen=True, slots=True)
class PipFolder:
    """What a folder holds: `requirements` pins all of it, `title` says it to people."""

    title: str
    requirements: str
    folder: Path


def ensure_pip_folder(root: Path, wanted: PipFolder, console: Console) -> None:
    """Install what is pinned, without what that depends on. Raises SetupError.

    Needs the project's environment, whose pip does it.
    """
    folder = root / wanted.folder
    stamp = folder / ".parley"
    inputs = {wanted.requirements: (root / wanted.requirements).read_bytes()}
    if stamps.is_fresh(stamp, inputs):
        return
    console.begin(wanted.title)
    # Begun anew, so that a half-finished earlier run leaves no trace.
    shutil.rmtree(folder, ignore_errors=True)
    pip = [".venv/bin/python", "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    what = ["--progress-bar=off", "--no-deps", "--target", str(wanted.folder), "-r", wanted.requirements]
    try:
        console.run([*pip, *what], cwd=root)
    except CommandFailed as failed:
        by_hand = f"cd {root} && {' '.join([*pip, *what])}"
        raise SetupError(f"pip could not install {wanted.title}:\n{failed.output}", [by_hand]) from failed
    stamps.write(stamp, inputs)
    console.done(str(wanted.folder))
