"""What comes through npm, pinned by package-lock.json: buf for the contracts, Slack's clients for tests of them."""

from __future__ import annotations

from pathlib import Path

from ops.setup import stamps
from ops.setup.console import CommandFailed, Console, SetupError
from ops.setup.node import ensure_node


def ensure_node_packages(root: Path, console: Console) -> None:
    """Install into node_modules what is not there as pinned. Raises SetupError."""
    stamp = root / "node_modules" / ".parley"
    inputs = {name: (root / name).read_bytes() for name in ("package.json", "package-lock.json")}
    if stamps.is_fresh(stamp, inputs) and (root / "node_modules" / ".bin" / "buf").exists():
        return
    node = ensure_node(root, console)
    console.begin("Node.js packages")
    try:
        # ci starts from nothing, so a half-finished earlier run leaves no trace. None of the packages needs its install
        # script; buf's saves a few milliseconds a call.
        console.run([*node.npm, "ci", "--ignore-scripts", "--no-progress"], cwd=root, env=node.environ)
        console.run([str(root / "node_modules" / ".bin" / "buf"), "--version"], cwd=root, env=node.environ)
    except CommandFailed as failed:
        raise SetupError(
            f"npm could not install what the tests need:\n{failed.output}", [f"cd {root} && npm ci"]
        ) from failed
    stamps.write(stamp, inputs)
    console.done("node_modules")
