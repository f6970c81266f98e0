"""Loading a workspace from the webapp: one stream, from its beginning again when it breaks, within one deadline."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

from parley.webapp.v1 import webapp_service_pb2 as webapp
from svc.edge.config import ModelLimits
from svc.edge.model import Model, ModelBuilder
from svc.kit.backoff import Backoff
from svc.kit.clock import Clock
from svc.kit.errors import ParleyError, UnavailableError

log = logging.getLogger(__name__)

RETRY_BASE_S = 0.05
RETRY_CAP_S = 1.0
"""Waits between tries: a webapp that restarts is back in about a second."""


class WorkspaceSource(Protocol):
    """Where loads come from: a webapp, or a twin of one."""

    def load(self, team_id: str, timeout_s: float) -> AsyncGenerator[webapp.LoadWorkspaceResponse]:
        """Stream the parts of a workspace. Raises errors of the tree, NotFoundError for a workspace that is not."""
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
        """Return the model of a workspace, trying for `timeout_s` seconds.

        Raises at once what trying again cannot help: NotFoundError, FailedPreconditionError (too large), InternalError.
        Raises UnavailableError when the time is over.
        """
        backoff = Backoff(RETRY_BASE_S, RETRY_CAP_S)
        deadline = self._clock.now() + timeout_s
        last: ParleyError | None = None
        try:
            async with asyncio.timeout(timeout_s), self._turns:
                while True:
                    try:
                        return await self._try(team_id, deadline - self._clock.now())
                    except ParleyError as error:
                        self.failures += 1
                        if not error.retryable:
                            raise
                        last = error
                    log.warning("loading %s failed, trying again: %s", team_id, last)
                    await self._clock.sleep(max(backoff.next_s(), last.retry_after_s))
        except TimeoutError:
            raise UnavailableError(f"{team_id} could not be loaded in {timeout_s:g} s: {last or 'no answer'}") from last

    async def _try(self, team_id: str, timeout_s: float) -> Model:
        builder = ModelBuilder(team_id, self._limits)
        async with aclosing(self._source.load(team_id, timeout_s)) as parts:
            async for part in parts:
                builder.take(part)
        while builder.settle():
            await asyncio.sleep(0)  # others get their turns
        model = builder.finish()
        self.loads += 1
        return model
