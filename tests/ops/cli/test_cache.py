"""`parley cache` against a real Consul, real nodes and a keeper."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ops.cli import cache
from tests.discovery.agents import Agent
from tests.svc.webapp.cache.pools.town import Town, Webapp, town, until

pytestmark = pytest.mark.mesh


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    """A Consul, three seats, a spare and no keeper yet."""
    agent = Agent(tmp_path)
    await agent.start()
    monkeypatch.setenv("PARLEY_CONSUL_ADDR", agent.address)
    try:
        async with town(agent, tmp_path) as built:
            yield built
    finally:
        await agent.close()


async def parley(*arguments: str) -> tuple[int, str]:
    """Run `parley cache …` in a thread; return its exit code and what it said."""
    result = await asyncio.to_thread(CliRunner().invoke, cache.command, arguments)
    return result.exit_code, result.output


async def parley_json(*arguments: str) -> dict[str, Any]:
    """Run it for a program."""
    _, output = await parley(*arguments, "--json")
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


async def kept(webapp: Webapp) -> None:
    """Wait for the first table and the first status."""
    await until(lambda: webapp.pools.table("main").version >= 1)
    await asyncio.sleep(0.5)


async def test_show_tells_what_there_is_without_a_keeper(place: Town) -> None:
    """Consul's list, and what the nodes say of themselves; that nobody keeps them is not well."""
    code, output = await parley("show")
    assert code == 1
    assert "nobody keeps it" in output
    assert all(place.addresses[f"main-{number}"] in output for number in (1, 2, 3))


async def test_show_tells_what_the_keeper_says(place: Town) -> None:
    """Seats, ids, states; a program gets the same."""
    async with place.webapp("one") as one:
        await kept(one)
        code, output = await parley("show")
        assert code == 0, output
        assert "kept by one" in output
        assert "spare-1" in output
        shown = await parley_json("show", "--pool", "main")
    assert shown["ok"]
    assert [seat["node"]["id"] for seat in shown["pools"][0]["seats"]] == ["main-1", "main-2", "main-3"]


async def test_a_replacement_is_followed_to_its_end(place: Town) -> None:
    """By the id of a node, as Consul lists it."""
    async with place.webapp("one") as one:
        await kept(one)
        code, output = await parley("replace", "2", "spare-1")
        assert code == 0, output
        assert "seat 2" in output
        # The webapps follow the table by themselves.
        await until(lambda: one.nodes()["2"] == place.addresses["spare-1"])
        shown = await parley_json("show")
        assert [node["id"] for node in shown["pools"][0]["retired"]] == ["main-2"]


async def test_an_order_need_not_be_waited_for(place: Town) -> None:
    """A script may give many: they are carried out one by one."""
    async with place.webapp("one") as one:
        await kept(one)
        said = await parley_json("drain", "3", "--no-wait")
        assert said["order"]["state"] == "given"
        await until(lambda: set(one.nodes()) == {"1", "2"})


async def test_adding_says_how_many_keys_move(place: Town) -> None:
    """A quarter of them, with a fourth seat."""
    async with place.webapp("one") as one:
        await kept(one)
        code, output = await parley("add", "spare-1", "--seat", "x")
        assert code == 0, output
        assert "% of the keys move" in output
        await until(lambda: one.nodes().get("x") == place.addresses["spare-1"])


async def test_what_cannot_be_done_is_said_with_what_can(place: Town) -> None:
    """Names of what is there, on one line."""
    mistakes = {
        ("replace", "9"): "no seat '9' in pool main; there are 1, 2, 3",
        ("drain", "9"): "no seat '9'",
        ("show", "--pool", "attic"): "no pool 'attic'; there are main",
        ("replace", "1", "nobody"): "it lists main-1, main-2, main-3, spare-1",
        ("replace", "1", "main-2"): "is in use in seat 2",
        ("add", "127.0.0.1:1"): "127.0.0.1:1 does not answer",
    }
    async with place.webapp("one") as one:
        await kept(one)
        for arguments, says in mistakes.items():
            code, output = await parley(*arguments)
            assert code == 1
            assert says in output


async def test_an_order_that_nobody_would_carry_out_is_not_taken(place: Town) -> None:
    """Without a keeper it would be carried out some day, to the surprise of all."""
    code, output = await parley("replace", "1")
    assert code == 1
    assert "Nobody keeps the pool main" in output
    assert await place.consul.list_keys("parley/cache/orders/") == {}


async def test_the_way_of_a_key_is_shown(place: Town) -> None:
    """By the configuration in force, down to the node."""
    async with place.webapp("one") as one:
        await kept(one)
        code, output = await parley("route", "u1:U1")
        assert code == 0, output
        way = await parley_json("route", "u1:U1")
        node = one.nodes()[one.pool.explain("u1:U1").note.split("seat ")[1].split()[0]]
    assert node in output
    assert node in json.dumps(way)
