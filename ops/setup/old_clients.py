"""Slack's first client for Python, which many old bots use: a folder of its own, because it needs an old library."""

from __future__ import annotations

import shutil
from pathlib import Path

from ops.setup import stamps
from ops.setup.console import CommandFailed, Console, SetupError

REQUIREMENTS = "requirements-slackclient.txt"
FOLDER = Path(".local") / "slackclient"


def ensure_old_clients(root: Path, console: Console) -> None:
    """Install what REQUIREMENTS pins into FOLDER, to be put before others by PYTHONPATH. Raises SetupError.

    Needs the development environment, whose pip does it and which has the rest of what the client needs.
    """
    folder = root / FOLDER
    stamp = folder / ".parley"
    inputs = {REQUIREMENTS: (root / REQUIREMENTS).read_bytes()}
    if stamps.is_fresh(stamp, inputs):
        return
    console.begin("Slack's first Python client")
    # Begun anew, so that a half-finished earlier run leaves no trace.
    shutil.rmtree(folder, ignore_errors=True)
    pip = [
        ".venv/bin/python",
        "-m",
        "pip",
        "install",
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar=off",
    ]
    command = [*pip, "--no-deps", "--target", str(FOLDER), "-r", REQUIREMENTS]
    try:
        console.run(command, cwd=root)
    except CommandFailed as failed:
        raise SetupError(
            f"pip could not install Slack's first client:\n{failed.output}", [f"cd {root} && {' '.join(command)}"]
        ) from failed
    stamps.write(stamp, inputs)
    console.done(str(FOLDER))
