"""The workspaces held: changes, losses, eviction, and the ring."""

from __future__ import annotations

import asyncio

import pytest

from discovery.ring import Ring
from svc.kit.errors import (
    InternalError,
    NotOwnerError,
    ResourceExhaustedError,
    UnavailableError,
)
from tests.svc.edge.edges import LONE_RING, OTHER_RING, acme, edge_of, eventually, limits
from tests.svc.edge.twins import ALICE, BOB, TEAM, World


async def test_events_keep_the_model_fresh_without_a_load() -> None:
    """Changes arrive by the feed alone."""
    world = acme()
    async with edge_of(world) as edge:
        await edge.workspaces.model(TEAM)
        world.user(ALICE, "changed")
        world.nothing()
        edge.feed.pump()
        assert await edge.titles() == {ALICE: "changed"}
        assert (edge.source.loads, edge.workspaces.gaps) == ([TEAM], 0)


async def test_a_gap_is_repaired_by_a_load_while_the_old_model_is_served() -> None:
    """An offset that does not follow proves a loss; nobody waits for the repair."""
    world = acme()
    async with edge_of(world) as edge:
        await edge.workspaces.model(TEAM)
        edge.source.gate.clear()
        missed, seen = world.user(ALICE, "missed"), world.user(BOB, "seen")
        edge.feed.positions[TEAM] = seen.offset
        edge.workspaces.deliver([seen])
        edge.workspaces.deliver([seen])
        assert await edge.titles() == {ALICE: "first"}
        edge.source.gate.set()
        await eventually(lambda: (edge.workspaces.peek(TEAM) or (None, 0))[1] == 2)
        assert (len(edge.source.loads), edge.feed.positions) == (2, {TEAM: missed.offset + 1})
        assert await edge.titles() == {ALICE: "missed", BOB: "seen"}
        assert edge.workspaces.gaps == 1
        assert edge.workspaces.peek(TEAM) == (await edge.workspaces.model(TEAM), 2)


async def test_what_the_feed_lost_is_loaded_again_however_often_that_fails() -> None:
    """The log no longer has it: only a load helps; failures of the webapp are waited out, stale is served."""
    world = acme()
    async with edge_of(world) as edge:
        await edge.workspaces.model(TEAM)
        world.user(ALICE, "lost")
        edge.source.failures = [UnavailableError("down"), InternalError("a defect"), UnavailableError("down")]
        edge.workspaces.lost(TEAM, 3)
        assert await edge.titles() == {ALICE: "first"}
        await eventually(lambda: (edge.workspaces.peek(TEAM) or (None, 0))[1] == 2)
        assert await edge.titles() == {ALICE: "lost"}
        assert edge.source.loads == [TEAM] * 5


async def test_a_model_too_stale_is_refused_until_it_is_repaired() -> None:
    """After `stale_max_s` without a repair a caller gets an error instead of what may be wrong, and soon."""
    world = acme()
    async with edge_of(world, hold=limits(stale_max_s=0.05)) as edge:
        await edge.workspaces.model(TEAM)
        world.user(ALICE, "lost")
        edge.source.gate.clear()
        edge.workspaces.lost(TEAM, 3)
        assert await edge.titles() == {ALICE: "first"}
        await asyncio.sleep(0.06)
        with pytest.raises(UnavailableError, match="missed a change"):
            await edge.workspaces.model(TEAM)
        edge.source.gate.set()
        await eventually(lambda: (edge.workspaces.peek(TEAM) or (None, 0))[1] == 2)
        assert await edge.titles() == {ALICE: "lost"}


async def test_a_model_that_cannot_be_repaired_is_let_go() -> None:
    """After `refresh_timeout_s` the next caller's load is the first again."""
    async with edge_of(acme(), hold=limits(refresh_timeout_s=0.05, load_timeout_s=0.2)) as edge:
        await edge.workspaces.model(TEAM)
        edge.source.failures = [UnavailableError("down")] * 1000
        edge.workspaces.lost(TEAM, 3)
        await eventually(lambda: edge.workspaces.peek(TEAM) is None)
        assert (edge.feed.positions, edge.workspaces.bytes) == ({}, 0)
        with pytest.raises(UnavailableError):
            await edge.workspaces.model(TEAM)


