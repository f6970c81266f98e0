"""The project's own Python environment: `.venv` with the pinned packages and an editable install of the project."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from ops.setup import stamps
from ops.setup.console import CommandFailed, Console, SetupError
from ops.setup.debian import Apt
from ops.setup.platforms import install_commands

# The parts of pyproject.toml that an installation depends on; a changed lint rule reinstalls nothing.
INSTALL_SECTIONS = ("project", "build-system")

NETWORK_SIGNS = ("NewConnectionError", "ConnectTimeoutError", "name resolution", "Max retries exceeded", "ProxyError")


class Environment:
    """The state of `.venv`, and the way to make it right."""

    def __init__(self, root: Path, console: Console) -> None:
        self._root = root
        self._console = console
        self._venv = root / ".venv"
        self._stamp = self._venv / ".parley"
        self._dev_stamp = self._venv / ".parley-dev"
        # Present from the first change to the last: an environment found with it is not worth mending.
        self._unfinished = self._venv / ".parley-unfinished"

    def ensure(self, apt: Apt, *, dev: bool) -> None:
        """Make the environment match the pins. Costs two file comparisons when it does already.

        A run that was killed half-way is healed by starting over: pip's cache makes that quick. Raises SetupError.
        """
        runtime = self._inputs("requirements.txt")
        wanted = {**runtime, **self._inputs("requirements-dev.txt")}
        if self._is_ready(runtime) and (not dev or stamps.is_fresh(self._dev_stamp, wanted)):
            return
        self._console.begin("Python environment")
        self._create(apt)
        stamps.clear(self._stamp)
        stamps.clear(self._dev_stamp)
        self._pip("-r", "requirements.txt", *(("-r", "requirements-dev.txt") if dev else ()))
        self._pip("--no-deps", "--no-build-isolation", "--editable", ".")
        stamps.write(self._stamp, runtime)
        if dev:
            stamps.write(self._dev_stamp, wanted)
        self._unfinished.unlink()
        self._console.done(f".venv, Python {sys.version.split()[0]}{', with the development tools' if dev else ''}")

    def _inputs(self, requirements: str) -> dict[str, bytes]:
        """What an installation is made from; the folder counts, because a moved `.venv` has dead scripts."""
        return {
            "root": str(self._root).encode() + b"\n",
            "pyproject.toml": (self._root / "pyproject.toml").read_bytes(),
            requirements: (self._root / requirements).read_bytes(),
        }

    def _is_ready(self, inputs: Mapping[str, bytes]) -> bool:
        if not (self._venv / "bin" / "parley").is_file() or self._unfinished.exists():
            return False
        if stamps.is_fresh(self._stamp, inputs):
            return True
        return self._differs_only_in_tools(inputs)

    def _differs_only_in_tools(self, inputs: Mapping[str, bytes]) -> bool:
        """Accept a pyproject.toml whose installed parts are the same, and remember it as it is now."""
        others = {name: content for name, content in inputs.items() if name != "pyproject.toml"}
        if not stamps.is_fresh(self._stamp, others):
            return False
        try:
            before = tomllib.loads((self._stamp / "pyproject.toml").read_text())
        except (OSError, tomllib.TOMLDecodeError):
            return False
        now = tomllib.loads(inputs["pyproject.toml"].decode())
        if any(before.get(name) != now.get(name) for name in INSTALL_SECTIONS):
            return False
        if before.get("tool", {}).get("hatch") != now.get("tool", {}).get("hatch"):
            return False
        stamps.write(self._stamp, inputs)
        return True

    def _create(self, apt: Apt) -> None:
        if self._is_usable():
            self._unfinished.touch()
            return
        shutil.rmtree(self._venv, ignore_errors=True)
        if importlib.util.find_spec("ensurepip") is None:
            self._install_venv_module(apt)
        self._venv.mkdir(exist_ok=True)
        self._unfinished.touch()
        try:
            self._console.run([sys.executable, "-m", "venv", str(self._venv)])
        except CommandFailed as failed:
            shutil.rmtree(self._venv, ignore_errors=True)
            commands = install_commands(["python3-venv"])
            raise SetupError(f"Python cannot make a virtual environment:\n{failed.output}", commands) from failed

    def _install_venv_module(self, apt: Apt) -> None:
        reason = "This Python has no venv module (on Debian a package of its own)."
        apt.install(["python3-venv"], reason, install_commands(["python3-venv"]))

    def _is_usable(self) -> bool:
        python = self._venv / "bin" / "python"
        if self._unfinished.exists() or not python.exists() or self._was_made_elsewhere():
            return False
        probe = [str(python), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0

    def _was_made_elsewhere(self) -> bool:
        root = self._stamp / "root"
        return root.is_file() and root.read_text().strip() != str(self._root)

    def _pip(self, *arguments: str) -> None:
        python = str(self._venv / "bin" / "python")
        command = [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar=off"]
        try:
            self._console.run([*command, *arguments], cwd=self._root)
        except CommandFailed as failed:
            network = any(sign in failed.output for sign in NETWORK_SIGNS)
            lines = [line for line in failed.tail if not line.startswith("WARNING: Retrying")]
            why = "The Python package index cannot be reached; is there a network?" if network else "pip failed:"
            by_hand = f"cd {self._root} && .venv/bin/python -m pip install {' '.join(arguments)}"
            raise SetupError("\n".join([why, *lines]), [by_hand]) from failed
