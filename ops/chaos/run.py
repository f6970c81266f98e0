"""One run: a mesh from nothing, people, load, faults, quiet, evidence, report."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random

import aiohttp

from ops.chaos import evidence
from ops.chaos.changing import Changing
from ops.chaos.endpoint import AppEndpoint
from ops.chaos.faults import APP_GATEWAY, APP_OWNER, URL_OWNER, Fault, Struck
from ops.chaos.inject import Injector
from ops.chaos.later import Later
from ops.chaos.listening import AppListener
from ops.chaos.load import Load
from ops.chaos.moving import Moving
from ops.chaos.noting import Notes
from ops.chaos.partition import Partition
from ops.chaos.readers import Readers
from ops.chaos.record import Outcome, Record
from ops.chaos.report import Report, report
from ops.chaos.scenarios import COUNTS, TAIL_S, ZONES, Scenario, schedule
from ops.chaos.stage import Api, Stage, StageError, set_stage
from ops.chaos.streams import MARK, StreamLog
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec, places
from svc.kit.lifecycle import Tasks, background

WARM_UP_S = 30.0
"""Until every reader has had something from each of its conversations."""

QUIET_S = 1.5
"""How long to listen on once everybody has everything: what comes twice comes soon after."""

SETTLE_S = 20.0
"""How long to wait for what is missing, before it counts as lost."""

PROGRESS_S = 5.0

POSTS_A_CHANGE = 4
"""How many posts there are to one edit, reaction or removal."""
MOVES_A_SECOND = 3.0
SCHEDULED_A_SECOND = 1.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. `rate` is posts a second; `clients` the readers that resume; `keep` a folder that stays."""

    seed: int = 1
    duration_s: float = 0.0
    rate: float = 75.0
    clients: int = 6
    keep: Path | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """What goes on beside the posts."""

    changing: Changing
    moving: Moving
    later: Later


class Run:
    """Everything of one run while it lasts."""

    def __init__(
        self,
        mesh: Mesh,
        api: Api,
        stage: Stage,
        readers: Readers,
        apps: Sequence[Notes],
        load: Load,
        beside: Beside,
        say: Say,
    ) -> None:
        self._apps = apps
        self._beside = beside
        self._mesh = mesh
        self._api = api
        self._stage = stage
        self._readers = readers
        self._load = load
        self._say = say
        self._is_over = False

    async def play(self, faults: Sequence[Fault], duration_s: float, rate: float, injector: Injector) -> Record:
        """Warm up, load and strike, wait for quiet, collect. Raises StageError when the mesh gives no evidence."""
        await self._warm_up()
        channels = list(self._stage.members)
        logs = evidence.LogReader(self._mesh)
        base = await logs.heads(channels)
        self.struck: list[Struck] = []
        async with background("progress", self._progress()):
            async with Tasks("load", limit=4) as tasks:
                working = [
                    tasks.spawn(self._load.run(rate, self._over)),
                    tasks.spawn(self._beside.changing.run(rate / POSTS_A_CHANGE, self._over)),
                    tasks.spawn(self._beside.moving.run(MOVES_A_SECOND, self._over)),
                    tasks.spawn(self._beside.later.run(SCHEDULED_A_SECOND, self._over)),
                ]
                await self._strike(faults, duration_s, injector)
                for each in working:
                    await each
            await self._settle()
        ended_at = time.monotonic()
        log = {channel: await logs.log(channel) for channel in channels}
        told = {c: await evidence.history(self._api, members[0], c) for c, members in self._stage.members.items()}
        return Record(
            self._stage.user_ids(),
            base,
            tuple(self._load.posts),
            self._readers.streams(),
            log={channel: entries for channel, (entries, _) in log.items()},
            history={channel: messages for channel, (messages, _) in told.items()},
            ended_at=ended_at,
            changes=(*self._beside.changing.changes, *self._beside.moving.changes),
            payloads={channel: payloads for channel, (_, payloads) in log.items()},
            shown={channel: shown for channel, (_, shown) in told.items()},
            apps=tuple(each.heard() for each in self._apps),
            scheduled=tuple(self._beside.later.scheduled),
            standing={
                channel: await evidence.standing(self._api, members[0], channel)
                for channel, members in self._stage.members.items()
            },
        )

    def _over(self) -> bool:
        return self._is_over

    async def _warm_up(self) -> None:
        """Post to every conversation until each reader has heard from each of its own."""
        deadline = time.monotonic() + WARM_UP_S
        number = 0
        while waiting := self._unheard():
            if time.monotonic() > deadline:
                raise StageError(f"before any fault, these readers hear nothing: {', '.join(waiting[:10])}")
            number += 1
            for channel, members in self._stage.members.items():
                await self._api.ok(
                    members[0], "chat.postMessage", channel=channel, text=f"{MARK}warm-{number}-{channel}"
                )
            await asyncio.sleep(0.5)

    def _unheard(self) -> list[str]:
        """Return the readers that have not heard from each of their conversations."""
        waiting = [log.name for log in self._readers.logs if not self._owed_heads(log) <= log.heads.keys()]
        return [*waiting, *(each.name for each in self._apps if not each.is_warm())]

    def _owed_heads(self, log: StreamLog) -> set[str]:
        return {channel for channel, users in self._stage.user_ids().items() if log.user_id in users}

    async def _strike(self, faults: Sequence[Fault], duration_s: float, injector: Injector) -> None:
        began = time.monotonic()
        try:
            for fault in faults:
                await asyncio.sleep(max(0.0, began + fault.at_s - time.monotonic()))
                self.struck.append(await injector.strike(fault))
            await asyncio.sleep(max(TAIL_S, began + duration_s - time.monotonic()))
        finally:
            self._is_over = True

    async def _settle(self) -> None:
        """Wait until everybody has everything, and a little longer; for 20 s at most."""
        self._say("the load is over, waiting for what is still under way")
        heads: dict[str, int] = {}
        for post in self._load.posts:
            heads[post.channel_id] = max(heads.get(post.channel_id, 0), 0 if post.writer else post.offset)
        deadline = time.monotonic() + SETTLE_S
        while time.monotonic() < deadline:
            behind = [log.name for log in self._readers.logs if self._is_behind(log, heads)]
            behind += [each.name for each in self._apps if self._is_app_behind(each)]
            if not behind:
                break
            await asyncio.sleep(0.1)
        else:
            self._say(f"still behind: {', '.join(behind[:10])}")
        await asyncio.sleep(QUIET_S)

    def _is_behind(self, log: StreamLog, heads: dict[str, int]) -> bool:
        return any(log.heads.get(channel, 0) < heads.get(channel, 0) for channel in self._owed_heads(log))

    def _is_app_behind(self, app: Notes) -> bool:
        acked = (post for post in self._load.posts if post.outcome is Outcome.ACKED)
        return any(app.misses(post.channel_id, f"message {post.ts}") for post in acked)

    async def _progress(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_S)
            delivered = sum(len(log.arrivals) for log in self._readers.logs)
            self._say(f"{self._load.acked()} acked, {self._load.in_flight} in flight, {delivered} deliveries")


