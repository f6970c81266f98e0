"""Doing it: one fault of a schedule, on a real mesh."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from ops.chaos.faults import Action, Fault, Struck
from ops.chaos.partition import Partition
from ops.local.mesh import Mesh

FAULT_TIMEOUT_S = 120.0
"""A start takes 60 s at most, a planned stop 15; whatever takes longer has failed."""


class Injector:
    """Strikes a mesh, one fault at a time, and puts back what it broke."""

    def __init__(
        self,
        mesh: Mesh,
        partition: Partition | None,
        say: Callable[[str], None],
        targets: Mapping[str, Callable[[], Awaitable[str]]] = MappingProxyType({}),
    ) -> None:
        """`targets`: members that are known only when they are struck, by what schedules call them."""
        self._targets = targets
        self._mesh = mesh
        self._partition = partition
        self._say = say

    async def strike(self, fault: Fault) -> Struck:
        """Do it, and return once it is over: whatever was taken away is back.

        Raises LocalError when a member does not come back, TimeoutError after 120 s.
        """
        self._say(fault.describe())
        began = time.monotonic()
        async with asyncio.timeout(FAULT_TIMEOUT_S):
            find = self._targets.get(fault.target)
            back = await self._strike(replace(fault, target=await find()) if find else fault)
        over = time.monotonic()
        self._say(f"  over after {over - began:.1f} s")
        back = back or over
        return Struck(fault, back if fault.is_wall else began, began, back)

    async def _strike(self, fault: Fault) -> float | None:
        """Do it; return when what it took away was back, where that is before its end."""
        match fault.action:
            case Action.FAIL_OVER | Action.SWITCH:
                return await self._fail_over(fault)
            case Action.KILL_ALL:
                await self._kill_all(fault)
            case Action.KILL | Action.LOSE:
                await self._kill(fault)
            case Action.RESTART:
                await self._mesh.stop(fault.target)
                await self._mesh.start(fault.target)
            case Action.PAUSE:
                await self._pause(fault)
            case Action.CUT:
                await self._cut(fault)
            case Action.JOIN:
                await self._mesh.add(fault.target, fault.zone)
            case Action.LEAVE:
                await self._mesh.stop(fault.target)
            case Action.RETURN:
                await self._mesh.start(fault.target)
        return None

    async def _kill(self, fault: Fault) -> None:
        await self._mesh.kill(fault.target)
        await asyncio.sleep(fault.down_s)
        if fault.action is Action.LOSE:
            self._mesh.wipe_consul()
        await self._mesh.start(fault.target)

    async def _fail_over(self, fault: Fault) -> float:
        """Put the replica in the primary's place as an operator's script would; the old one follows it afterwards."""
        databases = self._mesh.databases
        old = databases.primary
        if fault.action is Action.FAIL_OVER:
            await self._mesh.kill(old)
        outcome = await databases.fail_over(lambda line: None)
        back = time.monotonic()
        steps = ", ".join(f"{step} {took_ms}" for step, took_ms in outcome.steps.items())
        self._say(f"  failed over from {old} in {outcome.took_s * 1000:.0f} ms: {steps}")
        await asyncio.sleep(fault.down_s)
        if fault.action is Action.FAIL_OVER:
            await self._mesh.start(old)
        await databases.paired()
        return back

    async def _kill_all(self, fault: Fault) -> None:
        names = [name for name in self._mesh.names() if name.startswith(f"{fault.target}-")]
        await asyncio.gather(*(self._mesh.kill(name) for name in names))
        await asyncio.sleep(fault.down_s)
        await asyncio.gather(*(self._mesh.start(name) for name in names))

    async def _pause(self, fault: Fault) -> None:
        await self._mesh.kill(fault.target, signal.SIGSTOP)
        try:
            await asyncio.sleep(fault.down_s)
        finally:
            await self._mesh.kill(fault.target, signal.SIGCONT)

    async def _cut(self, fault: Fault) -> None:
        assert self._partition is not None, "a scenario that cuts says so"
        try:
            self._partition.cut(fault.target, fault.peers, fault.cut)
            await asyncio.sleep(fault.down_s)
        finally:
            self._partition.heal(fault.target)
