"""Child processes: ready or explained, ended in order, never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from ops.local.errors import ProcessFailedError
from ops.local.process import LOG_BYTES_MAX, Command, Process, run_once, spawn, tail

STUBBORN = "trap '' TERM; echo deaf; while :; do sleep 0.05; done"


def shell(script: str, folder: Path, **options: float) -> Command:
    """Return a child that runs a shell script."""
    return Command("child", ("/bin/sh", "-c", script), folder, folder / "log" / "child.log", **options)  # type: ignore[arg-type]


async def said(process: Process, text: str) -> None:
    """Wait until the child has written something."""

    async def is_there() -> bool:
        return text in tail(process.command.log)

    await process.ready(is_there, 10.0)


def exists(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


async def gone(pid: int) -> bool:
    """Say whether a process ends within some seconds."""
    deadline = time.monotonic() + 10
    while exists(pid) and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    return not exists(pid)


async def test_output_goes_to_the_log(tmp_path: Path) -> None:
    """Both streams, in order, in a file that outlives the child."""
    await run_once(shell("echo one; echo two >&2", tmp_path), 10.0)
    assert tail(tmp_path / "log" / "child.log") == "one\ntwo"


async def test_a_child_that_ends_while_starting_shows_its_log(tmp_path: Path) -> None:
    """The reason is in the message, not in a file that one has to find."""
    process = await spawn(shell("echo no such table; exit 3", tmp_path))

    async def never() -> bool:
        return False

    with pytest.raises(ProcessFailedError, match=r"ended with code 3 while starting.*\n.*no such table"):
        await process.ready(never, 10.0)


async def test_a_child_that_is_not_ready_in_time_shows_its_log(tmp_path: Path) -> None:
    """A deadline ends the wait for a server that hangs."""
    process = await spawn(shell("echo thinking; sleep 60", tmp_path))
    await said(process, "thinking")

    async def never() -> bool:
        return False

    with pytest.raises(ProcessFailedError, match=r"was not ready within 0 s.*\n.*thinking"):
        await process.ready(never, 0.2)
    await process.kill()


async def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """A missing binary is a plain sentence."""
    command = Command("ghost", ("/no/such/program",), tmp_path, tmp_path / "ghost.log")
    with pytest.raises(ProcessFailedError, match=r"/no/such/program: No such file"):
        await spawn(command)


async def test_stopping_asks_first(tmp_path: Path) -> None:
    """A child that listens to SIGTERM ends by itself."""
    script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    process = await spawn(shell(script, tmp_path))
    await said(process, "up")
    await process.stop()
    assert await process.wait() == 0
    assert process.is_stopping
    assert "bye" in tail(process.command.log)


async def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    """Stopping never takes longer than its time."""
    process = await spawn(shell(STUBBORN, tmp_path, stop_timeout_s=0.2))
    await said(process, "deaf")
    await process.stop()
    assert await process.wait() == -signal.SIGKILL


async def test_killing_takes_the_childs_children_along(tmp_path: Path) -> None:
    """An installer's helpers do not outlive the installer."""
    process = await spawn(shell("sleep 60 & echo helper $!; wait", tmp_path))
    await said(process, "helper")
    helper = int(tail(process.command.log).split()[-1])
    await process.kill()
    assert await gone(helper)


async def test_ctrl_c_in_the_terminal_does_not_reach_a_child(tmp_path: Path) -> None:
    """Children lead groups of their own; their owner stops them in order."""
    process = await spawn(shell("sleep 60", tmp_path))
    assert os.getpgid(process.pid) != os.getpgid(0)
    await process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's own")
async def test_killing_the_owner_leaves_no_child(tmp_path: Path) -> None:
    """kill -9 gives the owner no time to clean up; the kernel does it."""
    code = (
        "import asyncio; from pathlib import Path; from ops.local.process import Command, spawn\n"
        "async def main():\n"
        f"    folder = Path({str(tmp_path)!r})\n"
        "    process = await spawn(Command('child', ('/bin/sleep', '60'), folder, folder / 'log'))\n"
        "    print(process.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert owner.stdout is not None
    pid = int(await owner.stdout.readline())
    assert exists(pid)
    owner.kill()
    await owner.wait()
    assert await gone(pid)


async def test_a_log_that_has_grown_too_large_is_set_aside(tmp_path: Path) -> None:
    """Logs are bounded: one older file is kept at a start."""
    log = tmp_path / "log" / "child.log"
    log.parent.mkdir()
    with log.open("wb") as handle:
        handle.truncate(LOG_BYTES_MAX + 1)
    await run_once(shell("echo fresh", tmp_path), 10.0)
    assert log.read_text() == "fresh\n"
    assert (tmp_path / "log" / "child.log.1").stat().st_size == LOG_BYTES_MAX + 1


def test_the_tail_of_a_missing_log_is_empty(tmp_path: Path) -> None:
    """A child that never started has nothing to say."""
    assert tail(tmp_path / "none.log") == ""
