"""`parley up` as a process: it comes up, it goes down, and however it dies nothing of it is left."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from ops.local import state
from ops.local.spec import TIERS

pytestmark = pytest.mark.mesh

PROGRAM = str(Path(sys.executable).parent / "parley")
NO_TIERS = [option for tier in TIERS for option in (f"--{tier}", "0")]
FREE_PORTS = ["--http-port", "0", "--ws-port", "0", "--consul-port", "0"]


@contextmanager
def up(var: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Start a mesh without tiers; yield its process and what it said once it was up."""
    argv = [PROGRAM, "up", *NO_TIERS, *FREE_PORTS, "--var", str(var), "--json", *options]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def children(var: Path) -> list[int]:
    """Return the process ids of a running mesh."""
    found = state.load(var)
    assert found is not None
    return list(found.children.values())


def all_gone(pids: list[int], within_s: float = 10.0) -> bool:
    """Say whether processes end within some seconds; zombies count as gone."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not any(_is_alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def _is_alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_in_order(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C, a service manager's TERM, and a closed terminal all end it cleanly."""
    with up(tmp_path) as (process, facts):
        assert facts["ok"]
        pids = children(tmp_path)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 0
        assert said.index("memcached stopped") < said.index("mariadb stopped") < said.index("consul stopped")
        assert all_gone(pids, within_s=0.5)
        assert not (tmp_path / "mesh.json").exists()


def test_kill_9_leaves_nothing_running(tmp_path: Path) -> None:
    """The kernel takes the children along, and the next start finds a usable folder."""
    with up(tmp_path) as (process, _):
        pids = children(tmp_path)
        assert len(pids) == 3
        process.kill()
        assert all_gone(pids)
    with up(tmp_path) as (_, facts):
        assert facts["ok"]


def test_a_signal_during_the_start_stops_it(tmp_path: Path) -> None:
    """Nobody has to wait for a start that they do not want."""
    argv = [PROGRAM, "up", *NO_TIERS, *FREE_PORTS, "--var", str(tmp_path)]
    process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert any("is ready" in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Everything is stopped." in said
    assert not state.is_locked(tmp_path)


def test_a_second_signal_kills(tmp_path: Path) -> None:
    """An impatient person is obeyed, and still nothing is left."""
    with up(tmp_path) as (process, _):
        pids = children(tmp_path)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert any("once more to kill it" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) in (0, 130)
        assert all_gone(pids)


def test_status_doctor_and_down_find_the_mesh_by_its_folder(tmp_path: Path) -> None:
    """The three verbs of a second terminal."""

    def verb(name: str) -> tuple[int, dict[str, Any]]:
        argv = [PROGRAM, name, "--var", str(tmp_path), "--json"]
        ran = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        return ran.returncode, json.loads(ran.stdout)

    with up(tmp_path) as (process, facts):
        code, seen = verb("status")
        assert code == 1  # a mesh without tiers is not a healthy one, and says which are absent
        assert seen["absent"] == [tier for tier in TIERS if tier != "search"]
        assert seen["without"] == ["search"]  # nothing is found, and all else goes on
        assert seen["instances"] == facts["instances"]
        code, seen = verb("doctor")
        assert code == 0
        assert {"Consul answers", "memcached answers", "clock"} <= {each["subject"] for each in seen["findings"]}
        pids = children(tmp_path)
        code, seen = verb("down")
        assert code == 0
        assert seen["pid"] == process.pid
        assert not seen["killed"]
        assert all_gone(pids, within_s=0.5)


def test_a_crashed_server_is_restarted(tmp_path: Path) -> None:
    """`parley up` looks after its children, and other commands see the new process."""
    with up(tmp_path):
        before = state.load(tmp_path)
        assert before is not None
        subprocess.run(["kill", "-9", str(before.children["memcached-az1-1"])], check=True)
        deadline = time.monotonic() + 15
        while (now := state.load(tmp_path)) is None or now.children == before.children:
            assert time.monotonic() < deadline, "it was not restarted"
            time.sleep(0.05)
        assert now.memcached_addrs == before.memcached_addrs


def test_it_ends_with_the_address_for_a_browser_and_who_one_can_be(tmp_path: Path) -> None:
    """What somebody reads who has typed `make run`: they open the address, and are one of the demo's people."""
    argv = [PROGRAM, "up", *NO_TIERS, "--webapp", "1", *FREE_PORTS, "--var", str(tmp_path)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if opened := re.match(r"Open (http://\S+/) and be ada or grace or linus: no password is needed\.", line):
                break
        else:
            raise AssertionError(said)
        assert f"Browser    {opened[1]}\n" in said
        with urlopen(f"{opened[1]}web/session", timeout=30) as answer:
            session = json.load(answer)
        assert [each["name"] for each in session["demo_users"]] == ["ada", "grace", "linus"]
    finally:
        process.kill()
        process.communicate()
