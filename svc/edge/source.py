"""Where loads come from: a webapp of this zone first, another one at the next try."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from discovery.stubs import StubPools
from parley.boot.v1 import boot_pb2 as boot
from parley.event.v1 import event_pb2 as event_pb
from parley.webapp.v1 import webapp_service_pb2 as webapp
from parley.webapp.v1.webapp_service_pb2_grpc import WebappServiceStub


class WebappSource:
    """Loads through `pools`, which must follow the webapp tier. Never repeats a call: the loader does."""

    def __init__(self, pools: StubPools) -> None:
        self._pools = pools

    async def load(
        self, team_id: str, place: webapp.LoadPlace | None, timeout_s: float
    ) -> AsyncGenerator[webapp.LoadWorkspaceResponse, None]:
        """See loader.WorkspaceSource. Raises UnavailableError when there is no webapp, and what it says."""
        request = webapp.LoadWorkspaceRequest(team_id=team_id, resume=place)
        parts = self._pools.stream(
            "webapp", WebappServiceStub, lambda stub: stub.LoadWorkspace, request, timeout_s=timeout_s
        )
        async with aclosing(parts):
            async for part in parts:
                yield part

    async def changes(self, team_id: str, after: int, limit: int, timeout_s: float) -> Sequence[boot.ModelChange]:
        """See loader.WorkspaceSource. One read of the log."""
        position = event_pb.ChannelPosition(channel_id=team_id, offset=after)
        answer = await self._pools.call(
            "webapp",
            WebappServiceStub,
            lambda stub: stub.ReadLog,
            webapp.ReadLogRequest(after=[position], limit=limit),
            timeout_s=timeout_s,
        )
        return [event.model_change for log in answer.logs for event in log.events if event.HasField("model_change")]
