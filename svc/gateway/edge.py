"""What the gateway asks of the edge on behalf of clients: the node of its zone that holds the workspace's model."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

import grpc

from discovery.stubs import RetryPolicy, StubPools
from parley.edge.v1 import edge_service_pb2 as pb
from parley.edge.v1.edge_service_pb2_grpc import EdgeServiceStub

if TYPE_CHECKING:
    from parley.edge.v1.edge_service_pb2_grpc import EdgeServiceAsyncStub

Q = TypeVar("Q")
R = TypeVar("R")

RETRY = RetryPolicy(attempts_max=3, attempt_timeout_s=0.7)
"""A node that hangs leaves time for another: by then the ring may know. A loaded one answers within 2 ms."""


class Edges(Protocol):
    """The edge tier. Requests name the workspace; all raise ParleyError, and none takes longer than `timeout_s`."""

    async def objects(self, request: pb.GetObjectsRequest, timeout_s: float) -> pb.GetObjectsResponse:
        """Return users and channels by id."""
        ...

    async def search(self, request: pb.SearchRequest, timeout_s: float) -> pb.SearchResponse:
        """Return users and channels by the beginning of a name."""
        ...

    async def members(self, request: pb.ListMembersRequest, timeout_s: float) -> pb.ListMembersResponse:
        """Return a page of a conversation's members. Raises NotFoundError to those who may not see it."""
        ...

    async def emoji(self, request: pb.ListEmojiRequest, timeout_s: float) -> pb.ListEmojiResponse:
        """Return the custom emoji."""
        ...


class RemoteEdges:
    """Edges of the mesh."""

    def __init__(self, pools: StubPools) -> None:
        """Find the owner of a workspace through `pools`, which must follow the ring of the tier."""
        self._pools = pools

    async def objects(self, request: pb.GetObjectsRequest, timeout_s: float) -> pb.GetObjectsResponse:
        """See Edges."""
        return await self._ask(request.team_id, lambda stub: stub.GetObjects, request, timeout_s)

    async def search(self, request: pb.SearchRequest, timeout_s: float) -> pb.SearchResponse:
        """See Edges."""
        return await self._ask(request.team_id, lambda stub: stub.Search, request, timeout_s)

    async def members(self, request: pb.ListMembersRequest, timeout_s: float) -> pb.ListMembersResponse:
        """See Edges."""
        return await self._ask(request.team_id, lambda stub: stub.ListMembers, request, timeout_s)

    async def emoji(self, request: pb.ListEmojiRequest, timeout_s: float) -> pb.ListEmojiResponse:
        """See Edges."""
        return await self._ask(request.team_id, lambda stub: stub.ListEmoji, request, timeout_s)

    async def _ask(
        self,
        team_id: str,
        method: Callable[[EdgeServiceAsyncStub], grpc.aio.UnaryUnaryMultiCallable[Q, R]],
        request: Q,
        timeout_s: float,
    ) -> R:
        return await self._pools.call_owner(
            "edge", team_id, EdgeServiceStub, method, request, timeout_s=timeout_s, retry=RETRY
        )
