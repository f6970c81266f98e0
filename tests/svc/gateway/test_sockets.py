"""The edge with real sockets: what clients see, and that a broken one disturbs nobody else."""

import asyncio
from typing import Any

import aiohttp
import pytest

from svc.gateway.keepalive import KeepaliveLimits

C, D, G = "C0000000001", "D0000000001", "G0000000001"
ANN, BOB, EVE = "U0000000001", "U0000000002", "U0000000003"


async def test_what_is_posted_after_hello_arrives(house: Any) -> None:
    """Bots post as soon as they are greeted, and wait for the echo."""
    house.mesh.members[ANN] = [C]
    for number in range(20):
        async with house.http.ws_connect(house.url(ANN)) as socket:
            assert (await socket.receive_json(timeout=1.0))["type"] == "hello"
            house.mesh.append(C, text=str(number))
            assert (await socket.receive_json(timeout=1.0))["text"] == str(number)


async def test_hello_comes_first_even_when_webapp_is_away(house: Any) -> None:
    """Clients send nothing until it comes; the session opens when webapp is back."""
    house.mesh.is_down = True
    house.mesh.members[ANN] = [C]
    socket = await house.http.ws_connect(house.url(ANN))
    assert await socket.receive_json(timeout=1.0) == {"type": "hello", "host_id": "gateway-test-000001"}
    house.mesh.is_down = False
    async with asyncio.timeout(5):
        while C not in house.mesh.followed:
            await asyncio.sleep(0.01)


async def test_events_reach_the_members_of_their_channel_only(house: Any) -> None:
    """One frame an event, as webapp encoded it."""
    ann, bob, eve = await house.connect(ANN, C), await house.connect(BOB, C), await house.connect(EVE, D)
    house.mesh.append(C, text="one")
    house.mesh.append(C, text="two")
    assert await ann.texts(2) == await bob.texts(2) == ["one", "two"]
    assert await eve.hears_nothing()


async def test_frames_of_one_turn_leave_in_one_write(house: Any) -> None:
    """The largest lever of fan-out."""
    ann = await house.connect(ANN, C)
    before = house.outbox.writes
    for number in range(16):
        house.mesh.append(C, text=str(number))
    assert await ann.texts(16) == [str(number) for number in range(16)]
    assert house.outbox.writes == before + 1


async def test_a_post_is_acknowledged_to_the_poster_and_told_to_the_others(house: Any) -> None:
    """The posting connection gets the acknowledgement only; the user's other connection gets the event."""
    phone, laptop, bob = await house.connect(ANN, C), await house.connect(ANN), await house.connect(BOB, C)
    ack = await phone.ask(id=1, type="message", channel=C, text="hi", client_msg_id="k1")
    assert ack == {"ok": True, "reply_to": 1, "ts": "1700000000.000001", "text": "hi", "position": f"{C}:1"}
    assert await laptop.texts(1) == await bob.texts(1) == ["hi"]
    assert await phone.hears_nothing()
    assert house.mesh.posts[0].client_msg_id == "k1"
    assert house.mesh.posts[0].user_id == ANN


async def test_acknowledgements_keep_the_order_of_the_posts(house: Any) -> None:
    """Clients match them by order as well as by number."""
    ann = await house.connect(ANN, C)
    house.mesh.pause_s = 0.002
    for number in range(1, 21):
        await ann.say(id=number, type="message", channel=C, text=str(number))
    assert [(await ann.json())["reply_to"] for _ in range(20)] == list(range(1, 21))
    assert [post.text for post in house.mesh.posts] == [str(number) for number in range(1, 21)]


