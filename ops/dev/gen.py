"""Generate Python from the contracts: `python -m ops.dev.gen`, and with `--check` say whether it is up to date.

Code is generated into a fresh folder each time, so a contract that went away takes its code with it.
"""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
GEN = PROTO / "gen"

# A drift report is read by a person who will run `make gen` anyway.
DIFF_LINES_MAX = 40


class GenerationError(Exception):
    """protoc refused a contract; the message is its own."""


def generate(target: Path) -> None:
    """Write the generated tree for every contract into `target`. Raises GenerationError."""
    sources = sorted(str(path.relative_to(PROTO)) for path in (PROTO / "parley").rglob("*.proto"))
    plugins = ("python", "grpc_python", "mypy", "mypy_grpc")
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}"]
    command += [f"--{plugin}_out={target}" for plugin in plugins]
    # protoc finds the mypy plugins on PATH; they sit beside this Python.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environ = {**os.environ, "PATH": path}
    ran = subprocess.run([*command, *sources], check=False, cwd=PROTO, env=environ, capture_output=True, text=True)
    if ran.returncode:
        raise GenerationError(ran.stderr)  # on success it holds a line a file, which nobody needs


def tree(folder: Path) -> dict[str, str]:
    """Return the generated files of a folder by their path."""
    files = sorted(path for path in folder.rglob("*.py*") if path.suffix in (".py", ".pyi"))
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files}


def drift(committed: dict[str, str], fresh: dict[str, str]) -> list[str]:
    """Return how the committed code differs from fresh code, as diff lines; empty when it does not."""
    lines: list[str] = []
    for name in sorted(committed.keys() | fresh.keys()):
        before, after = committed.get(name, ""), fresh.get(name, "")
        lines += difflib.unified_diff(
            before.splitlines(), after.splitlines(), f"committed/{name}", f"fresh/{name}", "", "", 0, ""
        )
    return lines


def main() -> int:
    """Generate, or compare; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="parley-gen-") as folder:
        fresh = Path(folder)
        try:
            generate(fresh)
        except GenerationError as error:
            print(error)
            return 1
        if "--check" not in sys.argv[1:]:
            shutil.rmtree(GEN / "parley", ignore_errors=True)
            shutil.copytree(fresh / "parley", GEN / "parley")
            return 0
        lines = drift(tree(GEN), tree(fresh))
    if lines:
        print("\n".join(lines[:DIFF_LINES_MAX]))
        print(f"Generated code is stale ({len(lines)} lines differ). Run: make gen")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
