"""The mesh of one run: its processes by name, how one is started again, and the ground that all stand on."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Protocol

from ops.sim.consul import Consul
from ops.sim.database import MemoryMysql
from ops.sim.scenario import Scenario
from ops.sim.wires import Network
from ops.sim.world import Host, World
from svc.webapp.files.memory import MemoryFiles

TIERS = ("webapp", "admin", "channel", "gateway")


class Subscriber(Protocol):
    """What the judge asks of a gateway."""

    def standing(self, server_id: str, channel_id: str) -> object | None:
        """Return the subscription that stands at a server, the same object as long as it does; None for none."""
        ...

    def holds(self, channel_id: str, offset: int) -> bool:
        """Return whether an event of a followed channel was handed on, or is known to be missing."""
        ...


class Program(Protocol):
    """An app's program."""

    host: Host

    async def take(self, caller: Host, body: bytes, attempt: int) -> int:
        """Take a request, b"" for the challenge; return the status of the answer."""
        ...


class Process:
    """One simulated process. Made by its tier's class, which starts it at once."""

    tier = ""

    def __init__(self, mesh: Mesh, host: Host) -> None:
        self.mesh = mesh
        self.host = host
        self.name = host.name
        self.rng = Random(f"{mesh.world.seed}/{host.name}")
        """For what the process itself draws: backoffs, choices."""

    def __repr__(self) -> str:
        return self.name

    async def give_back(self) -> None:
        """Do what a planned stop does before leaving Consul."""

    async def drain(self) -> None:
        """Do what a planned stop does between leaving Consul and the end."""


Maker = Callable[["Mesh", Host], Process]


class Mesh:
    """Everything that runs."""

    def __init__(self, world: World, scenario: Scenario, makers: dict[str, Maker]) -> None:
        """`makers`: what makes a process of a tier."""
        self.world = world
        self.scenario = scenario
        self.network = Network(world, scenario.slow)
        self.mysql = MemoryMysql(world)
        self.consul = Consul(world, self.network, scenario.late)
        self.storage = MemoryFiles()
        """Bytes of files: every webapp's folder."""
        self.doing: dict[str, dict[Host, None]] = {}
        """Webapps that are at something that is due, or that was uploaded, by its id."""
        self.first_sent: dict[str, str] = {}
        """On which connection an app's envelope was sent first, by its id."""
        self.programs: dict[str, Program] = {}
        """Apps' programs, by request URL; those without one by the app's id."""
        self.processes: dict[str, Process] = {}
        """By instance id; the dead are left in, for nobody answers for them."""
        self.subscribers: dict[str, Subscriber] = {}
        """The gateways among them, as channel servers know them."""
        self._makers = makers
        self._epochs: dict[str, int] = {}
        self._skews = world.rng("skews")

    def start(self, tier: str, number: int) -> Process:
        """Start an instance; its id is fresh for each start."""
        place = f"{tier}{number}"
        self._epochs[place] = self._epochs.get(place, 0) + 1
        skew_us = self.scenario.skew_us and self._skews.randint(0, self.scenario.skew_us)
        host = Host(self.world, f"{place}.{self._epochs[place]}", skew_us)
        self.network.attend(host)
        self.world.trace(host, "starts")
        process = self.processes[host.name] = self._makers[tier](self, host)
        process.tier = tier
        return process

    def living(self, tier: str) -> list[Process]:
        """Return the processes of a tier that are not dead."""
        return [each for each in self.processes.values() if each.tier == tier and each.host.is_alive]

    def again(self, dead: Process) -> Process:
        """Start a new instance in the place of a dead one."""
        return self.start(dead.tier, int(dead.name.removeprefix(dead.tier).partition(".")[0]))

    async def stop(self, process: Process) -> None:
        """Stop an instance as SIGTERM does: out of Consul, drained, gone."""
        await process.give_back()
        self.consul.deregister(process.tier, process.host)
        await process.drain()
        self.world.at(self.world.now, self.network.watcher, process.host.kill)