async def test_posts_that_fail_are_answered_with_error_objects(house: Any) -> None:
    """By the rules of webapp, for webapp's absence, and for too many at once."""
    ann = await house.connect(ANN, C)
    house.mesh.refusal = "not_in_channel"
    assert (await ann.ask(id=1, type="message", channel=D, text="x"))["error"]["msg"] == "not_in_channel"
    house.mesh.is_down = True
    failed = await ann.ask(id=2, type="message", channel=C, text="x")
    assert failed == {"ok": False, "reply_to": 2, "error": {"code": 7, "msg": "service_unavailable"}}
    house.mesh.pause_s = 0.05
    for number in range(100):
        await ann.say(id=number, type="message", channel=C, text="x")
    answers = [await ann.json() for _ in range(100)]
    assert {answer["error"]["msg"] for answer in answers} == {"ratelimited", "service_unavailable"}
    assert len({answer["reply_to"] for answer in answers}) == 100


async def test_a_post_is_made_although_the_client_left_at_once(house: Any) -> None:
    """Old bots send and close."""
    ann, bob = await house.connect(ANN, C), await house.connect(BOB, C)
    await ann.say(type="message", channel=C, text="bye")
    await ann.socket.close()
    assert await bob.texts(1) == ["bye"]


async def test_typing_goes_to_the_other_members(house: Any) -> None:
    """And only from members."""
    phone, laptop, bob = await house.connect(ANN, C), await house.connect(ANN), await house.connect(BOB, C, D)
    await phone.say(id=1, type="typing", channel=D)
    await phone.say(id=2, type="typing", channel=C)
    assert await bob.json() == {"type": "user_typing", "channel": C, "user": ANN}
    assert await laptop.hears_nothing()
    assert await bob.hears_nothing()


@pytest.mark.parametrize(
    ("path", "status"),
    [("/ws/nonsense", 403), ("/ws/", 403), ("/", 404), ("/other/x", 404)],
)
async def test_a_request_that_may_not_come_in_is_told_why(house: Any, path: str, status: int) -> None:
    """A status with its reason phrase and a JSON body, before any upgrade."""
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    async with house.http.get(f"http://127.0.0.1:{house.port}{path}", headers=headers) as answer:
        assert (answer.status, bool(answer.reason)) == (status, True)
        assert (await answer.json())["ok"] is False


async def test_tickets_work_once_on_their_gateway_until_they_expire(house: Any) -> None:
    """Each refusal says which of these it was."""
    url = house.url(ANN)
    house.mesh.members[ANN] = []
    async with house.http.ws_connect(url + "?") as socket:
        assert (await socket.receive_json())["type"] == "hello"
    for tail in ("", "?", "/", "?agent=x&agent=y"):
        front, _, ticket = house.url(ANN).rpartition("/")
        async with house.http.ws_connect(f"{front}/gateway-test-000001/{ticket}{tail}") as socket:
            assert (await socket.receive_json())["type"] == "hello"
    async with house.http.get(url) as answer:
        assert answer.status == 426
    for used, why in [
        (url, "has been used"),
        (house.url(ANN, ttl_s=-1), "expired"),
        (house.url(ANN, gateway="gateway-dead"), "another gateway"),
    ]:
        async with house.http.get(used, headers={"Upgrade": "websocket"}) as answer:
            assert answer.status == 403
            assert why in (await answer.json())["error"]["msg"]


async def test_any_host_origin_and_form_of_the_connection_header_will_do(house: Any) -> None:
    """Browsers send `keep-alive, Upgrade`; slack_sdk sends Host without the port."""
    house.mesh.members[ANN] = []
    path = house.url(ANN).partition(str(house.port))[2]
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(
        f"GET {path}? HTTP/1.1\r\nHost: slack.com\r\nOrigin: https://api.slack.com\r\nUpgrade: WebSocket\r\n"
        "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n".encode()
    )
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"permessage-deflate" not in head
    assert (await reader.readexactly(2))[0] == 0x81
    writer.close()


