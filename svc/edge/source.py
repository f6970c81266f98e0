"""Where loads come from: a webapp of this zone first, another one at the next try."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import grpc

from discovery.stubs import StubPools
from parley.webapp.v1 import webapp_service_pb2 as webapp
from parley.webapp.v1.webapp_service_pb2_grpc import WebappServiceStub
from svc.kit.errors import from_rpc_error


class WebappSource:
    """Loads through `pools`, which must follow the webapp tier. Never repeats a call: the loader does."""

    def __init__(self, pools: StubPools) -> None:
        self._pools = pools

    async def load(self, team_id: str, timeout_s: float) -> AsyncGenerator[webapp.LoadWorkspaceResponse, None]:
        """Stream the parts of a workspace. Raises UnavailableError when there is no webapp, and what it says."""
        stub = self._pools.stub(WebappServiceStub, self._pools.pick("webapp"))
        call = stub.LoadWorkspace(webapp.LoadWorkspaceRequest(team_id=team_id), timeout=timeout_s)
        try:
            async for part in call:
                yield part
        except grpc.RpcError as error:
            raise from_rpc_error(error) from error
        finally:
            call.cancel()
