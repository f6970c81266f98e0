"""One seed: a mesh is set up, lives through rounds of load and faults, comes to rest, and is judged."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ops.sim.app_faults import AppFaults
from ops.sim.clients import Device
from ops.sim.ears import EarLedger
from ops.sim.faults import Faults
from ops.sim.gateways import GatewayProcess
from ops.sim.judge import Judge
from ops.sim.later import LaterLedger
from ops.sim.load import Load
from ops.sim.lookups import TEAM
from ops.sim.mesh import Mesh
from ops.sim.papers import PaperLedger
from ops.sim.programs import APPS, SocketProgram, UrlProgram
from ops.sim.scenario import Scenario, draw
from ops.sim.tiers import AdminProcess, ChannelProcess
from ops.sim.webapps import WebappProcess
from ops.sim.world import Violation, World
from svc.webapp.domain.apps.model import row_of
from svc.webapp.domain.conversations.names import direct_id
from svc.webapp.store.decode import encode
from svc.webapp.store.rows import ConversationKind, Membership

START_S = 0.6
SETTLE_S = 40.0
LOOK_S = 0.25
PROBE_S = 20.0
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
        later = LaterLedger(self.mesh.mysql, self.scenario.skew_us)
        self.papers = PaperLedger(self.mesh, self.judge.said)
        self.judge.ledgers += [later, self.papers]
        self.channels = [f"C{number:010d}" for number in range(1, self.scenario.conversations + 1)]
        self.people = [f"U{number:010d}" for number in range(1, self.scenario.people + 1)]
        self.load = Load(self.mesh, self.judge, self.rng, self.channels, later, self.papers)
        self.judge.ledgers.append(self.load)

    def play(self) -> None:
        """Live. Raises Violation."""
        self._set_up()
        self.world.run(START_S)
        for _ in range(self.scenario.rounds):
            self.load.begin()
            self.faults.schedule(self.scenario.faults, self.scenario.load_s)
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
        for user_id in self.people:
            for channel_id in self.channels:
                if user_id == self.people[0] or self.rng.random() < 0.8:
                    self._put_in(user_id, channel_id, ConversationKind.PUBLIC)
            if scenario.errands:
                self._put_in(user_id, direct_id(TEAM, [user_id]), ConversationKind.IM)
        if scenario.has_apps:
            self._set_up_apps()
        for tier in ("channel", "admin", "webapp", "gateway"):
            for number in range(1, getattr(scenario, f"{tier}s") + 1):
                self.mesh.start(tier, number)
        for user_id in self.people:
            for number in range(1, scenario.devices + 1):
                Device(self.mesh, self.judge, user_id, number)

    def _put_in(self, user_id: str, channel_id: str, kind: ConversationKind) -> None:
        tables = self.mesh.mysql.tables
        self.judge.members.add((channel_id, user_id))
        tables.members[channel_id, user_id] = 1
        side = Membership(user_id, channel_id, TEAM, kind, joined_us=1, revision_us=1)
        tables.memberships[user_id, channel_id] = list(encode(side))

    def _set_up_apps(self) -> None:
        rng = self.world.rng("apps")
        for app in APPS:
            self.mesh.mysql.tables.apps.append(encode(row_of(app)))
            for channel_id in self.channels:
                if rng.random() < 0.8:
                    self._put_in(app.user_id, channel_id, ConversationKind.PUBLIC)
        ears = EarLedger(self.mesh.mysql, self.judge.trimmed_to)
        self.judge.ledgers.append(ears)
        UrlProgram(self.mesh, ears)
        program = SocketProgram(self.mesh, ears)
        self.faults.add(AppFaults(self.mesh, self.faults, program).kinds)

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
        for each in self.judge.devices if self.scenario.errands or self.scenario.has_apps else ():
            for channel_id in self.channels:
                each.host.spawn(each.post(channel_id, f"p{each.host.name}"), "probe")
                each.host.spawn(self.papers.look(each, channel_id), "look")
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
            elif isinstance(process, WebappProcess):
                tally = process.serving.owner.tally
                counts["apps: taken over"] += max(0, tally.taken)
                counts["apps: saves refused"] += tally.unsaved
                counts["apps: lost with the log"] += tally.lost
                for outcome, count in tally.outcomes.items():
                    counts[f"apps: {outcome}"] += count
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
