"""Apps in the browser: Slack's framework over Socket Mode on one side, people with buttons and menus on the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import expect
from slack_bolt import App as BoltApp
from slack_sdk import WebClient

from svc.webapp.domain.apps.settings import AppChange
from tests.browser.screen import Screen
from tests.browser.visits import Browsing
from tests.mesh.app_makers import Made, make_app
from tests.mesh.people import Json
from tests.mesh.test_app_commands import running
from tests.mesh.towns import Town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


def words(text: str) -> Json:
    """Return a text that is nothing else."""
    return {"type": "plain_text", "text": text}


QUESTION: list[Json] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "Deploy *4711*?"}},
    {
        "type": "actions",
        "block_id": "decision",
        "elements": [
            {"type": "button", "action_id": "approve", "value": "4711", "style": "primary", "text": words("Approve")},
            {
                "type": "button",
                "action_id": "reject",
                "value": "4711",
                "style": "danger",
                "text": words("Reject"),
                "confirm": {
                    "title": words("Reject it?"),
                    "text": words("Nobody will deploy."),
                    "confirm": words("Yes, reject"),
                    "deny": words("No"),
                },
            },
            {
                "type": "static_select",
                "action_id": "where",
                "placeholder": words("Where to"),
                "options": [{"text": words(each.title()), "value": each} for each in ("staging", "production")],
            },
        ],
    },
]


def deployer(town: Town, made: Made) -> BoltApp:
    """Make an app that asks before it deploys."""
    client = WebClient(made.bot_token, base_url=f"{town.mesh.web_url}/api/")
    bolt = BoltApp(client=client, signing_secret=made.app.signing_secret, raise_error_for_unhandled_request=False)

    @bolt.action("approve")
    def approve(ack: Callable[..., None], action: Json, body: Json, respond: Callable[..., Any]) -> None:
        ack()
        respond(text=f"approved {action['value']} by {body['user']['name']}", replace_original=True)

    @bolt.action("reject")
    def reject(ack: Callable[..., None], action: Json, say: Callable[..., Any]) -> None:
        ack()
        say(f"rejected {action['value']}")

    @bolt.action("where")
    def where(ack: Callable[..., None], action: Json, say: Callable[..., Any]) -> None:
        ack()
        say(f"to {action['selected_option']['value']}")

    return bolt


async def test_an_app_hears_of_buttons_and_menus_and_answers(browsing: Browsing) -> None:
    """A menu, a button that asks first, one that changes the message: by pointer, and by keys; others see it too."""
    town, room = browsing.town, await browsing.room("ada", "grace")
    made = await make_app(town, f"deployer-{time.time_ns()}", AppChange(is_socket_mode=True), room)
    async with running(town, made, deployer(town, made)):
        bot = made.person(town)
        await bot.ok("chat.postMessage", channel=room, text="Deploy 4711?", blocks=QUESTION)
        screens = []
        for name in ("ada", "grace"):
            screens.append(Screen((await browsing.signed_in(name)).page))
            await screens[-1].start(f"/client/{room}")
        ada, grace = screens
        asked = ada.main.message("Deploy 4711?")
        await asked.get_by_role("combobox", name="Where to").select_option("Production")
        await grace.main.has("to production")

        await asked.get_by_role("button", name="Reject").click()
        dialog = ada.page.get_by_role("dialog", name="Reject it?")
        await dialog.get_by_role("button", name="No").click()
        await expect(dialog).to_have_count(0)
        await asked.get_by_role("button", name="Reject").click()
        await dialog.get_by_role("button", name="Yes, reject").click()
        await grace.main.has("rejected 4711")

        await asked.get_by_role("button", name="Approve").focus()
        await ada.page.keyboard.press("Enter")
        for screen in screens:
            await screen.main.has("approved 4711 by ada")
            await expect(screen.page.get_by_role("button", name="Approve")).to_have_count(0)
