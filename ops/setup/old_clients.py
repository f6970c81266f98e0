"""Slack's first client for Python, which many old bots use: a folder of its own, because it needs an old library."""

from __future__ import annotations

from pathlib import Path

from ops.setup.console import Console
from ops.setup.pip_folders import PipFolder, ensure_pip_folder

REQUIREMENTS = "requirements-slackclient.txt"
FOLDER = Path(".local") / "slackclient"


def ensure_old_clients(root: Path, console: Console) -> None:
    """Install what REQUIREMENTS pins into FOLDER, to be put before others by PYTHONPATH. Raises SetupError.

    Needs the development environment, which has the rest of what the client needs.
    """
    ensure_pip_folder(root, PipFolder("Slack's first Python client", REQUIREMENTS, FOLDER), console)
