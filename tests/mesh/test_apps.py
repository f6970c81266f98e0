"""Apps as their makers know them: Slack's own Socket Mode clients, and signed requests to a URL of their own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from slack_bolt import App as BoltApp
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.aiohttp import SocketModeClient as AiohttpClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.socket_mode.websocket_client import SocketModeClient as WebsocketClient
from slack_sdk.socket_mode.websockets import SocketModeClient as WebsocketsClient
from slack_sdk.web.async_client import AsyncWebClient

from svc.webapp.domain.apps.settings import AppChange
from tests.mesh.app_makers import EVENTS, AppSocket, Endpoint, Inbox, Made, change_app, endpoint, make_app, open_url
from tests.mesh.people import Json
from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

SOCKET = AppChange(is_socket_mode=True, event_types=EVENTS)


@pytest_asyncio.fixture(loop_scope="session")
async def talker(shared: Town) -> Made:
    """An app with Socket Mode whose bot is in a channel of its own."""
    return await make_app(shared, f"talker-{time.time_ns()}", SOCKET, shared.general)


def base_url(town: Town) -> str:
    """Return where Slack's clients find Parley."""
    return f"{town.mesh.web_url}/api/"


@pytest.mark.parametrize("kind", [SocketModeClient, WebsocketClient])
async def test_slacks_threaded_clients_receive_events_and_acknowledge_them(
    shared: Town, talker: Made, kind: type[Any]
) -> None:
    """A message and a mention arrive once each, with everything that frameworks read; nothing comes again."""
    loop, inbox = asyncio.get_running_loop(), Inbox()
    client = kind(app_token=talker.app_token, web_client=WebClient(talker.bot_token, base_url=base_url(shared)))

    def listen(_: Any, request: Any) -> None:
        loop.call_soon_threadsafe(
            inbox.add, {"type": request.type, "payload": request.payload, "retry": request.retry_attempt}
        )
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    def hear(_: Any, message: Json, __: Any) -> None:
        loop.call_soon_threadsafe(inbox.add, {"type": message.get("type"), "said": message})

    client.socket_mode_request_listeners.append(listen)
    client.message_listeners.append(hear)
    await asyncio.to_thread(client.connect)
    try:
        # One of them returns before it is connected.
        await inbox.wait(lambda each: each["type"] == "hello")
        await check_events(shared, talker, inbox)
    finally:
        closing = threading.Thread(target=client.close, daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, 5)


@pytest.mark.parametrize("kind", [AiohttpClient, WebsocketsClient])
async def test_slacks_async_clients_receive_events_and_acknowledge_them(
    shared: Town, talker: Made, kind: type[Any]
) -> None:
    """The same over the two that live in an event loop."""
    inbox = Inbox()
    client = kind(app_token=talker.app_token, web_client=AsyncWebClient(talker.bot_token, base_url=base_url(shared)))

    async def listen(_: Any, request: Any) -> None:
        inbox.add({"type": request.type, "payload": request.payload, "retry": request.retry_attempt})
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    async def hear(_: Any, message: Json, __: Any) -> None:
        inbox.add({"type": message.get("type"), "said": message})

    client.socket_mode_request_listeners.append(listen)
    client.message_listeners.append(hear)
    await client.connect()
    try:
        await inbox.wait(lambda each: each["type"] == "hello")
        await check_events(shared, talker, inbox)
    finally:
        await client.close()


async def check_events(town: Town, made: Made, inbox: Inbox) -> None:
    """Post a mention, and look at what comes of it."""
    text = f"<@{made.app.user_id}> hello {time.time_ns()}"
    posted = await town["ada"].post(town.general, text)
    message = await inbox.wait_event(type="message", text=text)
    mention = await inbox.wait_event(type="app_mention", text=text)
    assert message["event"]["channel_type"] == "channel"
    assert message["event"]["ts"] == posted["ts"] == message["event"]["event_ts"]
    assert message["event"]["channel"] == town.general
    assert message["event"]["user"] == town["ada"].user_id
    assert "position" not in message["event"]
    assert message["type"] == "event_callback"
    assert message["token"] == made.app.verification_token
    assert (message["team_id"], message["api_app_id"]) == (made.team_id, made.app.id)
    assert message["authorizations"][0]["user_id"] == made.app.user_id
    assert message["event_id"].startswith("Ev")
    assert message["event_id"] != mention["event_id"]
    await made.person(town).ok("reactions.add", channel=town.general, name="eyes", timestamp=posted["ts"])
    reaction = await inbox.wait_event(type="reaction_added", reaction="eyes")
    assert reaction["event"]["item"]["ts"] == posted["ts"]
    assert {each["retry"] for each in inbox.envelopes if "retry" in each} == {0}
    assert len({each["event_id"] for each in inbox.events}) == len(inbox.events)


