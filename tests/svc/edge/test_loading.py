"""Loads of workspaces: one for many callers, changes meanwhile, streams that break, and the feed after them."""

from __future__ import annotations

import asyncio

import pytest

from svc.kit.errors import (
    NotFoundError,
    NotOwnerError,
    UnavailableError,
)
from tests.svc.edge.edges import OTHER_RING, Edge, acme, edge_of, eventually, limits
from tests.svc.edge.twins import ALICE, BOB, GENERAL, TEAM


async def test_many_callers_share_one_load() -> None:
    """A storm of boots is one load; later callers find the model there."""
    async with edge_of(acme()) as edge:
        models = await asyncio.gather(*(edge.workspaces.model(TEAM) for _ in range(100)))
        assert len({id(model) for model in models}) == 1
        assert await edge.workspaces.model(TEAM) is models[0]
        assert edge.source.loads == [TEAM]


async def test_a_caller_that_gives_up_does_not_stop_the_load() -> None:
    """The others, and the next one, have it."""
    async with edge_of(acme()) as edge:
        edge.source.gate.clear()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await edge.workspaces.model(TEAM)
        edge.source.gate.set()
        assert await edge.titles() == {ALICE: "first"}
        assert edge.source.loads == [TEAM]


async def test_a_change_during_the_load_is_there_in_the_end() -> None:
    """Committed after the header was read: in the pages, in an event, or in both, and never lost or put back."""
    world = acme()
    async with edge_of(world) as edge:

        def change() -> None:
            world.user(ALICE, "second")
            world.user(BOB, "new")

        edge.source.during = change
        assert await edge.titles() == {ALICE: "second", BOB: "new"}
        assert edge.feed.positions == {TEAM: 2}
        edge.feed.pump()
        assert await edge.titles() == {ALICE: "second", BOB: "new"}
        assert (await edge.workspaces.model(TEAM)).offset == 4
        assert edge.workspaces.applied == 2


async def test_a_first_load_ends_when_the_feed_is_level() -> None:
    """What was committed meanwhile is in the answer; a feed that stays behind is an error after `level_timeout_s`."""
    world = acme()
    async with edge_of(world) as edge, asyncio.TaskGroup() as callers:
        edge.freshness.doubted.add(TEAM)

        def change() -> None:
            world.user(ALICE, "second")

        edge.source.during = change
        waiting = callers.create_task(edge.titles())
        await eventually(lambda: edge.feed.positions == {TEAM: 2})
        await asyncio.sleep(0.03)
        assert not waiting.done()
        edge.feed.pump()
        edge.freshness.doubted.clear()
        assert await waiting == {ALICE: "second"}
    async with edge_of(world, hold=limits(level_timeout_s=0.05)) as edge:
        edge.freshness.doubted.add(TEAM)
        for _ in range(2):
            with pytest.raises(UnavailableError, match="not heard"):
                await edge.workspaces.model(TEAM)
        assert edge.source.loads == [TEAM]


async def test_versions_that_lag_behind_their_events_are_put_right() -> None:
    """A row is written before the event and gets its version after: read in between, it is new under an old version."""
    world = acme()
    world.user(ALICE, "changed")
    async with edge_of(world) as edge:
        edge.source.behind = 1
        model = await edge.workspaces.model(TEAM)
        assert (model.users.version(ALICE), model.channels.version(GENERAL)) == (3, 2)
        assert model.changes_since(2) == (ALICE,)


async def test_a_load_that_breaks_goes_on_where_it_broke() -> None:
    """A stream cut in the middle, or a webapp that is away for a moment, is not the caller's trouble."""
    world = acme()
    for number in range(3, 8):
        world.user(f"U000000000{number}", "more")
    async with edge_of(world) as edge:
        edge.source.cut_after = 2
        offset = world.head

        def progress() -> None:
            world.user(BOB, "new")
            if len(edge.source.loads) > 2:
                edge.source.cut_after = None

        edge.source.during = progress
        model = await edge.workspaces.model(TEAM)
        assert model.offset == offset, "the first header counts"
        assert [place and place.after_user_id for place in edge.source.places] == [None, BOB, "U0000000004"]
        assert len(model.users) == 7
        edge.feed.pump()
        assert await edge.titles() == {user_id: user.title for user_id, user in world.users.items()}


async def test_a_load_that_never_gets_further_fails_in_time() -> None:
    """Breaking at the same place again and again is an error, not a load for ever."""
    async with edge_of(acme(), hold=limits(load_timeout_s=0.2)) as edge:
        edge.source.cut_after = 1
        with pytest.raises(UnavailableError):
            await edge.workspaces.model(TEAM)


async def test_a_load_that_breaks_is_tried_again() -> None:
    """However it breaks."""
    async with edge_of(acme()) as edge:
        edge.source.failures = [UnavailableError("down")]
        edge.source.cut_after = 2

        def mend() -> None:
            if len(edge.source.loads) > 2:
                edge.source.cut_after = None

        edge.source.during = mend
        assert await edge.titles() == {ALICE: "first"}
        assert edge.source.loads == [TEAM] * 3


async def test_a_load_that_cannot_succeed_fails_at_once_and_the_next_caller_tries_again() -> None:
    """An unknown workspace is not found; nothing of it is held."""
    world = acme()
    async with edge_of(world) as edge:
        del edge.source.worlds[TEAM]
        with pytest.raises(NotFoundError):
            await edge.workspaces.model(TEAM)
        assert (len(edge.workspaces), edge.feed.positions, edge.source.loads) == (0, {}, [TEAM])
        edge.source.worlds[TEAM] = world
        assert await edge.titles() == {ALICE: "first"}


async def test_a_load_that_takes_too_long_is_unavailable() -> None:
    """Every waiting caller is answered when the time is over."""
    async with edge_of(acme(), hold=limits(load_timeout_s=0.05)) as edge:
        edge.source.gate.clear()
        waiting = [edge.workspaces.model(TEAM) for _ in range(3)]
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [UnavailableError] * 3


async def test_a_move_of_the_ring_during_a_load_calls_it_off() -> None:
    """Those who wait learn at once that they are at the wrong edge."""
    async with edge_of(acme()) as edge, asyncio.TaskGroup() as callers:
        edge.source.gate.clear()
        waiting = callers.create_task(refusal(edge))
        await eventually(lambda: len(edge.source.loads) == 1)
        edge.move(OTHER_RING)
        async with asyncio.timeout(1):
            assert isinstance(await waiting, NotOwnerError)
        assert edge.feed.positions == {}


async def refusal(edge: Edge) -> NotOwnerError:
    """Ask for the workspace and return why it was refused."""
    with pytest.raises(NotOwnerError) as refused:
        await edge.workspaces.model(TEAM)
    return refused.value
