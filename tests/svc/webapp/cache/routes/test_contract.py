"""What every node does, in memory and real: the contract that handles and the cache are built upon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from svc.kit.clock import ManualClock, SystemClock
from svc.kit.lifecycle import background
from svc.webapp.cache.memcached.node import Node
from svc.webapp.cache.routes.null import Null
from svc.webapp.cache.routes.route import Found, Lease, Route, Step, Sum
from tests.svc.webapp.cache.nodes import cache_server
from tests.svc.webapp.cache.twin import Twin


@pytest.fixture(params=["twin", pytest.param("memcached", marks=pytest.mark.mesh)])
async def node(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Route]:
    """A node, empty."""
    if request.param == "twin":
        yield Twin("twin:1", ManualClock())
        return
    async with cache_server(tmp_path) as server:
        real = Node(server.address, SystemClock(), Random(1))
        async with background("node", real.run()), asyncio.timeout(10):
            while not real.alive:
                await asyncio.sleep(0.005)
            yield real


async def get(node: Route, key: str, lease_s: int = 10) -> Found:
    """Return what a node that is there says of one key."""
    (found,) = await node.get([key], lease_s)
    assert found is not None
    return found


async def win(node: Route, key: str) -> Lease:
    """Return the lease of a key."""
    lease = (await get(node, key)).lease
    assert lease is not None
    return lease


async def test_a_miss_gives_one_caller_the_lease_and_what_he_fills_is_there(node: Route) -> None:
    """With what is left of its life, and what it took to load."""
    first = await get(node, "k")
    assert (first.value, first.is_leased) == (None, False)
    assert first.lease is not None
    second = await get(node, "k")
    assert (second.value, second.lease, second.is_leased) == (None, None, True)
    first.lease.fill(b"v", 60, 7)
    third = await get(node, "k")
    assert (third.value, third.load_ms, third.lease, third.is_leased) == (b"v", 7, None, False)
    assert 58 <= third.ttl_s <= 60
    assert not third.is_stale
    assert third.node


async def test_a_deletion_voids_the_lease(node: Route) -> None:
    """What was read from the truth before it is not stored after it; the next one gets a lease of his own."""
    lease = await win(node, "k")
    assert not await node.delete(["k"], 0)
    lease.fill(b"old", 60, 1)
    newer = await get(node, "k")
    assert newer.value is None
    assert newer.lease is not None
    lease.fill(b"old", 60, 1)
    newer.lease.fill(b"new", 60, 1)
    lease.give_back()
    assert (await get(node, "k")).value == b"new"


async def test_a_lease_fills_once(node: Route) -> None:
    """A second fill comes from somebody who did not hear that the first was enough."""
    lease = await win(node, "k")
    lease.fill(b"one", 60, 1)
    assert (await get(node, "k")).value == b"one"
    lease.fill(b"two", 60, 1)
    assert (await get(node, "k")).value == b"one"


async def test_a_lease_given_back_goes_to_the_next(node: Route) -> None:
    """Who could not load does not keep others waiting."""
    (await win(node, "k")).give_back()
    assert (await get(node, "k")).lease is not None


async def test_what_is_deleted_may_stay_as_stale(node: Route) -> None:
    """One caller gets the lease with it; what he fills is good again, and a lease from before is void."""
    before = await win(node, "other")
    (await win(node, "k")).fill(b"old", 60, 3)
    await node.delete(["k", "other"], 30)
    before.fill(b"old", 60, 1)
    assert (await get(node, "other")).value is None
    first, second = await get(node, "k"), await get(node, "k")
    assert (first.value, first.is_stale) == (second.value, second.is_stale) == (b"old", True)
    assert first.lease is not None
    assert (second.lease, second.is_leased) == (None, True)
    first.lease.fill(b"new", 60, 1)
    third = await get(node, "k")
    assert (third.value, third.is_stale, third.lease) == (b"new", False, None)


async def test_a_stale_value_whose_lease_is_given_back_comes_with_the_lease_again(node: Route) -> None:
    """The value itself stays."""
    (await win(node, "k")).fill(b"old", 60, 3)
    await node.delete(["k"], 30)
    (await win(node, "k")).give_back()
    again = await get(node, "k")
    assert (again.value, again.is_stale) == (b"old", True)
    assert again.lease is not None


async def test_a_value_that_is_about_to_end_comes_with_the_lease_to_one(node: Route) -> None:
    """The others use it as it is."""
    (await win(node, "k")).fill(b"v", 1, 3)
    first, second = await get(node, "k"), await get(node, "k")
    assert (first.value, second.value) == (b"v", b"v")
    assert first.lease is not None
    assert second.lease is None
    first.lease.fill(b"w", 60, 3)
    assert (await get(node, "k")).value == b"w"


async def test_who_asks_without_a_lease_leaves_nothing_behind(node: Route) -> None:
    """Neither on a miss nor with a stale value."""
    assert await get(node, "k", lease_s=0) == Found(node=(await get(node, "k", lease_s=0)).node)
    (await win(node, "k")).fill(b"old", 60, 3)
    await node.delete(["k"], 30)
    stale = await get(node, "k", lease_s=0)
    assert (stale.value, stale.is_stale, stale.lease) == (b"old", True, None)
    assert (await get(node, "k")).lease is not None


async def test_a_batch_is_answered_in_its_order(node: Route) -> None:
    """Also when it is empty, or deletes what is not there."""
    for key in ("a", "c"):
        (await win(node, key)).fill(key.encode(), 60, 1)
    found = await node.get(["c", "b", "a", "c"], 0)
    assert [each and each.value for each in found] == [b"c", None, b"a", b"c"]
    assert await node.get([], 10) == []
    assert not await node.delete(["a", "b", "nowhere"], 0)
    assert not await node.delete([], 0)
    assert [each and each.value for each in await node.get(["a", "b", "c"], 0)] == [None, None, b"c"]


async def test_null_keeps_nothing() -> None:
    """A miss without a lease."""
    assert await Null().get(["a", "b"], 10) == [Found(), Found()]
    assert not await Null().delete(["a"], 0)


async def added(node: Route, key: str, by: int, start: int = 100) -> Sum:
    """Add to a number on a node that is there."""
    found = await node.add(key, Step(by, start, 60))
    assert found is not None
    return found


async def test_additions_at_once_get_numbers_of_their_own(node: Route) -> None:
    """The first one finds what it starts with; all others what those before made of it."""
    sums = await asyncio.gather(*(added(node, "k", 7) for _ in range(20)))
    assert sorted(each.value for each in sums) == [100 + 7 * n for n in range(20)]
    assert (await added(node, "other", 1, 5)).value == 5


async def test_what_was_added_can_be_taken_back(node: Route) -> None:
    """As if it had never been; numbers do not go below 0."""
    first, second = await added(node, "k", 10), await added(node, "k", 10)
    assert (first.value, second.value) == (100, 110)
    second.take_back()
    assert (await added(node, "k", 10)).value == 110
    small = await added(node, "small", 50, 20)
    small.take_back()
    assert (await added(node, "small", 1)).value == 1


async def test_a_number_is_replaced_unless_it_was_changed_since(node: Route) -> None:
    """So of two who set it right only one does."""
    one = await added(node, "k", 1)
    one.replace(5_000)
    other = await added(node, "k", 1)
    assert other.value == 5_001
    one.replace(9)
    assert (await added(node, "k", 1)).value == 5_002
    assert not await node.delete(["k"], 0)
    other.replace(7)
    assert (await added(node, "k", 1)).value == 100
