"""Commands, buttons and windows over a real mesh: people's calls on one side, Slack's own framework on the other."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from slack_bolt import App as BoltApp
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from svc.webapp.domain.apps import signing
from svc.webapp.domain.apps.model import Command, Shortcut
from svc.webapp.domain.apps.settings import AppChange
from tests.mesh.app_makers import PATIENCE_S, Made, make_app
from tests.mesh.people import Json
from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

BUTTON = {
    "type": "actions",
    "block_id": "b",
    "elements": [
        {"type": "button", "action_id": "approve", "value": "42", "text": {"type": "plain_text", "text": "Approve"}}
    ],
}
MODAL = {
    "type": "modal",
    "callback_id": "ticket",
    "title": {"type": "plain_text", "text": "Ticket"},
    "blocks": [
        {
            "type": "input",
            "block_id": "words",
            "label": {"type": "plain_text", "text": "Words"},
            "element": {"type": "plain_text_input", "action_id": "typed"},
        }
    ],
}


async def try_for(attempt: Callable[[], Any]) -> Any:
    """Try until it is answered `ok`: a busy machine may take longer than the three seconds that an app has."""
    async with asyncio.timeout(2 * PATIENCE_S):
        while True:
            answer = await attempt()
            if answer["ok"] or answer["error"] != "operation_timeout":
                assert answer["ok"], answer
                return answer
            await asyncio.sleep(0.1)


@asynccontextmanager
async def running(town: Town, made: Made, bolt: BoltApp) -> AsyncIterator[None]:
    """Run an app of Slack's framework over Socket Mode; it is connected when the block begins."""
    handler = SocketModeHandler(bolt, made.app_token)
    handler.client.web_client.base_url = f"{town.mesh.web_url}/api/"
    await asyncio.to_thread(handler.connect)
    try:
        yield
    finally:
        closing = threading.Thread(target=handler.close, daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, 5)


async def test_bolt_answers_commands_clicks_and_forms(shared: Town) -> None:
    """As its guides begin: ack(), respond(), say() and views_open in listeners."""
    mark = time.time_ns()
    command = f"/deploy{mark}"
    change = AppChange(is_socket_mode=True, commands=[Command(command)], shortcuts=[Shortcut("new", "New")])
    made = await make_app(shared, f"bolt-{mark}", change, shared.general)
    client = WebClient(made.bot_token, base_url=f"{shared.mesh.web_url}/api/")
    bolt = BoltApp(client=client, raise_error_for_unhandled_request=False)

    @bolt.command(command)
    def deploy(ack: Callable[..., None], respond: Callable[..., Any], command: Json) -> None:
        ack(text=f"{mark} heard {command['text']}")
        respond(text=f"{mark} ready?", blocks=[BUTTON], response_type="in_channel")

    @bolt.action("approve")
    def approve(ack: Callable[..., None], action: Json, respond: Callable[..., Any]) -> None:
        ack()
        respond(text=f"{mark} approved {action['value']}", replace_original=True)

    @bolt.shortcut("new")
    def new(ack: Callable[..., None], shortcut: Json, client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=shortcut["trigger_id"], view=MODAL)

    @bolt.view("ticket")
    def ticket(ack: Callable[..., None], view: Json) -> None:
        typed = view["state"]["values"]["words"]["typed"]["value"]
        if typed == "too short":
            ack(response_action="errors", errors={"words": "Say more"})
        else:
            ack()

    ada = shared["ada"]
    async with running(shared, made, bolt), ada.connected() as socket:
        await try_for(lambda: ada.call("chat.command", channel=shared.general, command=command, text="main"))
        note = await socket.wait_text(f"{mark} heard main", PATIENCE_S)
        assert note["is_ephemeral"] is True
        ready = await socket.wait_text(f"{mark} ready?", PATIENCE_S)
        assert (ready["bot_id"], ready["channel"]) == (made.app.bot_id, shared.general)
        where = {"type": "message", "channel_id": shared.general, "message_ts": ready["ts"]}
        action = [{"block_id": "b", "action_id": "approve"}]
        await try_for(lambda: ada.call("blocks.actions", container=where, actions=action))
        changed = await socket.wait_for(
            lambda each: each.get("subtype") == "message_changed" and each["message"]["ts"] == ready["ts"], PATIENCE_S
        )
        assert changed["message"]["text"] == f"{mark} approved 42"
        # What the machine is too busy for within three seconds leaves no window: then it is asked for again.
        opened = await _opened(ada, socket, made)
        view_id = opened["view"]["id"]

        def filled(text: str) -> Json:
            return {"values": {"words": {"typed": {"type": "plain_text_input", "value": text}}}}

        wrong = await try_for(lambda: ada.call("views.submit", view_id=view_id, state=filled("too short")))
        assert (wrong["response_action"], wrong["errors"]) == ("errors", {"words": "Say more"})
        done = await try_for(lambda: ada.call("views.submit", view_id=view_id, state=filled("It is broken")))
        assert done["response_action"] == "close"
        closed = await socket.wait_for(lambda each: each["type"] == "view_closed", PATIENCE_S)
        assert closed["view_ids"] == [view_id]


async def _opened(ada: Any, socket: Any, made: Made) -> Json:
    async with asyncio.timeout(2 * PATIENCE_S):
        while True:
            await try_for(lambda: ada.call("shortcuts.run", app_id=made.app.id, callback_id="new"))
            try:
                found: Json = await socket.wait_for(lambda each: each["type"] == "view_opened", 5)
                return found
            except AssertionError:
                continue


async def test_a_command_without_sockets_is_posted_signed_to_its_own_url(shared: Town) -> None:
    """As a form; the body of the answer is what is said."""
    mark = time.time_ns()
    forms: list[dict[str, str]] = []
    secret = ""

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        sent = {name: request.headers.get(name, "") for name in (signing.SIGNATURE, signing.TIMESTAMP)}
        if not signing.is_signed(secret, sent, body, time.time()):
            return web.Response(status=401)
        forms.append({name: str(value) for name, value in (await request.post()).items()})
        return web.json_response({"text": f"{mark} done", "response_type": "in_channel"})

    here = web.Application()
    here.router.add_post("/command", answer)
    runner = web.AppRunner(here)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        command = Command(f"/post{mark}", f"http://127.0.0.1:{port}/command")
        made = await make_app(shared, f"http-{mark}", AppChange(commands=[command]))
        secret = made.app.signing_secret
        grace = shared["grace"]
        async with grace.connected() as socket:
            await try_for(lambda: grace.call("chat.command", channel=shared.general, command=command.name, text="a b"))
            said = await socket.wait_text(f"{mark} done", PATIENCE_S)
            assert said["user"] == made.app.user_id
        assert (forms[-1]["text"], forms[-1]["user_id"], forms[-1]["command"]) == ("a b", grace.user_id, command.name)
        assert forms[-1]["response_url"].startswith(shared.mesh.web_url)
    finally:
        await runner.cleanup()
