"""Leases and stale values, on a real node: what one process may fill, and who else may not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from svc.webapp.cache.memcached.wire import VALUE_BYTES_MAX
from svc.webapp.cache.routes.route import Found
from tests.svc.webapp.cache.memcached.clients import PATIENT, client, one, put, until_alive, won
from tests.svc.webapp.cache.nodes import CacheServer, cache_server

pytestmark = pytest.mark.mesh


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[CacheServer]:
    """A memcached of the test's own."""
    async with cache_server(tmp_path) as server:
        yield server


async def test_one_fills_what_is_missing_and_all_find_it(server: CacheServer) -> None:
    """With what is left of its life, and what loading it took."""
    async with client(server.address) as here, client(server.address) as there:
        lease = await won(here, "k")
        assert await one(there, "k") == Found(None, 10, 0, is_leased=True, node=server.address)
        lease.fill(b"v", 60, 7)
        assert await one(here, "k") == Found(b"v", 60, 7, node=server.address)
        assert await one(there, "k") == Found(b"v", 60, 7, node=server.address)
        assert await one(there, "other", 0) == Found(node=server.address)


async def test_a_lease_given_back_goes_to_the_next_at_once(server: CacheServer) -> None:
    """The load failed; nobody has to wait for the lease to end."""
    async with client(server.address) as here, client(server.address) as there:
        (await won(here, "k")).give_back()
        await one(here, "another")
        assert (await one(there, "k")).lease is not None


@pytest.mark.parametrize("stale_s", [0, 30])
async def test_a_deletion_voids_the_leases_that_are_out(server: CacheServer, stale_s: int) -> None:
    """A value that was read before a write is never stored after it; nor is one of a lease filled twice."""
    async with client(server.address) as here, client(server.address) as there:
        early = await won(here, "k")
        assert await there.delete(["k"], stale_s) == {}
        late = await won(there, "k")
        early.fill(b"old", 60, 1)
        await one(here, "another")
        late.fill(b"new", 60, 1)
        assert (await one(there, "k")).value == b"new"
        early.fill(b"old", 60, 1)
        late.fill(b"older", 60, 1)
        await one(here, "another")
        assert (await one(here, "k")).value == b"new"


async def test_a_stale_value_comes_with_the_lease_to_one_and_without_to_others(server: CacheServer) -> None:
    """Whoever may, uses it while one loads; it lives as long as was said, not as it had left."""
    async with client(server.address) as here, client(server.address) as there:
        await put(here, "k", b"old", ttl_s=600)
        assert await here.delete(["k", "never there"], 30) == {}
        first, second = await one(here, "k"), await one(there, "k")
        assert (first.value, first.is_stale, first.ttl_s) == (b"old", True, 30)
        assert second == Found(b"old", 30, 3, is_stale=True, is_leased=True, node=server.address)
        assert first.lease is not None
        first.lease.fill(b"new", 60, 5)
        assert await one(here, "k") == Found(b"new", 60, 5, node=server.address)


async def test_the_lease_of_a_stale_value_can_be_given_back(server: CacheServer) -> None:
    """The value stays for those who may use it, and the next one may load."""
    async with client(server.address) as here, client(server.address) as there:
        await put(here, "k", b"old")
        await here.delete(["k"], 30)
        given = await won(here, "k")
        given.give_back()
        await one(here, "another")
        again = await one(there, "k")
        assert (again.value, again.is_stale, again.lease is not None) == (b"old", True, True)
        given.fill(b"void", 60, 1)
        await one(here, "another")
        assert (await one(there, "k")).value == b"old"


async def test_who_wants_no_lease_takes_none(server: CacheServer) -> None:
    """memcached gives the lease of a stale value to anybody who asks; it goes back at once."""
    async with client(server.address) as here, client(server.address) as there:
        await put(here, "k", b"old")
        await here.delete(["k"], 30)
        looked = await one(here, "k", 0)
        assert (looked.value, looked.is_stale, looked.lease) == (b"old", True, None)
        await one(here, "another")
        assert (await one(there, "k")).lease is not None


