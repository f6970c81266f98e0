"""An edge in this process: the edge's own model and answers, loaded anew from the webapp for each question."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

from parley.boot.v1 import boot_pb2
from parley.edge.v1 import edge_service_pb2 as edge
from parley.webapp.v1 import webapp_service_pb2 as webapp
from svc.edge import boot
from svc.edge.config import ModelLimits
from svc.edge.models.builder import ModelBuilder
from svc.edge.models.model import Model
from svc.edge.models.names import Query
from svc.kit.errors import UnavailableError
from svc.webapp.domain.services import Services
from svc.webapp.loading import load_workspace


class EdgeTwin:
    """Models as an edge answers that heard of everything; nothing is answered while it is `down`."""

    def __init__(self) -> None:
        self.down = True
        self.services: Services | None = None
        self.boots = 0
        self.objects_asked = 0

    async def _model(self, team_id: str) -> Model:
        if self.down or self.services is None:
            raise UnavailableError("the edge is down")
        builder = ModelBuilder(team_id, ModelLimits(users_max=1_000, channels_max=1_000, emoji_max=1_000))
        async for part in load_workspace(self.services, team_id, webapp.LoadPlace()):
            builder.take(part)
        return builder.finish()

    async def boot(self, request: edge.BootRequest) -> edge.BootResponse:
        model = await self._model(request.team_id)
        self.boots += 1
        found = await cast(Services, self.services).shared.activity(request.channel_ids)
        activities = [
            boot_pb2.ConversationActivity(
                channel_id=each,
                head_offset=found[each].last_offset if each in found else 0,
                latest_message_ts_us=found[each].last_message_us if each in found else 0,
            )
            for each in request.channel_ids
        ]
        return boot.boot(model, request, activities)

    async def objects(self, request: edge.GetObjectsRequest) -> edge.GetObjectsResponse:
        self.objects_asked += 1
        return boot.objects(await self._model(request.team_id), request.objects)

    async def search(self, request: edge.SearchRequest) -> edge.SearchResponse:
        model = await self._model(request.team_id)
        near = dict.fromkeys(request.near_ids, 1.0)
        query = Query(prefix=request.prefix, limit=request.limit, affinity=near, inactive=request.include_inactive)
        return boot.find(model, query, request.kinds)

    async def members(self, request: edge.ListMembersRequest) -> edge.ListMembersResponse:
        raise UnavailableError("nobody follows members here")

    async def emoji(self, request: edge.ListEmojiRequest) -> edge.ListEmojiResponse:
        return (await self._model(request.team_id)).emoji.since(request.version)

    async def model(self, request: edge.ReadModelRequest) -> AsyncIterator[edge.ReadModelResponse]:
        reading = boot.Reading(await self._model(request.team_id))
        while (part := reading.part()) is not None:
            yield part
