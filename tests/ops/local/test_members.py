"""Supervision: a child that ends by itself comes back, one that was stopped does not."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.local.errors import LocalError
from ops.local.members import Members
from ops.local.process import Command
from svc.kit.lifecycle import Tasks


class Sleeper:
    """A server that is ready at once and does nothing."""

    ready_timeout_s = 5.0

    def __init__(self, folder: Path, name: str = "sleeper") -> None:
        self.name = name
        self._folder = folder

    async def prepare(self) -> None:
        """Nothing to make."""

    def command(self) -> Command:
        """Sleep."""
        return Command(self.name, ("/bin/sleep", "60"), self._folder, self._folder / "log")

    async def is_ready(self) -> bool:
        """Always."""
        return True


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for a condition, some seconds at most."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.02)


async def test_a_crashed_child_is_restarted_and_said_so(tmp_path: Path) -> None:
    """A person sees what happened, and the mesh goes on."""
    said: list[str] = []
    async with Tasks("test", 10) as tasks:
        members = Members(tasks, said.append, lambda: None, supervise=True)
        members.enlist(Sleeper(tmp_path))
        await members.launch("sleeper")
        first = members.pids()["sleeper"]
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: members.pids()["sleeper"] != first)
        await members.stop(["sleeper"])
    assert any("sleeper ended by signal SIGKILL" in line for line in said)
    assert any("being restarted" in line for line in said)


async def test_a_stopped_child_stays_stopped(tmp_path: Path) -> None:
    """What a person stops is no crash."""
    said: list[str] = []
    async with Tasks("test", 10) as tasks:
        members = Members(tasks, said.append, lambda: None, supervise=True)
        members.enlist(Sleeper(tmp_path))
        await members.launch("sleeper")
        await members.stop(["sleeper"])
        await eventually(lambda: len(tasks) == 0)
    assert members.process("sleeper") is None
    assert said == [line for line in said if "is ready" in line]


async def test_without_supervision_a_dead_child_stays_dead(tmp_path: Path) -> None:
    """Tests kill things to see what happens without them."""
    async with Tasks("test", 10) as tasks:
        members = Members(tasks, lambda _: None, lambda: None, supervise=False)
        members.enlist(Sleeper(tmp_path))
        await members.launch("sleeper")
        members.kill_all()
        await eventually(lambda: members.process("sleeper") is None)
        await members.launch("sleeper")
        assert members.process("sleeper") is not None
        with pytest.raises(LocalError, match="is running"):
            await members.launch("sleeper")
        await members.stop(["sleeper"])


async def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    """A typing mistake is corrected by the message."""
    async with Tasks("test", 10) as tasks:
        members = Members(tasks, lambda _: None, lambda: None, supervise=False)
        members.enlist(Sleeper(tmp_path, "channel-az1-1"))
        with pytest.raises(LocalError, match=r"no chanel.*channel-az1-1"):
            await members.launch("chanel")
