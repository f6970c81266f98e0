"""A gateway is killed under everybody: when its clients are back, booted and caught up, and what others notice of it.

The mesh has two gateways. The clients, which are parley_client itself with `boots`, are all at one of them, in two
processes of their own. Meanwhile a few people at the other gateway post in channels of a lived-in workspace, those of
up to ROOM_MAX people, and watch for what they and the others post, and readers call the Web API, all at stated rates.
Then `kill -9`. Counted from there:

    returned    came back by the ticket that its gateway had sent, and asked nobody
    booted      client.boot has answered: a delta since what the client had, for those who had to ask
    back        the new connection delivers
    caught_up   back, and every message that was acknowledged before that has arrived

Nothing may be lost: what was acknowledged must in the end have come to every client that is in its channel, once.
`latency` is from the beginning of a post to its arrival at an unaffected socket, its author's among them, steady and
in the STORM_S after the kill. Database queries are MariaDB's SELECTs. `cores` tells what each tier and the clients
themselves used of the processors: where that is all there are, it is they that are measured, too.

Linux may share processors among sessions first (autogroup), and each tier is a session of its own. So are the clients'
processes: else those who watch would share theirs with the crowd, and measure how they wait for it.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from bench.database_load import DatabaseLoad, watching
from bench.processes import TierMeter
from bench.read_load import Reader, ReadLoad, Town, make_town
from bench.storm_clients import LINE_BYTES_MAX
from ops.chaos.recovery import percentile
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec, none
from ops.seeding import SeedSpec
from ops.setup.binaries import ROOT
from parley_client import Client, Event
from svc.kit.lifecycle import background
from svc.webapp.store.dsn import Dsn

Say = Callable[[str], None]
Json = dict[str, Any]

CLIENTS = 2_000
"""At the gateway that dies."""
WORKERS = 2
PEOPLE_PER_CHANNEL = 3.2
WATCHERS = 20
"""People on the gateway that lives, who post and watch."""
POSTS_PER_S = 10.0
"""A hundred in the time of a storm, each heard by one or several: the 99th percentile is no single one's."""
ROOM_MAX = 50
"""People in the largest channel that is posted in: nobody posts ten times a second where a thousand read, and a post
that all clients here take is a second of their own work, on the processors that are measured."""
READS_PER_S = 30.0
"""Half of what two cores bear beside thousands of sockets; four in a hundred are rtm.connect and a socket."""
CONNECT_S = 600.0
SETTLE_S = 10.0
STEADY_S = 30.0
STORM_S = 10.0
"""The bar for being caught up; latencies and queries of the storm are those of this long."""
AFTER_S = 10.0
BARS = {"caught_up_s": 10.0, "latency": 2.0, "db_queries": 1.5, "lost": 0}


def measure(say: Say, clients: int = CLIENTS) -> Json:
    """Return what a killed gateway did; takes some five minutes at 2,000 clients."""
    return asyncio.run(_measure(say, clients))


async def _measure(say: Say, clients: int) -> Json:
    async with AsyncExitStack() as up:
        folder = Path(up.enter_context(tempfile.TemporaryDirectory(prefix="parley-bench-")))
        tiers = none(webapp=2, admin=1, channel=2, gateway=2, presence=1, edge=1)
        mesh = await up.enter_async_context(Mesh(MeshSpec(var=folder, counts=tiers, zones=("az1",), graceful=False)))
        users = clients + WATCHERS
        channels = max(2, round(users / PEOPLE_PER_CHANNEL))
        say(f"a lived-in workspace of {users} people and {channels} public channels")
        town = await make_town(mesh, SeedSpec("Storm", "storm", users, channels, is_lived_in=True), users)
        database = await up.enter_async_context(watching(Dsn.parse(mesh.dsns.user)))
        return await _Storm(mesh, town, clients, database, say).run()


