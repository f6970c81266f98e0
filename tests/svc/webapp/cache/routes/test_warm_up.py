"""A new node takes over what the old one has: nothing newer is overwritten, and nothing deleted returns."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from svc.kit.clock import ManualClock
from svc.webapp.cache.routes.route import Found, Undelivered
from svc.webapp.cache.routes.warm_up import WarmUp
from tests.svc.webapp.cache.routes.pools import twins
from tests.svc.webapp.cache.twin import Twin


class Held(Twin):
    """A node whose answers, or deletions, are held back until it is told to go on."""

    def __init__(self, address: str, clock: ManualClock) -> None:
        super().__init__(address, clock)
        self.get_may_end, self.delete_may_begin = asyncio.Event(), asyncio.Event()
        self.has_read = asyncio.Event()

    async def get(self, keys: Sequence[str], lease_s: int) -> list[Found | None]:
        """See Twin."""
        found = await super().get(keys, lease_s)
        self.has_read.set()
        await self.get_may_end.wait()
        return found

    async def delete(self, keys: Sequence[str], stale_s: int) -> Undelivered:
        """See Twin."""
        await self.delete_may_begin.wait()
        return await super().delete(keys, stale_s)


async def test_a_miss_is_answered_by_the_warm_node_and_carried_over() -> None:
    """With what is left of its life, and what it took to load; the next get needs the warm one no more."""
    cold, warm = twins("cold:1", "warm:1")
    warm.put("k", b"v", 40, load_ms=9)
    route = WarmUp(cold, warm)
    (found,) = await route.get(["k"], 10)
    assert found == Found(b"v", 40, 9, node="warm:1")
    (found,) = await cold.get(["k"], 10)
    assert found == Found(b"v", 40, 9, node="cold:1")
    warm.asked.clear()
    assert await route.get(["k"], 10) == [found]
    assert warm.asked == []


async def test_what_neither_has_is_loaded_with_the_cold_nodes_lease() -> None:
    """The warm node gives none."""
    cold, warm = twins("cold:1", "warm:1")
    (found,) = await WarmUp(cold, warm).get(["k"], 10)
    assert found
    assert found.lease
    found.lease.fill(b"v", 60, 1)
    assert (cold.value("k"), warm.items) == (b"v", {})


async def test_while_one_carries_over_the_others_are_answered_too() -> None:
    """Without waiting, and without storing."""
    cold, warm = twins("cold:1", "warm:1")
    warm.put("k", b"v")
    await cold.get(["k"], 10)
    (found,) = await WarmUp(cold, warm).get(["k"], 10)
    assert found
    assert (found.value, found.lease, found.is_leased) == (b"v", None, False)
    assert cold.value("k") is None


async def test_while_the_cold_node_is_away_the_warm_one_answers_what_it_has() -> None:
    """What it has not is nobody's: a gutter's turn."""
    cold, warm = twins("cold:1", "warm:1")
    warm.put("k", b"v")
    cold.is_away = True
    found = await WarmUp(cold, warm).get(["k", "l"], 10)
    assert [each and each.value for each in found] == [b"v", None]
    assert found[1] is None
    warm.is_away = True
    assert await WarmUp(cold, warm).get(["k"], 10) == [None]


@pytest.mark.parametrize("ttl_s", [0.5, 0.99])
async def test_what_is_about_to_end_is_not_carried_over(ttl_s: float) -> None:
    """It would live longer than it was given, or for ever."""
    cold, warm = twins("cold:1", "warm:1")
    warm.put("k", b"v", ttl_s)
    (found,) = await WarmUp(cold, warm).get(["k"], 10)
    assert found
    assert found.value is None
    assert found.lease


async def test_a_stale_value_of_the_warm_node_comes_with_the_cold_nodes_lease() -> None:
    """It is not carried over: whoever loads fills the cold node."""
    cold, warm = twins("cold:1", "warm:1")
    warm.put("k", b"old", is_stale=True)
    (found,) = await WarmUp(cold, warm).get(["k"], 10)
    assert found
    assert (found.value, found.is_stale) == (b"old", True)
    assert found.lease
    assert cold.value("k") is None
    found.lease.fill(b"new", 60, 1)
    assert cold.value("k") == b"new"


async def test_a_deletion_while_a_value_is_on_its_way_voids_its_carrying_over() -> None:
    """The reader may have it, having come before; the node must not."""
    clock = ManualClock()
    cold, warm = Twin("cold:1", clock), Held("warm:1", clock)
    warm.put("k", b"old")
    warm.delete_may_begin.set()
    route = WarmUp(cold, warm)
    reading = asyncio.ensure_future(route.get(["k"], 10))
    await warm.has_read.wait()
    await route.delete(["k"], 0)
    warm.get_may_end.set()
    await reading
    assert cold.items == {}


async def test_what_was_filled_meanwhile_is_not_overwritten() -> None:
    """A newer value came between."""
    clock = ManualClock()
    cold, warm = Twin("cold:1", clock), Held("warm:1", clock)
    warm.put("k", b"old")
    reading = asyncio.ensure_future(WarmUp(cold, warm).get(["k"], 10))
    await warm.has_read.wait()
    cold.put("k", b"new")
    warm.get_may_end.set()
    await reading
    assert cold.value("k") == b"new"


async def test_a_deletion_reaches_the_warm_node_first() -> None:
    """While it is on its way there, nobody finds the cold node empty and carries the old value over once more."""
    clock = ManualClock()
    cold, warm = Twin("cold:1", clock), Held("warm:1", clock)
    warm.get_may_end.set()
    warm.put("k", b"old")
    cold.put("k", b"old")
    route = WarmUp(cold, warm)
    deleting = asyncio.ensure_future(route.delete(["k"], 0))
    await asyncio.sleep(0)
    await route.get(["k"], 10)
    warm.delete_may_begin.set()
    assert not await deleting
    assert (cold.value("k"), warm.value("k")) == (None, None)
