"""The workspaces held: one load for many callers, changes during a load, losses, eviction, and the ring."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from discovery.ring import Member, Ring
from svc.edge.config import HoldLimits, ModelLimits
from svc.edge.loader import Loader
from svc.edge.ownership import Ownership
from svc.edge.workspaces import Workspaces
from svc.kit.clock import SystemClock
from svc.kit.errors import (
    InternalError,
    NotFoundError,
    NotOwnerError,
    ResourceExhaustedError,
    UnavailableError,
)
from svc.kit.lifecycle import Tasks
from tests.svc.edge.twins import ALICE, BOB, GENERAL, TEAM, TwinFeed, TwinSource, World

LONE_RING = Ring([Member("edge-1")])
OTHER_RING = Ring([Member("edge-2")])


@dataclass
class Edge:
    """An edge without its gRPC face."""

    workspaces: Workspaces
    source: TwinSource
    feed: TwinFeed
    ownership: Ownership

    def move(self, ring: Ring) -> None:
        """Take a new ring."""
        self.ownership.ring = ring
        self.workspaces.ring_changed()

    async def titles(self, team_id: str = TEAM) -> dict[str, str]:
        """What the model says of its users."""
        return {user.id: user.title for user in (await self.workspaces.model(team_id)).users}


def limits(
    workspaces_max: int = 10, bytes_max: int = 1 << 30, load_timeout_s: float = 5.0, stale_max_s: float = 5.0
) -> HoldLimits:
    """Limits for a test."""
    return HoldLimits(
        workspaces_max=workspaces_max, bytes_max=bytes_max, load_timeout_s=load_timeout_s, stale_max_s=stale_max_s
    )


@asynccontextmanager
async def edge_of(*worlds: World, hold: HoldLimits | None = None) -> AsyncIterator[Edge]:
    """Run an edge that owns every workspace."""
    hold = hold or limits()
    source, feed, ownership = TwinSource(*worlds), TwinFeed(*worlds), Ownership("edge-1", LONE_RING)
    clock = SystemClock()
    async with Tasks("loads", limit=2 * hold.workspaces_max) as tasks:
        loader = Loader(source, ModelLimits(), hold.loads_max, clock)
        workspaces = feed.consumer = Workspaces(hold, loader, feed, ownership, clock, tasks)
        yield Edge(workspaces, source, feed, ownership)


async def eventually(check: Callable[[], bool]) -> None:
    """Let the loop run until `check` holds; fails after two seconds."""
    async with asyncio.timeout(2):
        while not check():
            await asyncio.sleep(0.001)


def acme() -> World:
    """A workspace with Alice and #general."""
    world = World()
    world.user(ALICE, "first")
    world.channel(GENERAL)
    return world


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
        await eventually(lambda: len(edge.source.loads) == 2 and edge.feed.positions == {TEAM: missed.offset + 1})
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
        await eventually(lambda: edge.feed.positions == {TEAM: 3})
        assert await edge.titles() == {ALICE: "lost"}
        assert edge.source.loads == [TEAM] * 5


async def test_a_model_too_stale_is_dropped() -> None:
    """After `stale_max_s` without a repair a caller gets an error instead of what may be wrong."""
    async with edge_of(acme(), hold=limits(stale_max_s=0.05, load_timeout_s=0.2)) as edge:
        await edge.workspaces.model(TEAM)
        edge.source.failures = [UnavailableError("down")] * 1000
        edge.workspaces.lost(TEAM, 3)
        await eventually(lambda: edge.workspaces.peek(TEAM) is None)
        assert (edge.feed.positions, edge.workspaces.bytes) == ({}, 0)
        with pytest.raises(UnavailableError):
            await edge.workspaces.model(TEAM)


async def test_a_load_that_breaks_is_tried_again() -> None:
    """A stream cut in the middle, or a webapp that is away for a moment, is not the caller's trouble."""
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