class _Storm:
    """One storm."""

    def __init__(self, mesh: Mesh, town: Town, clients: int, database: DatabaseLoad, say: Say) -> None:
        self._mesh = mesh
        self._town = town
        self._database = database
        self._say = say
        self._watching, self._booting = town.readers[:WATCHERS], town.readers[WATCHERS : WATCHERS + clients]
        sizes = Counter(channel for reader in town.readers for channel in reader.channels)
        rooms = [[each for each in person.channels if sizes[each] <= ROOM_MAX] for person in self._watching]
        self._watchers = _Watchers(self._watching, rooms, self._base_urls(), Random(3))

    async def run(self) -> Json:
        """Return what it did."""
        victim, *others = self._mesh.names("gateway")
        victim_id = (await self._mesh.instance(victim)).instance.id
        elsewhere = [(await self._mesh.instance(each)).instance.id for each in others]
        async with AsyncExitStack() as up:
            self._say(f"{len(self._booting)} clients boot and connect")
            shares = [self._booting[number::WORKERS] for number in range(WORKERS)]
            workers = [await up.enter_async_context(_worker(self._base_urls(), share, elsewhere)) for share in shares]
            began = time.monotonic()
            for worker in workers:
                await worker.answer(CONNECT_S)
            self._say(f"connected after {time.monotonic() - began:.0f} s")
            await up.enter_async_context(self._watchers.connected(victim_id))
            load = ReadLoad(list(self._mesh.web_urls.values()), self._town, READS_PER_S, Random(4))
            await up.enter_async_context(background("readers", load.run()))
            await up.enter_async_context(background("posts", self._watchers.post(POSTS_PER_S)))
            await asyncio.sleep(SETTLE_S)
            gc.disable()  # what is measured is not how this process looks through a town for cycles
            meter = TierMeter(self._mesh, victim, [worker.pid for worker in workers])
            await asyncio.sleep(STEADY_S)
            steady_cores = meter.cores()
            killed = time.monotonic()
            self._say(f"{victim} is killed")
            await self._mesh.kill(victim)
            await asyncio.sleep(STORM_S)
            storm_cores = meter.cores()
            await asyncio.sleep(AFTER_S)
            self._watchers.is_over = True
            await asyncio.sleep(1.0)
            lives = [life for worker in workers for life in await worker.lives(killed)]
        return self._result(lives, killed, victim_id) | {"cores": {"steady": steady_cores, "storm": storm_cores}}

    def _base_urls(self) -> list[str]:
        return [f"{url}/api/" for url in self._mesh.web_urls.values()]

    def _result(self, lives: Sequence[Json], killed: float, victim_id: str) -> Json:
        affected = [life for life in lives if _host_at(life, killed) == victim_id]
        away = {life["user_id"] for life in affected if not life["ready"]}
        channels = {reader.user_id: frozenset(reader.channels) for reader in self._booting}
        posts = [post for post in self._watchers.posts if post[0] >= killed]
        steady_from = killed - STEADY_S
        steady = self._watchers.latency_ms(steady_from, killed, 0.99)
        stormy = self._watchers.latency_ms(killed, killed + STORM_S, 0.99)
        queries = self._database.rate(steady_from, killed)
        queries_storm = self._database.rate(killed, killed + STORM_S)
        result: Json = {
            "clients": len(lives),
            "affected": len(affected),
            "posts_per_s": POSTS_PER_S,
            "reads_per_s": READS_PER_S,
            "returned": sum(bool(life["ready"]) and not life["booted"] for life in affected),
            "booted_s": _times([life["booted"][0] - killed for life in affected if life["booted"]]),
            "back_s": _times([_first(life["ready"]) - killed for life in affected]),
            "caught_up_s": _times([_caught_up(life, posts, channels[life["user_id"]]) - killed for life in affected]),
            "posts": len(posts),
            # Who never came back has not lost anything yet: `never` tells of it.
            "lost": sum(
                _missing(life, posts, channels[life["user_id"]]) for life in lives if life["user_id"] not in away
            ),
            "repeated": sum(_repeated(life) for life in lives),
            "waits": dict(_waits(affected).most_common(8)),
            "p50_ms_steady": round(self._watchers.latency_ms(steady_from, killed, 0.5), 1),
            "p50_ms_storm": round(self._watchers.latency_ms(killed, killed + STORM_S, 0.5), 1),
            "p99_ms_steady": round(steady, 1),
            "p99_ms_storm": round(stormy, 1),
            "latencies_steady": self._watchers.count(steady_from, killed),
            "latencies_storm": self._watchers.count(killed, killed + STORM_S),
            "latency_ratio": round(stormy / steady, 2) if steady else 0.0,
            "db_qps_steady": round(queries, 1),
            "db_qps_storm": round(queries_storm, 1),
            "db_qps_peak_5s": round(
                max((rate for _, rate in self._database.windows(killed, killed + 15, 5.0)), default=0), 1
            ),
            "db_ratio": round(queries_storm / queries, 2) if queries else 0.0,
            "bars": BARS,
        }
        return {**result, "ok": _is_within_bars(result)}


