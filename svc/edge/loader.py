"""Loading a workspace from the webapp: a stream that goes on where it broke, within one deadline."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

from parley.boot.v1 import boot_pb2 as boot
from parley.webapp.v1 import webapp_service_pb2 as webapp
from svc.edge.config import ModelLimits
from svc.edge.models.builder import ModelBuilder
from svc.edge.models.model import Model
from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError, UnavailableError

log = logging.getLogger(__name__)

RETRY_BASE_S = 0.05
RETRY_CAP_S = 1.0
"""Waits between tries: a webapp that restarts is back in about a second."""
RECENT = 256
"""Events before the header that are put over what was loaded (see models/builder.py): versions follow their events in
milliseconds, in 2 s where a webapp died in between."""


class WorkspaceSource(Protocol):
    """Where loads come from: a webapp, or a twin of one."""

    def load(
        self, team_id: str, place: webapp.LoadPlace | None, timeout_s: float
    ) -> AsyncGenerator[webapp.LoadWorkspaceResponse]:
        """Stream the parts of a workspace, those after `place` if there is one, but the header in any case.

        Raises errors of the tree, NotFoundError for a workspace that is not.
        """
        ...

    async def changes(self, team_id: str, after: int, limit: int, timeout_s: float) -> Sequence[boot.ModelChange]:
        """Return the changes of at most `limit` events after offset `after`, in order, as far as the log has them.

        Raises errors of the tree.
        """
        ...


class Loader:
    """Loads models. `loads_max` at once, the others wait for their turn within their deadline."""

    def __init__(self, source: WorkspaceSource, limits: ModelLimits, loads_max: int, clock: Clock) -> None:
        self._source = source
        self._limits = limits
        self._turns = asyncio.Semaphore(loads_max)
        self._clock = clock
        self.loads = 0
        """Loads that succeeded."""
        self.failures = 0
        """Tries that failed."""

    async def load(self, team_id: str, timeout_s: float) -> Model:
        """Return the model of a workspace, trying for `timeout_s` seconds; each try goes on where the last one broke.

        Raises at once what trying again cannot help: NotFoundError, FailedPreconditionError (too large), InternalError.
        Raises UnavailableError when the time is over.
        """
        backoff = Backoff(RETRY_BASE_S, RETRY_CAP_S)
        deadline = self._clock.now() + timeout_s
        last: ParleyError | None = None
        try:
            async with asyncio.timeout(timeout_s), self._turns:
                builder = ModelBuilder(team_id, self._limits)
                while True:
                    try:
                        return await self._try(team_id, builder, deadline - self._clock.now())
                    except ParleyError as error:
                        self.failures += 1
                        if not error.retryable:
                            raise
                        last = error
                    log.warning("loading %s broke, going on: %s", team_id, last)
                    await self._clock.sleep(max(backoff.next_s(), last.retry_after_s))
        except TimeoutError:
            raise UnavailableError(f"{team_id} could not be loaded in {timeout_s:g} s: {last or 'no answer'}") from last

    async def _try(self, team_id: str, builder: ModelBuilder, timeout_s: float) -> Model:
        async with aclosing(self._source.load(team_id, builder.resume(), timeout_s)) as parts:
            async for part in parts:
                builder.take(part)
                while builder.work():
                    await asyncio.sleep(0)  # others get their turns
        builder.check_whole()
        if builder.offset:
            after = max(0, builder.offset - RECENT)
            builder.put_over(await self._source.changes(team_id, after, RECENT, timeout_s))
        while builder.settle():
            await asyncio.sleep(0)
        model = builder.finish()
        self.loads += 1
        return model