async def test_what_would_not_be_heard_of_is_not_answered_from() -> None:
    """Nobody waits long: who asks does without the edge, and has it back as soon as changes are heard again."""
    async with edge_of(acme()) as edge:
        await edge.workspaces.model(TEAM)
        edge.freshness.doubted.add(TEAM)
        with pytest.raises(UnavailableError):
            async with asyncio.timeout(1):
                await edge.workspaces.model(TEAM)
        edge.freshness.doubted.clear()
        assert await edge.titles() == {ALICE: "first"}
        assert edge.source.loads == [TEAM]


async def test_the_idlest_workspace_is_forgotten_when_there_are_too_many() -> None:
    """And its channel is followed no longer; asking for it again loads it again."""
    worlds = [World(team_id=f"T000000000{number}") for number in range(4)]
    for world in worlds:
        world.user(ALICE)
    first, second, third, fourth = (world.team_id for world in worlds)
    async with edge_of(*worlds, hold=limits(workspaces_max=3)) as edge:
        for team_id in (first, second, third, first, fourth):
            await edge.workspaces.model(team_id)
        assert sorted(edge.feed.positions) == [first, third, fourth]
        assert edge.workspaces.peek(second) is None
        await edge.workspaces.model(second)
        assert edge.source.loads == [first, second, third, fourth, second]
        assert edge.workspaces.evicted == 2


async def test_bytes_are_bounded_and_the_workspace_just_loaded_stays() -> None:
    """The idlest go until the rest fits; one that is larger than all room is served alone."""
    worlds = [World(team_id=f"T000000000{number}") for number in range(3)]
    for world in worlds:
        for number in range(10):
            world.user(f"U000000000{number}", title="x" * 100)
    async with edge_of(*worlds, hold=limits(bytes_max=9000)) as edge:
        sizes = [(await edge.workspaces.model(world.team_id)).bytes for world in worlds]
        assert sizes[0] * 2 < 9000 < sizes[0] * 3
        assert sorted(edge.feed.positions) == [worlds[1].team_id, worlds[2].team_id]
        assert edge.workspaces.bytes == sizes[1] + sizes[2]


async def test_a_workspace_that_grows_makes_the_idlest_one_go() -> None:
    """Changes count as much as loads do; the one that grows is kept."""
    quiet, growing = World(), World(team_id="T0000000002")
    async with edge_of(quiet, growing, hold=limits(bytes_max=9000)) as edge:
        for world in (growing, quiet):
            await edge.workspaces.model(world.team_id)
        for number in range(10, 60):
            growing.user(f"U00000000{number}", title="x" * 100)
        edge.feed.pump()
        assert list(edge.feed.positions) == [growing.team_id]
        held = edge.workspaces.peek(growing.team_id)
        assert held is not None
        assert edge.workspaces.bytes == held[0].bytes > 9000


async def test_when_every_place_is_being_loaded_a_further_workspace_is_refused() -> None:
    """Loads under way are not thrown away for new ones."""
    worlds = [World(team_id=f"T000000000{number}") for number in range(2)]
    async with edge_of(*worlds, hold=limits(workspaces_max=1)) as edge, asyncio.TaskGroup() as callers:
        edge.source.gate.clear()
        callers.create_task(edge.workspaces.model(worlds[0].team_id))
        await eventually(lambda: len(edge.source.loads) == 1)
        with pytest.raises(ResourceExhaustedError):
            await edge.workspaces.model(worlds[1].team_id)
        edge.source.gate.set()


async def test_the_ring_gives_a_workspace_to_another_edge() -> None:
    """What is held is forgotten, who waits and who comes is told whose ring said so."""
    async with edge_of(acme()) as edge:
        await edge.workspaces.model(TEAM)
        edge.move(OTHER_RING)
        assert (len(edge.workspaces), edge.feed.positions) == (0, {})
        with pytest.raises(NotOwnerError) as refused:
            await edge.workspaces.model(TEAM)
        assert refused.value.ring_fingerprint == OTHER_RING.fingerprint
        edge.move(Ring(()))
        with pytest.raises(NotOwnerError):
            await edge.workspaces.model(TEAM)
        edge.move(LONE_RING)
        assert await edge.titles() == {ALICE: "first"}


async def test_events_of_strangers_and_transient_ones_change_nothing() -> None:
    """Late deliveries after an eviction, and typing, are ignored."""
    world, stranger = acme(), World(team_id="T0000000009")
    async with edge_of(world) as edge:
        await edge.workspaces.model(TEAM)
        transient = world.nothing()
        transient.offset = 0
        edge.workspaces.deliver([stranger.user(BOB), transient])
        edge.workspaces.lost("T0000000009", 5)
        assert (edge.workspaces.applied, edge.workspaces.gaps) == (0, 0)
