"""One office for all API tests: they make channels of their own and leave the people as they are."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.svc.webapp.api.office import Office, office


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def acme(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A workspace over real MariaDB and memcached, behind real HTTP."""
    os.environ.pop("PARLEY_CONSUL_ADDR", None)
    async with office(tmp_path_factory.mktemp("office")) as here:
        yield here