async def test_bolt_answers_a_mention(shared: Town, talker: Made) -> None:
    """An app on Slack's framework, as its guide begins: say() in a listener."""
    bolt = BoltApp(
        client=WebClient(talker.bot_token, base_url=base_url(shared)), raise_error_for_unhandled_request=False
    )
    answer = f"hi there {time.time_ns()}"

    @bolt.event("app_mention")
    def mentioned(event: Json, say: Callable[[str], object]) -> None:
        say(answer)

    handler = SocketModeHandler(bolt, talker.app_token)
    handler.client.web_client.base_url = base_url(shared)
    await asyncio.to_thread(handler.connect)
    try:
        async with shared["ada"].connected() as socket:
            await shared["ada"].post(shared.general, f"<@{talker.app.user_id}> are you there?")
            said = await socket.wait_text(answer, 20)
            assert said["user"] == talker.app.user_id
    finally:
        closing = threading.Thread(target=handler.close, daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, 5)


async def test_what_is_not_acknowledged_goes_to_another_connection(shared: Town, talker: Made) -> None:
    """With retry_attempt 1 and its reason, the same envelope; and what is acknowledged comes to one connection only."""
    deaf, keen = Inbox(), Inbox()
    refusing = AppSocket(shared, talker, deaf, lambda _: False)
    taking = AppSocket(shared, talker, keen)
    async with refusing.connected():
        text = f"first {time.time_ns()}"
        await shared["ada"].post(shared.general, text)
        first = await deaf.wait(lambda each: each.get("payload", {}).get("event", {}).get("text") == text)
        assert (first["retry_attempt"], first["retry_reason"], first["accepts_response_payload"]) == (0, "", False)
        async with taking.connected():
            again = await keen.wait(lambda each: each.get("envelope_id") == first["envelope_id"])
            assert (again["retry_attempt"], again["retry_reason"]) == (1, "timeout")
            assert again["payload"] == first["payload"]
            assert taking.hellos[0]["num_connections"] == 2
            assert taking.hellos[0]["connection_info"] == {"app_id": talker.app.id}


async def test_events_wait_while_no_connection_is_open(shared: Town, talker: Made) -> None:
    """A bot that is away for a moment misses nothing, and gets it in order."""
    inbox = Inbox()
    mark = time.time_ns()
    async with AppSocket(shared, talker, inbox).connected():
        await shared["ada"].post(shared.general, f"{mark} before")
        await inbox.wait_texts({f"{mark} before"})
    texts = [f"{mark} {number}" for number in range(30)]
    for text in texts:
        await shared["ada"].post(shared.general, text)
    async with AppSocket(shared, talker, inbox).connected():
        await inbox.wait_texts(set(texts))
    assert [text for text in inbox.texts() if text in texts] == texts


async def test_an_app_learns_of_channels_that_its_bot_joins_and_of_no_others(shared: Town) -> None:
    """Private talk among people stays theirs until the bot is invited; what came before that does, too."""
    inbox, mark = Inbox(), time.time_ns()
    change = AppChange(is_socket_mode=True, event_types=(*EVENTS, "message.groups"))
    talker = await make_app(shared, f"private-{mark}", change, shared.general)
    private = await shared["ada"].ok("conversations.create", name=f"p-{mark}", is_private="true")
    channel = private["channel"]["id"]
    async with AppSocket(shared, talker, inbox).connected():
        await shared["ada"].post(channel, f"{mark} secret")
        await shared["ada"].ok("conversations.invite", channel=channel, users=talker.app.user_id)
        await shared["ada"].post(channel, f"{mark} welcome")
        told = await inbox.wait_event(type="message", text=f"{mark} welcome")
        assert told["event"]["channel_type"] == "group"
        assert f"{mark} secret" not in inbox.texts()
        await shared["ada"].ok("conversations.kick", channel=channel, user=talker.app.user_id)
        await inbox.wait_event(type="message", text=f"{mark} welcome")
        await shared["ada"].post(channel, f"{mark} among ourselves")
        await shared["ada"].post(shared.general, f"{mark} to all")
        await inbox.wait_texts({f"{mark} to all"})
        assert f"{mark} among ourselves" not in inbox.texts()


