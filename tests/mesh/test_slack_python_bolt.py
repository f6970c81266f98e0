"""Slack's framework for Python, unmodified: with threads behind HTTP, and in an event loop over a socket and HTTP."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from slack_bolt import App as BoltApp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk import WebClient
from slack_sdk.web.async_client import AsyncWebClient

from svc.webapp.domain.apps.model import Command
from svc.webapp.domain.apps.settings import AppChange
from tests.mesh.app_makers import PATIENCE_S, Made, change_app, make_app
from tests.mesh.people import Json, Socket
from tests.mesh.test_app_commands import BUTTON, MODAL, try_for
from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

PATH = "/slack/events"
Serve = Callable[[Town, Made, str], AbstractAsyncContextManager[str]]
"""Run an app for the length of a block; give the URL of its requests, "" when it has a socket."""


def threaded(town: Town, made: Made, mark: str) -> BoltApp:
    """Make an app of the usual kind, with what its guides begin with."""
    client = WebClient(made.bot_token, base_url=f"{town.mesh.web_url}/api/")
    bolt = BoltApp(client=client, signing_secret=made.app.signing_secret, raise_error_for_unhandled_request=False)

    @bolt.event("app_mention")
    def mentioned(event: Json, say: Callable[..., Any]) -> None:
        say(text=f"{mark} yes?", thread_ts=event["ts"])

    @bolt.command(f"/deploy{mark}")
    def deploy(ack: Callable[..., None], respond: Callable[..., Any], command: Json) -> None:
        ack(text=f"{mark} heard {command['text']}")
        respond(text=f"{mark} ready?", blocks=[BUTTON], response_type="in_channel")

    @bolt.action("approve")
    def approve(ack: Callable[..., None], action: Json, respond: Callable[..., Any]) -> None:
        ack()
        respond(text=f"{mark} approved {action['value']}", replace_original=True)

    @bolt.command(f"/form{mark}")
    def form(ack: Callable[..., None], command: Json, client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=command["trigger_id"], view={**MODAL, "private_metadata": command["channel_id"]})

    @bolt.view("ticket")
    def ticket(ack: Callable[..., None], view: Json, client: WebClient) -> None:
        ack()
        typed = view["state"]["values"]["words"]["typed"]["value"]
        client.chat_postMessage(channel=view["private_metadata"], text=f"{mark} noted: {typed}")

    return bolt


def looped(town: Town, made: Made, mark: str) -> AsyncApp:
    """Make the same of the kind that lives in an event loop."""
    client = AsyncWebClient(made.bot_token, base_url=f"{town.mesh.web_url}/api/")
    bolt = AsyncApp(client=client, signing_secret=made.app.signing_secret, raise_error_for_unhandled_request=False)

    @bolt.event("app_mention")
    async def mentioned(event: Json, say: Callable[..., Any]) -> None:
        await say(text=f"{mark} yes?", thread_ts=event["ts"])

    @bolt.command(f"/deploy{mark}")
    async def deploy(ack: Callable[..., Any], respond: Callable[..., Any], command: Json) -> None:
        await ack(text=f"{mark} heard {command['text']}")
        await respond(text=f"{mark} ready?", blocks=[BUTTON], response_type="in_channel")

    @bolt.action("approve")
    async def approve(ack: Callable[..., Any], action: Json, respond: Callable[..., Any]) -> None:
        await ack()
        await respond(text=f"{mark} approved {action['value']}", replace_original=True)

    @bolt.command(f"/form{mark}")
    async def form(ack: Callable[..., Any], command: Json, client: AsyncWebClient) -> None:
        await ack()
        view = {**MODAL, "private_metadata": command["channel_id"]}
        await client.views_open(trigger_id=command["trigger_id"], view=view)

    @bolt.view("ticket")
    async def ticket(ack: Callable[..., Any], view: Json, client: AsyncWebClient) -> None:
        await ack()
        typed = view["state"]["values"]["words"]["typed"]["value"]
        await client.chat_postMessage(channel=view["private_metadata"], text=f"{mark} noted: {typed}")

    return bolt


@asynccontextmanager
async def by_its_own_server(town: Town, made: Made, mark: str) -> AsyncIterator[str]:
    """Run the threaded one by App.start()."""
    bolt = threaded(town, made, mark)
    serving = threading.Thread(
        target=bolt.start, kwargs={"port": 0, "path": PATH, "http_server_logger_enabled": False}, daemon=True
    )
    serving.start()
    async with asyncio.timeout(PATIENCE_S):
        while not hasattr(bolt, "_development_server"):
            await asyncio.sleep(0.02)
    server = bolt._development_server._server
    try:
        yield f"http://127.0.0.1:{server.server_port}{PATH}"
    finally:
        await asyncio.to_thread(server.shutdown)
        await asyncio.to_thread(serving.join, 5)


@asynccontextmanager
async def by_aiohttp(town: Town, made: Made, mark: str) -> AsyncIterator[str]:
    """Run the one of the event loop as the Web application that it is."""
    runner = web.AppRunner(looped(town, made, mark).web_app(PATH))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def by_socket(town: Town, made: Made, mark: str) -> AsyncIterator[str]:
    """Run the one of the event loop over Socket Mode."""
    handler = AsyncSocketModeHandler(looped(town, made, mark), made.app_token)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    try:
        yield ""
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("serve", [by_its_own_server, by_aiohttp, by_socket])
async def test_an_app_answers_mentions_commands_clicks_and_forms(shared: Town, serve: Serve) -> None:
    """Requests are signed with the app's secret, which bolt verifies; answers come as people see them."""
    mark = str(time.time_ns())
    commands = [f"/deploy{mark}", f"/form{mark}"]
    change = AppChange(is_socket_mode=serve is by_socket, event_types=("app_mention",), commands=map(Command, commands))
    made = await make_app(shared, f"bolt-{mark}", change, shared.general)
    async with serve(shared, made, mark) as url, shared["ada"].connected() as socket:
        if url:
            addressed = [Command(name, url) for name in commands]
            await change_app(shared, made, AppChange(request_url=url, interactivity_url=url, commands=addressed))
        await mention(shared, made, mark, socket)
        await click(shared, made, mark, socket)
        await fill_in(shared, mark, socket)


