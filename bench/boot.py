"""Booting through the real tiers of a mesh of this machine: how large, how fast, at what cost.

The workspace is a lived-in one (see `ops.lived_in`): a public channel for every 3.2 people, 25 channels a person,
direct messages, pictures, topics, emoji, read marks. Measured: `rtm.start` (the whole model), `client.boot` (slim), and
`client.boot` with the token of a moment ago (a delta of nothing).

    first       each person's first boot: webapp and memcached know nothing of it
    again       each person's second one
    delta       with the token of the second
    after_a_night   memcached is empty at each of these boots, and the edge knows all

`boots_per_s` is boots divided by the processor seconds that webapp and edge used for them together, from /proc: what
one core makes of both tiers' work. Clients, databases and everybody else are not in it. `db_queries_per_boot` is
MariaDB's count of SELECTs, one boot at a time, so that no two share one; less what the idle system asks in that time,
and less those for the record of a token, which every call of whatever method needs: they are counted apart. After a
night nothing saves the queries for what only members know: names of private channels, who is in a group.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from bench.boot_calls import Booter, Sitter, Taken, ascending
from bench.database_load import INTERVAL_S, DatabaseLoad, watching
from bench.processes import cpu_s, rss_bytes
from bench.scrape import labelled, metric
from ops.chaos.recovery import percentile
from ops.keyspaces import workspace_rules
from ops.local.mesh import Mesh
from ops.local.spec import MeshSpec, none
from ops.seeding import Seeder, SeedSpec
from svc.webapp.store.dsn import Dsn

Say = Callable[[str], None]
Before = Callable[[], Awaitable[None]]

USERS = 1_500
PEOPLE_PER_CHANNEL = 3.2
SITTERS_MAX = 400
"""People who boot; each of them seldom enough that the next one is somebody else."""
TOKENS_AT_ONCE = 16
FULL_BOOTS = 5
AT_ONCE = 8
"""Clients that boot without a pause while boots a core are counted."""
FLOOD_S = 10.0
IDLE_S = 5.0
BARS: Mapping[str, float] = {"boots_per_s": 200.0, "db_queries_per_boot": 2.0, "delta_bytes": 1_000}
RATIO_BARS = ((32_000, 100.0), (1_500, 20.0))
"""(people, times smaller): of this many and more."""


def measure(say: Say, users: int = USERS) -> dict[str, Any]:
    """Return what boots of a workspace of `users` people are; minutes for tens of thousands."""
    return asyncio.run(_measure(say, users))


async def _measure(say: Say, users: int) -> dict[str, Any]:
    async with AsyncExitStack() as up:
        folder = Path(up.enter_context(tempfile.TemporaryDirectory(prefix="parley-bench-")))
        one = none(webapp=1, admin=1, channel=1, gateway=1, presence=1, edge=1)
        spec = MeshSpec(var=folder, counts=one, zones=("az1",), graceful=False)
        mesh = await up.enter_async_context(Mesh(spec))
        channels = max(2, round(users / PEOPLE_PER_CHANNEL))
        say(f"a lived-in workspace of {users} people and {channels} public channels")
        began = time.monotonic()
        sitters = await _people(mesh, SeedSpec("Bench", "bench", users, channels, is_lived_in=True))
        seeded_s = time.monotonic() - began
        http = await up.enter_async_context(aiohttp.ClientSession(auto_decompress=False))
        database = await up.enter_async_context(watching(Dsn.parse(mesh.dsns.user)))
        trial = _Trial(mesh, Booter(http, mesh.web_url, Random(1)), sitters, database, say)
        result = await trial.run()
        shape = {"users": users, "channels": channels, "seeded_s": round(seeded_s, 1), "people_booting": len(sitters)}
        result = {**shape, **result}
        return {**result, "bars": _bars(users), "ok": _is_within_bars(result)}


async def _people(mesh: Mesh, spec: SeedSpec) -> list[Sitter]:
    """Make the workspace; return some of its people, chosen at random."""
    async with workspace_rules(mesh.dsns) as rules:
        services = rules.services
        made = await Seeder(services, rules.bulk, lambda what, count: None).populate(spec)
        found = [user for user in await services.workspaces.users(made.team.id, limit=spec.users) if not user.is_bot]
        chosen = Random(2).sample(found, min(SITTERS_MAX, len(found)))
        slots = asyncio.Semaphore(TOKENS_AT_ONCE)

        async def sitter(user: Any) -> Sitter:
            async with slots:
                return Sitter(user.id, await services.accounts.token_for(user))

        return list(await asyncio.gather(*map(sitter, chosen)))


@dataclass(frozen=True, slots=True)
class _Queries:
    """SELECTs a boot."""

    own: float
    token: float
    """For the record of the token."""


def _queries(**kinds: _Queries) -> dict[str, Any]:
    return {
        "db_queries_per_boot": {kind: each.own for kind, each in kinds.items()},
        "token_queries_per_boot": {kind: each.token for kind, each in kinds.items()},
    }


class _Trial:
    """The boots of one mesh, one kind after the other."""

    def __init__(self, mesh: Mesh, booter: Booter, sitters: Sequence[Sitter], database: DatabaseLoad, say: Say) -> None:
        self._mesh = mesh
        self._booter = booter
        self._sitters = sitters
        self._database = database
        self._say = say

    async def run(self) -> dict[str, Any]:
        """Return everything that was measured."""
        began = time.perf_counter()
        await self._booter.boot(self._sitters[0], packed=True)
        cold_ms = 1_000 * (time.perf_counter() - began)
        idle_qps = await self._idle()
        full, full_packed = await self._full()
        self._say("slim boots: first, again, delta")
        _, first_queries = await self._each(idle_qps, lambda _: {})
        again, again_queries = await self._each(idle_qps, lambda _: {})
        self._say("and after a night")
        _, night_queries = await self._each(idle_qps, lambda _: {}, self._forget)
        plain = [await self._booter.boot(sitter, packed=False) for sitter in self._sitters]
        tokens = {each.user_id: taken.answer()["token"] for each, taken in zip(self._sitters, again, strict=True)}
        deltas, delta_queries = await self._each(idle_qps, lambda sitter: {"since": tokens[sitter.user_id]})
        flood = await self._flood()
        sizes = _sizes(full, full_packed, plain, again, deltas)
        times = ascending(again, lambda taken: 1_000 * taken.seconds)
        return {
            **sizes,
            "first_boot_cold_edge_ms": round(cold_ms, 1),
            "full_ms_p50": round(1_000 * statistics.median(taken.seconds for taken in full_packed), 1),
            "slim_ms_p50": round(percentile(times, 0.5), 2),
            "slim_ms_p99": round(percentile(times, 0.99), 2),
            "delta_ms_p50": round(1_000 * statistics.median(taken.seconds for taken in deltas), 2),
            **flood,
            **_queries(first=first_queries, again=again_queries, after_a_night=night_queries, delta=delta_queries),
            "db_qps_idle": round(idle_qps, 2),
            "refused": self._booter.refused,
            **await self._edge(),
        }

    async def _idle(self) -> float:
        began = time.monotonic()
        await asyncio.sleep(IDLE_S)
        return self._database.rate(began, time.monotonic())

    async def _full(self) -> tuple[list[Taken], list[Taken]]:
        """Return whole models, unpacked ones and packed ones."""
        self._say(f"{2 * FULL_BOOTS} whole models")
        some = self._sitters[:FULL_BOOTS]
        packed = [await self._booter.boot(each, "rtm.start", packed=True) for each in some]
        return [await self._booter.boot(each, "rtm.start", packed=False) for each in some], packed

    async def _each(
        self, idle_qps: float, arguments: Callable[[Sitter], Mapping[str, Any]], before_each: Before | None = None
    ) -> tuple[list[Taken], _Queries]:
        """Boot everybody once, one after the other; return the boots, and how many SELECTs each took."""
        await asyncio.sleep(2 * INTERVAL_S)
        began = time.monotonic()
        before, tokens_before = self._database.readings[-1], await self._token_loads()
        taken: list[Taken] = []
        for each in self._sitters:
            if before_each is not None:
                await before_each()
            taken.append(await self._booter.boot(each, arguments=arguments(each), packed=True))
        ended = time.monotonic()
        await asyncio.sleep(2 * INTERVAL_S)
        after, tokens = self._database.readings[-1], await self._token_loads() - tokens_before
        selects = after.selects - before.selects - idle_qps * (after.at - before.at)
        self._say(
            f"{len(taken)} boots in {ended - began:.1f} s, {selects:.0f} SELECTs, {tokens:.0f} of them for tokens"
        )
        return taken, _Queries(round(max(0.0, selects - tokens) / len(taken), 2), round(tokens / len(taken), 2))

    async def _token_loads(self) -> float:
        """Return how often the webapp has read the record of a token from the database."""
        return await labelled(self._mesh, self._mesh.names("webapp")[0], "parley_webapp_gather_reads", "kind", "tokens")

    async def _forget(self) -> None:
        """Let memcached forget everything."""
        for address in self._mesh.memcached_addrs:
            host, _, port = address.rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"flush_all\r\n")
            if await reader.readline() != b"OK\r\n":
                raise RuntimeError(f"memcached {address} was not flushed")
            writer.close()
            await writer.wait_closed()

    async def _flood(self) -> dict[str, Any]:
        """Boot without a pause, and see what that costs the tiers."""
        self._say(f"{AT_ONCE} clients boot for {FLOOD_S:.0f} s")
        tiers = {"webapp": self._mesh.names("webapp"), "edge": self._mesh.names("edge")}
        before = {tier: cpu_s(self._mesh, names) for tier, names in tiers.items()}
        count, took = await self._booter.flood(self._sitters, AT_ONCE, FLOOD_S)
        used = {tier: cpu_s(self._mesh, names) - before[tier] for tier, names in tiers.items()}
        took.sort()
        return {
            "boots_per_s": round(count / sum(used.values()), 1),
            "boots_per_s_observed": round(count / FLOOD_S, 1),
            "webapp_cpu_ms_per_boot": round(1_000 * used["webapp"] / count, 2),
            "edge_cpu_ms_per_boot": round(1_000 * used["edge"] / count, 2),
            "slim_ms_p99_busy": round(1_000 * percentile(took, 0.99), 1),
        }

    async def _edge(self) -> dict[str, Any]:
        name = self._mesh.names("edge")[0]
        model = await metric(self._mesh, name, "parley_edge_model_bytes")
        return {"edge_rss_mb": round(rss_bytes(self._mesh, name) / 1e6, 1), "model_bytes": round(model)}


def _sizes(
    full: Sequence[Taken],
    full_packed: Sequence[Taken],
    slim: Sequence[Taken],
    slim_packed: Sequence[Taken],
    deltas: Sequence[Taken],
) -> dict[str, Any]:
    """Return medians, and how many times smaller a slim boot is."""

    def middle(of: Sequence[Taken]) -> int:
        return round(statistics.median(taken.wire_bytes for taken in of))

    return {
        "full_bytes": middle(full),
        "full_gzip_bytes": middle(full_packed),
        "slim_bytes": middle(slim),
        "slim_gzip_bytes": middle(slim_packed),
        "slim_bytes_p99": round(percentile(ascending(slim, lambda taken: taken.wire_bytes), 0.99)),
        "ratio": round(middle(full) / middle(slim), 1),
        "ratio_gzip": round(middle(full_packed) / middle(slim_packed), 1),
        "delta_bytes": round(statistics.median(taken.plain_bytes for taken in deltas)),
        "delta_gzip_bytes": middle(deltas),
    }


def _bars(users: int) -> dict[str, float]:
    ratio = next((times for people, times in RATIO_BARS if users >= people), 1.0)
    return {**BARS, "ratio": ratio, "ratio_gzip": ratio}


def _is_within_bars(result: dict[str, Any]) -> bool:
    bars = _bars(result["users"])
    return bool(
        min(result["ratio"], result["ratio_gzip"]) >= bars["ratio"]
        and result["boots_per_s"] >= bars["boots_per_s"]
        and result["db_queries_per_boot"]["again"] <= bars["db_queries_per_boot"]
        and result["delta_bytes"] <= bars["delta_bytes"]
    )
