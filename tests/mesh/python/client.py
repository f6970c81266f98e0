"""One of the clients of Slack's Python SDK, unmodified, in a process of its own: see wire.py for how to speak to it.

    python client.py rtm_v2|rtm_legacy|builtin|aiohttp|websockets|websocket_client|bolt|bolt_async

with PARLEY_API, PARLEY_TOKEN, PARLEY_APP_TOKEN. Where a client takes an interval of its pings, it is a short one, so
that it notices soon that a line is dead.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
from slack_sdk import WebClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

sys.path.insert(0, str(Path(__file__).parents[3]))
from tests.mesh.python.wire import heard, obey, quiet, tell

API = os.environ["PARLEY_API"]
TOKEN = os.environ["PARLEY_TOKEN"]
APP_TOKEN = os.environ.get("PARLEY_APP_TOKEN", "")
UNHEARD = "(unheard)"
"""What has this in its text is not acknowledged the first time."""

numbers = count(1)


def call(method: str, arguments: dict[str, Any]) -> Any:
    """Call a method of the Web API."""
    return WebClient(TOKEN, base_url=API).api_call(method, params=arguments).data


def message(text: str, channel: str) -> dict[str, Any]:
    """Return what a client of RTM sends to post."""
    return {"id": next(numbers), "type": "message", "channel": channel, "text": text}


def rtm_v2() -> None:
    """Connect by its builtin WebSocket client; a dead line is noticed after four intervals."""
    from slack_sdk.rtm_v2 import RTMClient

    client = RTMClient(token=TOKEN, base_url=API, ping_interval=1)
    client.on("*")(lambda client, event: heard(event.get("type", ""), event))
    obey(call, lambda text, channel: client.send(message(text, channel)))
    client.start()


def rtm_legacy() -> None:
    """Connect by aiohttp. It ends when a connection is refused, which a dead gateway's may be for a moment: it is begun
    again, as those who run it do.
    """
    from slack_sdk.rtm import RTMClient

    def listen(kind: str) -> None:
        def told(**payload: Any) -> None:
            data = payload["data"]
            heard(kind, data if isinstance(data, dict) else {"said": repr(data)})

        RTMClient.on(event=kind, callback=told)

    for kind in ("hello", "goodbye", "message", "close", "error", "Unknown"):
        listen(kind)
    loop = asyncio.new_event_loop()
    clients: list[RTMClient] = []

    def send(text: str, channel: str) -> None:
        payload = message(text, channel)
        loop.call_soon_threadsafe(lambda: clients[-1].send_over_websocket(payload=payload))

    obey(call, send)
    while True:
        clients.append(RTMClient(token=TOKEN, base_url=API, ping_interval=4, loop=loop))
        try:
            clients[-1].start()
        except aiohttp.ClientError as error:
            tell(**{"is": "state", "state": f"begun again after {error!r}"})


def threaded(kind: str) -> None:
    """Connect in Socket Mode by one of the clients that have threads."""
    from slack_sdk.socket_mode import builtin, websocket_client

    kinds: dict[str, Any] = {"builtin": builtin, "websocket_client": websocket_client}
    client = kinds[kind].SocketModeClient(
        app_token=APP_TOKEN, web_client=WebClient(TOKEN, base_url=API), ping_interval=1
    )

    def listen(_: Any, request: Any) -> None:
        if told(request):
            client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    client.message_listeners.append(lambda _, said, __: heard("hello", said) if is_hello(said) else None)
    client.socket_mode_request_listeners.append(listen)
    obey(call, lambda *_: None)
    client.connect()
    threading.Event().wait()


async def looped(kind: str) -> None:
    """Connect in Socket Mode by one of the clients that live in an event loop."""
    from slack_sdk.socket_mode import aiohttp as by_aiohttp
    from slack_sdk.socket_mode import websockets as by_websockets

    web = AsyncWebClient(TOKEN, base_url=API)
    client: Any
    if kind == "aiohttp":
        client = by_aiohttp.SocketModeClient(APP_TOKEN, web_client=web, ping_interval=2)
    else:
        client = by_websockets.SocketModeClient(APP_TOKEN, web_client=web, ping_interval=1)

    async def hear(_: Any, said: Any, __: Any) -> None:
        if is_hello(said):
            heard("hello", said)

    async def listen(_: Any, request: Any) -> None:
        if told(request):
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    client.message_listeners.append(hear)
    client.socket_mode_request_listeners.append(listen)
    obey(call, lambda *_: None)
    await client.connect()
    await asyncio.Event().wait()


def bolt() -> None:
    """Run an app of Slack's framework, whose socket is the builtin client's."""
    from slack_bolt import App
    from slack_bolt.adapter.socket_mode import SocketModeHandler

    app = App(client=WebClient(TOKEN, base_url=API), raise_error_for_unhandled_request=False)
    app.event("message")(lambda event: heard("events_api", event))
    handler = SocketModeHandler(app, APP_TOKEN, ping_interval=1)
    handler.client.message_listeners.append(lambda _, said, __: heard("hello", said) if is_hello(said) else None)
    obey(call, lambda *_: None)
    handler.start()  # type: ignore[no-untyped-call]


async def bolt_async() -> None:
    """Run one of those that live in an event loop, whose socket is aiohttp's."""
    from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
    from slack_bolt.async_app import AsyncApp

    app = AsyncApp(client=AsyncWebClient(TOKEN, base_url=API), raise_error_for_unhandled_request=False)

    @app.event("message")
    async def told_of(event: dict[str, Any]) -> None:
        heard("events_api", event)

    async def hear(_: Any, said: Any, __: Any) -> None:
        if is_hello(said):
            heard("hello", said)

    handler = AsyncSocketModeHandler(app, APP_TOKEN, ping_interval=2)
    handler.client.message_listeners.append(hear)
    obey(call, lambda *_: None)
    await handler.start_async()  # type: ignore[no-untyped-call]


def is_hello(said: dict[str, Any]) -> bool:
    """Tell whether a connection begins with it."""
    return said.get("type") == "hello"


def told(request: Any) -> bool:
    """Say what came; return whether to acknowledge it."""
    event = request.payload.get("event", {})
    tries = request.retry_attempt or 0
    heard(request.type, {**event, "tries": tries, "event_id": request.payload.get("event_id")})
    return tries > 0 or UNHEARD not in event.get("text", "")


def main(kind: str) -> None:
    """Run one of them until the process is killed."""
    quiet()
    logging.basicConfig(level=os.environ.get("PARLEY_LOG", "CRITICAL"))
    plain = {"rtm_v2": rtm_v2, "rtm_legacy": rtm_legacy, "bolt": bolt}
    if kind in plain:
        plain[kind]()
    elif kind in ("builtin", "websocket_client"):
        threaded(kind)
    else:
        asyncio.run(bolt_async() if kind == "bolt_async" else looped(kind))


if __name__ == "__main__":
    main(sys.argv[1])
