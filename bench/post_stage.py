"""Where `bench.post` and `bench.latency` play: a mesh as `make run` starts it, its people, and what it uses."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiomysql

from bench.post_load import PostLoad, Target, post_load
from bench.processes import cpu_s, pid_cpu_s
from bench.read_load import Reader, make_town
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec
from ops.seeding import SeedSpec
from svc.webapp.store.dsn import Dsn

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """A mesh with people in it, all with a socket."""

    mesh: Mesh
    people: tuple[Reader, ...]
    sizes: Mapping[str, int]
    """How many of the people are in each conversation."""
    load: PostLoad

    def targets(self, sizes: range) -> list[Target]:
        """Return who may post in conversations of these many people, and that all of these have a socket."""
        return [
            Target(person.token, channel_id, self.sizes[channel_id])
            for person in self.people
            for channel_id in person.channels
            if self.sizes[channel_id] in sizes
        ]

    def strangers(self) -> list[Target]:
        """Return who may not post where: each in a conversation that he is not in."""
        found = []
        for number, person in enumerate(self.people):
            others = sorted(self.sizes.keys() - set(person.channels))
            if others:
                found.append(Target(person.token, others[number % len(others)]))
        return found

    def used_s(self) -> dict[str, float]:
        """Return the processor seconds so far of every process of the mesh, by name, and of the `load`."""
        names = [name for name in self.mesh.names() if self.mesh.process(name) is not None]
        return {**{name: cpu_s(self.mesh, [name]) for name in names}, "load": pid_cpu_s(self.load.pid)}

    async def messages(self) -> int:
        """Return how many messages the database has."""
        dsn = Dsn.parse(self.mesh.dsns.channel)
        connection = await aiomysql.connect(  # type: ignore[no-untyped-call]
            host=dsn.host, port=dsn.port, user=dsn.user, password=dsn.password, db=dsn.database, autocommit=True
        )
        try:
            async with connection.cursor() as cursor:
                await cursor.execute("SELECT COUNT(*) FROM messages")
                ((count,),) = await cursor.fetchall()
                return int(count)
        finally:
            connection.close()


@asynccontextmanager
async def stage(say: Say, people: int, channels: int) -> AsyncIterator[Stage]:
    """Run it: everything that `make run` starts, on free ports."""
    async with AsyncExitStack() as up:
        folder = Path(up.enter_context(tempfile.TemporaryDirectory(prefix="parley-bench-")))
        say("the mesh starts")
        mesh = await up.enter_async_context(Mesh(MeshSpec(var=folder, graceful=False)))
        town = await make_town(mesh, SeedSpec("Post", "post", people, channels), people)
        sizes = Counter(channel_id for person in town.readers for channel_id in person.channels)
        load = await up.enter_async_context(post_load(mesh.web_url))
        say(f"{people} people connect")
        await load.connect(mesh.web_url, [person.token for person in town.readers])
        yield Stage(mesh, town.readers, sizes, load)


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return the processor seconds between two readings of `Stage.used_s`, tiers of several processes together."""
    by_tier: Counter[str] = Counter()
    for name, seconds in after.items():
        by_tier[name.partition("-az")[0]] += seconds - before[name]  # type: ignore[assignment]
    return dict(by_tier)


def cores() -> int:
    """Return how many processors all of this shares."""
    return len(os.sched_getaffinity(0))
