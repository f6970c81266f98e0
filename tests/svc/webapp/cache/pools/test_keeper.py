"""Keepers and followers against a real Consul and real memcached nodes."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from svc.webapp.cache.pools.follow import table_key
from svc.webapp.cache.pools.keeper import KEEPER_KEY, ORDERS, Keeper
from svc.webapp.cache.pools.stats import read_stats
from svc.webapp.cache.pools.status import status_key
from tests.discovery.agents import Agent
from tests.svc.webapp.cache.pools.town import Town, Webapp, town, until

pytestmark = pytest.mark.mesh


async def keep_reading(webapp: Webapp, keys: list[str]) -> None:
    """Read all keys over and over."""
    while True:
        await asyncio.gather(*(webapp.read(key, b"old") for key in keys))
        await asyncio.sleep(0.005)


async def founded(town: Town, *webapps: Webapp) -> None:
    """Wait for the first table, and until everybody goes by it with all nodes connected."""
    await until(lambda: all(webapp.pools.table("main").version >= 1 for webapp in webapps))
    for webapp in webapps:
        for key in (f"probe{number}" for number in range(60)):
            async with asyncio.timeout(5):
                while await webapp.pool.get([key], 0) == [None]:
                    await asyncio.sleep(0.01)


async def test_a_node_is_replaced_under_load_without_a_miss_and_without_an_old_value(
    agent: Agent, tmp_path: Path
) -> None:
    """By an order: two webapps follow, what the old node had is carried over, what is deleted stays deleted."""
    async with town(agent, tmp_path) as place, place.webapp("one") as one, place.webapp("two") as two:
        await founded(place, one, two)
        keys = [f"k{number}" for number in range(200)]
        for key in keys:
            await one.read(key, b"old")
        before, spare = one.nodes(), place.addresses["spare-1"]
        mine = [key for key in keys if one.pool.explain(key).note.startswith("main, seat 2")]
        reading = asyncio.create_task(keep_reading(two, keys))
        await place.order("replace", "2")
        await until(lambda: two.nodes().get("2") == spare == one.nodes().get("2"))
        assert two.pools.table("main").seats["2"].warm == before["2"]
        assert [await two.get(key) for key in mine] == [b"old"] * len(mine)
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        await one.pool.delete(mine, 0)
        for key in mine:
            assert await two.read(key, b"new") == b"new"
        reading = asyncio.create_task(keep_reading(two, keys))
        await until(lambda: not any(seat.is_changing or seat.old for seat in one.pools.table("main").seats.values()))
        reading.cancel()
        assert one.nodes() == {**before, "2": spare}
        assert [await one.get(key) for key in mine] == [b"new"] * len(mine)
        assert (await place.consul.list_keys(ORDERS)) == {}


async def test_a_dead_nodes_seat_is_taken_by_a_spare(agent: Agent, tmp_path: Path) -> None:
    """And its status says so to people."""
    async with town(agent, tmp_path) as place, place.webapp("one") as one:
        await founded(place, one)
        await place.kill("main-1")
        await until(lambda: one.nodes()["1"] == place.addresses["spare-1"])
        await asyncio.sleep(0.5)
        said = json.loads((await place.consul.get(status_key("main")))[0] or b"")
        assert said["keeper"] == "one"
        assert {seat["seat"]: seat["state"] for seat in said["seats"]} == {"1": "ok", "2": "ok", "3": "ok"}
        assert said["seats"][0]["node"]["id"] == "spare-1"
        assert said["spares"] == []


async def test_a_keeper_that_stops_is_followed_by_another(agent: Agent, tmp_path: Path) -> None:
    """The lock goes with the session."""
    async with town(agent, tmp_path) as place:
        async with place.webapp("one") as one:
            await until(lambda: one.keeper.is_keeper)
            async with place.webapp("two") as two:
                await founded(place, one, two)
                assert not two.keeper.is_keeper
        async with place.webapp("three") as three:
            await until(lambda: three.keeper.is_keeper)
            assert (await place.consul.get(KEEPER_KEY))[0] == b"three"


async def test_the_next_keeper_goes_on(agent: Agent, tmp_path: Path) -> None:
    """A replacement that one began is brought to its end by the other."""
    async with town(agent, tmp_path) as place:
        async with place.webapp("one") as one:
            await founded(place, one)
            await place.order("replace", "3")
            await until(lambda: bool(one.pools.table("main").seats["3"].next))
        async with place.webapp("two") as two:
            await until(lambda: two.nodes().get("3") == place.addresses["spare-1"])


async def test_a_consul_that_died_and_lost_everything_changes_nothing(agent: Agent, tmp_path: Path) -> None:
    """Reads go on; the table comes back as it was, one version on."""
    async with town(agent, tmp_path) as place, place.webapp("one") as one:
        await founded(place, one)
        await place.order("drain", "3")
        await until(lambda: set(one.nodes()) == {"1", "2"})
        version = one.pools.table("main").version
        await one.read("k", b"v")
        await agent.kill(wipe=True)
        await asyncio.sleep(1)
        assert await one.read("k", b"other") == b"v"
        assert set(one.nodes()) == {"1", "2"}
        await agent.start()
        await place.cache.register()
        await until(lambda: one.pools.table("main").version > version)
        assert set(one.nodes()) == {"1", "2"}
        assert await one.read("k", b"other") == b"v"


class Usurper(Keeper):
    """A keeper that believes in itself."""

    async def _hold(self) -> bool:
        return True


async def test_two_keepers_at_once_do_what_one_would_have_done(agent: Agent, tmp_path: Path) -> None:
    """Versions rise by one, and every order is carried out once."""
    async with town(agent, tmp_path, spares=2) as place, place.webapp("one") as one, place.webapp("two") as two:
        two.keeper.__class__ = Usurper
        versions: list[int] = []
        await founded(place, one, two)
        await place.order("replace", "1")
        await place.order("drain", "3")
        while set(two.nodes()) != {"1", "2"}:
            table = await place.table()
            assert table is not None
            versions.append(table.version)
            await asyncio.sleep(0.005)
        assert one.keeper.is_keeper
        assert two.keeper.is_keeper
        assert all(0 <= after - before <= 1 for before, after in pairwise(versions))
        spares = {place.addresses["spare-1"], place.addresses["spare-2"]}
        assert one.nodes()["1"] in spares
        final = await place.table()
        assert final is not None
        assert len(final.addresses & spares) == 1


async def test_a_table_that_makes_no_sense_is_left_to_people(agent: Agent, tmp_path: Path) -> None:
    """Nobody follows it, and nobody writes over it."""
    async with town(agent, tmp_path) as place, place.webapp("one") as one:
        await founded(place, one)
        nodes = one.nodes()
        await place.consul.put(table_key("main"), b'{"seats": 7}')
        await asyncio.sleep(1)
        assert (await place.consul.get(table_key("main")))[0] == b'{"seats": 7}'
        assert one.nodes() == nodes


async def test_without_a_keeper_consuls_list_is_the_pool(agent: Agent, tmp_path: Path) -> None:
    """A node that comes is read at once; one that goes hears of deletions for a while."""
    async with town(agent, tmp_path, seats=2, spares=0) as place, place.webapp("one") as one:
        assert one.pools.table("main").version == 0
        await until(lambda: set(one.nodes()) == {"1", "2"})
        await place.cache.deregister("main-2")
        await until(lambda: "2" not in one.nodes())
        assert f"({place.addresses['main-2']})" in one.nodes()


async def test_a_node_says_how_it_is(agent: Agent, tmp_path: Path) -> None:
    """And a dead one says nothing."""
    async with town(agent, tmp_path, seats=1, spares=0) as place:
        found = await read_stats(place.addresses["main-1"])
        assert found is not None
        assert found.limit_bytes == 64 * 1024 * 1024
        await place.kill("main-1")
        assert await read_stats(place.addresses["main-1"]) is None
