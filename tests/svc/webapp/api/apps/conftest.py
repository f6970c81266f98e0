"""A workshop for each test."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.svc.webapp.api.apps.workshop import Workshop, workshop
from tests.svc.webapp.api.office import Office


@pytest_asyncio.fixture(loop_scope="session")
async def shop(acme: Office, request: pytest.FixtureRequest) -> AsyncIterator[Workshop]:
    """A workspace of its own, with an app."""
    async with workshop(acme, re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:60]) as made:
        yield made
