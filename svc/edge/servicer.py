"""The gRPC boundary of the edge: checks requests and answers them from the models held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import grpc

from parley.edge.v1 import edge_service_pb2 as pb
from parley.edge.v1 import edge_service_pb2_grpc as rpc
from svc.edge import boot, checks
from svc.edge.config import AnswerLimits
from svc.edge.interfaces import Activity, Members
from svc.edge.models.names import HITS_MAX, Query
from svc.edge.nearness import Nearness
from svc.edge.ownership import Ownership
from svc.edge.workspaces import Workspaces
from svc.kit.errors import NotFoundError, ParleyError, ResourceExhaustedError
from svc.kit.rpc import when_over

READ_RETRY_S = 1.0
"""When to come back with a whole model to read while as many as may are being sent: one takes about as long."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What the servicer asks beside the models."""

    activity: Activity
    members: Members


class EdgeServicer(rpc.EdgeServiceServicer):
    """Serves models and what is followed beside them. Nothing is awaited between taking a model and answering from it:
    answers are whole.
    """

    def __init__(
        self, workspaces: Workspaces, ownership: Ownership, neighbours: Neighbours, limits: AnswerLimits
    ) -> None:
        self._workspaces = workspaces
        self._ownership = ownership
        self._beside = neighbours
        self._limits = limits
        self.nearness = Nearness(limits.near_users_max, limits.near_bytes_max)
        """Whom users deal with, from their boots."""
        self.readings = 0
        """Whole models being sent now."""

    async def Boot(  # noqa: N802 - named by the contract
        self, request: pb.BootRequest, context: grpc.aio.ServicerContext[pb.BootRequest, pb.BootResponse]
    ) -> pb.BootResponse:
        return await self._boot(request)

    async def _boot(self, request: pb.BootRequest) -> pb.BootResponse:
        checks.booting(request)
        boot.check_member(await self._workspaces.model(request.team_id), request.user_id)
        activities = await self._beside.activity.activities(request.channel_ids)
        model = await self._workspaces.model(request.team_id)
        self.nearness.remember(request.team_id, request.user_id, request.near_ids)
        return boot.boot(model, request, activities)

    async def BootMany(  # noqa: N802 - named by the contract
        self, request: pb.BootManyRequest, context: grpc.aio.ServicerContext[pb.BootManyRequest, pb.BootManyResponse]
    ) -> pb.BootManyResponse:
        team_id = checks.booting_together(request)
        # What is true of all is said once: that another edge holds the workspace, or that none can yet.
        await self._workspaces.model(team_id)
        # At the same time, so that what some of them have to wait for is read for all at once.
        answers = await asyncio.gather(*map(self._boot, request.boots), return_exceptions=True)
        response = pb.BootManyResponse()
        for place, answer in enumerate(answers):
            if isinstance(answer, pb.BootResponse):
                response.boots.append(answer)
            elif isinstance(answer, ParleyError):
                response.boots.add()
                response.refused.append(place)
            else:
                raise answer
        return response

    async def GetObjects(  # noqa: N802 - named by the contract
        self,
        request: pb.GetObjectsRequest,
        context: grpc.aio.ServicerContext[pb.GetObjectsRequest, pb.GetObjectsResponse],
    ) -> pb.GetObjectsResponse:
        checks.team(request.team_id)
        checks.objects(request.objects)
        return boot.objects(await self._workspaces.model(request.team_id), request.objects)

    async def Search(  # noqa: N802 - named by the contract
        self, request: pb.SearchRequest, context: grpc.aio.ServicerContext[pb.SearchRequest, pb.SearchResponse]
    ) -> pb.SearchResponse:
        prefix = checks.searching(request)
        model = await self._workspaces.model(request.team_id)
        query = Query(
            prefix=prefix,
            limit=request.limit or HITS_MAX,
            affinity=self.nearness.weights(request.team_id, request.user_id, request.near_ids),
            inactive=request.include_inactive,
        )
        return boot.find(model, query, request.kinds)

    async def ListMembers(  # noqa: N802 - named by the contract
        self,
        request: pb.ListMembersRequest,
        context: grpc.aio.ServicerContext[pb.ListMembersRequest, pb.ListMembersResponse],
    ) -> pb.ListMembersResponse:
        limit = checks.members(request)
        model = await self._workspaces.model(request.team_id)
        boot.check_member(model, request.user_id)
        return await self._beside.members.page(
            request.team_id,
            request.user_id,
            request.channel_id,
            request.after_user_id,
            limit,
            is_public=model.channels.version(request.channel_id) is not None,
        )

    async def ListEmoji(  # noqa: N802 - named by the contract
        self, request: pb.ListEmojiRequest, context: grpc.aio.ServicerContext[pb.ListEmojiRequest, pb.ListEmojiResponse]
    ) -> pb.ListEmojiResponse:
        return (await self._workspaces.model(checks.team(request.team_id))).emoji.since(request.version)

    async def ReadModel(  # noqa: N802 - named by the contract
        self, request: pb.ReadModelRequest, context: grpc.aio.ServicerContext[pb.ReadModelRequest, pb.ReadModelResponse]
    ) -> AsyncIterator[pb.ReadModelResponse]:
        checks.team(request.team_id)
        if self.readings >= self._limits.reads_max:
            raise ResourceExhaustedError(
                f"{self.readings} models are being sent",
                subject="reads_max",
                limit=self._limits.reads_max,
                actual=self.readings + 1,
                retry_after_s=READ_RETRY_S,
            )
        self.readings += 1
        when_over(context, self._read)
        reading = boot.Reading(await self._workspaces.model(request.team_id))
        while (part := reading.part()) is not None:
            yield part

    async def GetModelInfo(  # noqa: N802 - named by the contract
        self,
        request: pb.GetModelInfoRequest,
        context: grpc.aio.ServicerContext[pb.GetModelInfoRequest, pb.GetModelInfoResponse],
    ) -> pb.GetModelInfoResponse:
        team_id = checks.team(request.team_id)
        self._ownership.check(team_id)
        held = self._workspaces.peek(team_id)
        if held is None:
            raise NotFoundError(f"workspace {team_id} is not loaded here", subject="team_id")
        return boot.describe(*held, self._beside.activity.followed_count)

    def _read(self) -> None:
        self.readings -= 1
