"""Slack's own clients for Node.js, unmodified, each version that is in use: only their base URL says where we are."""

from __future__ import annotations

import pytest

from tests.mesh.node_clients import node_client
from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

WEB = ["slack-web-api-6", "slack-web-api-7", "slack-web-api-8"]
RTM = ["slack-rtm-api-6", "slack-rtm-api-7"]


@pytest.mark.parametrize("package", WEB)
async def test_the_web_client_posts_and_reads_back(shared: Town, package: str) -> None:
    """Nested arguments travel as JSON strings in forms."""
    async with node_client("web", package, shared.mesh.web_url, token=shared["ada"].token) as ada:
        assert (await ada.call("auth.test"))["user_id"] == shared["ada"].user_id
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}]
        posted = await ada.call("chat.postMessage", channel=shared.general, text=f"by {package}", blocks=blocks)
        history = await ada.call("conversations.history", channel=shared.general, limit=5)
        found = next(message for message in history["messages"] if message["ts"] == posted["ts"])
        assert (found["text"], found["blocks"][0]["text"]["text"]) == (f"by {package}", "*hello*")


@pytest.mark.parametrize("package", RTM)
async def test_the_rtm_client_sends_and_hears(shared: Town, package: str) -> None:
    """What it sends, others get, and it gets the acknowledgement; what others post, it hears."""
    async with (
        node_client("rtm", package, shared.mesh.web_url, token=shared["ada"].token) as ada,
        shared["grace"].connected() as grace,
    ):
        sent = await ada.send(f"sent by {package}", shared.general)
        assert (await grace.wait_text(f"sent by {package}"))["ts"] == sent["ts"]
        posted = await shared["grace"].post(shared.general, f"to {package}")
        assert (await ada.event(type="message", text=f"to {package}"))["ts"] == posted["ts"]
