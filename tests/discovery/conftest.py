"""A real Consul for the tests that need one, and instances to find in it."""

from collections.abc import AsyncIterator

import pytest

from svc.kit.rpc import RpcServer, rpc_server
from tests.discovery.agents import settings


@pytest.fixture
async def server() -> AsyncIterator[RpcServer]:
    """A gRPC server in this process that says it is healthy."""
    async with rpc_server(settings(), ()) as serving:
        yield serving
