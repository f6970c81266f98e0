"""Both workspaces for all tests of the surface: each makes things of its own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from svc.webapp.domain.apps import passes
from tests.surface.houses import Houses, houses


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Houses]:
    """A Web API over real MariaDB and memcached, behind real HTTP."""
    os.environ.pop("PARLEY_CONSUL_ADDR", None)
    with pytest.MonkeyPatch.context() as patch:
        # Three seconds are short on a busy machine, and none of these tests is about them.
        patch.setattr(passes, "TRIGGER_S", 3_600.0)
        async with houses(tmp_path_factory.mktemp("houses")) as here:
            yield here
