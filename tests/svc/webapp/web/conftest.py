"""One office for all tests of the browser client's endpoints: its workspace is one that anybody may enter."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from svc.webapp.web.config import WebConfig
from tests.svc.webapp.api.office import Office, office


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the client is looked for; empty."""
    found = tmp_path_factory.mktemp("web") / "static"
    found.mkdir()
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def acme(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> AsyncIterator[Office]:
    """A workspace over real MariaDB and memcached, behind real HTTP."""
    os.environ.pop("PARLEY_CONSUL_ADDR", None)
    async with office(tmp_path_factory.mktemp("office"), web=WebConfig(static_dir=str(folder), demo="acme")) as here:
        yield here
