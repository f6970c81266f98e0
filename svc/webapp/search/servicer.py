"""The gRPC boundary of search: checks requests and answers them from the index."""

from __future__ import annotations

import grpc

from parley.search.v1 import search_service_pb2 as pb
from parley.search.v1 import search_service_pb2_grpc as rpc
from svc.webapp.search import wire
from svc.webapp.search.answering import Answering
from svc.webapp.search.feeder import Feeder
from svc.webapp.search.generations import Generations

__all__ = ["SearchServicer"]


class SearchServicer(rpc.SearchServiceServicer):
    """Serves an instance's index."""

    def __init__(self, instance_id: str, answering: Answering, generations: Generations, feeder: Feeder) -> None:
        self._instance_id = instance_id
        self._answering = answering
        self._generations = generations
        self._feeder = feeder

    async def Search(  # noqa: N802 - named by the contract
        self, request: pb.SearchRequest, context: grpc.aio.ServicerContext[pb.SearchRequest, pb.SearchResponse]
    ) -> pb.SearchResponse:
        return wire.response(await self._answering.answer(wire.asked(request)))

    async def GetIndexInfo(  # noqa: N802 - named by the contract
        self,
        request: pb.GetIndexInfoRequest,
        context: grpc.aio.ServicerContext[pb.GetIndexInfoRequest, pb.GetIndexInfoResponse],
    ) -> pb.GetIndexInfoResponse:
        current = self._generations.current
        return pb.GetIndexInfoResponse(
            documents=current.documents,
            fed_until_unix_us=self._feeder.found_until_us,
            is_whole=current.state.is_whole,
            is_building=self._feeder.is_building,
            built=self._feeder.built,
            trouble=self._feeder.trouble,
            instance_id=self._instance_id,
        )

    async def Rebuild(  # noqa: N802 - named by the contract
        self, request: pb.RebuildRequest, context: grpc.aio.ServicerContext[pb.RebuildRequest, pb.RebuildResponse]
    ) -> pb.RebuildResponse:
        return pb.RebuildResponse(has_begun=self._feeder.want_rebuild())
