"""The children of a mesh: started, watched, restarted after a crash, stopped in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ops.local.errors import LocalError
from ops.local.process import Process, describe_exit
from ops.local.server import Server, start
from svc.kit.backoff import Backoff
from svc.kit.lifecycle import Tasks

Progress = Callable[[str], None]
"""Takes one line for a person about what just happened."""

# A child that crashes is tried again after at most a second, later at most every 30 s.
RESTART_BASE_S = 1.0
RESTART_CAP_S = 30.0

# One that ran for this long was healthy: its next crash counts as its first.
HEALTHY_S = 60.0


@dataclass(slots=True)
class Member:
    """A server, and its process: None before its first start and while it is stopped; it may have ended by itself."""

    server: Server
    backoff: Backoff
    process: Process | None = None


class Members:
    """Every child of a mesh by name. With `supervise`, one that ends by itself is started again."""

    def __init__(self, tasks: Tasks, progress: Progress, changed: Callable[[], None], *, supervise: bool) -> None:
        self._tasks = tasks
        self._progress = progress
        self._changed = changed
        self._supervise = supervise
        self._members: dict[str, Member] = {}

    def enlist(self, server: Server) -> None:
        """Take a server in, without starting it."""
        self._members[server.name] = Member(server, Backoff(RESTART_BASE_S, RESTART_CAP_S))

    def names(self) -> list[str]:
        """Return all names, in the order of enlisting."""
        return list(self._members)

    def server(self, name: str) -> Server:
        """Return a server by name. Raises LocalError."""
        return self._member(name).server

    def process(self, name: str) -> Process | None:
        """Return a member's process while it runs. Raises LocalError on an unknown name."""
        process = self._member(name).process
        return process if process is not None and process.is_running else None

    def pids(self) -> dict[str, int]:
        """Return the process ids of those that run."""
        return {name: member.process.pid for name, member in self._members.items() if member.process is not None}

    async def launch(self, name: str) -> None:
        """Start a member, return once it is ready, and watch it from then on. Raises LocalError."""
        member = self._member(name)
        if self.process(name) is not None:
            raise LocalError(f"{name} is running.")
        began = time.monotonic()
        member.process = await start(member.server)
        self._progress(f"{name} is ready ({time.monotonic() - began:.1f} s)")
        self._changed()
        if self._supervise:
            self._tasks.spawn(self._watch(member, member.process), name=f"watch {name}")

    async def stop(self, names: Iterable[str]) -> None:
        """Stop members together and leave them stopped. Those that do not run are left alone."""
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(self._stop(self._member(name)))
        self._changed()

    def kill_all(self) -> None:
        """Kill every child without waiting."""
        for member in self._members.values():
            if member.process is not None:
                member.process.kill_nowait()

    async def _stop(self, member: Member) -> None:
        if member.process is not None:
            await member.process.stop()
            member.process = None

    async def _watch(self, member: Member, process: Process) -> None:
        """Wait for the end of a process, and start another unless the end was wanted."""
        code = await process.wait()
        if process.is_stopping:
            return
        name = member.server.name
        self._progress(f"{name} ended {describe_exit(code)}; its log: {process.command.log}")
        if time.time() - process.started_at > HEALTHY_S:
            member.backoff.reset()
        while member.process is process:
            await asyncio.sleep(member.backoff.next_s())
            self._progress(f"{name} is being restarted")
            try:
                await self.launch(name)
            except LocalError as error:
                self._progress(f"{name} did not come back: {str(error).splitlines()[0]}")

    def _member(self, name: str) -> Member:
        try:
            return self._members[name]
        except KeyError:
            known = ", ".join(self._members)
            raise LocalError(f"There is no {name} in this mesh; there are {known}.") from None
