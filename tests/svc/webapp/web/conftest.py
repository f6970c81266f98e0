"""One office for all tests of the browser client's endpoints: its workspace is one that anybody may enter."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from svc.webapp.web.config import WebConfig
from tests.svc.webapp.api.office import Office, office


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def acme(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A workspace over real MariaDB and memcached, behind real HTTP."""
    os.environ.pop("PARLEY_CONSUL_ADDR", None)
    folder = tmp_path_factory.mktemp("built")
    async with office(tmp_path_factory.mktemp("office"), web=WebConfig(static_dir=str(folder), demo="acme")) as here:
        yield here
