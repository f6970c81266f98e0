"""slack_sdk's own RTM client, unmodified, against our sockets: its builtin parser is the pickiest that we know."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from aiohttp import web
from slack_sdk import WebClient
from slack_sdk.rtm_v2 import RTMClient

C = "C0000000001"
BOT, ANN = "U0000000009", "U0000000001"


@pytest.fixture
async def base_url(house: Any) -> AsyncIterator[str]:
    """The two Web API methods that the client calls before it connects."""

    async def auth_test(_: web.Request) -> web.Response:
        return web.json_response({"ok": True, "user_id": BOT, "bot_id": "B0000000009", "team_id": "T0000000001"})

    async def rtm_connect(_: web.Request) -> web.Response:
        url = house.url(BOT, bot="B0000000009").replace("http:", "ws:")
        return web.json_response({"ok": True, "url": url, "self": {"id": BOT}, "team": {"id": "T0000000001"}})

    app = web.Application()
    app.router.add_route("*", "/api/auth.test", auth_test)
    app.router.add_route("*", "/api/rtm.connect", rtm_connect)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield f"http://127.0.0.1:{port}/api/"
    await runner.cleanup()


async def test_the_builtin_rtm_client_connects_posts_types_pings_and_hears(house: Any, base_url: str) -> None:
    """The journey of a bot: hello, its own acknowledgement, somebody else's message and typing, a pong, goodbye."""
    house.mesh.members[BOT] = [C]
    heard: list[dict[str, Any]] = []
    rtm = RTMClient(token="xoxb-1", web_client=WebClient(token="xoxb-1", base_url=base_url), ping_interval=1)

    @rtm.on("*")
    def on_event(client: RTMClient, event: dict[str, Any]) -> None:
        heard.append(event)

    async def hears(**wanted: Any) -> dict[str, Any]:
        async with asyncio.timeout(5):
            while True:
                for event in heard:
                    if wanted.items() <= event.items():
                        return event
                await asyncio.sleep(0.01)

    await asyncio.to_thread(rtm.connect)
    try:
        await hears(type="hello")
        ann = await house.connect(ANN, C)
        await asyncio.to_thread(rtm.send, {"id": 1, "type": "message", "channel": C, "text": "beep"})
        ack = await hears(reply_to=1)
        assert (ack["ok"], ack["text"]) == (True, "beep")
        assert await ann.texts(1) == ["beep"]
        await asyncio.to_thread(rtm.send, {"id": 2, "type": "ping", "time": 5})
        assert await hears(type="pong") == {"type": "pong", "reply_to": 2, "time": 5}
        await ann.say(id=1, type="typing", channel=C)
        await hears(type="user_typing", user=ANN)
        body = {"type": "message", "channel": C, "user": ANN, "text": "hello bot", "ts": "1700000000.000002"}
        house.mesh.append(C, payload=orjson.dumps(body))
        await hears(type="message", text="hello bot")
        connection = next(iter(house.connections))
        first_heard_at = connection.heard_at
        async with asyncio.timeout(5):
            while connection.heard_at == first_heard_at or not rtm.is_connected():
                await asyncio.sleep(0.01)
        house.drain.start(0.1)
        await hears(type="goodbye")
    finally:
        rtm.auto_reconnect_enabled = False
        await asyncio.to_thread(rtm.close)