async def mention(town: Town, made: Made, mark: str, socket: Socket) -> None:
    """Mention the app until it answers, in a thread: nothing is sent to a URL before it has said its challenge back."""
    asked = set()
    async with asyncio.timeout(2 * PATIENCE_S):
        while True:
            asked.add((await town["ada"].post(town.general, f"<@{made.app.user_id}> {mark}"))["ts"])
            try:
                answer = await socket.wait_text(f"{mark} yes?", 2)
            except AssertionError:
                continue
            break
    assert answer["user"] == made.app.user_id
    assert answer["thread_ts"] in asked


async def click(town: Town, made: Made, mark: str, socket: Socket) -> None:
    """Run a command, whose acknowledgement only we see, and click in what it says to all."""
    ada = town["ada"]
    await try_for(lambda: ada.call("chat.command", channel=town.general, command=f"/deploy{mark}", text="main"))
    assert (await socket.wait_text(f"{mark} heard main", PATIENCE_S))["is_ephemeral"] is True
    ready = await socket.wait_text(f"{mark} ready?", PATIENCE_S)
    assert ready["bot_id"] == made.app.bot_id
    where = {"type": "message", "channel_id": town.general, "message_ts": ready["ts"]}
    actions = [{"block_id": "b", "action_id": "approve"}]
    await try_for(lambda: ada.call("blocks.actions", container=where, actions=actions))
    changed = await socket.wait_for(
        lambda each: each.get("subtype") == "message_changed" and each["message"]["ts"] == ready["ts"], PATIENCE_S
    )
    assert changed["message"]["text"] == f"{mark} approved 42"


async def fill_in(town: Town, mark: str, socket: Socket) -> None:
    """Have a form opened by a command, and fill it in."""
    ada = town["ada"]
    view_id = await opened(town, mark, socket)
    state = {"values": {"words": {"typed": {"type": "plain_text_input", "value": "it is broken"}}}}
    done = await try_for(lambda: ada.call("views.submit", view_id=view_id, state=state))
    assert done["response_action"] == "close"
    await socket.wait_text(f"{mark} noted: it is broken", PATIENCE_S)


async def opened(town: Town, mark: str, socket: Socket) -> str:
    """Return the view of a form; it has three seconds to open, on a busy machine it is asked for again."""
    async with asyncio.timeout(2 * PATIENCE_S):
        while True:
            await try_for(
                lambda: town["ada"].call("chat.command", channel=town.general, command=f"/form{mark}", text="")
            )
            try:
                found = await socket.wait_for(lambda each: each["type"] == "view_opened", 5)
            except AssertionError:
                continue
            return str(found["view"]["id"])
