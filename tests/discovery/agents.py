"""Real parts for discovery's tests: a Consul agent, and gRPC instances as processes of their own."""

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from ops.local.consul import Consul
from ops.local.ports import Ports
from ops.local.process import Command, Process, spawn
from svc.kit.config import InstanceConfig

SECRET = "a secret for the tests only"
READY_S = 30.0


def settings(consul_addr: str = "127.0.0.1:1", zone: str = "az1") -> InstanceConfig:
    """Return an instance's configuration on loopback, everything on free ports."""
    return InstanceConfig(consul_addr=consul_addr, zone=zone, secret=SECRET)


class Agent:
    """A Consul that a test may stop, kill, wipe and start again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._ports = Ports()
        self._consul = Consul(folder / "consul", folder / "consul.log", self._ports.claim_free(), self._ports)
        self._process: Process | None = None
        self.address = self._consul.address

    async def start(self) -> None:
        """Start it and wait until it has a leader."""
        await self._consul.prepare()
        self._process = await spawn(self._consul.command())
        await self._process.ready(self._consul.is_ready, READY_S)

    async def kill(self, *, wipe: bool = False) -> None:
        """End it at once; with `wipe` it comes back knowing nothing."""
        if self._process is not None:
            await self._process.kill()
        if wipe:
            self._consul.wipe()

    async def close(self) -> None:
        """End it and give its ports back."""
        await self.kill()
        self._ports.close()


class Fleet:
    """Instances of a tier as processes: they serve, register themselves, and can be killed."""

    def __init__(self, agent: Agent, folder: Path, tier: str = "channel") -> None:
        self._agent = agent
        self._folder = folder
        self._tier = tier
        self._stack = AsyncExitStack()
        self.processes: dict[str, Process] = {}

    async def __aenter__(self) -> "Fleet":
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self.processes.values():
            await process.kill()

    async def add(self, instance_id: str, zone: str = "az1") -> Process:
        """Start an instance; its registration is for a watcher to see."""
        log = self._folder / f"{instance_id}.log"
        argv = (sys.executable, "-m", "tests.discovery.instance", self._tier, instance_id, self._agent.address, zone)
        process = await spawn(Command(instance_id, argv, Path.cwd(), log))
        self.processes[instance_id] = process
        return process


async def until(condition: object, timeout_s: float = 10.0) -> float:
    """Wait until `condition()` is true; return the seconds that took. Raises TimeoutError."""
    assert callable(condition)
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.002)
    return loop.time() - began
