"""Numbers that many processes share, on nodes that are there, late, away or wrong."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from svc.webapp.cache.memcached import wire
from svc.webapp.cache.routes.route import Step
from tests.svc.webapp.cache.memcached.clients import PATIENT, client, misbehaving, number, one, put, until_alive
from tests.svc.webapp.cache.nodes import cache_server

STEP = Step(by=3, start=50, ttl_s=60)


def test_requests_are_as_memcached_takes_them() -> None:
    """A missing number begins with `start`, and what is subtracted is answered without the number."""
    assert wire.add("k", b"O7", 3, 50, 60) == b"ma k N60 J50 D3 T60 v c O7\r\n"
    assert wire.subtract("k", b"O7", 3) == b"ma k MD D3 O7\r\n"


@pytest.mark.mesh
async def test_additions_of_several_processes_never_get_the_same_number(tmp_path: Path) -> None:
    """A hundred at once from each of two, among reads: every number is given once, and reads go on."""
    async with cache_server(tmp_path) as server, client(server.address) as here, client(server.address) as there:
        await put(here, "value", b"v")
        tasks = [node.add("n", STEP) for _ in range(100) for node in (here, there)]
        sums = await asyncio.gather(*tasks)
        values = sorted(each.value for each in sums if each is not None)
        assert values == [50 + 3 * n for n in range(200)]
        assert (await one(there, "value")).value == b"v"
        assert here.counts.additions == 100


@pytest.mark.mesh
async def test_a_number_ends_with_its_life(tmp_path: Path) -> None:
    """It is kept for as long after each addition as that one says."""
    async with cache_server(tmp_path) as server, client(server.address) as node:
        for value in (50, 53):
            found = await node.add("n", STEP._replace(ttl_s=60))
            assert found is not None
            assert found.value == value
        assert await node.add("n", STEP._replace(ttl_s=1)) is not None
        async with asyncio.timeout(10):
            while True:
                # A get tells without prolonging its life.
                if (await one(node, "n", 0)).value is None:
                    break
                await asyncio.sleep(0.05)
        found = await node.add("n", STEP)
        assert found is not None
        assert found.value == 50


async def test_an_answer_that_does_not_come_in_time_is_none() -> None:
    """The caller goes on without; a late answer harms nobody."""
    async with misbehaving(lambda _: b"") as server, client(server.address, replace(PATIENT, deadline_s=0.05)) as node:
        assert await node.add("n", STEP) is None
        assert node.counts.unanswered == 1


async def test_whoever_is_not_connected_asks_nobody() -> None:
    """At once, and without an exception; nor is a key that memcached does not take sent."""

    def reply(line: bytes) -> bytes | None:
        return None if b"ends" in line else b"VA 2 c1 %b\r\n50\r\n" % number(line)

    async with misbehaving(reply) as server, client(server.address) as node:
        assert await node.add("a b", STEP) is None
        found = await node.add("n", STEP)
        assert found is not None
        assert await node.add("ends", STEP) is None
        await until_alive(node, alive=False)
        assert await node.add("n", STEP) is None
        found.take_back()
        found.replace(7)
        assert [line.split()[1] for line in server.heard] == [b"n", b"ends"]


async def test_a_node_that_cannot_add_is_no_reason_to_leave_it() -> None:
    """Out of memory: it has answered, so it is alive."""
    reply = b"SERVER_ERROR out of memory storing object\r\n"
    async with misbehaving(lambda _: reply) as server, client(server.address) as node:
        assert await node.add("n", STEP) is None
        assert node.alive
