"""What an embedded server is to the mesh, and how to run one for a while."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from ops.local.process import Command, Process, spawn


class Server(Protocol):
    """Something that can be started any number of times, with what it needs fixed when it was made."""

    @property
    def name(self) -> str:
        """Unique in its mesh; names its log."""
        ...

    @property
    def ready_timeout_s(self) -> float:
        """How long a start may take before it counts as failed."""
        ...

    async def prepare(self) -> None:
        """Make what the first start needs (a data folder); quick when it is there."""
        ...

    def command(self) -> Command:
        """Return how to run it."""
        ...

    async def is_ready(self) -> bool:
        """Say whether it does its work now; answers quickly."""
        ...


async def start(server: Server) -> Process:
    """Start a server and return once it is ready. Raises ProcessFailedError; nothing is left running then."""
    await server.prepare()
    process = await spawn(server.command())
    try:
        await process.ready(server.is_ready, server.ready_timeout_s)
    except BaseException:
        await process.kill()
        raise
    return process


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[Process]:
    """Run a server for the length of the block."""
    process = await start(server)
    try:
        yield process
    finally:
        await process.stop()