class _Watchers:
    """People whose gateway lives: they post, and note when what any of them posts arrives."""

    def __init__(
        self, people: Sequence[Reader], rooms: Sequence[Sequence[str]], base_urls: Sequence[str], rng: Random
    ) -> None:
        """`rooms`: where each of them posts."""
        self._people = people
        self._rooms = rooms
        self._base_urls = base_urls
        self._rng = rng
        self._clients: list[Client] = []
        self._begun: dict[str, float] = {}
        self.posts: list[tuple[float, str, int]] = []
        """(when it was acknowledged, channel, offset)."""
        self.latencies: list[tuple[float, float]] = []
        """(when the post began, seconds until a socket had it)."""
        self.is_over = False

    @asynccontextmanager
    async def connected(self, avoid: str) -> AsyncIterator[None]:
        """Be connected elsewhere than at the gateway `avoid`."""
        async with AsyncExitStack() as up:
            http = await up.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
            for number, person in enumerate(self._people):
                url = self._base_urls[number % len(self._base_urls)]
                client = Client(person.token, url, http=http, avoid=(avoid,))
                self._clients.append(await up.enter_async_context(client))
                await up.enter_async_context(background("watch", self._watch(client)))
            yield

    async def post(self, rate: float) -> None:
        """Post at a rate, each when it is due, until cancelled."""
        posters = [number for number, rooms in enumerate(self._rooms) if rooms]
        due = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in itertools.count():
                due += self._rng.expovariate(rate)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if self.is_over:
                    continue
                poster = self._rng.choice(posters)
                channel = self._rng.choice(self._rooms[poster])
                group.create_task(self._post(self._clients[poster], channel, f"post {number}", due))

    def latency_ms(self, since: float, until: float, share: float) -> float:
        """Return a percentile of the latencies of posts that began between two instants."""
        return 1_000 * percentile(sorted(took for began, took in self.latencies if since <= began < until), share)

    def count(self, since: float, until: float) -> int:
        """Return how many latencies there are of posts that began between two instants."""
        return sum(since <= began < until for began, _ in self.latencies)

    async def _post(self, client: Client, channel: str, text: str, due: float) -> None:
        self._begun[text] = due
        answer = await client.post(channel, text)
        self.posts.append((time.monotonic(), channel, int(answer["position"].rpartition(":")[2])))

    async def _watch(self, client: Client) -> None:
        async for event in client.events():
            if isinstance(event, Event) and event.type == "message" and event.offset:
                began = self._begun.get(str(event.json.get("text", "")))
                if began is not None:
                    self.latencies.append((began, time.monotonic() - began))


class _Worker:
    """A process of clients."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    async def tell(self, message: Json) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        await self._process.stdin.drain()

    async def answer(self, timeout_s: float) -> Json:
        """Return its next line. Raises TimeoutError, and ValueError when it ended instead."""
        assert self._process.stdout is not None
        async with asyncio.timeout(timeout_s):
            answer: Json = json.loads(await self._process.stdout.readline())
            return answer

    async def lives(self, since: float) -> list[Json]:
        """Return what became of its clients."""
        await self.tell({"since": since})
        found: list[Json] = (await self.answer(60.0))["lives"]
        return found


@asynccontextmanager
async def _worker(base_urls: Sequence[str], people: Sequence[Reader], avoid: Sequence[str]) -> AsyncIterator[_Worker]:
    """Run clients that go to none of the gateways `avoid`, until one dies."""
    pipe = asyncio.subprocess.PIPE
    argv = (sys.executable, "-m", "bench.storm_clients")
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=pipe, stdout=pipe, cwd=ROOT, limit=LINE_BYTES_MAX, start_new_session=True
    )
    try:
        worker = _Worker(process)
        tokens = [(person.user_id, person.token) for person in people]
        await worker.tell({"base_urls": list(base_urls), "people": tokens, "avoid": list(avoid)})
        yield worker
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _host_at(life: Json, at: float) -> str:
    return next((str(host) for since, host in reversed(life["hosts"]) if since <= at), "")


def _first(times: Sequence[float]) -> float:
    return times[0] if times else float("inf")


def _caught_up(life: Json, posts: Sequence[tuple[float, str, int]], channels: frozenset[str]) -> float:
    """Return when a client was back and had all that had been acknowledged before that."""
    back = _first(life["ready"])
    arrived: dict[tuple[str, int], float] = {(channel, offset): at for at, channel, offset in life["arrivals"]}
    owed = [(channel, offset) for acked, channel, offset in posts if acked <= back and channel in channels]
    return max(back, max((arrived.get(each, float("inf")) for each in owed), default=back))


def _missing(life: Json, posts: Sequence[tuple[float, str, int]], channels: frozenset[str]) -> int:
    arrived = {(channel, offset) for _, channel, offset in life["arrivals"]}
    return sum(channel in channels and (channel, offset) not in arrived for _, channel, offset in posts)


def _repeated(life: Json) -> int:
    places = [(channel, offset) for _, channel, offset in life["arrivals"]]
    return len(places) - len(set(places))


def _waits(lives: Sequence[Json]) -> Counter[str]:
    found: Counter[str] = Counter()
    for life in lives:
        found.update(life["waits"])
    return found


def _times(seconds: Sequence[float]) -> Json:
    ordered = sorted(seconds)
    # JSON has no infinity: who never came back is told as such.
    never = sum(each == float("inf") for each in ordered)
    there = [each for each in ordered if each != float("inf")]
    shares = {"p50": percentile(there, 0.5), "p99": percentile(there, 0.99), "max": there[-1] if there else 0.0}
    return {**{name: round(each, 2) for name, each in shares.items()}, "never": never}


def _is_within_bars(result: Json) -> bool:
    caught_up = result["caught_up_s"]
    return bool(
        caught_up["max"] <= BARS["caught_up_s"]
        and not caught_up["never"]
        and result["latency_ratio"] <= BARS["latency"]
        and result["db_ratio"] <= BARS["db_queries"]
        and result["lost"] == result["repeated"] == 0
    )
