"""Statuses that are over go by themselves: every webapp looks for them, and whoever comes first takes one away.

A crash loses nothing: what is over is found by the row. Of several webapps that find one at once, the others see that
it is gone.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from svc.kit.clock import Clock
from svc.kit.errors import ParleyError
from svc.kit.lifecycle import background
from svc.webapp.domain.people.people import People
from svc.webapp.domain.refusal import Refused
from svc.webapp.priority import Priority, at
from svc.webapp.store.workspace import WorkspaceStore

__all__ = ["INTERVAL_S", "run_status_sweep", "sweep_statuses"]

log = logging.getLogger(__name__)

INTERVAL_S = 2.0
"""Between two looks of one webapp, on average: statuses end on whole minutes, and people do not mind seconds."""
STATUSES_A_SWEEP = 100


async def sweep_statuses(workspaces: WorkspaceStore, people: People, clock: Clock) -> int:
    """Take away statuses that are over; return how many were found. Raises the kit's errors."""
    found = await workspaces.profiles.expired_statuses(clock.wall_us() // 1_000_000, STATUSES_A_SWEEP)
    for user in found:
        try:
            await people.end_status(user)
        except Refused as refusal:
            log.warning("the status of %s cannot be taken away: %s", user.id, refusal.code)
    return len(found)


@asynccontextmanager
async def run_status_sweep(
    workspaces: WorkspaceStore, people: People, clock: Clock, rng: Random
) -> AsyncIterator[None]:
    """Sweep while the block runs. Failures only wait."""

    async def sweep() -> None:
        is_failing = False
        while True:
            # Not in step with the other webapps, so that most of them find nothing left to do.
            await clock.sleep(INTERVAL_S * rng.uniform(0.5, 1.5))
            try:
                await sweep_statuses(workspaces, people, clock)
                is_failing = False
            except ParleyError as error:
                log.log(logging.DEBUG if is_failing else logging.WARNING, "statuses were not swept: %s", error)
                is_failing = True

    async with background("sweep-statuses", at(Priority.BACKGROUND, sweep())):
        yield
