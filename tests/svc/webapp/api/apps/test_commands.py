"""chat.command: what people type after a slash, over HTTP."""

from __future__ import annotations

import pytest

from svc.webapp.domain.apps.delivery import UNREACHABLE
from tests.svc.webapp.api.apps.workshop import Workshop

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def test_an_app_is_told_of_its_command(shop: Workshop) -> None:
    """All that Slack tells, as text: it may become a form."""
    await shop.pat.ok("chat.command", channel=shop.room, command="/Deploy", text="main --now")
    kind, payload = shop.told[0]
    assert kind == "slash_commands"
    assert payload.pop("response_url").startswith(f"{shop.root_url}response/")
    assert payload.pop("trigger_id")
    assert payload == {
        "token": shop.app.verification_token,
        "team_id": shop.team_id,
        "team_domain": "test-an-app-is-told-of-its-command",
        "channel_id": shop.room,
        "channel_name": "room",
        "user_id": shop.pat.id,
        "user_name": "pat",
        "command": "/deploy",
        "text": "main --now",
        "api_app_id": shop.app.id,
        "is_enterprise_install": "false",
    }
    assert await shop.history() == []


async def test_an_answer_is_for_the_person_alone_unless_it_says_otherwise(shop: Workshop) -> None:
    """And the app's bot need not be in the conversation: somebody who is has asked it."""
    shop.answers["slash_commands"] = {"text": "only for you"}
    await shop.pat.ok("chat.command", channel=shop.room, command="/deploy")
    [note] = shop.events(shop.pat.id)
    assert (note["text"], note["channel"], note["is_ephemeral"]) == ("only for you", shop.room, True)
    assert (note["user"], note["bot_id"]) == (shop.app.user_id, shop.app.bot_id)
    assert (shop.events(shop.kim.id), await shop.history()) == ([], [])
    shop.answers["slash_commands"] = {"text": "for all", "response_type": "in_channel"}
    await shop.kim.ok("chat.command", channel=shop.room, command="/deploy")
    [said] = await shop.history()
    assert (said["text"], said["user"], said["bot_id"], said["app_id"]) == (
        "for all",
        shop.app.user_id,
        shop.app.bot_id,
        shop.app.id,
    )


async def test_commands_work_in_private_and_direct_conversations(shop: Workshop) -> None:
    """Their names are nobody's business; the answer comes in there all the same."""
    private = (await shop.pat.ok("conversations.create", name="secret", is_private=True))["channel"]["id"]
    direct = (await shop.pat.ok("conversations.open", users=shop.kim.id))["channel"]["id"]
    shop.answers["slash_commands"] = {"text": "done", "response_type": "in_channel"}
    for channel, name in ((private, "privategroup"), (direct, "directmessage")):
        await shop.pat.ok("chat.command", channel=channel, command="/deploy")
        assert shop.last()["channel_name"] == name
        assert [each["text"] for each in await shop.history(channel)] == ["done"]


async def test_refusals(shop: Workshop) -> None:
    """Whatever is wrong, nothing is said."""
    elsewhere = (await shop.root.ok("conversations.create", name="elsewhere"))["channel"]["id"]
    error = shop.pat.error
    assert await error("chat.command", channel=shop.room, command="/nobody") == "command_not_found"
    assert await error("chat.command", channel=elsewhere, command="/deploy") == "not_in_channel"
    assert await error("chat.command", channel="C0000000000", command="/deploy") == "channel_not_found"
    assert await error("chat.command", channel=shop.room, command="/deploy", text="x" * 8_001) == "too_long"
    assert await shop.bot.error("chat.command", channel=shop.room, command="/deploy") == "not_allowed_token_type"
    assert shop.told == []
    del shop.office.apps.apps[shop.app.id]
    assert await error("chat.command", channel=shop.room, command="/deploy") == UNREACHABLE
    shop.office.apps.apps[shop.app.id] = shop.answer
    shop.answers["slash_commands"] = {"text": "x", "blocks": [{"type": "nonsense"}]}
    assert (await shop.pat.call("chat.command", channel=shop.room, command="/deploy"))["ok"] is False


async def test_commands_of_ours_are_the_methods_that_they_stand_for(shop: Workshop) -> None:
    """The same rules and the same events, so no more than one example of each sort."""
    run = shop.pat.ok
    await run("chat.command", channel=shop.room, command="/me", text="waves")
    await run("chat.command", channel=shop.room, command="/shrug", text="who knows")
    assert [(each.get("subtype"), each["text"]) for each in await shop.history()] == [
        (None, "who knows ¯\\_(ツ)_/¯"),
        ("me_message", "waves"),
    ]
    await run("chat.command", channel=shop.room, command="/topic", text="News")
    assert (await run("conversations.info", channel=shop.room))["channel"]["topic"]["value"] == "News"
    await run("chat.command", channel=shop.room, command="/invite", text=f"@root <@{shop.bot.id}|ci>")
    members = (await run("conversations.members", channel=shop.room))["members"]
    assert {shop.root.id, shop.bot.id} < set(members)
    await shop.root.ok("conversations.create", name="lounge")
    await run("chat.command", channel=shop.room, command="/join", text="#lounge")
    await run("chat.command", channel=shop.room, command="/msg", text="@kim psst you")
    assert [each["text"] for each in shop.events(shop.room)][-1] != "psst you"
    direct = (await run("conversations.open", users=shop.kim.id))["channel"]["id"]
    assert [each["text"] for each in await shop.history(direct)] == ["psst you"]
    await run("chat.command", channel=shop.room, command="/leave")
    assert await shop.pat.error("chat.command", channel=shop.room, command="/me", text="x") == "not_in_channel"
    assert await shop.pat.error("chat.command", channel=shop.room, command="/msg", text="@nobody x") == "user_not_found"
    assert await shop.pat.error("chat.command", channel=shop.room, command="/me") == "no_text"


async def test_people_are_offered_what_there_is(shop: Workshop) -> None:
    """Commands and shortcuts, by name."""
    listed = await shop.kim.ok("commands.list")
    whose = {"app": shop.app.id, "app_name": "Ci Runner"}
    assert listed["commands"] == [{"name": "/deploy", "desc": "Deploy it", "usage": "[what]", "type": "app", **whose}]
    assert [(each["callback_id"], each["type"]) for each in listed["shortcuts"]] == [
        ("about", "message_action"),
        ("new", "global"),
    ]
