"""The operators' face on real connections: list, disconnect, drain."""

import asyncio
from typing import Any

import pytest

from parley.gateway.v1 import gateway_service_pb2 as pb
from svc.gateway.servicer import GatewayServicer
from svc.kit.errors import InvalidArgumentError

C = "C0000000001"
ANN, BOB = "U0000000001", "U0000000002"


async def test_connections_are_listed_in_pages(house: Any) -> None:
    """In order of id, for all users or one."""
    servicer = GatewayServicer(house.connections, house.drain)
    clients = [await house.connect(user, C) for user in (ANN, BOB, ANN)]
    first = await servicer.ListConnections(pb.ListConnectionsRequest(page_size=2), None)  # type: ignore[arg-type]
    assert [each.user_id for each in first.connections] == [ANN, BOB]
    assert first.total_count == 3
    assert first.connections[0].subscription_count == 2
    rest = pb.ListConnectionsRequest(page_size=2, page_token=first.next_page_token)
    second = await servicer.ListConnections(rest, None)  # type: ignore[arg-type]
    assert ([each.user_id for each in second.connections], second.next_page_token) == ([ANN], "")
    mine = await servicer.ListConnections(pb.ListConnectionsRequest(user_id=BOB), None)  # type: ignore[arg-type]
    assert [each.connection_id for each in mine.connections] == [first.connections[1].connection_id]
    with pytest.raises(InvalidArgumentError):
        await servicer.ListConnections(pb.ListConnectionsRequest(page_size=1001), None)  # type: ignore[arg-type]
    assert len(clients) == 3


async def test_a_user_s_connections_are_closed_with_a_code_to_come_back(house: Any) -> None:
    """All devices of the user, and nobody else's."""
    servicer = GatewayServicer(house.connections, house.drain)
    phone, laptop, bob = await house.connect(ANN), await house.connect(ANN), await house.connect(BOB)
    answer = await servicer.Disconnect(pb.DisconnectRequest(user_id=ANN), None)  # type: ignore[arg-type]
    assert answer.closed_count == 2
    assert await phone.close_code() == await laptop.close_code() == 4002
    assert await bob.hears_nothing()
    with pytest.raises(InvalidArgumentError):
        await servicer.Disconnect(pb.DisconnectRequest(), None)  # type: ignore[arg-type]


async def test_a_drain_by_an_operator_empties_the_gateway_once(house: Any) -> None:
    """The second call only counts."""
    servicer = GatewayServicer(house.connections, house.drain)
    ann = await house.connect(ANN)
    for _ in range(2):
        answer = await servicer.Drain(pb.DrainRequest(spread_s=0), None)  # type: ignore[arg-type]
        assert answer.open_count == 1
    assert await ann.json() == {"type": "goodbye"}
    assert await ann.close_code() == 1001
    async with asyncio.timeout(5):
        while len(house.connections):
            await asyncio.sleep(0.005)


async def test_a_stop_takes_no_longer_than_the_connections_need(house: Any) -> None:
    """Two clients are no herd: they are not spread over minutes."""
    clients = [await house.connect(ANN), await house.connect(BOB)]

    async def leave(client: Any) -> int:
        assert await client.json() == {"type": "goodbye"}
        return int(await client.close_code())

    async with asyncio.timeout(3):
        left = [asyncio.ensure_future(leave(client)) for client in clients]
        await house.drain.finish(120)
        assert [await each for each in left] == [1001, 1001]
