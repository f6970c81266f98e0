"""A real Consul for the tests that need one, and instances to find in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from svc.kit.rpc import RpcServer, rpc_server
from tests.discovery.agents import Agent, settings


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    """A running Consul with its own data folder, on free ports."""
    consul = Agent(tmp_path)
    await consul.start()
    try:
        yield consul
    finally:
        await consul.close()


@pytest.fixture
async def server() -> AsyncIterator[RpcServer]:
    """A gRPC server in this process that says it is healthy."""
    async with rpc_server(settings(), ()) as serving:
        yield serving
