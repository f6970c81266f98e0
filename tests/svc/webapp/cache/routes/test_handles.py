"""Each handle by itself, over nodes in memory: whom it asks, what it answers, where it deletes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from svc.kit.clock import ManualClock
from svc.webapp.cache.routes.all_sync import AllSync
from svc.webapp.cache.routes.explain import as_json, lines
from svc.webapp.cache.routes.failover import Failover
from svc.webapp.cache.routes.miss_failover import MissFailover
from svc.webapp.cache.routes.null import Null
from svc.webapp.cache.routes.operations import Operations
from svc.webapp.cache.routes.pool import Pool
from svc.webapp.cache.routes.prefixes import Prefixes
from svc.webapp.cache.routes.route import Found, Route, Step, Undelivered
from svc.webapp.cache.routes.warm_up import WarmUp
from tests.svc.webapp.cache.routes.pools import MemoryPool, pool_of, twins
from tests.svc.webapp.cache.twin import Twin

KEYS = [f"k{number}" for number in range(40)]


def values(found: Sequence[Found | None]) -> list[bytes | None]:
    """Return the values alone."""
    return [each.value if each else None for each in found]


def gets(node: Twin) -> list[tuple[str, ...]]:
    """Return the keys of each batch of gets that a node had."""
    return [keys for kind, keys in node.asked if kind == "get"]


async def test_a_pool_asks_each_node_for_its_keys_once_and_answers_in_order() -> None:
    """One batch of forty keys over three nodes is three questions."""
    nodes = twins("a:1", "b:1", "c:1")
    pool = Pool(pool_of("main", *nodes))
    for key in KEYS:
        (found,) = await pool.get([key], 10)
        assert found
        assert found.lease
        found.lease.fill(key.upper().encode(), 60, 1)
    assert all(len(node.items) > 4 for node in nodes)
    for node in nodes:
        node.asked.clear()
    assert values(await pool.get(KEYS, 10)) == [key.upper().encode() for key in KEYS]
    assert [len(gets(node)) for node in nodes] == [1, 1, 1]
    await pool.delete(KEYS, 0)
    assert not any(node.items for node in nodes)


async def test_a_pool_without_seats_cannot_be_asked() -> None:
    """Neither for one key nor for many; deletions go to who will be read soon."""
    (node,) = twins("a:1")
    view = MemoryPool("main", {})
    pool = Pool(view)
    assert await pool.get(["k"], 10) == [None]
    assert await pool.get(["k", "l"], 10) == [None, None]
    assert not await pool.delete(["k"], 0)
    view.incoming.append(node)
    await pool.delete(["k"], 0)
    assert node.asked == [("delete", ("k",))]


class Noting(Twin):
    """A node that writes down when its deletions begin and end."""

    def __init__(self, address: str, order: list[str]) -> None:
        super().__init__(address, ManualClock())
        self._order = order

    async def delete(self, keys: Sequence[str], stale_s: int) -> Undelivered:
        """See Twin."""
        self._order.append(self.address)
        await asyncio.sleep(0)
        self._order.append(f"{self.address} done")
        return {}


async def test_a_pool_deletes_at_sources_before_it_deletes_where_it_reads() -> None:
    """Else the source could hand an old value to the node that has just deleted it."""
    order: list[str] = []
    old, new, coming = (Noting(address, order) for address in ("old:1", "new:1", "coming:1"))
    view = MemoryPool("main", {"1": new}, warm={"1": old})
    view.incoming.append(coming)
    await Pool(view).delete(["k", "l"], 0)
    assert order == ["coming:1", "old:1", "coming:1 done", "old:1 done", "new:1", "new:1 done"]


async def test_what_did_not_get_through_is_named_by_node() -> None:
    """Over all children, each key once."""
    nodes = twins("a:1", "b:1", "gutter:1")
    for node in nodes[1:]:
        node.is_away = True
    route = Failover(AllSync(nodes[:2]), Failover(nodes[2], nodes[2], 10), 10)
    assert await route.delete(["k", "l"], 0) == {"b:1": ("k", "l"), "gutter:1": ("k", "l")}


async def test_the_longest_prefix_decides() -> None:
    """One look-up for each length; batches are split by child."""
    one, two, other = twins("one:1", "two:1", "other:1")
    route = Prefixes({"h": one, "h1:": two}, other)
    found = await route.get(["h1:x", "h2:x", "m1:x", "h", ""], 0)
    assert [each and each.node for each in found] == ["two:1", "one:1", "other:1", "one:1", "other:1"]
    assert await route.get([], 0) == []
    await route.delete(["h1:x", "m1:x"], 0)
    await route.delete(["h1:y"], 0)
    assert [node.asked[-1] for node in (two, other)] == [("delete", ("h1:y",)), ("delete", ("m1:x",))]
    assert ("delete", ("h1:x",)) not in one.asked


async def test_while_a_node_is_away_the_gutter_keeps_its_keys_for_a_short_time() -> None:
    """And only its keys; when it is back, it is read again."""
    clock = ManualClock()
    a, b, gutter = twins("a:1", "b:1", "gutter:1", clock=clock)
    route = Failover(Pool(pool_of("main", a, b)), gutter, 10)
    a.is_away = True
    found = await route.get(KEYS, 10)
    from_gutter = [key for key, each in zip(KEYS, found, strict=True) if each and each.node == "gutter:1"]
    assert 8 < len(from_gutter) < 32
    for each in found:
        assert each
        assert each.lease
        each.lease.fill(b"v", 300, 1)
    assert set(gutter.items) == set(from_gutter)
    assert set(values(await route.get(KEYS, 10))) == {b"v"}
    await clock.advance(11)
    assert {each.value for each in await route.get(from_gutter, 0) if each} == {None}
    assert await b.get([key for key in KEYS if key not in from_gutter], 0) == await route.get(
        [key for key in KEYS if key not in from_gutter], 0
    )
    a.is_away = False
    gutter.asked.clear()
    assert {each.node for each in await route.get(KEYS, 10) if each} == {"a:1", "b:1"}
    assert gutter.asked == []


async def test_the_gutter_hears_of_every_deletion_and_keeps_nothing_stale_for_longer_than_it_may() -> None:
    """Another process may read there what this one reads from the node."""
    clock = ManualClock()
    a, gutter = twins("a:1", "gutter:1", clock=clock)
    a.put("k", b"v")
    gutter.put("k", b"v")
    route = Failover(a, gutter, 10)
    assert not await route.delete(["k"], 30)
    await clock.advance(11)
    assert [each and each.value for each in await a.get(["k"], 0)] == [b"v"]
    assert [each and each.value for each in await gutter.get(["k"], 0)] == [None]


async def test_without_a_gutter_a_dead_node_is_nobody() -> None:
    """An empty gutter pool changes nothing."""
    (a,) = twins("a:1")
    a.is_away = True
    assert await Failover(a, Pool(MemoryPool("gutter", {})), 10).get(["k"], 10) == [None]


async def test_all_sync_reads_the_first_and_deletes_on_all() -> None:
    """Even when one is away."""
    nodes = twins("a:1", "b:1", "c:1")
    for node in nodes:
        node.put("k", node.address.encode())
    nodes[1].is_away = True
    route = AllSync(nodes)
    assert values(await route.get(["k"], 10)) == [b"a:1"]
    assert await route.delete(["k"], 0) == {"b:1": ("k",)}
    assert nodes[0].value("k") is nodes[2].value("k") is None


async def test_miss_failover_asks_the_next_only_for_what_is_missing() -> None:
    """One lease a key at most, of the first that answers; it goes back when a later one has the value."""
    a, b, c = twins("a:1", "b:1", "c:1")
    a.put("one", b"1")
    b.put("two", b"2")
    c.put("three", b"3")
    route = MissFailover([a, b, c])
    found = await route.get(["one", "two", "three", "four"], 10)
    assert values(found) == [b"1", b"2", b"3", None]
    assert [bool(each and each.lease) for each in found] == [False, False, False, True]
    assert gets(b) == [("two", "three", "four")]
    assert gets(c) == [("three", "four")]
    assert found[3]
    assert found[3].lease
    found[3].lease.fill(b"4", 60, 1)
    assert a.value("four") == b"4"
    assert [bool(each and each.lease) for each in await a.get(["two", "three"], 10)] == [True, True]
    await route.delete(["one", "two", "three"], 0)
    assert (a.value("one"), b.value("two"), c.value("three")) == (None, None, None)


async def test_miss_failover_around_a_dead_child_and_with_stale_values() -> None:
    """The next one gives the lease then; a stale value is kept for want of a better."""
    a, b = twins("a:1", "b:1")
    a.is_away = True
    route = MissFailover([a, b])
    (found,) = await route.get(["k"], 10)
    assert found
    assert found.lease
    found.lease.fill(b"v", 60, 1)
    assert b.value("k") == b"v"
    a.is_away = False
    a.put("k", b"old", is_stale=True)
    (found,) = await route.get(["k"], 10)
    assert found
    assert (found.value, found.is_stale, found.lease) == (b"v", False, None)
    b.put("l", b"old", is_stale=True)
    (found,) = await route.get(["l"], 10)
    assert found
    assert (found.value, found.is_stale, found.node) == (b"old", True, "b:1")
    assert found.lease
    found.lease.fill(b"new", 60, 1)
    assert a.value("l") == b"new"
    b.is_away = True
    assert values(await route.get(["l"], 10)) == [b"new"]


async def test_operations_go_different_ways() -> None:
    """Gets one, deletions the other."""
    a, b = twins("a:1", "b:1")
    a.put("k", b"v")
    route = Operations(a, AllSync([a, b]))
    assert values(await route.get(["k"], 10)) == [b"v"]
    await route.delete(["k"], 0)
    assert [node.asked[-1] for node in (a, b)] == [("delete", ("k",))] * 2


async def test_a_child_that_fails_by_mistake_fails_the_whole_and_leaves_no_task() -> None:
    """No handle raises, but a bug must not be lost either."""

    class Broken(Twin):
        async def get(self, keys: Sequence[str], lease_s: int) -> list[Found | None]:
            raise RuntimeError("a bug")

    (good,) = twins("a:1")
    with pytest.raises(ExceptionGroup):
        await Prefixes({"x": Broken("b:1", ManualClock())}, good).get(["k", "x"], 0)
    assert len(asyncio.all_tasks()) == 1


def test_a_way_is_explained_handle_by_handle() -> None:
    """As lines for people, and as JSON."""
    old, new, gutter = twins("old:1", "new:1", "gutter:1")
    old.is_away = True
    view = MemoryPool("main", {"1": new}, warm={"1": old})
    tree: Route = Prefixes({"m1:": Failover(Pool(view), Pool(pool_of("gutter", gutter)), 10)}, WarmUp(new, old))
    assert list(lines(tree.explain("m1:C1:U1"))) == [
        'prefixes: prefix "m1:"',
        "  failover: the first; while it cannot be asked the second, for 10 s at most",
        "    pool: main, seat 1 (generation 1; deletions go to 1 more)",
        "      warm_up: the first; what it lacks is fetched from the second",
        "        node: new:1, alive",
        "        node: old:1, away",
        "    pool: gutter, seat 1 (generation 1)",
        "      node: gutter:1, alive",
    ]
    assert as_json(tree.explain("x"))["children"][0]["children"][0] == {
        "handle": "node",
        "note": "new:1, alive",
        "children": [],
    }
    assert list(lines(Pool(MemoryPool("empty", {})).explain("x"))) == ["pool: empty, no seats (generation 1)"]


async def test_numbers_are_in_one_place() -> None:
    """Where a get would look first; copies, shadows and those that are being left hear nothing of them."""
    first, second, gutter = twins("a:1", "b:1", "gutter:1")
    step = Step(1, 10, 60)
    routes: list[Route] = [
        Prefixes({"x": second}, first),
        Operations(first, second),
        AllSync([first, second]),
        MissFailover([first, second]),
        WarmUp(first, second),
        Failover(first, gutter, 10),
        Pool(pool_of("main", first)),
    ]
    for number, route in enumerate(routes):
        found = await route.add(f"k{number}", step)
        assert found is not None
        assert first.value(f"k{number}") == b"10"
    assert not second.items
    assert not gutter.items
    assert await Null().add("k", step) is None
    first.is_away = True
    assert await routes[0].add("k", step) is None
    over = await Failover(first, gutter, 10).add("k", step)
    assert over is not None
    assert gutter.value("k") == b"10"
