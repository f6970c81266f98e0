"""One seed: a mesh is set up, lives through rounds of load and faults, comes to rest, and is judged."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ops.sim.changes import Changes
from ops.sim.clients import Device
from ops.sim.faults import Faults
from ops.sim.gateways import GatewayProcess
from ops.sim.judge import TEAM, Judge
from ops.sim.mesh import Mesh
from ops.sim.scenario import Scenario, draw
from ops.sim.tiers import AdminProcess, ChannelProcess, WebappProcess
from ops.sim.world import Violation, World

START_S = 0.6
SETTLE_S = 40.0
LOOK_S = 0.25
PROBE_S = 10.0
MAKERS = {"webapp": WebappProcess, "admin": AdminProcess, "channel": ChannelProcess, "gateway": GatewayProcess}


@dataclass(slots=True)
class Outcome:
    """What became of a seed."""

    seed: int
    invariant: str = ""
    """The one that was violated; empty when all hold."""
    detail: str = ""
    trace: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    virtual_s: float = 0.0
    steps: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether everything that must be true was."""
        return not self.invariant


def run(seed: int, *, keeps_trace: bool = False) -> Outcome:
    """Play one seed. For a process in which nothing else lives (see `worker`): a world is not cleaned up."""
    world = World(seed, keeps_trace=keeps_trace)
    outcome = Outcome(seed)
    play = _Play(world)
    try:
        with _failures_noted(world):
            play.play()
    except Violation as violation:
        outcome.invariant, outcome.detail = violation.invariant, violation.detail
    play.count()
    outcome.counts, outcome.virtual_s, outcome.steps = world.counts, world.now, world.steps
    if keeps_trace or not outcome.is_clean:
        outcome.trace = [_line(words) for words in world.trace_lines]
    world.close()
    return outcome


def _line(words: tuple[Any, ...]) -> str:
    return f"{words[0]:10.4f}  " + " ".join(map(str, words[1:]))


class _Failures(logging.Handler):
    """Hears what the tiers log. A failure that is only logged (a task's, a line's) is a defect all the same."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record; one without an exception tells of something that happens, such as retention."""
        if record.exc_info:
            self._world.violate("nothing fails unforeseen", f"{record.getMessage()}: {record.exc_info[1]!r}")


