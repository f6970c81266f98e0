"""One node, real or misbehaving: reads in time or not at all, and deletions that are never overtaken by a read."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop

from svc.webapp.cache.memcached.health import NodeLimits, NodeState
from svc.webapp.cache.routes.route import Explained, Found
from tests.svc.webapp.cache.memcached.clients import PATIENT, client, misbehaving, number, one, put, until_alive
from tests.svc.webapp.cache.nodes import CacheServer, cache_server, mute_node

IMPATIENT = replace(PATIENT, deadline_s=0.05)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[CacheServer]:
    """A memcached of the test's own."""
    async with cache_server(tmp_path) as server:
        yield server


@pytest.mark.mesh
async def test_many_at_once_get_each_their_own(server: CacheServer) -> None:
    """Batches of all sizes in one turn of the loop, with keys that memcached does not take among them."""
    async with client(server.address) as node:
        keys = [f"k{i}" for i in range(500)]
        for key, found in zip(keys, await node.get(keys, 10), strict=True):
            assert found is not None
            assert found.lease is not None
            found.lease.fill(key.encode(), 60, 1)
        batches = [keys[i : i + size] for size in (1, 2, 7, 100, 400) for i in range(0, 500 - size, 13)]
        batches += [["k1", "a b", "k2"], ["x" * 251], [], ["k1", "k1"]]
        answers = await asyncio.gather(*(node.get(batch, i % 3) for i, batch in enumerate(batches)))
    for batch, found_batch in zip(batches, answers, strict=True):
        values = [found and found.value for found in found_batch]
        assert values == [key.encode() if key in keys else None for key in batch]


async def test_reads_of_one_turn_are_one_batch_and_stay_on_their_side_of_a_deletion() -> None:
    """A read that begins after a deletion was taken is never answered from before it."""
    async with misbehaving(lambda line: b"EN %b\r\n" % number(line)) as server, client(server.address) as node:
        reads = [asyncio.ensure_future(node.get([key], 10)) for key in "abc"]
        await asyncio.sleep(0)
        node.undelivered(["x", "not a key"])
        late = asyncio.ensure_future(node.get(["x"], 10))
        await asyncio.gather(*reads, late)
    assert [line.split()[1] for line in server.heard] == [b"a", b"b", b"c", b"x", b"x"]
    assert [line[:2] for line in server.heard] == [b"mg", b"mg", b"mg", b"md", b"mg"]
    assert [number(line) for line in server.heard] == [b"O1"] * 3 + [b"O2", b"O3"]


@pytest.mark.mesh
async def test_a_node_that_ends_is_away_at_once_and_comes_back(server: CacheServer) -> None:
    """Nobody waits for it meanwhile."""
    async with client(server.address) as node:
        await put(node, "k", b"v")
        await server.stop()
        await until_alive(node, alive=False)
        assert node.state is NodeState.TKO
        began = time.monotonic()
        for _ in range(100):
            assert await node.get(["k", "l"], 10) == [None, None]
        assert time.monotonic() - began < 0.5
        assert (node.counts.knockouts, node.counts.unanswered) == (1, 200)
        assert node.explain("k") == Explained("node", f"{server.address}, tko")
        await server.start()
        await until_alive(node)
        assert (await one(node, "k")).lease is not None


@pytest.mark.mesh
async def test_a_node_that_hangs_costs_three_deadlines_once(server: CacheServer) -> None:
    """Then it is left alone; woken, it is told first what it missed."""
    async with client(server.address, IMPATIENT) as node, client(server.address) as other:
        await put(other, "k", b"old")
        await server.hang()
        began = time.monotonic()
        deleted = asyncio.ensure_future(node.delete(["k"], 0))
        while node.alive:
            assert await node.get(["k", "l"], 10) == [None, None]
        took_s = time.monotonic() - began
        assert 0.1 < took_s < 1.0
        assert await deleted == {server.address: ["k"]}
        assert await node.delete(["l", "not a key"], 30) == {server.address: ["l"]}
        assert await node.delete(["not a key"], 30) == {}
        server.go_on()
        await until_alive(node)
        for reader in (node, other):
            assert (await one(reader, "k", 0)).value is None
        assert node.counts.undelivered == 2


