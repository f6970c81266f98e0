"""Workspaces' models as the edges of the own zone hold them: each workspace's is asked of its owner on their ring.

An edge answers in a millisecond. One that does not within ANSWER_S is asked whether it is loading the workspace: then
it is waited for, because the load serves all who wait, and to read the rows for each of them would cost more. One that
does not say so either is taken for gone for SHUN_S, or everybody would wait for it in turn.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol, TypeVar

import grpc

from discovery.view import Instance
from parley.edge.v1 import edge_service_pb2 as pb
from parley.edge.v1.edge_service_pb2_grpc import EdgeServiceStub
from svc.kit.clock import Clock
from svc.kit.errors import DeadlineError, NotFoundError, NotOwnerError, ParleyError, UnavailableError, from_rpc_error
from svc.webapp.edge_crowd import EdgeCrowd
from svc.webapp.priority import current

__all__ = ["EdgeTier", "Owners", "Stubs"]

TIER = "edge"

ANSWER_S = 0.5
"""Hundreds of times what an answer takes; a paused process is back by then."""
PROBE_S = 0.25
LOAD_S = 4.0
"""A load of 32,000 users takes two seconds; what is left of a request's ten is enough for the rows."""
STREAM_S = 30.0
"""A whole model, for whose reader's pauses the edge waits."""
SHUN_S = 1.0
"""About as long as Consul takes to notice; then one more is let try."""

_Answer = TypeVar("_Answer")


class Owners(Protocol):
    """Who holds which workspace (discovery.RingWatcher)."""

    def owner(self, key: str) -> Instance:
        """Return the instance that owns `key`. Raises RingEmptyError."""
        ...


class Stubs(Protocol):
    """Calls to instances (discovery.StubPools)."""

    def stub(self, stub_class: Callable[[grpc.aio.Channel], Any], instance: Instance) -> Any:
        """Return the stub of an instance."""
        ...


class EdgeTier:
    """Models of the edges. Raises ParleyError at once where nothing can be had: the caller has the rows."""

    def __init__(self, stubs: Stubs, owners: Owners, clock: Clock) -> None:
        self._stubs = stubs
        self._owners = owners
        self._clock = clock
        self._shunned: dict[str, float] = {}
        self._crowd = EdgeCrowd(self._boot_many, clock)

    async def boot(self, request: pb.BootRequest) -> pb.BootResponse:
        """See Models. Waits for a load, LOAD_S at most."""
        try:
            if request.since_model_offset and current().is_patient:
                answer = await self._crowd.boot(request)
                if answer is not None:
                    return answer
            return await self._call(request.team_id, lambda stub, s: stub.Boot(request, timeout=s))
        except DeadlineError:
            left_s = await self._patience(request.team_id)
        return await self._call(request.team_id, lambda stub, s: stub.Boot(request, timeout=s), left_s)

    async def _boot_many(self, request: pb.BootManyRequest) -> pb.BootManyResponse:
        team_id = request.boots[0].team_id
        return await self._call(team_id, lambda stub, s: stub.BootMany(request, timeout=s))

    async def objects(self, request: pb.GetObjectsRequest) -> pb.GetObjectsResponse:
        """See Models."""
        return await self._call(request.team_id, lambda stub, s: stub.GetObjects(request, timeout=s))

    async def search(self, request: pb.SearchRequest) -> pb.SearchResponse:
        """See Models."""
        return await self._call(request.team_id, lambda stub, s: stub.Search(request, timeout=s))

    async def members(self, request: pb.ListMembersRequest) -> pb.ListMembersResponse:
        """See Models."""
        return await self._call(request.team_id, lambda stub, s: stub.ListMembers(request, timeout=s))

    async def emoji(self, request: pb.ListEmojiRequest) -> pb.ListEmojiResponse:
        """See Models."""
        return await self._call(request.team_id, lambda stub, s: stub.ListEmoji(request, timeout=s))

    async def model(self, request: pb.ReadModelRequest) -> AsyncIterator[pb.ReadModelResponse]:
        """See Models."""
        stub = self._stubs.stub(EdgeServiceStub, self._owner(request.team_id))
        try:
            async for part in stub.ReadModel(request, timeout=STREAM_S):
                yield part
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error

    async def _call(
        self, team_id: str, invoke: Callable[[Any, float], Awaitable[_Answer]], timeout_s: float = ANSWER_S
    ) -> _Answer:
        """Call the owner; a second time when it says that it is none, which the ring may know by now."""
        try:
            return await self._invoke(team_id, invoke, timeout_s)
        except NotOwnerError:
            return await self._invoke(team_id, invoke, timeout_s)

    async def _invoke(
        self, team_id: str, invoke: Callable[[Any, float], Awaitable[_Answer]], timeout_s: float
    ) -> _Answer:
        stub = self._stubs.stub(EdgeServiceStub, self._owner(team_id))
        try:
            return await invoke(stub, timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error

    async def _patience(self, team_id: str) -> float:
        """Return how long to wait for an owner that is alive: for its load, or for what it reads of conversations.

        Raises UnavailableError, and has the owner shunned, unless it can say whether it holds the workspace.
        """
        owner = self._owner(team_id)
        stub = self._stubs.stub(EdgeServiceStub, owner)
        try:
            await stub.GetModelInfo(pb.GetModelInfoRequest(team_id=team_id), timeout=PROBE_S)
        except grpc.aio.AioRpcError as error:
            said = from_rpc_error(error)
            if isinstance(said, NotFoundError):
                return LOAD_S  # it is loading
            self._shun(owner.id)
            raise _silent(owner, said) from error
        return ANSWER_S

    def _owner(self, team_id: str) -> Instance:
        owner = self._owners.owner(team_id)
        until = self._shunned.get(owner.id)
        if until is not None:
            if self._clock.now() < until:
                raise UnavailableError(f"{owner.id} was silent a moment ago")
            del self._shunned[owner.id]
        return owner

    def _shun(self, instance_id: str) -> None:
        now = self._clock.now()
        for old in [each for each, until in self._shunned.items() if until <= now]:
            del self._shunned[old]
        self._shunned[instance_id] = now + SHUN_S


def _silent(owner: Instance, said: ParleyError) -> UnavailableError:
    return UnavailableError(f"{owner.id} does not answer: {said}")
