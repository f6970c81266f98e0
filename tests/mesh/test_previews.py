"""Previews of links on real processes: from the page of a site to every socket, and into history for good."""

from __future__ import annotations

import asyncio
import uuid
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from ops.local.spec import counts
from tests.mesh.people import Json, Person
from tests.mesh.towns import town
from tests.svc.webapp.unfurl.test_running import tea
from tests.svc.webapp.websites import site

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(400)]
PATIENCE_S = 60.0
FEW = counts(channel=1, gateway=1, search=0)


async def shown(by: Person, channel: str) -> dict[str, list[str]]:
    """Return the titles of what is attached to the messages of a conversation, by their text."""
    messages = (await by.ok("conversations.history", channel=channel))["messages"]
    return {each["text"]: [one["title"] for one in each.get("attachments", [])] for each in messages}


async def answered(by: Person, channel: str) -> dict[str, list[str]]:
    """Return `shown` as soon as a webapp that was started anew answers over HTTP."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await shown(by, channel)
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


async def test_a_link_is_shown_to_everybody_for_good(tmp_path: Path) -> None:
    """By every socket, also of who posted it over one; not where its author wants none; and after a webapp's death."""
    async with site(tea) as port:
        base = f"http://127.0.0.1:{port}"
        environ = {
            "PARLEY_WEBAPP_PREVIEWS": "on",
            "PARLEY_WEBAPP_PREVIEW_NETWORKS": "127.0.0.1/32",
            "PARLEY_WEBAPP_PREVIEW_PORTS": str(port),
        }
        async with town(tmp_path / "var", counts=FEW, environ=environ) as there:
            ada, grace = there["ada"], there["grace"]
            channel = there.general
            wanted = {
                "over http": f"<{base}/http|tea>",
                "over rtm": f"{base}/rtm",
                "forbidden": f"http://127.0.0.2:{port}",
            }
            async with ada.connected() as own, grace.connected() as hers:
                await ada.ok("chat.postMessage", channel=channel, text=f"{base}/none", unfurl_links=False)
                await ada.ok("chat.postMessage", channel=channel, text=wanted["forbidden"])
                await own.send(id=1, type="message", channel=channel, text=wanted["over rtm"])
                posted = await ada.ok("chat.postMessage", channel=channel, text=wanted["over http"])
                assert "attachments" not in posted["message"]
                for socket in (own, hers):
                    for path in ("/http", "/rtm"):
                        event = await socket.wait_for(partial(_shows, path), PATIENCE_S)
                        assert (event["hidden"], "edited" in event["message"]) == (True, False)
                        assert event["message"]["attachments"][0]["from_url"] == base + path
                last = uuid.uuid4().hex
                await ada.post(channel, last)
                for socket in (own, hers):
                    await socket.wait_text(last, PATIENCE_S)
                    assert sorted(_title(e) for e in socket.events if _title(e)) == ["/http", "/rtm"]
            for name in there.mesh.names("webapp"):
                await there.mesh.kill(name)
                await there.mesh.start(name)
            again = Person("grace", grace.user_id, grace.token, there.mesh.web_url, there.http)
            found = await answered(again, channel)
            kept = {
                wanted["over http"]: ["/http"],
                wanted["over rtm"]: ["/rtm"],
                wanted["forbidden"]: [],
                f"{base}/none": [],
            }
            assert {text: found[text] for text in kept} == kept


def _shows(title: str, event: Json) -> bool:
    return _title(event) == title


def _title(event: Json) -> str:
    """Return the title of what an event adds to a message, or ""."""
    if event.get("subtype") != "message_changed":
        return ""
    attachments = event["message"].get("attachments") or [{}]
    return str(attachments[0].get("title", ""))
