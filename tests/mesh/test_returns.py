"""A gateway is killed, and its clients go on at another one without a question to any webapp or edge."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from parley_client import Client, Status
from tests.mesh.test_resume import back, gateway_of, reading
from tests.mesh.towns import Town, town

pytestmark = pytest.mark.mesh

CLIENTS = 20
BEGINNINGS = ("client.boot", "rtm.connect", "rtm.start")


async def begun(there: Town) -> float:
    """Return how often webapps were asked for a way to a socket, or what somebody follows."""
    calls = 0.0
    for name in there.mesh.names("webapp"):
        port = (await there.mesh.instance(name)).instance.meta["metrics_port"]
        async with there.http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        calls += sum(
            float(line.rsplit(" ", 1)[1])
            for line in lines
            if line.startswith("parley_http_requests_total") and any(f'"{each}"' in line for each in BEGINNINGS)
        )
    return calls


def has_ticket(client: Client) -> bool:
    """Tell whether a client knows where to go."""
    return client._connecting is not None and client._connecting.returning.is_there


def note(hosts: list[str], status: Status, detail: str) -> None:
    """Keep the gateway that a client is greeted by."""
    if status is Status.GREETED:
        hosts.append(detail)


async def test_clients_of_a_killed_gateway_come_back_without_a_question(tmp_path: Path) -> None:
    """All of them, with all that they missed."""
    async with town(tmp_path / "var") as there, AsyncExitStack() as up:
        hosts: list[list[str]] = [[] for _ in range(CLIENTS)]
        readers = [
            await up.enter_async_context(
                reading(there, name, boots=number % 4 < 2, on_status=partial(note, hosts[number]))
            )
            for number, name in enumerate(["grace", "linus"] * (CLIENTS // 2))
        ]
        await there["ada"].post(there.general, "before")
        for reader in readers:
            await reader.hears(there.general, "before")
        async with asyncio.timeout(30):
            while not all(has_ticket(reader.client) for reader in readers):
                await asyncio.sleep(0.05)
        victim = await gateway_of(there)
        victim_id = (await there.mesh.instance(victim)).instance.id
        affected = [reader for reader, host in zip(readers, hosts, strict=True) if host[-1] == victim_id]
        assert affected
        connections = [reader.client.connections for reader in affected]
        asked = await begun(there)
        assert asked >= CLIENTS
        killed = time.monotonic()
        await there.mesh.kill(victim)
        await there["ada"].post(there.general, "meanwhile")
        took = await back(affected, connections) - killed
        for reader in readers:
            await reader.hears(there.general, "meanwhile")
        assert await begun(there) == asked
        assert [reader.client.returns for reader in affected] == [1] * len(affected)
        assert took <= 10.0
        for reader in readers:
            assert reader.failures == []
            got = reader.offsets(there.general)
            assert got == list(range(got[0], got[-1] + 1))
