"""What every test run needs before anything is imported, and the real Consul that several parts are tried with."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# This process loads gRPC and starts children; gRPC's fork handlers would start its threads in the child, between fork
# and exec, and abort it there. Read when gRPC is imported.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

# What messages in tests link to is not to be asked for; tests of previews say so.
os.environ.setdefault("PARLEY_WEBAPP_PREVIEWS", "off")

from tests.discovery.agents import Agent

# On a busy machine even small data is slow to make, which says nothing of what is tested.
settings.register_profile("parley", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("parley")


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    """A running Consul with its own data folder, on free ports."""
    consul = Agent(tmp_path)
    await consul.start()
    try:
        yield consul
    finally:
        await consul.close()
