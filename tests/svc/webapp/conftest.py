"""One MariaDB for the tests of this folder that need one; each test gets empty keyspaces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from svc.webapp.store.pools import Pools
from tests.svc.webapp.databases import DatabaseServer, Webapp, database_server, migrated, webapp


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mariadb(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DatabaseServer]:
    """A MariaDB shared by the tests of one run."""
    folder: Path = tmp_path_factory.mktemp("mariadb")
    async with database_server(folder) as server:
        yield server


@pytest.fixture
async def pools(mariadb: DatabaseServer) -> AsyncIterator[Pools]:
    """Pools on empty keyspaces."""
    async with migrated(mariadb) as found:
        yield found


@pytest.fixture
async def running(pools: Pools) -> AsyncIterator[Webapp]:
    """A webapp's store on empty keyspaces, with an admin that takes everything."""
    async with webapp(pools) as found:
        yield found


@pytest.fixture
async def own_mariadb(tmp_path: Path) -> AsyncIterator[DatabaseServer]:
    """A MariaDB of the test's own, to be stopped and killed."""
    async with database_server(tmp_path) as server:
        yield server
