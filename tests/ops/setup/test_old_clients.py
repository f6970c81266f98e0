"""When Slack's first client has to be installed, and with what: decided from files, done by a pip that is not real."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.setup.console import Console, SetupError
from ops.setup.old_clients import FOLDER, REQUIREMENTS, ensure_old_clients

PIP = '#!/bin/sh\nmkdir -p .local/slackclient\necho "$*" >> runs\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with pins, and a Python that writes down what it is run with."""
    (tmp_path / REQUIREMENTS).write_text("slackclient==1\n")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PIP)
    python.chmod(0o755)
    return tmp_path


def runs(checkout: Path) -> int:
    """Install, and return how often pip has run."""
    ensure_old_clients(checkout, Console(checkout / "log"))
    return len((checkout / "runs").read_text().splitlines())


def test_it_is_installed_once_and_again_when_a_pin_changes(checkout: Path) -> None:
    """What another version left is gone before."""
    assert [runs(checkout), runs(checkout)] == [1, 1]
    (checkout / FOLDER / "left.py").touch()
    (checkout / REQUIREMENTS).write_text("slackclient==2\n")
    assert [runs(checkout), runs(checkout)] == [2, 2]
    assert not (checkout / FOLDER / "left.py").exists()
    assert "--no-deps --target .local/slackclient" in (checkout / "runs").read_text()


def test_a_failure_says_what_to_do_by_hand(checkout: Path) -> None:
    """And leaves nothing that would pass for an installation."""
    (checkout / ".venv" / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(SetupError) as refused:
        ensure_old_clients(checkout, Console(checkout / "log"))
    assert REQUIREMENTS in str(refused.value.commands[0])
    assert not (checkout / FOLDER / ".parley").exists()
