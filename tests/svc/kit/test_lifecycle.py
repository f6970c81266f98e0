"""No task outlives its block, and none dies unseen."""

import asyncio
import signal
import subprocess
import sys

import pytest

from svc.kit.errors import ResourceExhaustedError
from svc.kit.lifecycle import BackgroundFailure, Tasks, background


async def test_a_background_task_is_cancelled_and_awaited_when_its_block_ends() -> None:
    """Leaving the block is the end of the loop in it."""
    ended = asyncio.Event()

    async def loop() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.set()

    async with background("loop", loop()):
        await asyncio.sleep(0)
    assert ended.is_set()


@pytest.mark.parametrize("fails", [True, False])
async def test_a_background_task_that_ends_takes_its_block_with_it(fails: bool) -> None:
    """A tier without one of its loops only looks alive."""

    async def ends() -> None:
        await asyncio.sleep(0)
        if fails:
            raise ValueError("boom")

    with pytest.raises(BackgroundFailure, match="ends") as caught:
        async with background("ends", ends()):
            await asyncio.Event().wait()
    assert isinstance(caught.value.__cause__, ValueError) is fails


async def test_cancellation_from_outside_is_passed_on() -> None:
    """A cancelled owner stays cancelled: it is not taken for a background failure."""

    async def owner() -> None:
        async with background("idle", asyncio.Event().wait()):  # type: ignore[arg-type]
            await asyncio.Event().wait()

    task = asyncio.create_task(owner())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_tasks_are_bounded_and_end_with_their_block() -> None:
    """The limit is enforced, and leaving cancels what still runs."""
    async with Tasks("work", limit=2) as tasks:
        first = tasks.spawn(asyncio.sleep(60))
        tasks.spawn(asyncio.sleep(60))
        with pytest.raises(ResourceExhaustedError, match="2 tasks"):
            tasks.spawn(asyncio.sleep(0))
    assert first.cancelled()
    assert len(tasks) == 0


PROGRAM = """
import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from svc.kit.config import setting
from svc.kit.lifecycle import run, terminated

@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    '''A program.'''
    fail: bool = setting("FAIL", default=False, help="fail")
    slow: bool = setting("SLOW", default=False, help="never get up")

async def serve(config: Config) -> None:
    async with AsyncExitStack() as up:
        up.callback(print, "unwound", flush=True)
        if config.fail:
            raise RuntimeError("no luck")
        print("up", flush=True)
        if config.slow:
            await asyncio.sleep(60)
        await terminated()

run(serve, Config)
"""


@pytest.mark.parametrize("arguments", [[], ["--slow", "1"]], ids=["up", "still starting"])
def test_sigterm_unwinds_the_stack_and_exits_zero(arguments: list[str]) -> None:
    """Shutdown is start-up unwound, however far that had come."""
    with subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "unwound\n"
    assert process.returncode == 0


@pytest.mark.parametrize(("arguments", "status", "said"), [(["--fail", "1"], 1, "no luck"), (["--x"], 2, "--x is not")])
def test_exit_statuses_tell_failures_from_wrong_settings(arguments: list[str], status: int, said: str) -> None:
    """A supervisor restarts the one and not the other."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert said in done.stderr