async def run(scenario: Scenario, options: Options, say: Say) -> Report:
    """Run a scenario on a mesh of its own and return its report.

    Raises LocalError or StageError when the mesh does not come up, or does not come back after a fault: that is a
    failure too, but not one that the judge can count.
    """
    duration_s = options.duration_s or scenario.duration_s
    faults = schedule(scenario, options.seed, duration_s)
    rng = Random(options.seed)
    async with AsyncExitStack() as up:
        folder = options.keep or Path(up.enter_context(tempfile.TemporaryDirectory(prefix="parley-chaos-")))
        partition = None
        if scenario.is_partitioned:
            names = [name for name, _ in places("channel", COUNTS["channel"], ZONES)]
            partition = await up.enter_async_context(Partition(names))
        spec = MeshSpec(
            var=folder / "var",
            counts=COUNTS,
            zones=ZONES,
            graceful=False,
            replica=scenario.has_replica,
            memcached=scenario.memcached,
            instance_environ=partition.environ if partition else {},
        )
        mesh = Mesh(spec)
        if partition is not None:
            partition.guard(mesh)
        say(f"{scenario.name}, seed {options.seed}: starting a mesh on {spec.var}")
        await up.enter_async_context(mesh)
        http = await up.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        api = Api(http, list(mesh.web_urls.values()))
        endpoint = await up.enter_async_context(AppEndpoint(Random(options.seed + 4)).running())
        stage = await set_stage(mesh, api, rng, endpoint.url)
        readers = await up.enter_async_context(Readers(stage, api, http, mesh.spec.var, options.clients, rng).running())
        listener = await up.enter_async_context(AppListener(stage.apps[0], mesh, api, http).running())
        behind_url = endpoint.notes = Notes(stage.apps[1], mesh)
        beside = Beside(
            Changing(api, stage, Random(options.seed + 1)),
            Moving(api, stage, Random(options.seed + 2)),
            Later(api, stage, Random(options.seed + 3)),
        )
        load = Load(api, stage, readers.writers, rng, beside.changing.acked)
        this = Run(mesh, api, stage, readers, (listener.notes, behind_url), load, beside, say)
        say(f"load of {options.rate:g} posts/s for {duration_s:g} s, {len(faults)} faults")
        owners = {APP_OWNER: listener.notes.owner, URL_OWNER: behind_url.owner, APP_GATEWAY: listener.gateway}
        injector = Injector(mesh, partition, say, owners)
        record = await this.play(faults, duration_s, options.rate, injector)
        if options.keep is not None:
            (folder / "record.json").write_text(json.dumps(dataclasses.asdict(record), default=_plain))
    return report(scenario.name, options.seed, record, this.struck, readers.healed(), load.failures)


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else getattr(value, "value", str(value))
