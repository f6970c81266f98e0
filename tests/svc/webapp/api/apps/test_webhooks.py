"""`/services/T…/B…/token`: incoming webhooks, over HTTP."""

from __future__ import annotations

import asyncio
import urllib.parse

import pytest
from slack_sdk.webhook import WebhookClient

from svc.webapp.domain.refusal import RateLimited
from tests.svc.webapp.api.apps.workshop import Workshop

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def webhook(shop: Workshop, channel_id: str = "", name: str = "") -> str:
    """Make a webhook into the room; return its address."""
    conversation = await shop.office.services.channels.conversation(channel_id or shop.room)
    assert conversation is not None
    made = await shop.office.services.apps.webhooks.create(shop.app, conversation, name)
    return shop.root_url + made.path


async def test_what_is_posted_is_a_bots_message(shop: Workshop) -> None:
    """Under the app's name or another, without its bot being there; as JSON, as a form, and as curl does it."""
    url = await webhook(shop)
    assert await shop.post(url, {"text": "one & only"}) == (200, "ok")
    named = {"text": "two", "username": "Other", "icon_emoji": ":ghost:", "channel": "#elsewhere"}
    assert await shop.post(url, named) == (200, "ok")
    form = urllib.parse.urlencode({"payload": '{"text":"three"}'})
    assert await shop.post(url, form, headers=FORM) == (200, "ok")
    assert await shop.post(url, b'{"text":"four"}', headers=FORM) == (200, "ok")
    assert await shop.post(url, b'{"text":"five"}', headers={"Content-Type": "text/plain"}) == (200, "ok")
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "six"}}]
    assert await shop.post(url, {"blocks": blocks}) == (200, "ok")
    messages = (await shop.history())[::-1]
    assert [each["text"] for each in messages] == ["one & only", "two", "three", "four", "five", ""]
    webhook_id = url.split("/")[-2]
    for message in messages:
        assert (message["subtype"], message["bot_id"], message["app_id"]) == ("bot_message", webhook_id, shop.app.id)
        assert "user" not in message
    assert [each["username"] for each in messages[:3]] == ["Ci Runner", "Other", "Ci Runner"]
    assert messages[1]["icons"] == {"emoji": ":ghost:"}
    assert messages[5]["blocks"][0]["text"]["text"] == "six"
    # Everybody's sockets get the same.
    told = [each for each in shop.events(shop.room) if each.get("subtype") == "bot_message"]
    assert [each["ts"] for each in told] == [each["ts"] for each in messages]
    reply = {"text": "reply", "thread_ts": messages[0]["ts"]}
    assert await shop.post(url, reply) == (200, "ok")
    replies = await shop.pat.ok("conversations.replies", channel=shop.room, ts=messages[0]["ts"])
    assert [each["text"] for each in replies["messages"]] == ["one & only", "reply"]


async def test_a_webhook_into_a_private_conversation(shop: Workshop) -> None:
    """It needs no member there either, and has its own name."""
    private = (await shop.pat.ok("conversations.create", name="secret", is_private=True))["channel"]["id"]
    assert await shop.post(await webhook(shop, private, "Alarm"), {"text": "fire"}) == (200, "ok")
    [message] = await shop.history(private)
    assert (message["username"], message["text"]) == ("Alarm", "fire")


async def test_slack_sdk_posts_to_it(shop: Workshop) -> None:
    """Unmodified: only the address is ours."""
    client = WebhookClient(await webhook(shop))
    answer = await asyncio.to_thread(client.send, text="from the sdk")
    assert (answer.status_code, answer.body) == (200, "ok")
    assert (await shop.history())[0]["text"] == "from the sdk"


async def test_each_mistake_has_slacks_status_and_word(shop: Workshop) -> None:
    """As plain text, which is what senders look at."""
    url = await webhook(shop)
    base, webhook_id, token = url.rsplit("/", 2)
    assert await shop.post(f"{base}/{webhook_id}/x", {"text": "x"}) == (403, "invalid_token")
    assert await shop.post(f"{base}/B0000000000/{token}", {"text": "x"}) == (404, "no_service")
    assert await shop.post(f"{base}/{webhook_id}", {"text": "x"}) == (403, "invalid_token")
    assert await shop.post(f"{shop.root_url}services/x", {"text": "x"}) == (404, "no_service")
    assert await shop.post(f"{shop.root_url}services/", {"text": "x"}) == (404, "no_service")
    assert await shop.post(url, {}) == (400, "no_text")
    assert await shop.post(url, {"text": "  "}) == (400, "no_text")
    for body in (b"", b"x", b"[1]", b'{"text":', b"payload=", b"payload=%7B"):
        status, said = await shop.post(url, body, headers=FORM)
        assert (status, said) in ((400, "invalid_payload"), (400, "no_text")), body
    assert await shop.post(url, {"text": "x", "blocks": "y"}) == (400, "invalid_payload")
    assert await shop.post(url, {"text": "x", "thread_ts": "y"}) == (400, "invalid_payload")
    assert await shop.post(url, {"text": "x", "blocks": [{"type": "y"}]}) == (400, "invalid_blocks")
    assert await shop.post(url, b"x" * 2_000_000) == (413, "payload_too_large")
    async with shop.office.http.get(url) as answer:
        assert answer.status == 400
    await shop.pat.ok("conversations.archive", channel=shop.room)
    assert await shop.post(url, {"text": "x"}) == (410, "channel_is_archived")
    assert await shop.office.services.apps.webhooks.disable(shop.app, webhook_id)
    assert not await shop.office.services.apps.webhooks.disable(shop.app, webhook_id)
    assert await shop.post(url, {"text": "x"}) == (404, "no_service")


async def test_who_posts_too_often_is_told_when_to_come_back(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """In whole seconds, as Slack tells it."""
    url = await webhook(shop)

    async def hurried(*_: object) -> None:
        raise RateLimited(0.4)

    monkeypatch.setattr(shop.office.services.apps.webhooks, "post", hurried)
    async with shop.office.http.post(url, json={"text": "x"}) as answer:
        assert (answer.status, answer.headers["retry-after"], await answer.text()) == (429, "1", "ratelimited")
    assert await shop.history() == []
