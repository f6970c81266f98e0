"""Processes die while apps are served: nothing that was posted is missing, and what comes twice is the same."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from discovery.ring import Member, Ring
from ops.local.spec import counts
from svc.webapp.domain.apps.settings import AppChange
from tests.mesh.app_makers import EVENTS, AppSocket, Inbox, Made, endpoint, make_app
from tests.mesh.people import Json
from tests.mesh.towns import Town, town

pytestmark = pytest.mark.mesh

SOCKET = AppChange(is_socket_mode=True, event_types=EVENTS)


async def owner(there: Town, made: Made) -> str:
    """Return the webapp (by name) that owns an app, by the ring that Consul gives now."""
    listed = [each for each in await there.mesh.instances("webapp") if each.health == "passing"]
    names = {each.instance.id: each.name for each in listed}
    return names[Ring(tuple(Member(each.instance.id) for each in listed)).owner(made.app.id)]


async def post_through(there: Town, text: str) -> None:
    """Post in #general through a webapp that answers; the same message however often it is tried."""
    key = f"key {text}"
    headers = {"Authorization": f"Bearer {there['ada'].token}"}
    async with asyncio.timeout(30):
        while True:
            for url in there.mesh.web_urls.values():
                form = {"channel": there.general, "text": text, "client_msg_id": key}
                try:
                    async with there.http.post(f"{url}/api/chat.postMessage", data=form, headers=headers) as answer:
                        if answer.status == 200 and (await answer.json()).get("ok"):
                            return
                except (OSError, aiohttp.ClientError):
                    continue  # that one has been killed
            await asyncio.sleep(0.05)


async def post_all(there: Town, texts: list[str]) -> None:
    """Post one after the other, with a little time between."""
    for text in texts:
        await post_through(there, text)
        await asyncio.sleep(0.03)


def check_repetitions(events: list[Json]) -> None:
    """An event that came twice was the same both times."""
    seen: dict[str, Json] = {}
    for event in events:
        assert seen.setdefault(event["event_id"], event) == event


def check_order(inbox: Inbox, texts: list[str]) -> None:
    """The first time that each came was in the order in which they were posted."""
    assert [text for text in inbox.texts() if text in texts] == texts


async def test_the_owning_webapp_is_killed_and_no_event_is_missing(tmp_path: Path) -> None:
    """Another one takes over from the place that was saved; the connection stays."""
    async with town(tmp_path / "var", counts=counts(webapp=2)) as there:
        made = await make_app(there, "talker", SOCKET, there.general)
        inbox = Inbox()
        socket = AppSocket(there, made, inbox)
        texts = [f"{number} at {time.time_ns()}" for number in range(120)]
        async with socket.connected():
            posting = asyncio.create_task(post_all(there, texts))
            await inbox.wait_texts(set(texts[:30]))
            await there.mesh.kill(await owner(there, made))
            await posting
            await inbox.wait_texts(set(texts), 40)
            assert len(socket.hellos) == 1
        check_repetitions(inbox.events)
        check_order(inbox, texts)


async def test_the_gateway_is_killed_and_no_event_is_missing(tmp_path: Path) -> None:
    """The client comes back through another one; what it had not acknowledged comes again."""
    async with town(tmp_path / "var", counts=counts(webapp=2)) as there:
        made = await make_app(there, "talker", SOCKET, there.general)
        inbox = Inbox()
        socket = AppSocket(there, made, inbox)
        texts = [f"{number} at {time.time_ns()}" for number in range(120)]
        async with socket.connected():
            posting = asyncio.create_task(post_all(there, texts))
            await inbox.wait_texts(set(texts[:30]))
            gateways = {each.instance.id: each.name for each in await there.mesh.instances("gateway")}
            await there.mesh.kill(gateways[socket.host])
            await posting
            await inbox.wait_texts(set(texts), 40)
            assert len(socket.hellos) == 2
        check_repetitions(inbox.events)
        check_order(inbox, texts)


async def test_a_webapp_that_stops_as_planned_hands_its_apps_over_without_repeating(tmp_path: Path) -> None:
    """Over both ways: a socket and a URL. It waits for answers, saves the place, and only then leaves the ring."""
    async with AsyncExitStack() as up:
        there = await up.enter_async_context(town(tmp_path / "var", counts=counts(webapp=2)))
        server = await up.enter_async_context(endpoint())
        change = AppChange(event_types=EVENTS, request_url=server.url)
        posted = await make_app(there, "posted", change, there.general)
        server.secret = posted.app.signing_secret
        made = await make_app(there, "talker", SOCKET, there.general)
        inbox = Inbox()
        socket = AppSocket(there, made, inbox)
        await up.enter_async_context(socket.connected())
        async with asyncio.timeout(20):
            while not server.challenged:
                await asyncio.sleep(0.02)
        texts = [f"{number} at {time.time_ns()}" for number in range(80)]
        posting = asyncio.create_task(post_all(there, texts))
        await inbox.wait_texts(set(texts[:20]))
        await there.mesh.stop(await owner(there, made))
        await posting
        await inbox.wait_texts(set(texts), 40)
        await server.inbox.wait_texts(set(texts), 40)
        for received in (inbox, server.inbox):
            check_repetitions(received.events)
            check_order(received, texts)
            assert len(received.events) == len({event["event_id"] for event in received.events})
        assert server.unsigned == 0


async def test_a_gateway_that_stops_as_planned_sends_its_apps_away_first(tmp_path: Path) -> None:
    """A warning, time for the next connection, then the word to come back; nothing is repeated or missing."""
    async with town(tmp_path / "var", counts=counts(webapp=2)) as there:
        made = await make_app(there, "talker", SOCKET, there.general)
        inbox = Inbox()
        socket = AppSocket(there, made, inbox)
        texts = [f"{number} at {time.time_ns()}" for number in range(80)]
        async with socket.connected():
            posting = asyncio.create_task(post_all(there, texts))
            await inbox.wait_texts(set(texts[:10]))
            gateways = {each.instance.id: each.name for each in await there.mesh.instances("gateway")}
            await there.mesh.stop(gateways[socket.host])
            await posting
            await inbox.wait_texts(set(texts), 40)
        reasons = [each["reason"] for each in inbox.envelopes if each["type"] == "disconnect"]
        assert reasons == ["warning", "refresh_requested"]
        check_repetitions(inbox.events)
        check_order(inbox, texts)
