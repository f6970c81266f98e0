"""Coming back by a ticket: nobody is asked while it is good, and the ordinary way is taken when it is not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from random import Random
from typing import Any

from discovery.view import Instance
from parley_client.returning import AWAY_MAX_S, MARGIN_S, Returning
from svc.gateway.frames import json_frame
from svc.gateway.return_tickets import ReturnLimits, ReturnTickets
from svc.kit.clock import SystemClock
from svc.shapes.ways import Way
from tests.client.conftest import Server
from tests.client.test_client import ANN, A, Reader, cut, reading
from tests.svc.gateway.conftest import ME

FRAME = {
    "type": "return",
    "ticket": "T",
    "starts": "S",
    "gateways": [{"id": "g1", "url": "ws://one/ws/"}, {"id": "g2", "url": "ws://two/ws/"}],
    "expires_in": 300,
    "spread": 0,
}


def held(frame: dict[str, Any] | None = None) -> Returning:
    """Return what holds a ticket since the time 0, its connection having ended at 10."""
    returning = Returning(Random(1))
    returning.take(frame or FRAME, 0.0)
    returning.left(10.0)
    return returning


def test_each_gateway_is_tried_once_and_none_that_is_dead() -> None:
    """With the ticket at the end of its URL."""
    returning = held()
    ways = [returning.way(11.0, ()) for _ in range(3)]
    assert sorted(way.url for way in ways if way is not None) == ["ws://one/ws/T", "ws://two/ws/T"]
    assert ways[2] is None
    one = held().way(11.0, ("g2",))
    assert one is not None
    assert (one.gateway_id, one.starts) == ("g1", "S")
    assert held().way(11.0, ("g1", "g2")) is None


def test_a_ticket_is_good_until_it_expires_and_for_a_short_absence() -> None:
    """Nor before there was an end."""
    assert held().way(10.0 + AWAY_MAX_S, ()) is not None
    assert held().way(10.1 + AWAY_MAX_S, ()) is None
    returning = held({**FRAME, "expires_in": 30})
    assert returning.way(30.1 - MARGIN_S, ()) is None
    fresh = Returning(Random(1))
    fresh.take(FRAME, 0.0)
    assert fresh.way(1.0, ()) is None


def test_what_is_not_understood_is_no_ticket() -> None:
    """Whatever it is."""
    for broken in ({}, {**FRAME, "ticket": 1}, {**FRAME, "gateways": "x"}, {**FRAME, "expires_in": None}):
        assert held({"type": "return", **broken}).way(11.0, ()) is None


def give(server: Server, **changes: Any) -> None:
    """Send the one connection a ticket, for another gateway that is this one under another name."""
    house = server.house
    connection = next(iter(house.connections))
    connection.ticket = replace(connection.ticket, way=Way())
    other = Instance("gateway-other", "gateway", "127.0.0.1:1", meta={"ws_port": str(house.port)})
    hub = connection._wiring.desk.hub  # type: ignore[attr-defined]
    tickets = ReturnTickets(
        hub,
        house.connections,
        house.signer,
        lambda: [other],
        lambda _: False,
        Instance(ME, "gateway", ""),
        ReturnLimits(),
        SystemClock(),
        Random(1),
    )
    tickets._look_around()
    positions = hub.positions(connection)
    assert positions is not None
    frame = tickets._frame(connection, positions)
    if changes:
        frame = json_frame({**FRAME, **changes})
    connection.push(frame)


async def has_ticket(reader: Reader) -> None:
    """Wait until the client has one."""
    async with asyncio.timeout(5):
        while reader.client._connecting is None or not reader.client._connecting.returning.is_there:
            await asyncio.sleep(0.01)


async def test_who_has_a_ticket_comes_back_and_asks_nobody(server: Server) -> None:
    """And gets what was missed."""
    server.house.mesh.members[ANN] = [A]
    async with reading(server) as reader:
        server.house.mesh.append(A, text="before")
        await reader.has(1)
        give(server)
        await has_ticket(reader)
        calls, asked = len(server.calls), server.house.mesh.asked
        cut(server)
        server.house.mesh.append(A, text="missed")
        assert await reader.has(2) == ["before", "missed"]
        assert (len(server.calls), server.house.mesh.asked) == (calls, asked)
        assert reader.client.returns == 1
        assert reader.failures == []


async def test_a_ticket_that_leads_nowhere_is_no_hindrance(server: Server) -> None:
    """The client asks where to go, as it would have without one."""
    server.house.mesh.members[ANN] = [A]
    async with reading(server) as reader:
        server.house.mesh.append(A, text="before")
        await reader.has(1)
        here = f"ws://127.0.0.1:{server.house.port}/ws/"
        give(server, gateways=[{"id": "a", "url": here}, {"id": "b", "url": "ws://127.0.0.1:1/ws/"}])
        await has_ticket(reader)
        calls = len(server.calls)
        cut(server)
        server.house.mesh.append(A, text="missed")
        assert await reader.has(2) == ["before", "missed"]
        assert len(server.calls) == calls + 1
        assert reader.client.returns == 0


async def test_where_one_gateway_has_no_room_the_next_one_is_asked_at_once(server: Server) -> None:
    """A Retry-After is for who has nowhere else to go."""
    server.house.mesh.members[ANN] = [A]
    busy = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with busy, reading(server) as reader:
        server.house.mesh.append(A, text="before")
        await reader.has(1)
        give(server)
        await has_ticket(reader)
        assert reader.client._connecting is not None
        ways = reader.client._connecting.returning._gateways
        ways.append(("busy", f"ws://127.0.0.1:{busy.sockets[0].getsockname()[1]}/ws/"))  # the last one is tried first
        calls = len(server.calls)
        cut(server)
        server.house.mesh.append(A, text="missed")
        async with asyncio.timeout(10):
            assert await reader.has(2) == ["before", "missed"]
        assert len(server.calls) == calls
        assert reader.client.returns == 1


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Be a gateway that has no room for an hour."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()
    writer.close()
