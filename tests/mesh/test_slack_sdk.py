"""Slack's own Python SDK, unmodified: only its base URL says where Parley is."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.rtm_v2 import RTMClient
from slack_sdk.web.async_client import AsyncWebClient

from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


def web(town: Town, name: str) -> WebClient:
    """Return Slack's client for one of the people."""
    return WebClient(token=town[name].token, base_url=f"{town.mesh.web_url}/api/")


class Heard:
    """What an RTM client heard; `wait` blocks its thread until something wanted came."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self._changed = threading.Condition()

    def add(self, event: dict[str, Any]) -> None:
        """Note an event."""
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait(self, **wanted: str | int) -> dict[str, Any]:
        """Return the first event with these fields."""
        deadline = time.monotonic() + 10
        with self._changed:
            while True:
                for event in self.events:
                    if wanted.items() <= event.items():
                        return event
                if not self._changed.wait(deadline - time.monotonic()) and time.monotonic() > deadline:
                    raise AssertionError(f"{wanted} not heard; heard {self.events}")


@contextmanager
def rtm(town: Town, name: str) -> Iterator[tuple[RTMClient, Heard]]:
    """Connect Slack's RTM client and wait for its hello."""
    client = RTMClient(token=town[name].token, base_url=f"{town.mesh.web_url}/api/")
    heard = Heard()
    client.on("*")(lambda client, event: heard.add(event))
    client.connect()  # type: ignore[no-untyped-call]
    try:
        heard.wait(type="hello")
        yield client, heard
    finally:
        # It joins its own threads without a limit, and now and then one of them does not end.
        closing = threading.Thread(target=client.close, daemon=True)
        closing.start()
        closing.join(5)


async def test_the_web_client_posts_and_reads_back(shared: Town) -> None:
    """chat.postMessage, then conversations.history, with and without arguments in JSON."""

    def talk() -> None:
        client = web(shared, "ada")
        assert client.auth_test()["user_id"] == shared["ada"].user_id
        assert client.api_test(foo="bar")["args"]["foo"] == "bar"
        posted = client.chat_postMessage(channel=shared.general, text="hello from the sdk & co")
        history = client.conversations_history(channel=shared.general, limit=5)
        assert history["messages"][0]["ts"] == posted["ts"]
        assert history["messages"][0]["text"] == "hello from the sdk & co"
        assert history["messages"][0]["user"] == shared["ada"].user_id

    await asyncio.to_thread(talk)


async def test_the_async_web_client_works_too(shared: Town) -> None:
    """It reads with GET and query arguments."""
    client = AsyncWebClient(token=shared["grace"].token, base_url=f"{shared.mesh.web_url}/api/")
    listed = await client.conversations_list(limit=100)
    assert shared.general in {channel["id"] for channel in listed["channels"]}
    users = [user async for page in await client.users_list(limit=2) for user in page["members"]]
    assert {shared[name].user_id for name in ("ada", "grace", "linus")} <= {user["id"] for user in users}


async def test_joining_a_channel_brings_its_messages_to_the_open_socket(shared: Town) -> None:
    """Create, join, and receive: message, and the join itself."""

    def talk() -> None:
        ada, grace = web(shared, "ada"), web(shared, "grace")
        with rtm(shared, "grace") as (_, heard):
            channel = ada.conversations_create(name=f"sdk-{time.time_ns()}")["channel"]["id"]
            with pytest.raises(SlackApiError, match="not_in_channel"):
                grace.chat_postMessage(channel=channel, text="too early")
            grace.conversations_join(channel=channel)
            heard.wait(type="channel_joined")
            ada.chat_postMessage(channel=channel, text="welcome")
            message = heard.wait(type="message", channel=channel, text="welcome")
            assert message["user"] == shared["ada"].user_id
            assert {"ts", "event_ts", "team"} <= message.keys()
            assert grace.conversations_members(channel=channel)["members"].count(shared["grace"].user_id) == 1

    await asyncio.to_thread(talk)


async def test_rtm_carries_messages_typing_and_pongs(shared: Town) -> None:
    """What one sends over the socket, the others get; the sender gets an acknowledgement and a pong."""

    def talk() -> None:
        with rtm(shared, "ada") as (_, ada_heard), rtm(shared, "helper") as (bot, bot_heard):
            bot.send({"id": 7, "type": "typing", "channel": shared.general})
            ada_heard.wait(type="user_typing", user=shared["helper"].user_id)
            bot.send({"id": 8, "type": "ping", "extra": "kept"})
            assert bot_heard.wait(type="pong")["reply_to"] == 8
            assert bot_heard.wait(type="pong")["extra"] == "kept"
            bot.send({"id": 9, "type": "message", "channel": shared.general, "text": "sent over rtm"})
            message = ada_heard.wait(type="message", text="sent over rtm")
            assert message["bot_id"]
            # Whichever of the two is first: each comes to a socket of its own.
            reply = bot_heard.wait(reply_to=9)
            assert (reply["ok"], reply["ts"]) == (True, message["ts"])

    await asyncio.to_thread(talk)


async def test_a_bot_never_hears_its_own_message_and_people_do_hear_theirs(shared: Town) -> None:
    """The SDK drops events with its own bot_id; a person's Web API post comes back to every socket of theirs."""

    def talk() -> None:
        with rtm(shared, "helper") as (_, bot_heard), rtm(shared, "ada") as (_, ada_heard):
            web(shared, "helper").chat_postMessage(channel=shared.general, text="from the bot")
            web(shared, "ada").chat_postMessage(channel=shared.general, text="from ada")
            ada_heard.wait(type="message", text="from the bot")
            ada_heard.wait(type="message", text="from ada")
            bot_heard.wait(type="message", text="from ada")
            assert "from the bot" not in {event.get("text") for event in bot_heard.events}

    await asyncio.to_thread(talk)
