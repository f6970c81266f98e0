"""The operators' face of a gateway: list, disconnect, drain."""

from __future__ import annotations

from typing import Any

import grpc

from parley.gateway.v1 import gateway_service_pb2 as pb
from parley.gateway.v1.gateway_service_pb2_grpc import GatewayServiceServicer
from svc.gateway.close_codes import CloseCode
from svc.gateway.door import Connections
from svc.gateway.drain import Drain
from svc.gateway.sockets import Connection
from svc.kit.errors import InvalidArgumentError

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 1_000
SPREAD_MAX_S = 3_600

Context = grpc.aio.ServicerContext[Any, Any]


class GatewayServicer(GatewayServiceServicer):
    """GatewayService of one gateway."""

    def __init__(self, connections: Connections, drain: Drain) -> None:
        self._connections = connections
        self._drain = drain

    async def ListConnections(  # noqa: N802 - named by the contract
        self, request: pb.ListConnectionsRequest, context: Context
    ) -> pb.ListConnectionsResponse:
        if request.page_size > PAGE_SIZE_MAX:
            raise InvalidArgumentError(
                f"at most {PAGE_SIZE_MAX} connections a page", subject="page_size", limit=PAGE_SIZE_MAX
            )
        size = request.page_size or PAGE_SIZE_DEFAULT
        # Ids sort as the connections do, in the order of their opening.
        after = [each for each in self._connections if each.id > request.page_token and _is_of(each, request.user_id)]
        page = after[:size]
        return pb.ListConnectionsResponse(
            connections=[_described(connection) for connection in page],
            next_page_token=page[-1].id if len(after) > size else "",
            total_count=len(self._connections),
        )

    async def Disconnect(  # noqa: N802 - named by the contract
        self, request: pb.DisconnectRequest, context: Context
    ) -> pb.DisconnectResponse:
        if not request.user_id:
            raise InvalidArgumentError("whose connections?", subject="user_id")
        told = [each for each in self._connections if _is_of(each, request.user_id) and not each.is_closing]
        for connection in told:
            connection.close(CloseCode.DISCONNECTED, "disconnected by an operator: come back")
        return pb.DisconnectResponse(closed_count=len(told))

    async def Drain(  # noqa: N802 - named by the contract
        self, request: pb.DrainRequest, context: Context
    ) -> pb.DrainResponse:
        if request.spread_s > SPREAD_MAX_S:
            raise InvalidArgumentError(f"at most {SPREAD_MAX_S} s", subject="spread_s", limit=SPREAD_MAX_S)
        self._drain.start(request.spread_s)
        return pb.DrainResponse(open_count=len(self._connections))


def _is_of(connection: Connection, user_id: str) -> bool:
    return not user_id or connection.user_id == user_id


def _described(connection: Connection) -> pb.Connection:
    return pb.Connection(
        connection_id=connection.id,
        team_id=connection.ticket.team_id,
        user_id=connection.user_id,
        opened_unix_s=connection.opened_unix_s,
        subscription_count=len(connection.channels),
        pending_bytes=connection.unwritten_bytes,
    )
