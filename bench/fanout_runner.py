"""One server of `bench.fanout` with its clients, in a task of its own: what breaks there ends it alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

from bench.cores import cpu_s
from bench.fanout_figures import Cell
from bench.fanout_load import Load, LoadError, load
from bench.fanout_peers import PEERS, Peer, PeerMissing, Place
from svc.kit.lifecycle import BackgroundFailure, Tasks, background

WINDOW_TIMEOUT_S = 60.0
"""For 64 events to 5,000 sockets where the machine has much else to do: 320,000 sends take two seconds alone."""
WARM_UP = (1, 1, 1, 4)

ENDING_S = 2.0
"""In which a server that breaks is stopped."""


class PeerBroken(Exception):
    """The server, its clients or the line to it are not what they should be; the text says why."""


class Runner:
    """A server that runs, until `stop` or the end of `tasks`."""

    def __init__(self, name: str, tasks: Tasks) -> None:
        self.name = name
        self._tasks = tasks
        self._leave = asyncio.Event()
        self._offset = 0
        self._peer: Peer
        self._load: Load
        self._holding: asyncio.Task[PeerMissing | PeerBroken | None]

    async def start(self, place: Place) -> None:
        """Return once it runs, with no clients connected. Raises PeerMissing and PeerBroken."""
        runs = asyncio.Event()
        self._holding = self._tasks.spawn(self._hold(place, runs), name=self.name)
        await self.do(runs.wait())

    async def stop(self) -> None:
        """End the server and its clients; whether they are well or not."""
        self._leave.set()
        await asyncio.wait({self._holding})

    async def grow(self, sockets: int) -> None:
        """Connect until there are so many clients, and let some events pass."""
        await self._load.grow(sockets)
        for window in WARM_UP:
            await self._window(window)

    async def cell(self, window: int, number: int, cell_s: float) -> Cell:
        """Measure for a moment."""
        spent, behind, began = cpu_s(self._peer.pids), cpu_s(self._peer.behind), time.perf_counter()
        windows = 0
        while windows == 0 or time.perf_counter() - began < cell_s:
            await self._window(window)
            windows += 1
        wall_s = time.perf_counter() - began
        return Cell(
            self.name,
            self._load.sockets,
            window,
            number,
            windows * window * self._load.sockets,
            wall_s,
            cpu_s(self._peer.pids) - spent,
            cpu_s(self._peer.behind) - behind,
        )

    async def do(self, step: Awaitable[object]) -> object:
        """Return what a step returns, unless the server breaks meanwhile. Raises PeerMissing and PeerBroken."""
        try:
            async with background(f"{self.name} runs", self._until_over()):
                return await step
        except BackgroundFailure as failure:
            raise failure.__cause__ or failure from None
        except (LoadError, TimeoutError, OSError) as error:
            # The clients of a server that breaks end with it, and may do so first: it knows why.
            await asyncio.wait({self._holding}, timeout=ENDING_S)
            known = self._holding.result() if self._holding.done() else None
            raise known or PeerBroken(_why(error)) from error

    async def _until_over(self) -> None:
        await asyncio.wait({self._holding})
        raise self._holding.result() or PeerBroken("it was stopped")

    async def _hold(self, place: Place, runs: asyncio.Event) -> PeerMissing | PeerBroken | None:
        """Have it run; return what broke it."""
        try:
            async with PEERS[self.name](place) as self._peer, load(self._peer.endpoint) as self._load:
                runs.set()
                await self._leave.wait()
        except PeerMissing as missing:
            return missing
        except Exception as error:
            # Whatever it is: it is told in the row of this server.
            return PeerBroken(_why(error))
        return None

    async def _window(self, count: int) -> None:
        """Publish some events, and return when every socket has them."""
        self._load.want(self._offset + count)
        await self._peer.publish(self._offset + 1, count)
        self._offset += count
        await self._load.have(self._offset, WINDOW_TIMEOUT_S)


def _why(error: BaseException) -> str:
    """Return an error in words; of a task that broke, what it broke of."""
    if isinstance(error, BackgroundFailure) and error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__} {error}".strip()
