"""Socket Mode at a gateway: real sockets, and owners in memory that say what they are told to."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from parley.webapp.v1 import webapp_service_pb2 as pb
from svc.gateway.apps.desk import AppLimits
from svc.gateway.close_codes import CloseCode
from svc.gateway.keepalive import KeepaliveLimits
from tests.svc.gateway.apps.owners_twin import APP, ME, TIMEOUT_S, AppHouse, app_house


async def frame(ws: aiohttp.ClientWebSocketResponse) -> Any:
    """Return the next JSON frame; pings may come at any time."""
    message = await skipping(ws, aiohttp.WSMsgType.PING)
    assert message.type is aiohttp.WSMsgType.TEXT, message
    return message.json()


async def skipping(ws: aiohttp.ClientWebSocketResponse, kind: aiohttp.WSMsgType) -> aiohttp.WSMessage:
    """Return the next message of another kind."""
    while (message := await ws.receive(timeout=TIMEOUT_S)).type is kind:
        pass
    return message


async def closing(ws: aiohttp.ClientWebSocketResponse) -> int:
    """Return the code of the Close that comes next."""
    message = await skipping(ws, aiohttp.WSMsgType.PING)
    assert message.type is aiohttp.WSMsgType.CLOSE, message
    return int(message.data)


async def test_hello_says_what_clients_look_for() -> None:
    """As soon as the owner has taken the connection in, which is told who it is."""
    async with app_house() as house, house.http.ws_connect(house.url(tok="AAECAwQFBgcICQoLDA0ODw==")) as ws:
        stream = await house.owners.next()
        opened = await stream.open(count=3)
        assert (opened.app_id, opened.team_id, opened.bot_user_id) == (APP, "T0000000001", "U0000000B07")
        assert opened.token_hash_prefix == bytes(range(16))
        assert await frame(ws) == {
            "type": "hello",
            "num_connections": 3,
            "connection_info": {"app_id": APP},
            "debug_info": {"host": ME, "approximate_connection_time": 18_060},
        }


async def test_envelopes_go_down_and_acknowledgements_up() -> None:
    """What means nothing is passed over, pings are answered, and nothing of it closes the connection."""
    async with app_house() as house, house.connected() as (ws, stream):
        stream.send("e1", b'{"envelope_id":"e1"}')
        assert (await frame(ws))["type"] == "hello"
        assert await frame(ws) == {"envelope_id": "e1"}
        for odd in ("not json", "[]", "{}", '{"type":"ping","id":1}', '{"envelope_id":7}'):
            await ws.send_str(odd)
        await ws.send_bytes(b"binary")
        await ws.send_str('{"envelope_id":"e1","payload":{"text":"' + "x" * 100_000 + '"}}')
        said = await stream.hear()
        assert (said.ack.envelope_id, len(said.ack.payload)) == ("e1", 100_011)
        await ws.ping(b"sdk-ping-pong:1.5")
        pong = await skipping(ws, aiohttp.WSMsgType.PING)
        assert (pong.type, bytes(pong.data)) == (aiohttp.WSMsgType.PONG, b"sdk-ping-pong:1.5")


async def test_the_gateway_pings_with_a_payload() -> None:
    """Some clients reconnect without pings, and some read a lone empty one late."""
    async with app_house(keepalive=KeepaliveLimits(ping_interval_s=0.1)) as house, house.connected() as (ws, _):
        assert (await frame(ws))["type"] == "hello"
        ping = await ws.receive(timeout=TIMEOUT_S)
        assert ping.type is aiohttp.WSMsgType.PING
        assert ping.data


async def test_the_stream_is_opened_again_at_the_next_owner_while_the_connection_stays() -> None:
    """However the old one ended; what is acknowledged meanwhile reaches the next one."""
    async with app_house() as house, house.connected() as (ws, first):
        assert (await frame(ws))["type"] == "hello"
        house.owners.now = "webapp-2"
        first.end()
        second = await house.owners.next()
        assert second.owner_id == "webapp-2"
        await ws.send_str('{"envelope_id":"e1"}')
        opened = await second.open()
        assert opened.connection_id
        assert (await second.hear()).ack.envelope_id == "e1"
        second.send("e2", b'{"envelope_id":"e2"}')
        assert await frame(ws) == {"envelope_id": "e2"}
        house.owners.now = "webapp-3"  # a third one, and the second hangs: it ends nothing
        third = await house.owners.next()
        assert (third.owner_id, second.is_cancelled) == ("webapp-3", True)
        assert (await third.open()).connection_id == opened.connection_id


async def test_without_an_owner_the_connection_waits() -> None:
    """Nobody knows of webapps for a moment: the socket stands, and is taken in later."""
    async with app_house() as house:
        house.owners.now = ""
        async with house.http.ws_connect(house.url()) as ws:
            await ws.send_str('{"envelope_id":"early"}')
            assert (await frame(ws))["type"] == "hello"
            house.owners.now = "webapp-1"
            stream = await house.owners.next()
            await stream.open()
            assert (await stream.hear()).ack.envelope_id == "early"


@pytest.mark.parametrize(
    ("reason", "word", "code"),
    [
        (pb.DISCONNECT_REASON_LINK_DISABLED, "link_disabled", CloseCode.TOKEN_REVOKED),
        (pb.DISCONNECT_REASON_TOO_MANY_WEBSOCKETS, "too_many_websockets", CloseCode.TOO_MANY),
    ],
)
async def test_the_owner_ends_a_connection(reason: pb.DisconnectReason.ValueType, word: str, code: CloseCode) -> None:
    """With a word, then a Close; the line is not opened again."""
    async with app_house() as house, house.http.ws_connect(house.url()) as ws:
        stream = await house.owners.next()
        await stream.hear()
        stream.say(pb.AppStreamResponse(disconnect=pb.AppDisconnect(reason=reason)))
        assert (await frame(ws))["type"] == "hello"
        assert await frame(ws) == {"type": "disconnect", "reason": word, "debug_info": {"host": ME}}
        assert await closing(ws) == code
        await gone(house)
        assert house.owners.streams.empty()


async def test_an_old_connection_is_warned_then_ended() -> None:
    """Its owner gives it nothing new from the warning on."""
    limits = AppLimits(lifetime_s=4.0, warning_s=3.5)
    async with app_house(limits) as house, house.connected() as (ws, stream):
        assert [(await frame(ws))["type"]] == ["hello"]
        assert (await frame(ws))["reason"] == "warning"
        assert (await stream.hear()).HasField("leaving")
        stream.send("late", b'{"envelope_id":"late"}')
        assert await frame(ws) == {"envelope_id": "late"}, "what was under way still comes"
        assert (await frame(ws))["reason"] == "refresh_requested"
        assert await closing(ws) == CloseCode.GOING_AWAY
        await gone(house)


async def test_a_gateway_that_drains_warns_before_it_closes() -> None:
    """As for an old one."""
    async with app_house() as house, house.connected() as (ws, _):
        assert (await frame(ws))["type"] == "hello"
        house.drain.start(0)
        assert (await frame(ws))["reason"] == "warning"
        assert (await frame(ws))["reason"] == "refresh_requested"
        assert await closing(ws) == CloseCode.GOING_AWAY
        async with house.http.get(house.url().replace("ws:", "http:"), headers=UPGRADE) as answer:
            assert answer.status == 503


async def test_a_client_that_goes_away_ends_its_line() -> None:
    """So that its owner sends what was under way to another connection at once."""
    async with app_house() as house:
        async with house.connected() as (_, stream):
            pass
        async with asyncio.timeout(TIMEOUT_S):
            while not stream.is_cancelled:
                await asyncio.sleep(0.005)
        await gone(house)


async def test_a_client_that_says_nothing_to_what_it_got_is_parted_from_its_owner_until_it_is_heard() -> None:
    """An owner counts tries only where somebody may hear them; a word from the client, and it is joined again."""
    async with app_house(AppLimits(silent_s=1.0)) as house, house.connected() as (ws, stream):
        assert (await frame(ws))["type"] == "hello"
        stream.send("e1", b'{"envelope_id":"e1"}')
        assert await frame(ws) == {"envelope_id": "e1"}
        assert (await ws.receive(timeout=TIMEOUT_S)).type is aiohttp.WSMsgType.PING
        async with asyncio.timeout(TIMEOUT_S):
            while not stream.is_cancelled:
                await asyncio.sleep(0.005)
        assert len(house.desk) == 1
        await ws.pong(b"late")
        again = await house.owners.next()
        assert (await again.open()).app_id == APP
        again.send("e1", b'{"envelope_id":"e1"}')
        assert await frame(ws) == {"envelope_id": "e1"}
        await ws.send_str('{"envelope_id":"e1"}')
        assert (await again.hear()).ack.envelope_id == "e1"


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


async def gone(house: AppHouse) -> None:
    """Wait until no connection is left."""
    async with asyncio.timeout(TIMEOUT_S):
        while len(house.connections) or len(house.desk):
            await asyncio.sleep(0.005)
