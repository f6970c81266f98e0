"""A shadow sees a share of the keys, and no caller sees it: it delays and changes no answer, and holds nothing old."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from svc.kit.clock import ManualClock
from svc.kit.lifecycle import Tasks
from svc.webapp.cache.routes.route import Found, Undelivered
from svc.webapp.cache.routes.shadow import UNDELETED_MAX, Shadow
from tests.svc.webapp.cache.routes.pools import twins
from tests.svc.webapp.cache.twin import Twin

KEYS = [f"k{number}" for number in range(1000)]


class Stuck(Twin):
    """A node that answers only when it is let go."""

    def __init__(self) -> None:
        super().__init__("stuck:1", ManualClock())
        self.let_go = asyncio.Event()

    async def get(self, keys: Sequence[str], lease_s: int) -> list[Found | None]:
        """See Twin."""
        await self.let_go.wait()
        return await super().get(keys, lease_s)

    async def delete(self, keys: Sequence[str], stale_s: int) -> Undelivered:
        """See Twin."""
        await self.let_go.wait()
        return await super().delete(keys, stale_s)


async def until_idle(tasks: Tasks) -> None:
    """Wait until nothing is under way."""
    async with asyncio.timeout(5):
        while len(tasks):
            await asyncio.sleep(0)


async def test_a_share_of_the_keys_is_filled_from_the_child() -> None:
    """About a tenth, the same ones every time; a miss of both leaves no lease behind."""
    child, other = twins("child:1", "shadow:1")
    for key in KEYS[:500]:
        child.put(key, key.encode(), 30)
    async with Tasks("test", 64) as tasks:
        shadow = Shadow(child, other, 0.1, tasks)
        for _ in range(2):
            found = await shadow.get(KEYS, 10)
            assert [each and each.value for each in found[:500]] == [key.encode() for key in KEYS[:500]]
            await until_idle(tasks)
        sampled = {key for key in KEYS if shadow.is_sampled(key)}
    assert 70 < len(sampled) < 130
    assert set(other.items) == sampled & set(KEYS[:500])
    assert all(other.value(key) == key.encode() for key in other.items)


@pytest.mark.parametrize(("rate", "count"), [(0, 0), (1, 1000)])
async def test_none_and_all_are_shares_too(rate: float, count: int) -> None:
    """The ends of the range."""
    async with Tasks("test", 64) as tasks:
        child, other = twins("child:1", "shadow:1")
        shadow = Shadow(child, other, rate, tasks)
        assert sum(map(shadow.is_sampled, KEYS)) == count


async def test_an_answer_does_not_wait_for_a_shadow_that_is_stuck() -> None:
    """Reads beyond the bound are left out; deletions are done in the end, even so."""
    (child,) = twins("child:1")
    child.put("k", b"v")
    stuck = Stuck()
    stuck.put("k", b"v")
    async with Tasks("test", 4) as tasks:
        shadow = Shadow(child, stuck, 1.0, tasks)
        for _ in range(10):
            assert (await shadow.get(["k"], 10))[0] is not None
        assert len(tasks) == 4
        assert not await shadow.delete(["k"], 0)
        assert child.value("k") is None
        stuck.let_go.set()
        await until_idle(tasks)
        await shadow.get(["other"], 10)
        await until_idle(tasks)
    assert stuck.value("k") is None


async def test_deletions_that_wait_are_bounded() -> None:
    """With too many of them the next one waits for the shadow; given up, it loses none."""
    (child,) = twins("child:1")
    stuck = Stuck()
    many = [f"k{number}" for number in range(UNDELETED_MAX)]
    for key in (*many, "one more"):
        stuck.put(key, b"v")
    async with Tasks("test", 4) as tasks:
        shadow = Shadow(child, stuck, 1.0, tasks)
        await shadow.delete(many, 0)
        await asyncio.sleep(0)
        await shadow.delete([f"n{number}" for number in range(600)], 0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await shadow.delete(["one more"], 0)
        stuck.let_go.set()
        await shadow.delete(["one more"], 0)
        await until_idle(tasks)
    assert stuck.items == {}


async def test_what_the_shadow_did_not_hear_is_nobodys_business() -> None:
    """It changes no answer; its node makes up for it when it is back."""
    child, other = twins("child:1", "shadow:1")
    other.put("k", b"v")
    other.is_away = True
    async with Tasks("test", 4) as tasks:
        shadow = Shadow(child, other, 1.0, tasks)
        assert not await shadow.delete(["k"], 0)
        await until_idle(tasks)
    other.is_away = False
    assert other.value("k") is None


async def test_whether_a_key_is_shadowed_is_explained() -> None:
    """With the share."""
    child, other = twins("child:1", "shadow:1")
    async with Tasks("test", 4) as tasks:
        note = Shadow(child, other, 0.25, tasks).explain("k").note
    assert note.startswith("the first; the second shadows 25% of keys, and this one is")
