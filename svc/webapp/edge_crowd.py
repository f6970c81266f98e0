"""Boots of those who come back together, asked of the edge together.

What a call costs on both sides is several times what a delta costs, so a gateway's death would be thousands of calls.
Whoever comes first when a crowd comes back waits a moment for others of its workspace, and asks for all of them; who
is alone waits for nobody (`gathering.crowd`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from copy import copy

from parley.edge.v1 import edge_service_pb2 as pb
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError
from svc.webapp.gathering.crowd import Crowd, CrowdRules

__all__ = ["BOOTS_MAX", "CHANNELS_MAX", "EdgeCrowd"]

BOOTS_MAX, CHANNELS_MAX = 64, 20_000
"""In one call; the contract's limits."""

RULES = CrowdRules(asks=20.0, gap_s=0.03, glance_s=0.03)
"""At three hundred boots a second, a call is for nine."""

Call = Callable[[pb.BootManyRequest], Awaitable[pb.BootManyResponse]]


class _Company:
    """Those of a workspace who are asked for together."""

    def __init__(self) -> None:
        self.requests: list[pb.BootRequest] = []
        self.answered: asyncio.Future[pb.BootManyResponse | ParleyError | None] = (
            asyncio.get_running_loop().create_future()
        )
        """What became of it; None: nothing, ask again."""
        self.channels = 0
        self.is_full = asyncio.Event()


class EdgeCrowd:
    """Finds company for boots. At most one company a workspace waits, and no longer than the rules say."""

    def __init__(self, call: Call, clock: Clock, rules: CrowdRules = RULES) -> None:
        """`call` asks the edge."""
        self._call = call
        self._clock = clock
        self._crowd = Crowd(rules)
        self._waiting: dict[str, _Company] = {}

    async def boot(self, request: pb.BootRequest) -> pb.BootResponse | None:
        """Return the answer to a boot, asked with others if there are any; None when it has to be asked alone.

        Raises ParleyError where nobody in the company was answered.
        """
        company = self._waiting.get(request.team_id)
        is_first = company is None or company.channels + len(request.channel_ids) > CHANNELS_MAX
        if company is None or is_first:
            company = self._waiting[request.team_id] = _Company()
        place = len(company.requests)
        company.requests.append(request)
        company.channels += len(request.channel_ids)
        if len(company.requests) == BOOTS_MAX:
            self._leave(request.team_id, company)
        outcome = await (self._lead(request.team_id, company) if is_first else asyncio.shield(company.answered))
        if isinstance(outcome, ParleyError):
            # Everybody's own: it is raised in many tasks, each with a traceback.
            raise copy(outcome)
        return outcome.boots[place] if outcome is not None and place not in outcome.refused else None

    def _leave(self, team_id: str, company: _Company) -> None:
        """Nobody may join any more."""
        if self._waiting.get(team_id) is company:
            del self._waiting[team_id]
        company.is_full.set()

    async def _lead(self, team_id: str, company: _Company) -> pb.BootManyResponse | ParleyError | None:
        """Wait for others, and ask for all."""
        outcome: pb.BootManyResponse | ParleyError | None = None
        try:
            await self._gather(company)
            self._leave(team_id, company)
            self._crowd.began(len(company.requests), self._clock.now())
            if len(company.requests) > 1:
                try:
                    outcome = await self._call(pb.BootManyRequest(boots=company.requests))
                except ParleyError as error:
                    outcome = error
        finally:
            # Also when whoever leads is cancelled: the others ask for themselves.
            self._leave(team_id, company)
            if not company.answered.done():
                company.answered.set_result(outcome)
        return outcome

    async def _gather(self, company: _Company) -> None:
        wait_s = self._crowd.wait_s(1, self._clock.now())
        if wait_s <= 0.0:
            return
        try:
            async with asyncio.timeout(wait_s):
                await company.is_full.wait()
        except TimeoutError:
            pass
