"""The gRPC boundary of the edge: checks requests and answers them from the models held."""

from __future__ import annotations

import grpc

from parley.edge.v1 import edge_service_pb2 as pb
from parley.edge.v1 import edge_service_pb2_grpc as rpc
from svc.edge import boot
from svc.edge.ownership import Ownership
from svc.edge.workspaces import Workspaces
from svc.kit.errors import NotFoundError


class EdgeServicer(rpc.EdgeServiceServicer):
    """Serves boots and objects. Nothing is awaited between taking a model and answering: answers are whole."""

    def __init__(self, workspaces: Workspaces, ownership: Ownership) -> None:
        self._workspaces = workspaces
        self._ownership = ownership

    async def Boot(  # noqa: N802 - named by the contract
        self, request: pb.BootRequest, context: grpc.aio.ServicerContext[pb.BootRequest, pb.BootResponse]
    ) -> pb.BootResponse:
        user_id = boot.check_user(request.user_id)
        model = await self._workspaces.model(boot.check_team(request.team_id))
        return boot.boot(model, user_id)

    async def GetObjects(  # noqa: N802 - named by the contract
        self,
        request: pb.GetObjectsRequest,
        context: grpc.aio.ServicerContext[pb.GetObjectsRequest, pb.GetObjectsResponse],
    ) -> pb.GetObjectsResponse:
        known = boot.check_objects(request.objects)
        model = await self._workspaces.model(boot.check_team(request.team_id))
        return boot.objects(model, known)

    async def GetModelInfo(  # noqa: N802 - named by the contract
        self,
        request: pb.GetModelInfoRequest,
        context: grpc.aio.ServicerContext[pb.GetModelInfoRequest, pb.GetModelInfoResponse],
    ) -> pb.GetModelInfoResponse:
        team_id = boot.check_team(request.team_id)
        self._ownership.check(team_id)
        held = self._workspaces.peek(team_id)
        if held is None:
            raise NotFoundError(f"workspace {team_id} is not loaded here", subject="team_id")
        return boot.describe(*held)