@contextmanager
def _failures_noted(world: World) -> Iterator[None]:
    handler, logger = _Failures(world), logging.getLogger()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Play:
    """One run: a mesh is set up, lives through rounds of load and faults, comes to rest, and is judged."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = world.rng("play")
        self.scenario: Scenario = draw(world.rng("scenario"))
        self.mesh = Mesh(world, self.scenario, dict(MAKERS))
        self.judge = Judge(self.mesh)
        self.faults = Faults(self.mesh, self.judge)
        self.channels = [f"C{number:010d}" for number in range(1, self.scenario.conversations + 1)]
        self.people = [f"U{number:010d}" for number in range(1, self.scenario.people + 1)]
        self._keys = 0

    def play(self) -> None:
        """Live. Raises Violation."""
        self._set_up()
        self.world.run(START_S)
        for _ in range(self.scenario.rounds):
            self._load()
            self.world.run(self.world.now + self.scenario.load_s)
            self.faults.mend()
            self._settle("everything arrives in the end", SETTLE_S)
        self._probe()
        self.judge.final()
        self._check_tasks()
        if self.world.violation is not None:
            raise self.world.violation

    def _set_up(self) -> None:
        scenario = self.scenario
        tables = self.mesh.mysql.tables
        for user_id in self.people:
            for channel_id in self.channels:
                if user_id == self.people[0] or self.rng.random() < 0.8:
                    self.judge.members.add((channel_id, user_id))
                    tables.members[channel_id, user_id] = 1
                    tables.memberships[user_id, channel_id] = [user_id, channel_id, TEAM, 1, "", 1, 0, 0, 1, True]
        for tier in ("channel", "admin", "webapp", "gateway"):
            for number in range(1, getattr(scenario, f"{tier}s") + 1):
                self.mesh.start(tier, number)
        for user_id in self.people:
            for number in range(1, scenario.devices + 1):
                Device(self.mesh, self.judge, user_id, number)

    def _load(self) -> None:
        """Let people do things, and things go wrong, within the next seconds."""
        scenario = self.scenario
        for _ in range(scenario.posts):
            self._act(self._post)
        for _ in range(self.rng.choice((0, 1, 3))):
            self._act(self._move)
        self._act(self._type)
        for _ in range(scenario.changes):
            self._act(self._change)
        self.faults.schedule(scenario.faults, scenario.load_s)

    def _act(self, action: Any) -> None:
        device = self.rng.choice(self.judge.devices)
        channel_id = self.rng.choice(self.channels)
        due = self.world.now + self.scenario.load_s * self.rng.random()
        self.world.at(due, device.host, action, device, channel_id)

    def _post(self, device: Device, channel_id: str) -> None:
        self._keys += 1
        verb = device.say if self.rng.random() < 0.4 else device.post
        device.host.spawn(verb(channel_id, f"m{self._keys}"), "post")

    def _change(self, device: Device, channel_id: str) -> None:
        """Let somebody do something to one of the newest messages, so that others do something to it, too."""
        said = self.judge.said.get(channel_id)
        if not said:
            return
        self._keys += 1
        key, user_id, ts_us = f"k{self._keys}", device.user_id, self.rng.choice(said[-3:])
        verb = self.rng.choice(("edit", "edit", "edit", "remove", "react", "react", "unreact", "pin", "save", "reply"))
        self.world.counts[f"changes: {verb}"] += 1
        if verb == "reply":
            device.host.spawn(device.post(channel_id, f"m{self._keys}", ts_us), "reply")
            return
        name, is_kept = self.rng.choice(("tada", "eyes")), self.rng.random() < 0.6

        async def work(changes: Changes) -> int:
            match verb:
                case "edit":
                    return await changes.edit(user_id, channel_id, ts_us, key)
                case "remove":
                    return await changes.remove(user_id, channel_id, ts_us, key)
                case "react":
                    return await changes.react(user_id, channel_id, ts_us, name, key)
                case "unreact":
                    return await changes.unreact(user_id, channel_id, ts_us, name, key)
                case "pin":
                    return await changes.pin(user_id, channel_id, ts_us, key)
                case _:
                    return await changes.save(user_id, channel_id, key, is_kept=is_kept)

        device.host.spawn(device.change(user_id if verb == "save" else channel_id, key, work), verb)

    def _move(self, device: Device, channel_id: str) -> None:
        is_member = (channel_id, device.user_id) in self.mesh.mysql.tables.members
        device.host.spawn((device.leave if is_member else device.join)(channel_id), "move")

    def _type(self, device: Device, channel_id: str) -> None:
        device.type_in(channel_id)

    def _settle(self, invariant: str, within_s: float) -> None:
        """Wait until everybody has everything."""
        until = self.world.now + within_s
        while why := self.judge.unsettled():
            if self.world.now >= until:
                self._check_tasks()
                self.world.violate(invariant, why)
            self.world.run(self.world.now + LOOK_S)

    def _probe(self) -> None:
        """Let one event more go through each channel: no subscription may have been forgotten."""
        device = self.judge.devices[0]
        for channel_id in (*self.channels, *self.people, TEAM):
            device.host.spawn(device.note(channel_id), "probe")
        self.world.run(self.world.now + LOOK_S)
        self._settle("every subscription stands", PROBE_S)

    def _check_tasks(self) -> None:
        """No task may fail unless somebody takes its exception: a task group, or an owner that logs it."""
        for host in filter(lambda host: host.is_alive, self.world.hosts):
            for task in host.tasks:
                if task.done() and not task.cancelled() and task._log_traceback:
                    self.world.violate("nothing fails unforeseen", f"{host}, {task.get_coro()}: {task.exception()!r}")

    def count(self) -> None:
        """Count what happened inside the tiers."""
        counts = self.world.counts
        for process in self.mesh.processes.values():
            if isinstance(process, GatewayProcess):
                process.count(counts)
            elif isinstance(process, AdminProcess):
                counts["admin: rerouted"] += process.router.counts.rerouted
                counts["admin: lines lost"] += process.router.counts.lines_lost
                counts["admin: given back"] += process.router.counts.undelivered
            elif isinstance(process, ChannelProcess):
                counts["channel: duplicates"] += process.table.counts.duplicates
                counts["channel: holes given up"] += process.table.counts.holes
                counts["channel: subscribers cut off"] += process.table.counts.cut_off
        for device in self.judge.devices:
            counts["client: duplicates"] += device.session.duplicates
            counts["client: holes"] += device.session.holes