@pytest.mark.mesh
async def test_a_deletion_late_by_a_deadline_still_comes_before_the_reads_after_it(server: CacheServer) -> None:
    """One short stall: the connection lives, the deletion is in flight, and order does the rest."""
    async with client(server.address, IMPATIENT) as node, client(server.address) as other:
        await put(other, "k", b"old")
        await server.hang()
        assert await node.delete(["k"], 0) == {server.address: ["k"]}
        server.go_on()
        found = None
        async with asyncio.timeout(10):
            while found is None:
                (found,) = await node.get(["k"], 0)
                await asyncio.sleep(0)
        assert found.value is None
        assert node.counts.knockouts == 0


@pytest.mark.mesh
async def test_deletions_that_others_could_not_deliver_are_done_before_the_next_read(server: CacheServer) -> None:
    """At once when the node is there, and first thing when it is back."""
    async with client(server.address) as node, client(server.address, IMPATIENT) as hanging:
        await put(node, "k", b"old")
        node.undelivered(["k"])
        assert (await one(node, "k", 0)).value is None
        await put(node, "k", b"old")
        await server.hang()
        while hanging.alive:
            await hanging.get(["k"], 0)
        hanging.undelivered(["k"])
        server.go_on()
        await until_alive(hanging)
        assert (await one(hanging, "k", 0)).value is None


@pytest.mark.mesh
async def test_past_the_limit_of_deletions_remembered_the_node_is_emptied(server: CacheServer) -> None:
    """Of what was stored in the same second, too."""
    async with client(server.address, replace(IMPATIENT, undeleted_max=5)) as node, client(server.address) as other:
        await server.hang()
        while node.alive:
            await node.get(["k"], 0)
        for i in range(10):
            assert await node.delete([f"k{i}"], 0) == {server.address: [f"k{i}"]}
        server.go_on()
        await put(other, "unrelated", b"v")
        await until_alive(node)
        assert node.counts.flushes == 1
        assert (await one(other, "unrelated", 0)).value is None


@pytest.mark.mesh
async def test_a_backlog_of_thousands_is_done_before_the_first_read(server: CacheServer) -> None:
    """Some at a time, each within the deadline."""
    keys = [f"key{i}" for i in range(8000)]
    async with client(server.address) as node, client(server.address, IMPATIENT) as hanging:
        for i in range(0, 8000, 1000):
            for found in await node.get(keys[i : i + 1000], 10):
                assert found is not None
                assert found.lease is not None
                found.lease.fill(b"old", 60, 1)
        await server.hang()
        while hanging.alive:
            await hanging.get(["k"], 0)
        assert await hanging.delete(keys, 0) == {server.address: keys}
        server.go_on()
        await until_alive(hanging)
        assert not [found for found in await node.get(keys, 0) if found is None or found.value is not None]


@pytest.mark.mesh
def test_a_stall_of_our_own_is_not_held_against_the_node(tmp_path: Path) -> None:
    """The answer lies unread when the deadline has long passed.

    On uvloop, as in the webapp: after a stall in one reader it looks at timers before it looks at other readers.
    """

    async def read_through_a_stall() -> None:
        async with cache_server(tmp_path) as server, client(server.address, IMPATIENT) as node:
            await put(node, "k", b"v")
            await server.hang()
            reading = asyncio.ensure_future(node.get(["k"], 0))
            await asyncio.sleep(0.005)
            here, there = socket.socketpair()

            def stall() -> None:
                here.recv(1)
                server.go_on()
                time.sleep(0.3)

            with here, there:
                asyncio.get_running_loop().add_reader(here, stall)
                there.send(b"x")
                (found,) = await reading
                asyncio.get_running_loop().remove_reader(here)
            assert found is not None
            assert found.value == b"v"

    uvloop.run(read_through_a_stall())


async def test_a_node_that_hangs_is_asked_no_more_than_the_limit() -> None:
    """What it does not read stays small here."""
    limits = NodeLimits(deadline_s=5.0, in_flight_max=10)
    async with mute_node() as mute, client(mute.address, limits) as node:
        waiting = [asyncio.ensure_future(node.get(["k", "l"], 0)) for _ in range(5)]
        await asyncio.sleep(0)
        began = time.monotonic()
        assert await node.get(["k"], 0) == [None]
        assert time.monotonic() - began < 1.0
        assert (node.owed, node.counts.unanswered) == (10, 1)
        # Deletions are sent all the same, but not without end: then the connection is given up.
        deleting = [asyncio.ensure_future(node.delete([f"{i}"], 0)) for i in range(40)]
        assert await asyncio.gather(*deleting) == [{mute.address: [f"{i}"]} for i in range(40)]
        assert await asyncio.gather(*waiting) == [[None, None]] * 5
        assert not node.alive