async def test_a_value_about_to_expire_comes_with_the_lease_to_one(server: CacheServer) -> None:
    """The others go on using it; given back, it stays until it ends."""
    limits = replace(PATIENT, refresh_s=100)
    async with client(server.address, limits) as here, client(server.address, limits) as there:
        (await won(here, "k")).fill(b"v", 60, 3)
        first, second = await one(here, "k"), await one(there, "k")
        assert (first.value, first.is_stale, first.is_leased) == (b"v", False, False)
        assert second == Found(b"v", 60, 3, is_leased=True, node=server.address)
        assert first.lease is not None
        first.lease.give_back()
        assert (await one(there, "k")).value == b"v"
        first.lease.fill(b"w", 600, 3)
        assert (await one(here, "k")).value == b"w"


async def test_a_lease_is_void_on_a_node_that_was_restarted(server: CacheServer) -> None:
    """It counts versions from 1 again: the same number is another one's lease now."""
    async with client(server.address) as node:
        before = await won(node, "k")
        await server.stop()
        await until_alive(node, alive=False)
        await server.start()
        await until_alive(node)
        after = await won(node, "k")
        before.fill(b"old", 60, 1)
        before.give_back()
        await one(node, "another")
        assert (await one(node, "k")).is_leased
        after.fill(b"new", 60, 1)
        assert (await one(node, "k")).value == b"new"


async def test_large_values_fit_and_too_large_ones_are_given_up(server: CacheServer) -> None:
    """memcached would read all of one, and then refuse it."""
    large = bytes(range(256)) * 4000
    async with client(server.address) as node:
        await put(node, "k", large)
        assert [found and found.value for found in await node.get(["k"] * 5, 10)] == [large] * 5
        (await won(node, "l")).fill(b"x" * VALUE_BYTES_MAX, 60, 1)
        assert node.counts.fills_dropped == 1
        await one(node, "another")
        assert (await one(node, "l")).lease is not None


async def test_a_node_that_owes_too_many_answers_is_sent_no_fills(server: CacheServer) -> None:
    """A fill may be large, and it can be spared."""
    async with client(server.address, replace(PATIENT, in_flight_max=2)) as node:
        lease = await won(node, "k")
        await server.hang()
        waiting = asyncio.ensure_future(node.get(["a", "b"], 0))
        await asyncio.sleep(0)
        lease.fill(b"v", 60, 1)
        lease.give_back()
        assert (node.owed, node.counts.fills_dropped) == (2, 1)
        server.go_on()
        await waiting


async def test_the_ends_of_what_a_fill_may_say_are_kept(server: CacheServer) -> None:
    """memcached takes no life for an endless one, a long one for a date, and a large load for none."""
    async with client(server.address) as node:
        (await won(node, "long")).fill(b"v", 10**9, 10**12)
        found = await one(node, "long")
        assert (found.ttl_s, found.load_ms) == (30 * 24 * 3600, (1 << 32) - 1)
        (await won(node, "empty")).fill(b"", 60, 0)
        assert (await one(node, "empty")).value == b""
        (await won(node, "short")).fill(b"v", 0, 1)
        async with asyncio.timeout(10):
            while (await one(node, "short", 0)).value is not None:
                await asyncio.sleep(0.05)


async def test_the_lease_of_a_caller_who_left_goes_back(server: CacheServer) -> None:
    """Cancelled, or past its deadline: nobody else waits for a fill that never comes."""
    impatient = replace(PATIENT, deadline_s=0.05, failures_max=1000)
    async with client(server.address) as there, client(server.address, impatient) as here:
        await server.hang()
        gone = asyncio.ensure_future(here.get(["a"], 100))
        await asyncio.sleep(0.01)
        gone.cancel()
        assert await here.get(["b"], 100) == [None]
        server.go_on()
        async with asyncio.timeout(10):
            while here.owed:
                await asyncio.sleep(0.005)
        for key in "ab":
            assert (await one(there, key)).lease is not None
