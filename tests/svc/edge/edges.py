"""Edges without their gRPC face, over twins of everything around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from discovery.ring import Member, Ring
from svc.edge.config import HoldLimits, ModelLimits
from svc.edge.loader import Loader
from svc.edge.ownership import Ownership
from svc.edge.workspaces import Workspaces
from svc.kit.clock import SystemClock
from svc.kit.lifecycle import Tasks
from tests.svc.edge.twins import ALICE, GENERAL, TEAM, TwinFeed, TwinFreshness, TwinSource, World

LONE_RING = Ring([Member("edge-1")])


OTHER_RING = Ring([Member("edge-2")])


@dataclass
class Edge:
    """An edge without its gRPC face."""

    workspaces: Workspaces
    source: TwinSource
    feed: TwinFeed
    ownership: Ownership
    freshness: TwinFreshness

    def move(self, ring: Ring) -> None:
        """Take a new ring."""
        self.ownership.ring = ring
        self.workspaces.ring_changed()

    async def titles(self, team_id: str = TEAM) -> dict[str, str]:
        """What the model says of its users."""
        return {user.id: user.title for user in (await self.workspaces.model(team_id)).users}


def limits(
    workspaces_max: int = 10,
    bytes_max: int = 1 << 30,
    load_timeout_s: float = 5.0,
    stale_max_s: float = 5.0,
    refresh_timeout_s: float = 5.0,
    level_timeout_s: float = 5.0,
) -> HoldLimits:
    """Limits for a test."""
    return HoldLimits(
        workspaces_max=workspaces_max,
        bytes_max=bytes_max,
        load_timeout_s=load_timeout_s,
        stale_max_s=stale_max_s,
        refresh_timeout_s=refresh_timeout_s,
        level_timeout_s=level_timeout_s,
    )


@asynccontextmanager
async def edge_of(*worlds: World, hold: HoldLimits | None = None) -> AsyncIterator[Edge]:
    """Run an edge that owns every workspace."""
    hold = hold or limits()
    source, feed, ownership = TwinSource(*worlds), TwinFeed(*worlds), Ownership("edge-1", LONE_RING)
    clock, freshness = SystemClock(), TwinFreshness()
    async with Tasks("loads", limit=2 * hold.workspaces_max) as tasks:
        loader = Loader(source, ModelLimits(), hold.loads_max, clock)
        workspaces = feed.consumer = Workspaces(hold, loader, feed, freshness, ownership, clock, tasks)
        yield Edge(workspaces, source, feed, ownership, freshness)


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
