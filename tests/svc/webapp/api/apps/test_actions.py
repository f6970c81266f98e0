"""blocks.actions, blocks.suggestions and shortcuts.run, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from svc.webapp.domain.apps.delivery import UNREACHABLE
from tests.svc.webapp.api.apps.workshop import Workshop

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

TEXT = {"type": "plain_text", "text": "Go"}
BUTTON = {"type": "button", "action_id": "go", "value": "42", "text": TEXT, "style": "primary"}
MENU = {"type": "external_select", "action_id": "pick", "placeholder": TEXT}
BLOCKS = [
    {"type": "actions", "block_id": "b1", "elements": [BUTTON]},
    {"type": "section", "block_id": "b2", "text": {"type": "mrkdwn", "text": "Which?"}, "accessory": MENU},
]


async def posted(shop: Workshop, **more: Any) -> dict[str, Any]:
    """Post a message with buttons as the app; return it."""
    await shop.bot.ok("conversations.join", channel=shop.room)
    answer = await shop.bot.ok("chat.postMessage", channel=shop.room, text="Ready?", **{"blocks": BLOCKS, **more})
    message: dict[str, Any] = answer["message"]
    return message


def container_of(shop: Workshop, message: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "channel_id": shop.room, "message_ts": message["ts"]}


async def test_a_click_is_told_with_all_that_an_app_needs(shop: Workshop) -> None:
    """What the button says is the message's word, whatever the client claims; the rest is as Slack tells it."""
    message = await posted(shop)
    state = {"values": {"b2": {"pick": {"type": "external_select", "selected_option": None}}}}
    action = {"block_id": "b1", "action_id": "go", "value": "1000000", "text": "x", "type": "y"}
    await shop.pat.ok("blocks.actions", container=container_of(shop, message), actions=[action], state=state)
    kind, payload = shop.told[0]
    assert kind == "interactive"
    assert payload.pop("trigger_id")
    assert payload.pop("response_url").startswith(f"{shop.root_url}response/")
    told = payload.pop("actions")
    assert [{k: v for k, v in each.items() if k != "action_ts"} for each in told] == [
        {"type": "button", "action_id": "go", "block_id": "b1", "text": TEXT, "value": "42", "style": "primary"}
    ]
    shown = payload.pop("message")
    assert (shown["ts"], shown["text"], shown["bot_id"]) == (message["ts"], "Ready?", shop.app.bot_id)
    team = {"id": shop.team_id, "domain": "test-a-click-is-told-with-all-that-an-app-needs"}
    assert payload == {
        "type": "block_actions",
        "team": team,
        "user": {"id": shop.pat.id, "username": "pat", "name": "pat", "team_id": shop.team_id},
        "api_app_id": shop.app.id,
        "token": shop.app.verification_token,
        "enterprise": None,
        "is_enterprise_install": False,
        "container": {
            "type": "message",
            "message_ts": message["ts"],
            "channel_id": shop.room,
            "is_ephemeral": False,
        },
        "channel": {"id": shop.room, "name": "room"},
        "state": state,
    }


async def test_a_choice_is_the_clients_word(shop: Workshop) -> None:
    """And a menu that loads its options asks the app for them."""
    message = await posted(shop)
    where = container_of(shop, message)
    option = {"text": TEXT, "value": "o1"}
    shop.answers["interactive"] = {"options": [option], "more": 1}
    offered = await shop.pat.ok("blocks.suggestions", container=where, block_id="b2", action_id="pick", value="G")
    assert offered["options"] == [option]
    assert {name: shop.last()[name] for name in ("type", "block_id", "action_id", "value")} == {
        "type": "block_suggestion",
        "block_id": "b2",
        "action_id": "pick",
        "value": "G",
    }
    await shop.pat.ok(
        "blocks.actions",
        container=where,
        actions=[{"block_id": "b2", "action_id": "pick", "selected_option": option}],
    )
    assert shop.last()["actions"][0]["selected_option"] == option


async def test_nobody_clicks_what_is_not_there(shop: Workshop) -> None:
    """Another's message, a conversation that one does not see, an element of another block."""
    message = await posted(shop)
    where = container_of(shop, message)
    go = [{"block_id": "b1", "action_id": "go"}]

    async def error(actions: object = go, **container: object) -> str:
        return await shop.pat.error("blocks.actions", container={**where, **container}, actions=actions)

    private = (await shop.root.ok("conversations.create", name="board", is_private=True))["channel"]["id"]
    people = await shop.pat.ok("chat.postMessage", channel=shop.room, text="hi", blocks=BLOCKS)
    assert await error([{"block_id": "b2", "action_id": "go"}]) == "invalid_action"
    assert await error([{"block_id": "b1"}]) == "invalid_action"
    assert await error([]) == "invalid_arguments"
    assert await error(["go"]) == "invalid_arguments"
    assert await error(go * 11) == "invalid_arguments"
    assert await error(message_ts="1700000000.000100") == "message_not_found"
    assert await error(message_ts="now") == "invalid_arguments"
    assert await error(channel_id=private) == "channel_not_found"
    assert await error(message_ts=people["ts"]) == "app_not_found"
    assert await error(type="view", view_id="V0000000000") == "view_not_found"
    assert await error(is_ephemeral=True) == "message_not_found"
    assert (
        await shop.pat.error("blocks.actions", container=where, actions=go, state={"values": 1}) == "invalid_arguments"
    )
    assert await shop.bot.error("blocks.actions", container=where, actions=go) == "not_allowed_token_type"
    assert shop.told == []
    del shop.office.apps.apps[shop.app.id]
    assert await error() == UNREACHABLE
    shop.office.apps.apps[shop.app.id] = shop.answer


async def test_shortcuts_are_told_out_of_nowhere_and_about_messages(shop: Workshop) -> None:
    """Each is what the app says that it is."""
    message = await posted(shop)
    run = {"app_id": shop.app.id}
    await shop.pat.ok("shortcuts.run", **run, callback_id="new")
    assert (shop.last()["type"], shop.last()["callback_id"]) == ("shortcut", "new")
    assert "response_url" not in shop.last()
    about = {"channel": shop.room, "message_ts": message["ts"]}
    await shop.pat.ok("shortcuts.run", **run, callback_id="about", **about)
    told = shop.last()
    assert (told["type"], told["message"]["text"], told["message_ts"]) == ("message_action", "Ready?", message["ts"])
    assert (await shop.post(told["response_url"], {"text": "done", "response_type": "in_channel"}))[0] == 200
    assert (await shop.history())[0]["text"] == "done"
    assert await shop.pat.error("shortcuts.run", **run, callback_id="about") == "shortcut_not_found"
    assert await shop.pat.error("shortcuts.run", **run, callback_id="new", **about) == "shortcut_not_found"
    assert await shop.pat.error("shortcuts.run", **run, callback_id="old") == "shortcut_not_found"
    assert await shop.pat.error("shortcuts.run", app_id="A0000000000", callback_id="new") == "app_not_found"
