"""response_url: what apps say later, over HTTP."""

from __future__ import annotations

import pytest

from tests.svc.webapp.api.apps.workshop import Workshop

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

BUTTON = {"type": "actions", "block_id": "b1", "elements": [{"type": "button", "action_id": "go", "value": "42"}]}


async def asked(shop: Workshop) -> str:
    """Run the app's command; return its response_url."""
    await shop.pat.ok("chat.command", channel=shop.room, command="/deploy")
    url: str = shop.last()["response_url"]
    return url


async def test_five_answers_and_no_more(shop: Workshop) -> None:
    """To the person alone, or to all; as JSON or as a form."""
    url = await asked(shop)
    assert await shop.post(url, {"text": "one"}) == (200, "ok")
    assert await shop.post(url, {"text": "two", "response_type": "in_channel"}) == (200, "ok")
    assert await shop.post(url, 'payload={"text":"three"}', headers=FORM) == (200, "ok")
    assert await shop.post(url, b'{"text":"four"}', headers=FORM) == (200, "ok")
    assert await shop.post(url, {}) == (400, "no_text")
    assert await shop.post(url, {"text": "six"}) == (404, "used_url")
    assert [each["text"] for each in shop.events(shop.pat.id)] == ["one", "three", "four"]
    assert [each["text"] for each in await shop.history()] == ["two"]


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def test_what_is_not_ours_is_refused(shop: Workshop) -> None:
    """A changed ticket, another kind of ticket, a body that is none; each is one line of text."""
    url = await asked(shop)
    assert await shop.post(f"{shop.root_url}response/nonsense", {"text": "x"}) == (404, "invalid_url")
    assert await shop.post(f"{url}x", {"text": "x"}) == (404, "invalid_url")
    trigger = shop.last()["trigger_id"]
    assert await shop.post(f"{shop.root_url}response/{trigger}", {"text": "x"}) == (404, "invalid_url")
    for body in (b"", b"[]", b"text", b'{"text"', b"payload=x"):
        assert (await shop.post(url, body, headers=FORM))[0] == 400, body
    assert (await shop.post(url, {"text": {"a": 1}})) == (400, "invalid_payload")
    async with shop.office.http.get(url) as answer:
        assert answer.status == 400
    assert (await shop.post(url, {"text": "still good"})) == (200, "ok")


async def test_an_original_is_replaced_and_deleted(shop: Workshop) -> None:
    """The message that was clicked: everybody sees it change, then go."""
    await shop.bot.ok("conversations.join", channel=shop.room)
    posted = await shop.bot.ok("chat.postMessage", channel=shop.room, text="press", blocks=[BUTTON])
    container = {"type": "message", "channel_id": shop.room, "message_ts": posted["ts"]}
    action = {"block_id": "b1", "action_id": "go"}
    await shop.pat.ok("blocks.actions", container=container, actions=[action])
    url = shop.last()["response_url"]
    assert await shop.post(url, {"text": "pressed", "replace_original": True}) == (200, "ok")
    [message] = await shop.history()
    assert (message["text"], message["ts"], message.get("blocks")) == ("pressed", posted["ts"], None)
    assert await shop.post(url, {"delete_original": "true"}) == (200, "ok")
    assert await shop.history() == []
    assert await shop.post(url, {"text": "late", "replace_original": True}) == (404, "message_not_found")


async def test_an_ephemeral_original_is_replaced_on_the_persons_sockets(shop: Workshop) -> None:
    """It is in no history: the old one is taken back, the new one shown."""
    shop.answers["slash_commands"] = {"text": "press", "blocks": [BUTTON]}
    await shop.pat.ok("chat.command", channel=shop.room, command="/deploy")
    [note] = shop.events(shop.pat.id)
    container = {
        "type": "message",
        "channel_id": shop.room,
        "message_ts": note["ts"],
        "is_ephemeral": True,
        "seal": note["seal"],
        "blocks": note["blocks"],
        "bot_id": note["bot_id"],
    }
    await shop.pat.ok("blocks.actions", container=container, actions=[{"block_id": "b1", "action_id": "go"}])
    assert shop.last()["actions"][0]["value"] == "42"
    assert shop.last()["container"]["is_ephemeral"] is True
    url = shop.last()["response_url"]
    assert await shop.post(url, {"text": "pressed", "replace_original": True}) == (200, "ok")
    _, gone, new = shop.events(shop.pat.id)
    assert (gone["subtype"], gone["deleted_ts"], new["text"]) == ("message_deleted", note["ts"], "pressed")
    # Nobody but the server says what such a message had in it.
    forged = [{**BUTTON, "elements": [{"type": "button", "action_id": "go", "value": "43"}]}]
    for other in ({"blocks": forged}, {"seal": "x"}, {"message_ts": "1700000000.000100"}):
        answer = await shop.pat.error(
            "blocks.actions", container=container | other, actions=[{"block_id": "b1", "action_id": "go"}]
        )
        assert answer == "message_not_found"
    theft = await shop.kim.error("blocks.actions", container=container, actions=[{"block_id": "b1", "action_id": "go"}])
    assert theft == "message_not_found"
