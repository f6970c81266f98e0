"""When `.venv` has to be touched, decided from files alone."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from ops.setup import stamps
from ops.setup.binaries import ROOT
from ops.setup.console import Console
from ops.setup.environment import Environment

PYPROJECT = '[project]\nname = "parley"\ndependencies = ["click"]\n\n[tool.ruff]\nline-length = 120\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose environment is finished, with a `parley` that prints its arguments."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "requirements.txt").write_text("click==8\n")
    (tmp_path / "requirements-dev.txt").write_text("pytest==9\n")
    shutil.copy(ROOT / "parley", tmp_path / "parley")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "parley"):
        (programs / name).write_text('#!/bin/sh\necho "ran: $*"\n')
        (programs / name).chmod(0o755)
    inputs = {name: (tmp_path / name).read_bytes() for name in ("pyproject.toml", "requirements.txt")}
    stamps.write(tmp_path / ".venv" / ".parley", {**inputs, "root": f"{tmp_path}\n".encode()})
    return tmp_path


def ready(checkout: Path) -> bool:
    """Ask the environment whether there is anything to do."""
    environment = Environment(checkout, Console(checkout / "log"))
    return environment._is_ready(environment._inputs("requirements.txt"))


def test_a_finished_environment_needs_nothing(checkout: Path) -> None:
    """The second run looks at files only."""
    assert ready(checkout)


def test_a_changed_pin_needs_an_installation(checkout: Path) -> None:
    """requirements.txt is what was installed, to the letter."""
    (checkout / "requirements.txt").write_text("click==9\n")
    assert not ready(checkout)


def test_a_changed_lint_rule_needs_nothing(checkout: Path) -> None:
    """pyproject.toml is also the tools' file; only its installed parts count, and the stamp learns the new text."""
    text = PYPROJECT.replace("120", "100")
    (checkout / "pyproject.toml").write_text(text)
    assert ready(checkout)
    assert (checkout / ".venv" / ".parley" / "pyproject.toml").read_text() == text


def test_a_changed_dependency_needs_an_installation(checkout: Path) -> None:
    """The console script and the dependencies are installed from pyproject.toml."""
    (checkout / "pyproject.toml").write_text(PYPROJECT.replace("click", "rich"))
    assert not ready(checkout)


def test_a_run_that_was_cut_short_is_not_trusted(checkout: Path) -> None:
    """The mark is there from the first change to the last."""
    (checkout / ".venv" / ".parley-unfinished").touch()
    assert not ready(checkout)


def test_a_moved_checkout_is_not_trusted(checkout: Path) -> None:
    """The scripts of an environment name its old place."""
    moved = checkout.with_name("moved")
    checkout.rename(moved)
    assert not ready(moved)


def test_the_script_runs_the_command_without_setting_up_when_all_is_fresh(checkout: Path, tmp_path: Path) -> None:
    """./parley works from any folder and through a link, and hands its arguments on unchanged."""
    link = tmp_path / "link"
    link.symlink_to(checkout / "parley")
    ran = subprocess.run([link, "status", "a b"], capture_output=True, text=True, check=True, cwd="/")
    assert ran.stdout == "ran: status a b\n"


def test_the_script_is_executable_in_the_repository() -> None:
    """A fresh clone must be able to run it."""
    assert (ROOT / "parley").stat().st_mode & stat.S_IXUSR
    assert (ROOT / ".ci" / "run").stat().st_mode & stat.S_IXUSR


def test_no_registry_address_is_pinned() -> None:
    """Pins are names and versions; where packages come from is each machine's own business."""
    names = ("requirements.txt", "requirements-dev.txt", "requirements-slackclient.txt", "requirements-plots.txt")
    lines = [line for name in names for line in (ROOT / name).read_text().split("\n")]
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all("==" in pin and "://" not in pin for pin in pins)
    assert "resolved" not in (ROOT / "package-lock.json").read_text()
