"""The mesh that most tests of the feed begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.svc.feed.twins import A, B, TwinMesh, running


@pytest.fixture
async def mesh() -> AsyncIterator[TwinMesh]:
    """Channels followed at two servers."""
    async with running(A, B) as made:
        yield made
