"""One mesh of real processes for the tests that break nothing; those that do start their own with `town()`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.mesh.collector import collecting
from tests.mesh.towns import Town, town


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """The mesh for tests that leave everything as they found it, traced in full."""
    async with collecting() as collector, town(tmp_path_factory.mktemp("mesh"), collector) as there:
        yield there
