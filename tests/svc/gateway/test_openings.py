"""A crowd of sessions that begin takes little of each turn of the loop: who is here already waits for no crowd."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from random import Random
from typing import Any, cast

from svc.feed.filler import LogReader
from svc.gateway.hub import Hub
from svc.gateway.openings import BITE_S, Openings, Words
from svc.gateway.sockets import Connection
from svc.gateway.webapp import Subscriptions, Webapp
from svc.kit.lifecycle import Tasks

CROWD = 200
JOIN_S = BITE_S / 4
"""What it takes to let a session follow a channel, by the clock of these tests."""


class Clock:
    """Stands still unless somebody works."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def now(self) -> float:
        return self.now_s

    def wall_us(self) -> int:
        return 0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Mesh:
    """Webapp, the log, presence and the hub, as far as sessions that begin ask them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.joined: set[str] = set()

    async def subscriptions(self, team_id: str, user_id: str, token_prefix: bytes) -> Subscriptions:
        return Subscriptions(((user_id, 7),), is_away_by_hand=False)

    def set_away(self, user_id: str, is_away: bool, offset: int) -> None:
        """Words."""

    def join(self, member: Any, channel_id: str, after: int, head: int = 0) -> None:
        self._clock.now_s += JOIN_S
        self.joined.add(channel_id)


class Session:
    """A connection that has been let in, and its ticket."""

    resumes, returned, vouched = False, None, None
    team_id, token_prefix = "T1", b""
    is_aware, is_closing, is_known = True, False, False

    def __init__(self, number: int) -> None:
        self.user_id = f"U{number}"
        self.ticket = self

    def greet(self) -> None:
        """Hello."""

    def push(self, frame: bytes) -> None:
        """Take a frame."""


async def test_of_a_crowd_few_sessions_are_opened_in_a_turn() -> None:
    """All that they need is there at once, so that nothing but the bites keeps them apart."""
    clock = Clock()
    mesh = Mesh(clock)
    joined: list[int] = [0]
    async with asyncio.timeout(30), Tasks("test", CROWD) as tasks:
        openings = Openings(cast(Webapp, mesh), cast(LogReader, mesh), cast(Words, mesh), tasks, clock, Random(1))
        for number in range(CROWD):
            openings.open(cast(Connection, Session(number)), cast(Hub, mesh))
        while len(mesh.joined) < CROWD:
            await asyncio.sleep(0)
            joined.append(len(mesh.joined))
    most = max(after - before for before, after in pairwise(joined))
    # How long a step is has to be learnt: it was taken to be a tenth of the time that there is.
    assert most <= 12