async def test_a_node_that_was_never_there_is_no_error() -> None:
    """Connections are refused: away at once."""
    async with mute_node() as mute:
        address = mute.address
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), client(address) as node:
            assert node.alive


BAD_ANSWERS: list[tuple[str, bytes | None]] = [
    ("not the protocol", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    ("an error of ours", b"CLIENT_ERROR bad data chunk\r\nERROR\r\n"),
    ("another batch's answer", b"VA 1 t5 f1 c1 O9999\r\nx\r\n"),
    ("a value of another size", b"VA 1 t5 f1 c1 %b\r\nxyz\r\n"),
    ("a line without end", b"V" * 5000),
    ("the end of the connection", None),
]


@pytest.mark.parametrize(("what", "answer"), BAD_ANSWERS, ids=[what for what, _ in BAD_ANSWERS])
async def test_answers_that_make_no_sense_end_the_connection(what: str, answer: bytes | None) -> None:
    """All who wait are answered at once, with nothing; and the node gets another chance."""
    is_bad = True

    def reply(line: bytes) -> bytes | None:
        if is_bad and line.startswith(b"mg k2"):
            return answer.replace(b"%b", number(line)) if answer else None
        return b"EN %b\r\n" % number(line)

    async with misbehaving(reply) as server, client(server.address) as node:
        reads = asyncio.gather(node.get(["k1", "k2", "k3"], 10), node.get(["k4"], 0))
        assert list(await asyncio.wait_for(reads, 1.5)) == [[None] * 3, [None]], what
        assert not node.alive
        is_bad = False
        await until_alive(node)
        assert await node.get(["k2"], 10) == [Found(node=server.address)]
        assert server.connections == 2


async def test_an_answer_to_no_question_ends_the_connection() -> None:
    """Before it can be taken for the answer to the next one; what came just before it is not trusted either."""
    async with misbehaving(lambda line: (b"EN %b\r\n" % number(line)) * 2) as server, client(server.address) as node:
        assert await node.get(["k1"], 10) == [None]
        assert not node.alive


async def test_half_an_answer_is_waited_for_until_the_deadline() -> None:
    """And what comes of it later is nobody's."""
    async with misbehaving(lambda _: b"VA 100 t5 f1") as server, client(server.address, IMPATIENT) as node:
        began = time.monotonic()
        assert await node.get(["k"], 10) == [None]
        assert 0.04 < time.monotonic() - began < 0.5
        assert node.alive


async def test_a_node_out_of_memory_fails_one_read_and_no_other() -> None:
    """It has answered: it is alive."""

    def reply(line: bytes) -> bytes:
        failing = line.startswith(b"mg k2")
        return b"SERVER_ERROR out of memory storing object\r\n" if failing else b"EN %b\r\n" % number(line)

    async with misbehaving(reply) as server, client(server.address) as node:
        there = Found(node=server.address)
        assert await node.get(["k1", "k2", "k3"], 10) == [there, None, there]
        assert (node.alive, node.counts.unanswered, node.counts.misses) == (True, 1, 2)


@pytest.mark.parametrize("failure", [b"SERVER_ERROR out of memory\r\n", None])
async def test_a_deletion_that_fails_is_done_before_the_node_is_read_again(failure: bytes | None) -> None:
    """Whatever the reason: the connection is given up, and the deletion comes first on the next."""
    fails = iter([True, True])

    def reply(line: bytes) -> bytes | None:
        is_failing = line.startswith(b"md") and next(fails, False)
        return failure if is_failing else b"NF %b\r\n" % number(line)

    async with misbehaving(reply) as server, client(server.address) as node:
        assert await node.delete(["k"], 0) == {server.address: ["k"]}
        assert await node.get(["k"], 0) == [None]
        await until_alive(node)
        assert [line[:4] for line in server.heard] == [b"md k"] * 3
        assert await node.delete(["k"], 0) == {}


async def test_a_node_too_slow_for_requests_is_probed_ever_more_rarely() -> None:
    """It passes probes and misses every deadline: a third of a second of good will each second, then less."""
    async with misbehaving(lambda _: b"") as server, client(server.address, IMPATIENT) as node:
        ended_at = time.monotonic() + 2.5
        while time.monotonic() < ended_at:
            await node.get(["k"], 0)
            await asyncio.sleep(0.001)
        # With a pause of 20 ms after every 150 ms there would be 14.
        assert 3 <= server.connections <= 9
