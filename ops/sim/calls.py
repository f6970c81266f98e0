"""Calls between processes: one question, one answer, either of which may get lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ops.sim.wires import Network
from ops.sim.world import Host
from svc.kit.errors import DeadlineError, ParleyError, UnavailableError


async def call(
    network: Network, caller: Host, server: Host | None, work: Callable[[], Awaitable[Any]], timeout_s: float
) -> Any:
    """Do `work` in another process and return its answer. Raises the kit's errors."""
    if server is None:
        raise UnavailableError("nobody to call")
    asked = _Call(network, caller, server, work)
    try:
        async with asyncio.timeout(timeout_s):
            return await asked.answer
    except TimeoutError:
        raise DeadlineError(f"{server} did not answer in {timeout_s} s") from None


class _Call:
    """One question and its answer, either of which may get lost."""

    def __init__(self, network: Network, caller: Host, server: Host, work: Callable[[], Awaitable[Any]]) -> None:
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._network = network
        self._world = network.world
        self._caller = caller
        self._server = server
        self._work = work
        self._dice = network.dice(caller, server)
        self._world.at(self._later(), network.watcher, self._arrive)

    def _later(self) -> float:
        return self._world.now + self._network.delay(self._dice)

    def _arrive(self) -> None:
        if not self._server.is_alive:
            self._reset()
        elif not self._network.are_cut(self._caller, self._server):
            self._server.on_kill.append(self._reset)
            self._world.at(self._world.now, self._server, lambda: self._server.spawn(self._serve(), "call"))

    async def _serve(self) -> None:
        value, failure = None, None
        try:
            value = await self._work()
        except ParleyError as error:
            failure = error
        finally:
            self._server.on_kill.remove(self._reset)
        if not self._network.are_cut(self._caller, self._server):
            self._world.at(self._later(), self._caller, self._settle, value, failure)

    def _reset(self) -> None:
        self._world.at(self._later(), self._caller, self._settle, None, UnavailableError(f"{self._server} is gone"))

    def _settle(self, value: Any, failure: ParleyError | None) -> None:
        if self.answer.done():
            return
        if failure is not None:
            self.answer.set_exception(failure)
        else:
            self.answer.set_result(value)
