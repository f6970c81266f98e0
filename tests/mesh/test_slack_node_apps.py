"""Apps on Slack's clients for Node.js, unmodified: Socket Mode by itself, and Bolt over sockets and over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import pytest

from svc.webapp.domain.apps.model import Command
from svc.webapp.domain.apps.settings import AppChange
from tests.mesh.app_makers import EVENTS, Made, change_app, make_app
from tests.mesh.node_clients import NodeClient, check_node, node_client
from tests.mesh.people import Json, Person, Socket
from tests.mesh.test_app_commands import try_for
from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

SOCKET = ["slack-socket-mode-2", "slack-socket-mode-3"]
BOLT = ["slack-bolt-3", "slack-bolt-4", "slack-bolt-5"]


async def test_each_event_comes_to_one_connection_and_again_until_it_is_acknowledged(shared: Town) -> None:
    """Two versions of Slack's client as two connections of one app, both acknowledging, then neither, then both."""
    for package in SOCKET:
        check_node(package)
    change = AppChange(is_socket_mode=True, event_types=EVENTS)
    made = await make_app(shared, f"node-{time.time_ns()}", change, shared.general)
    web_url, app_token = shared.mesh.web_url, made.app_token
    async with (
        node_client("socket", SOCKET[0], web_url, app_token=app_token) as one,
        node_client("socket", SOCKET[1], web_url, app_token=app_token) as other,
    ):
        both = (one, other)
        texts = [f"{number} at {time.time_ns()}" for number in range(10)]
        for text in texts:
            await shared["ada"].post(shared.general, text)
        for text in texts:
            await heard_by_any(both, text)
        # What a busy machine acknowledges too late comes once more, and says so.
        assert Counter(first_texts(one) + first_texts(other)) == Counter(texts)
        for client in both:
            await client.be_deaf(True)
        text = f"unheard at {time.time_ns()}"
        await shared["ada"].post(shared.general, text)
        first = await heard_by_any(both, text)
        assert first["event"]["type"] == "message"
        for client in both:
            await client.be_deaf(False)
        again = await heard_by_any(both, text, again=True)
        assert (again["event_id"], again["reason"]) == (first["event_id"], "timeout")


def first_texts(client: NodeClient) -> list[str]:
    """Return the texts that came to a connection, and had not come to any before."""
    heard = [line["event"] for line in client.said if line["is"] == "event"]
    return [event["event"]["text"] for event in heard if event["tries"] == 0]


async def heard_by_any(clients: tuple[NodeClient, ...], text: str, *, again: bool = False) -> Json:
    """Return the payload of an app's message as one of its connections got it for the first time, or again."""

    def is_it(said: Json) -> bool:
        event = said.get("event", {})
        return event.get("event", {}).get("text") == text and (event["tries"] > 0) is again

    waits = [asyncio.create_task(client.wait_for(is_it)) for client in clients]
    done, others = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    found: Json = done.pop().result()["event"]
    return found


@pytest.mark.parametrize("package", BOLT)
async def test_bolt_answers_over_its_socket(shared: Town, package: str) -> None:
    """Messages, mentions, commands, buttons and forms; what it says itself it does not hear."""
    command = f"/echo{time.time_ns()}"
    change = AppChange(is_socket_mode=True, event_types=EVENTS, commands=[Command(command)])
    made = await make_app(shared, f"bolt-{time.time_ns()}", change, shared.general)
    async with (
        node_client("bolt", package, shared.mesh.web_url, token=made.bot_token, app_token=made.app_token) as bolt,
        shared["ada"].connected() as socket,
    ):
        await check_bolt(shared, made, command, bolt, socket)


@pytest.mark.parametrize("package", BOLT)
async def test_bolt_answers_over_http(shared: Town, package: str) -> None:
    """The same with its ExpressReceiver, which says the challenge back and verifies what we sign."""
    command = f"/echo{time.time_ns()}"
    made = await make_app(shared, f"express-{time.time_ns()}", AppChange(event_types=EVENTS), shared.general)
    token, secret = made.bot_token, made.app.signing_secret
    async with (
        node_client("express", package, shared.mesh.web_url, token=token, signing_secret=secret) as bolt,
        shared["ada"].connected() as socket,
    ):
        port = (await bolt.state("connected"))["port"]
        url = f"http://127.0.0.1:{port}/slack/events"
        change = AppChange(request_url=url, interactivity_url=url, commands=[Command(command, url)])
        await change_app(shared, made, change)
        await answered(shared["ada"], shared.general, socket)
        await check_bolt(shared, made, command, bolt, socket)


async def answered(ada: Person, channel: str, socket: Socket) -> None:
    """Return once the app answers: what is posted before its URL has said the challenge back is not for it."""
    pongs: set[str] = set()
    async with asyncio.timeout(60):
        while True:
            text = f"ping at {time.time_ns()}"
            pongs.add(f"pong to {text}")
            await ada.post(channel, text)
            try:
                await socket.wait_for(lambda each: each.get("text") in pongs, 1)
                return
            except AssertionError:
                continue


async def check_bolt(town: Town, made: Made, command: str, bolt: NodeClient, socket: Socket) -> None:
    """Do to the app what people do, with ada, whose socket it is."""
    mark, ada = time.time_ns(), town["ada"]
    await ada.post(town.general, f"ping {mark}")
    pong = await socket.wait_text(f"pong to ping {mark}", 30)
    assert (pong["user"], pong["bot_id"]) == (made.app.user_id, made.app.bot_id)
    mention = await ada.post(town.general, f"<@{made.app.user_id}> {mark}?")
    reply = await socket.wait_for(
        lambda each: each.get("thread_ts") == mention["ts"] and each.get("user") == made.app.user_id, 30
    )
    assert reply["text"] == f"yes, <@{ada.user_id}>"
    await try_for(lambda: ada.call("chat.command", channel=town.general, command=command, text=f"{mark}"))
    await socket.wait_text(f"echo: {mark}", 30)
    asked = await socket.wait_text(f"approve {mark}?", 30)
    view_id = await clicked(town, ada, socket, asked)
    await socket.wait_for(
        lambda each: each.get("subtype") == "message_changed" and each["message"]["text"] == "approved 42", 30
    )

    def filled(text: str) -> Json:
        return {"values": {"words": {"typed": {"type": "plain_text_input", "value": text}}}}

    wrong = await try_for(lambda: ada.call("views.submit", view_id=view_id, state=filled("too short")))
    assert (wrong["response_action"], wrong["errors"]) == ("errors", {"words": "Say more"})
    await try_for(lambda: ada.call("views.submit", view_id=view_id, state=filled(f"long {mark}")))
    await bolt.event(type="view", typed=f"long {mark}")
    # It heard what people said and nothing of its own, which came between.
    await ada.post(town.general, f"last {mark}")
    await bolt.event(type="message", text=f"last {mark}")
    assert made.app.user_id not in {event.get("user") for event in bolt.events("message")}


async def clicked(town: Town, ada: Person, socket: Socket, asked: Json) -> str:
    """Click the button of a message; return the id of the view that opens."""
    where = {"type": "message", "channel_id": town.general, "message_ts": asked["ts"]}
    action = [{"block_id": "b", "action_id": "approve"}]
    async with asyncio.timeout(60):
        while True:
            await try_for(lambda: ada.call("blocks.actions", container=where, actions=action))
            try:
                opened = await socket.wait_for(lambda each: each["type"] == "view_opened", 15)
                return str(opened["view"]["id"])
            except AssertionError:
                continue  # a trigger is good for three seconds, which a busy machine may take to use it