async def test_only_an_apps_own_token_opens_connections(shared: Town, talker: Made) -> None:
    """Slack's refusals, by which clients know what is wrong."""
    web = WebClient(base_url=base_url(shared))

    def refusal(token: str | None) -> str:
        answer = web.api_call("apps.connections.open", headers={"Authorization": f"Bearer {token}"} if token else {})
        return str(answer["error"])

    def attempt(token: str | None) -> str:
        try:
            return refusal(token)
        except SlackApiError as error:
            return str(error.response["error"])

    assert await asyncio.to_thread(attempt, talker.bot_token) == "not_allowed_token_type"
    assert await asyncio.to_thread(attempt, shared["ada"].token) == "not_allowed_token_type"
    assert await asyncio.to_thread(attempt, None) == "not_authed"
    assert (await shared["ada"].call("auth.test", token=talker.app_token))["ok"] is True  # the header counts
    assert (await open_url(shared, talker)).startswith("ws://")


async def test_the_eleventh_connection_is_one_too_many(shared: Town, talker: Made) -> None:
    """It is told so, and the ten go on."""
    async with AsyncExitStack() as up:
        inboxes = [Inbox() for _ in range(10)]
        for inbox in inboxes:
            await up.enter_async_context(AppSocket(shared, talker, inbox).connected())
        async with shared.http.ws_connect(await open_url(shared, talker)) as ws:
            frames = [await ws.receive_json(timeout=20), await ws.receive_json(timeout=20)]
            assert [frame["type"] for frame in frames] == ["hello", "disconnect"]
            assert frames[1]["reason"] == "too_many_websockets"
        text = f"to one of ten {time.time_ns()}"
        await shared["ada"].post(shared.general, text)
        waits = [asyncio.create_task(inbox.wait_texts({text})) for inbox in inboxes]
        done, others = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for other in others:
            other.cancel()
        assert len(done) == 1


async def test_turning_socket_mode_off_ends_the_connections(shared: Town, talker: Made) -> None:
    """Within a moment, with the word by which clients stop coming back."""
    async with shared.http.ws_connect(await open_url(shared, talker)) as ws:
        assert (await ws.receive_json(timeout=20))["type"] == "hello"
        await change_app(shared, talker, AppChange(is_socket_mode=False))
        assert (await ws.receive_json(timeout=20))["reason"] == "link_disabled"


@pytest_asyncio.fixture(loop_scope="session")
async def receiver(shared: Town) -> AsyncIterator[tuple[Endpoint, Made]]:
    """An app with a request URL."""
    async with endpoint() as there:
        change = AppChange(event_types=EVENTS, request_url=there.url)
        made = await make_app(shared, f"receiver-{time.time_ns()}", change, shared.general)
        there.secret = made.app.signing_secret
        yield there, made


async def test_a_request_url_gets_signed_events_after_its_challenge(
    shared: Town, receiver: tuple[Endpoint, Made]
) -> None:
    """Nothing is posted before the URL has answered, and everything is signed."""
    there, made = receiver
    await wait_until(lambda: there.challenged > 0)
    text = f"over http {time.time_ns()}"
    await shared["ada"].post(shared.general, text)
    told = await there.inbox.wait_event(type="message", text=text)
    assert told["api_app_id"] == made.app.id
    assert (there.unsigned, there.challenged) == (0, 1)
    assert "x-slack-retry-num" not in there.requests[0]


async def test_a_failed_request_is_repeated_at_once_and_says_so(shared: Town, receiver: tuple[Endpoint, Made]) -> None:
    """With x-slack-retry-num and -reason; not when the answer asks for none; and what comes after goes on."""
    there, _ = receiver
    await wait_until(lambda: there.challenged > 0)
    there.statuses.append(500)
    text, next_text = f"fails once {time.time_ns()}", f"after it {time.time_ns()}"
    await shared["ada"].post(shared.general, text)
    await wait_until(lambda: [each["event"].get("text") for each in there.inbox.events].count(text) == 2)
    headers = there.requests[[each["event"].get("text") for each in there.inbox.events].index(text, 1)]
    repeated = [each for each in there.requests if "x-slack-retry-num" in each]
    assert [(each["x-slack-retry-num"], each["x-slack-retry-reason"]) for each in repeated] == [("1", "http_error")]
    assert headers is repeated[0]
    there.statuses.append(500)
    there.more["x-slack-no-retry"] = "1"
    unwanted = f"fails for good {time.time_ns()}"
    await shared["ada"].post(shared.general, unwanted)
    await shared["ada"].post(shared.general, next_text)
    await there.inbox.wait_event(type="message", text=next_text)
    assert [each["event"].get("text") for each in there.inbox.events].count(unwanted) == 1


async def wait_until(is_so: Callable[[], bool], within_s: float = 20.0) -> None:
    """Wait for something that is seen nowhere but here."""
    async with asyncio.timeout(within_s):
        while not is_so():
            await asyncio.sleep(0.02)
