"""The front door of the command: help without loading anything, errors that say what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops.cli.main import VERBS, cli
from ops.setup.binaries import ROOT


def parley(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does."""
    program = [str(Path(sys.executable).parent / "parley"), *arguments]
    return subprocess.run(
        program, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", **environ}
    )


def test_help_names_every_verb_and_shows_how_to_begin() -> None:
    """A newcomer learns the first steps from it."""
    shown = CliRunner().invoke(cli, ["--help"])
    assert shown.exit_code == 0
    for name, _, line in VERBS:
        assert name in shown.output
        assert line.split(":")[0].split(";")[0] in shown.output
    assert "parley up " in shown.output


def test_help_loads_no_verb_and_nothing_heavy() -> None:
    """It must come at once: click is all that it needs."""
    code = (
        "import sys; sys.argv = ['parley', '--help']\n"
        "from ops.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "loaded = [name for name in ('grpc', 'aiohttp', 'rich', 'asyncio', 'ops.cli.up') if name in sys.modules]\n"
        "print('LOADED', loaded)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.splitlines()[-1] == "LOADED []"


@pytest.mark.parametrize("verb", ["up", "down", "status", "doctor"])
def test_every_verb_explains_itself_with_examples(verb: str) -> None:
    """Help teaches: what it does, how it is called, that programs can read it."""
    shown = CliRunner().invoke(cli, [verb, "--help"])
    assert shown.exit_code == 0
    assert "Examples:" in shown.output
    assert f"parley {verb}" in shown.output
    assert "--json" in shown.output


def test_no_verb_shows_the_help() -> None:
    """`parley` alone is a question."""
    ran = parley()
    assert ran.returncode == 0
    assert "First steps" in ran.stdout + ran.stderr


def test_a_mistyped_verb_is_wrong_usage() -> None:
    """Exit code 2, and the name that was not understood."""
    ran = parley("stauts")
    assert ran.returncode == 2
    assert "stauts" in ran.stderr


@pytest.mark.parametrize("verb", ["status", "down"])
def test_without_a_mesh_a_person_is_told_how_to_start_one(verb: str, tmp_path: Path) -> None:
    """No stack trace, exit code 1, and the next step."""
    ran = parley(verb, "--var", str(tmp_path))
    assert ran.returncode == 1
    assert "No mesh is running" in ran.stderr
    assert "parley up" in ran.stderr


def test_a_failure_is_json_for_programs(tmp_path: Path) -> None:
    """stdout holds one object, whatever happens."""
    ran = parley("status", "--var", str(tmp_path), "--json")
    assert ran.returncode == 1
    answer = json.loads(ran.stdout)
    assert answer["ok"] is False
    assert "No mesh is running" in answer["error"]


def test_doctor_looks_at_the_machine_without_a_mesh(tmp_path: Path) -> None:
    """Every finding that is not ok says what to do."""
    ran = parley("doctor", "--var", str(tmp_path), "--json")
    findings = json.loads(ran.stdout)["findings"]
    assert {"Python", "Consul", "MariaDB", "memcached", "open files", "disk"} <= {each["subject"] for each in findings}
    assert all(each["advice"] for each in findings if each["state"] != "ok")


def test_doctor_finds_a_consul_that_does_not_answer(tmp_path: Path) -> None:
    """A wrong address is a problem with an advice, not an exception."""
    ran = parley("doctor", "--var", str(tmp_path), "--json", PARLEY_CONSUL_ADDR="127.0.0.1:1")
    assert ran.returncode == 1
    (finding,) = [each for each in json.loads(ran.stdout)["findings"] if each["subject"] == "Consul answers"]
    assert finding["state"] == "problem"
    assert "PARLEY_CONSUL_ADDR" in finding["advice"]
