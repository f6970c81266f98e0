"""A child process: started with a log, awaited until ready, ended in order, never left behind.

Children lead sessions of their own, so Ctrl-C in a terminal reaches the owner alone, which then stops them in order.
On Linux the kernel kills a child whose owner is gone (PR_SET_PDEATHSIG), so `kill -9` of the owner leaves nothing.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import pwd
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ops.local.errors import ProcessFailedError

PR_SET_PDEATHSIG = 1  # linux/prctl.h

# How often readiness is asked for: well under what a person notices, and cheap for what is asked.
PROBE_INTERVAL_S = 0.05

# How often a child that was told to hang is looked at: the kernel takes well under a millisecond, more under load.
FREEZE_POLL_S = 0.002

TAIL_LINES = 20
TAIL_BYTES = 16_384

# A log that has grown past this is set aside when its process starts; one older file is kept.
LOG_BYTES_MAX = 16 * 1024 * 1024

# How long the kernel may take to end a killed process before we stop believing in it.
KILL_TIMEOUT_S = 5.0

Ready = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Command:
    """How to run one child. `run_as` is a user name, used when we are root; "" keeps our own user.

    Ending it takes `stop_signal` and at most `stop_timeout_s` seconds, then SIGKILL.
    """

    name: str
    argv: tuple[str, ...]
    cwd: Path
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    run_as: str = ""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 10.0


class Process:
    """One run of a Command; to run it again, make another."""

    def __init__(self, command: Command, child: asyncio.subprocess.Process) -> None:
        self.command = command
        self.started_at = time.time()
        self._child = child
        self._is_stopping = False

    @property
    def name(self) -> str:
        """The command's name."""
        return self.command.name

    @property
    def pid(self) -> int:
        """The child's process id; stays after its end."""
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether the child has not ended yet."""
        return self._child.returncode is None

    @property
    def is_stopping(self) -> bool:
        """Whether its end was asked for here, so that it is no crash."""
        return self._is_stopping

    def signal(self, number: int) -> None:
        """Send a signal; nothing happens when the child has ended."""
        if self.is_running:
            self._child.send_signal(number)

    async def freeze(self) -> None:
        """Make the child hang (SIGSTOP), and return once every thread of it has: the kernel lets them go on a while."""
        self.signal(signal.SIGSTOP)
        while self.is_running and not _is_frozen(self.pid):
            await asyncio.sleep(FREEZE_POLL_S)

    async def wait(self) -> int:
        """Return the exit code once the child has ended; a signal's number, negated, when one ended it."""
        return await self._child.wait()

    async def ready(self, is_ready: Ready, timeout_s: float) -> None:
        """Return once `is_ready()` answers True.

        Raises ProcessFailedError, with the log's tail, when the child ends first or `timeout_s` pass.
        """
        deadline = time.monotonic() + timeout_s
        while not await is_ready():
            if not self.is_running:
                raise self.failure(f"ended {describe_exit(self._child.returncode or 0)} while starting")
            if time.monotonic() > deadline:
                raise self.failure(f"was not ready within {timeout_s:.0f} s")
            await asyncio.sleep(PROBE_INTERVAL_S)

    async def stop(self) -> None:
        """End the child: its stop signal, then SIGKILL past its time. Safe to call twice."""
        self._is_stopping = True
        if self.is_running:
            self.signal(self.command.stop_signal)
            try:
                await asyncio.wait_for(self.wait(), self.command.stop_timeout_s)
            except TimeoutError:
                await self.kill()

    async def kill(self) -> None:
        """End the child at once, and wait until it is gone."""
        self.kill_nowait()
        await asyncio.wait_for(self.wait(), KILL_TIMEOUT_S)

    def kill_nowait(self) -> None:
        """End the child, and its own children, without waiting."""
        self._is_stopping = True
        if self.is_running:
            os.killpg(self.pid, signal.SIGKILL)  # it leads a group of its own

    def failure(self, what: str) -> ProcessFailedError:
        """Return the error that says `what` went wrong, with the log's tail."""
        return ProcessFailedError(self.name, what, self.command.log, tail(self.command.log))


async def spawn(command: Command) -> Process:
    """Start a child with stdout and stderr appended to its log, and an empty stdin.

    Raises ProcessFailedError when the program cannot be run at all.
    """
    command.log.parent.mkdir(parents=True, exist_ok=True)
    _set_aside(command.log)
    with command.log.open("ab") as log:
        try:
            child = await asyncio.create_subprocess_exec(
                *command.argv,
                cwd=command.cwd,
                env={**os.environ, **command.env},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_child_setup(command.run_as),
            )
        except OSError as error:
            what = f"cannot be run ({command.argv[0]}: {error.strerror})"
            raise ProcessFailedError(command.name, what, command.log, "") from error
    return Process(command, child)


async def run_once(command: Command, timeout_s: float) -> None:
    """Run a child that does one thing and ends. Raises ProcessFailedError on a bad exit code or after `timeout_s`."""
    process = await spawn(command)
    try:
        code = await asyncio.wait_for(process.wait(), timeout_s)
    except TimeoutError:
        raise process.failure(f"did not end within {timeout_s:.0f} s") from None
    finally:
        if process.is_running:
            await process.kill()
    if code:
        raise process.failure(f"ended {describe_exit(code)}")


def describe_exit(code: int) -> str:
    """Return an exit code in words."""
    if code < 0:
        return f"by signal {signal.Signals(-code).name}"
    return f"with code {code}"


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log, read from its last 16 KB; "" when there is none."""
    try:
        with log.open("rb") as handle:
            handle.seek(max(0, log.stat().st_size - TAIL_BYTES))
            text = handle.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _is_frozen(pid: int) -> bool:
    """Return whether every thread of a process is stopped; where there is no /proc, believe the signal."""
    threads = Path(f"/proc/{pid}/task")
    if not threads.exists():
        return True
    states = []
    for thread in threads.iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            states.append((thread / "stat").read_text().rpartition(")")[2].split()[0])
    return all(state == "T" for state in states)


def _set_aside(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.rename(log.with_suffix(".log.1"))


def _child_setup(run_as: str) -> Callable[[], None] | None:
    """Return what a child does between fork and exec. Everything it needs is looked up before the fork.

    The user changes first: changing it clears the death signal. Source: prctl(2), PR_SET_PDEATHSIG.
    """
    account = pwd.getpwnam(run_as) if run_as else None
    groups = os.getgrouplist(account.pw_name, account.pw_gid) if account else []
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    owner = os.getpid()

    def set_up() -> None:
        if account is not None:
            os.setgroups(groups)
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != owner:  # the owner died before the line above: no signal will come
                os._exit(1)

    return set_up