async def test_a_reader_that_stops_reading_is_cut_off_and_costs_nobody_else_anything(open_house: Any) -> None:
    """With a Close frame that says to come back, behind what was written before."""
    house = await open_house(bytes_max=100_000)
    slow, bob = await house.connect(ANN, C), await house.connect(BOB, C)
    slow.socket._response.connection.transport.pause_reading()
    text = "x" * 10_000
    for number in range(2_000):
        house.mesh.append(C, text=f"{number} {text}")
        assert (await bob.texts(1))[0].startswith(f"{number} ")
        if house.outbox.slow_consumers:
            break
    assert house.outbox.slow_consumers == 1
    assert len(house.connections) == 2, "it is still being closed"
    slow.socket._response.connection.transport.resume_reading()
    frame = await slow.frame()
    while frame.type is aiohttp.WSMsgType.TEXT:
        frame = await slow.frame()
    assert (frame.type, frame.data) == (aiohttp.WSMsgType.CLOSE, 4000)
    await slow.socket.close()


async def test_a_reader_that_never_comes_back_is_dropped(open_house: Any) -> None:
    """The Close cannot be delivered: the socket is cut after a while."""
    house = await open_house(bytes_max=20_000)
    slow = await house.connect(ANN, C)
    slow.socket._response.connection.transport.pause_reading()
    while not house.outbox.slow_consumers:
        house.mesh.append(C, text="x" * 10_000)
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        while len(house.connections):
            await asyncio.sleep(0.02)


async def test_connections_are_pinged_with_a_payload_and_the_silent_ones_are_closed(open_house: Any) -> None:
    """Anything heard counts as life."""
    house = await open_house(keepalive=KeepaliveLimits(ping_interval_s=0.1, silence_max_s=0.35))
    mute, lively = await house.connect(ANN), await house.connect(BOB)
    for _ in range(8):
        ping = await lively.frame(skips_pings=False)
        assert ping.type is aiohttp.WSMsgType.PING
        assert ping.data
        await lively.socket.pong(ping.data)
    assert await mute.close_code() == 4001
    assert await lively.hears_nothing()


async def test_a_full_gateway_asks_to_come_back_later(open_house: Any) -> None:
    """With a Retry-After, so that refused clients do not come all at once."""
    house = await open_house(connections_max=1)
    ann = await house.connect(ANN)
    async with house.http.get(house.url(BOB), headers={"Upgrade": "websocket"}) as answer:
        assert answer.status == 503
        assert 1 <= int(answer.headers["Retry-After"]) <= 5
    assert await ann.hears_nothing()


async def test_a_drain_says_goodbye_before_it_closes(house: Any) -> None:
    """While it drains, events are delivered and nobody new comes in."""
    ann, bob = await house.connect(ANN, C), await house.connect(BOB, C)
    house.drain.start(0.2)
    assert await ann.json() == {"type": "goodbye"}
    house.mesh.append(C, text="last words")
    assert (await ann.json())["text"] == "last words"
    assert await ann.close_code() == 1001
    async with house.http.get(house.url(ANN), headers={"Upgrade": "websocket"}) as answer:
        assert answer.status == 503
    kinds = [await bob.json() for _ in range(2)]
    assert {kind["type"] for kind in kinds} == {"goodbye", "message"}
    assert await bob.close_code() == 1001


async def test_presence_is_told_to_those_who_look(house: Any) -> None:
    """Current states at once, changes as they come, in the form that the client understands."""
    ann = await house.connect(ANN, flags=["batch_presence_aware"])
    bob = await house.connect(BOB)
    await bob.say(type="presence_sub", ids=[ANN, EVE, "garbage"])
    states = [await bob.json(), await bob.json()]
    assert {(state["user"], state["presence"]) for state in states} == {(ANN, "active"), (EVE, "away")}
    await ann.say(type="presence_sub", ids=[EVE])
    assert await ann.json() == {"type": "presence_change", "users": [EVE], "presence": "away"}
    eve = await house.connect(EVE)
    assert await ann.json() == {"type": "presence_change", "users": [EVE], "presence": "active"}
    assert await bob.json() == {"type": "presence_change", "user": EVE, "presence": "active"}
    await ann.say(type="presence_query", ids=[BOB, EVE])
    assert await ann.json() == {"type": "presence_change", "users": [BOB, EVE], "presence": "active"}
    await eve.socket.close()
    assert (await bob.json())["presence"] == "away"
    async with asyncio.timeout(5):
        while not house.presence.heartbeats:
            await asyncio.sleep(0.01)
