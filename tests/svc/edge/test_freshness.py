"""When an edge answers from what it was told: only as long as it would have been told of a change."""

from __future__ import annotations

import asyncio

import pytest

from svc.edge.freshness import FRESH_S, LOOK_EVERY_S
from svc.kit.errors import UnavailableError
from tests.svc.edge.towns import Town, town_of

C = "C0000000001"


async def heard(town: Town) -> None:
    """Follow the conversation and hear all of it."""
    town.following.follow(C, 0)
    town.feed.pump_all()


async def test_a_channel_that_is_heard_is_vouched_for_without_a_query() -> None:
    """And for no longer than FRESH_S after that."""
    async with town_of(C) as town:
        await heard(town)
        await town.clock.advance(FRESH_S)
        town.freshness.check(C)
        await town.freshness.level(C, 0.0)
        await town.clock.advance(0.01)
        with pytest.raises(UnavailableError):
            town.freshness.check(C)
        assert (town.webapp.reads, town.freshness.refusals) == ([], 1)


async def test_a_channel_that_nobody_follows_is_never_vouched_for() -> None:
    """Whatever the log says: nothing of it was handed on."""
    async with town_of(C) as town:
        with pytest.raises(UnavailableError):
            await town.freshness.level(C, 0.0)


async def test_a_doubt_is_settled_by_a_log_that_goes_no_further() -> None:
    """One read, which is proof for FRESH_S."""
    async with town_of(C) as town:
        await heard(town)
        town.feed.is_cut_off = True
        await town.clock.advance(10.0)
        await town.freshness.level(C, 0.0)
        await town.clock.advance(FRESH_S)
        town.freshness.check(C)
        assert town.webapp.reads == [(C,)]
        await town.clock.advance(0.01)
        with pytest.raises(UnavailableError):
            town.freshness.check(C)


async def test_a_log_that_goes_further_is_no_proof() -> None:
    """Something was committed that was not heard of."""
    async with town_of(C) as town:
        await heard(town)
        town.feed.is_cut_off = True
        town[C].message()
        await town.clock.advance(10.0)
        with pytest.raises(UnavailableError):
            await town.freshness.level(C, 0.0)


async def test_a_webapp_that_does_not_answer_settles_nothing_and_is_not_waited_for() -> None:
    """Whoever asked is told soon to ask elsewhere."""
    async with town_of(C) as town:
        await heard(town)
        await town.clock.advance(10.0)
        town.webapp.gate.clear()
        async with asyncio.timeout(2.0):
            with pytest.raises(UnavailableError):
                await town.freshness.level(C, 0.0)


async def test_whoever_waits_goes_on_as_soon_as_the_channel_is_level() -> None:
    """For a channel followed just now, whose owner has not answered yet."""
    async with town_of(C) as town, asyncio.TaskGroup() as tasks:
        town[C].message()
        town.following.follow(C, 0)
        waiting = tasks.create_task(town.freshness.level(C, 1.0))
        await town.turns()
        await town.clock.advance(LOOK_EVERY_S)
        assert not waiting.done()
        town.feed.pump_all()
        await town.clock.advance(LOOK_EVERY_S)
        await waiting
