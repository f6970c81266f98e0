"""What comes through npm, pinned by package-lock.json: buf for the contracts, Slack's clients for tests of them."""

from __future__ import annotations

import shutil
from pathlib import Path

from ops.setup import stamps
from ops.setup.console import CommandFailed, Console, SetupError
from ops.setup.debian import Apt
from ops.setup.platforms import install_commands


def ensure_node_packages(root: Path, apt: Apt, console: Console) -> None:
    """Install into node_modules what is not there as pinned. Raises SetupError."""
    stamp = root / "node_modules" / ".parley"
    inputs = {name: (root / name).read_bytes() for name in ("package.json", "package-lock.json")}
    if stamps.is_fresh(stamp, inputs) and (root / "node_modules" / ".bin" / "buf").exists():
        return
    console.begin("Node.js packages")
    by_hand = install_commands(["npm"])
    if shutil.which("npm") is None:
        apt.install(["npm"], "npm is missing; it brings what the tests need of Node.js.", by_hand)
    try:
        # ci starts from nothing, so a half-finished earlier run leaves no trace. None of the packages needs its install
        # script; buf's saves a few milliseconds a call.
        console.run(["npm", "ci", "--ignore-scripts", "--no-progress"], cwd=root)
        console.run([str(root / "node_modules" / ".bin" / "buf"), "--version"], cwd=root)
    except CommandFailed as failed:
        raise SetupError(
            f"npm could not install what the tests need:\n{failed.output}", [f"cd {root} && npm ci"]
        ) from failed
    stamps.write(stamp, inputs)
    console.done("node_modules")
