"""views.*: modals and homes, over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from svc.webapp.domain.apps import passes
from svc.webapp.domain.apps.delivery import UNREACHABLE
from svc.webapp.domain.apps.settings import AppChange
from tests.svc.webapp.api.apps.workshop import Workshop, someone

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

LONG_S = 60.0
"""Instead of three seconds, where a test is not about them: the machine may be busy."""


def modal(title: str = "Ticket", **more: Any) -> dict[str, Any]:
    """A modal as an app gives it."""
    element = {"type": "plain_text_input", "action_id": "words"}
    label = {"type": "plain_text", "text": "Words"}
    block = {"type": "input", "block_id": "b1", "element": element, "label": label}
    return {"type": "modal", "title": {"type": "plain_text", "text": title}, "blocks": [block], **more}


def home(text: str = "Hello") -> dict[str, Any]:
    """What an app shows at home."""
    return {"type": "home", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]}


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Triggers last."""
    monkeypatch.setattr(passes, "TRIGGER_S", LONG_S)


async def trigger(shop: Workshop) -> str:
    """Do something to the app; return the trigger_id."""
    await shop.pat.ok("chat.command", channel=shop.room, command="/deploy")
    found: str = shop.last()["trigger_id"]
    return found


async def opened(shop: Workshop, view: dict[str, Any] | None = None) -> dict[str, Any]:
    """Let the app open a modal for pat."""
    answer = await shop.bot.ok("views.open", trigger_id=await trigger(shop), view=view or modal())
    shown: dict[str, Any] = answer["view"]
    return shown


async def test_a_modal_is_opened_on_the_persons_sockets(shop: Workshop) -> None:
    """With all fields of Slack's view object; on nobody else's."""
    view = await opened(shop, modal(private_metadata="m", callback_id="c", external_id="e"))
    given = modal(private_metadata="m", callback_id="c", external_id="e")
    assert view.pop("hash")
    assert view == {
        **given,
        "id": view["id"],
        "team_id": shop.team_id,
        "submit": None,
        "close": None,
        "clear_on_close": False,
        "notify_on_close": False,
        "submit_disabled": False,
        "state": {"values": {}},
        "root_view_id": view["id"],
        "previous_view_id": None,
        "app_id": shop.app.id,
        "app_installed_team_id": shop.team_id,
        "bot_id": shop.app.bot_id,
    }
    [event] = shop.events(shop.pat.id, "view_opened")
    assert event["view"]["id"] == view["id"]
    assert event["position"].startswith(f"{shop.pat.id}:")
    assert shop.events(shop.kim.id, "view_opened") == []


async def test_a_trigger_opens_one_view_within_three_seconds(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when two try at once; another app's, and what is none, open nothing."""
    first = await trigger(shop)
    answers = await asyncio.gather(*(shop.bot.call("views.open", trigger_id=first, view=modal()) for _ in range(3)))
    assert sorted(str(answer.get("error", "")) for answer in answers) == [
        "",
        "exchanged_trigger_id",
        "exchanged_trigger_id",
    ]
    assert len(shop.events(shop.pat.id, "view_opened")) == 1
    other = await shop.office.services.apps.making.create(shop.team_id, "Other", AppChange(is_socket_mode=True))
    thief = await shop.office.services.apps.making.bot_token(other.app)
    stolen = {"trigger_id": await trigger(shop), "view": modal()}
    assert await someone(shop.office, shop.bot.user, thief).error("views.open", **stolen) == "invalid_trigger_id"
    error = shop.bot.error
    assert await error("views.open", trigger_id="1.2.3", view=modal()) == "invalid_trigger_id"
    assert await error("views.open", view=modal()) == "invalid_trigger_id"
    assert await error("views.open", interactivity_pointer="1.2.3", view=modal()) == "invalid_trigger_id"
    await shop.bot.ok("views.open", interactivity_pointer=await trigger(shop), view=modal())
    assert await shop.pat.error("views.open", **stolen) == "not_allowed_token_type"
    monkeypatch.setattr(passes, "TRIGGER_S", 0.0)
    assert await error("views.open", trigger_id=await trigger(shop), view=modal()) == "expired_trigger_id"


async def test_what_is_not_a_view_is_refused_before_the_trigger_is_used(shop: Workshop) -> None:
    """So the app may try again."""
    passed = await trigger(shop)
    for bad in (
        {"type": "modal"},
        home(),
        modal(blocks=[{"no": "type"}]),
        modal(blocks=[{"type": "divider"}] * 101),
        modal("x" * 25),
        modal(private_metadata="x" * 3_001),
        modal(submit="Go"),
    ):
        assert await shop.bot.error("views.open", trigger_id=passed, view=bad) == "invalid_arguments", bad
    huge = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_000}}] * 100
    assert await shop.bot.error("views.open", trigger_id=passed, view=modal(blocks=huge)) == "view_too_large"
    await shop.bot.ok("views.open", trigger_id=passed, view=modal())


async def test_a_view_is_updated_by_its_id_or_the_apps_own(shop: Workshop) -> None:
    """Of two who saw the same version only one changes it, when they say which they saw."""
    view = await opened(shop, modal(external_id="mine"))
    update = shop.bot.ok
    second = (await update("views.update", view_id=view["id"], view=modal("Two"), hash=view["hash"]))["view"]
    assert (second["title"]["text"], second["id"]) == ("Two", view["id"])
    assert second["hash"] != view["hash"]
    error = shop.bot.error
    assert await error("views.update", view_id=view["id"], view=modal(), hash=view["hash"]) == "hash_conflict"
    await update("views.update", view_id=view["id"], view=modal("Three", external_id="mine"))
    await update("views.update", external_id="mine", view=modal("Four", external_id="mine"))
    told = [each["view"]["title"]["text"] for each in shop.events(shop.pat.id, "view_update")]
    assert told == ["Two", "Three", "Four"]
    assert await error("views.update", view_id="V0000000000", view=modal()) == "not_found"
    assert await error("views.update", view=modal()) == "not_found"
    assert await error("views.update", view_id=view["id"], view=home()) == "invalid_arguments"
    again = {"trigger_id": await trigger(shop), "view": modal(external_id="mine")}
    assert await error("views.open", **again) == "duplicate_external_id"


async def test_three_views_are_a_stack(shop: Workshop) -> None:
    """Each is pushed from what was done in the one below; closing one takes those above with it."""
    button = {"type": "actions", "block_id": "a", "elements": [{"type": "button", "action_id": "more"}]}
    view = modal(blocks=[button])
    views = [await opened(shop, view)]
    for _ in range(2):
        container = {"type": "view", "view_id": views[-1]["id"]}
        await shop.pat.ok("blocks.actions", container=container, actions=[{"block_id": "a", "action_id": "more"}])
        assert shop.last()["view"]["id"] == views[-1]["id"]
        views.append((await shop.bot.ok("views.push", trigger_id=shop.last()["trigger_id"], view=view))["view"])
    assert [each["previous_view_id"] for each in views] == [None, views[0]["id"], views[1]["id"]]
    assert {each["root_view_id"] for each in views} == {views[0]["id"]}
    await shop.pat.ok(
        "blocks.actions",
        container={"type": "view", "view_id": views[2]["id"]},
        actions=[{"block_id": "a", "action_id": "more"}],
    )
    error = shop.bot.error
    assert await error("views.push", trigger_id=shop.last()["trigger_id"], view=view) == "push_limit_reached"
    assert await error("views.push", trigger_id=await trigger(shop), view=view) == "not_found"
    await shop.pat.ok("views.close", view_id=views[1]["id"])
    [closed] = shop.events(shop.pat.id, "view_closed")
    assert closed["view_ids"] == sorted(each["id"] for each in views[1:])
    assert await shop.pat.error("views.close", view_id=views[2]["id"]) == "view_not_found"
    await shop.pat.ok("views.close", view_id=views[0]["id"])


STATE = {"values": {"b1": {"words": {"type": "plain_text_input", "value": "hi"}}}}


async def test_what_is_submitted_is_done_as_the_app_says(shop: Workshop) -> None:
    """Errors keep it open, update and push show another, clear closes all, nothing closes it."""
    view = await opened(shop)

    async def submit(answer: dict[str, Any] | None) -> dict[str, Any]:
        shop.answers["interactive"] = answer
        return await shop.pat.ok("views.submit", view_id=view["id"], state=STATE)

    wrong = await submit({"response_action": "errors", "errors": {"b1": "Say more"}})
    assert (wrong["response_action"], wrong["errors"]) == ("errors", {"b1": "Say more"})
    told = shop.last()
    assert (told["type"], told["view"]["state"], told["view"]["id"]) == ("view_submission", STATE, view["id"])
    assert told["response_urls"] == []
    updated = await submit({"response_action": "update", "view": modal("Sure?")})
    assert (updated["view"]["id"], updated["view"]["title"]["text"]) == (view["id"], "Sure?")
    pushed = await submit({"response_action": "push", "view": modal("Upon")})
    assert pushed["view"]["previous_view_id"] == view["id"]
    assert (await submit({"response_action": "clear"}))["response_action"] == "clear"
    assert shop.events(shop.pat.id, "view_closed")[0]["view_ids"] == sorted([view["id"], pushed["view"]["id"]])
    assert await shop.pat.error("views.submit", view_id=view["id"], state=STATE) == "view_not_found"
    view = await opened(shop)
    assert (await submit(None))["response_action"] == "close"
    assert await shop.pat.error("views.submit", view_id=view["id"]) == "view_not_found"


async def test_a_modal_stays_when_its_app_fails(shop: Workshop) -> None:
    """Nothing that was filled in is lost: the person may try again. Nobody else sees it."""
    view = await opened(shop)
    shop.answers["interactive"] = {"response_action": "update", "view": {"type": "modal"}}
    assert await shop.pat.error("views.submit", view_id=view["id"]) == "invalid_arguments"
    shop.answers["interactive"] = {"response_action": "errors", "errors": "b1"}
    assert await shop.pat.error("views.submit", view_id=view["id"]) == "invalid_arguments"
    del shop.office.apps.apps[shop.app.id]
    assert await shop.pat.error("views.submit", view_id=view["id"]) == UNREACHABLE
    shop.office.apps.apps[shop.app.id] = shop.answer
    assert await shop.kim.error("views.submit", view_id=view["id"]) == "view_not_found"
    assert await shop.kim.error("views.close", view_id=view["id"]) == "view_not_found"
    shop.answers.clear()
    await shop.pat.ok("views.submit", view_id=view["id"])


async def test_an_app_hears_of_what_is_closed_if_it_wants_to(shop: Workshop) -> None:
    """And a modal closes though its app is away."""
    view = await opened(shop, modal(notify_on_close=True))
    await shop.pat.ok("views.close", view_id=view["id"], state=STATE, is_cleared=True)
    told = shop.last()
    assert (told["type"], told["is_cleared"], told["view"]["state"]) == ("view_closed", True, STATE)
    view = await opened(shop, modal(notify_on_close=True))
    del shop.office.apps.apps[shop.app.id]
    await shop.pat.ok("views.close", view_id=view["id"])
    shop.office.apps.apps[shop.app.id] = shop.answer
    heard = len(shop.told)
    await shop.pat.ok("views.close", view_id=(await opened(shop))["id"])
    assert [payload["type"] for _, payload in shop.told[heard:] if "type" in payload] == []


async def test_an_app_hears_who_opens_its_home(shop: Workshop) -> None:
    """Each time, if it wants to know: who, which page, where the two talk, and what the person sees."""

    def heard() -> list[dict[str, Any]]:
        return [each for each in shop.office.payloads(shop.app.user_id) if each["type"] == "app_home_opened"]

    await shop.pat.ok("views.home", app_id=shop.app.id)
    assert heard() == []  # it did not ask for it
    change = AppChange(event_types=["app_home_opened"])
    await shop.office.services.apps.making.change(shop.app.team_id, shop.app.id, change)
    await shop.pat.ok("views.home", app_id=shop.app.id)
    view = (await shop.bot.ok("views.publish", user_id=shop.pat.id, view=home()))["view"]
    await shop.pat.ok("views.home", app_id=shop.app.id)
    await shop.pat.ok("views.home", app_id=shop.app.id, tab="messages")
    direct = (await shop.pat.ok("conversations.open", users=shop.app.user_id))["channel"]["id"]
    event = {"type": "app_home_opened", "user": shop.pat.id, "channel": direct}
    told = [{name: each[name] for name in each if name not in ("event_ts", "position")} for each in heard()]
    assert told == [
        {**event, "tab": "home"},
        {**event, "tab": "home", "view": view},
        {**event, "tab": "messages"},
    ]
    assert all(each["event_ts"] for each in heard())
    assert await shop.pat.error("views.home", app_id=shop.app.id, tab="kitchen") == "invalid_arguments"


async def test_a_home_is_each_persons_own(shop: Workshop) -> None:
    """Published over and over under one id, and read by who it is for."""
    assert (await shop.pat.ok("views.home", app_id=shop.app.id))["view"] is None
    first = (await shop.bot.ok("views.publish", user_id=shop.pat.id, view=home()))["view"]
    second = (await shop.bot.ok("views.publish", user_id=shop.pat.id, view=home("Again"), hash=first["hash"]))["view"]
    assert second["id"] == first["id"]
    seen = (await shop.pat.ok("views.home", app_id=shop.app.id))["view"]
    assert seen["blocks"][0]["text"]["text"] == "Again"
    assert (await shop.kim.ok("views.home", app_id=shop.app.id))["view"] is None
    assert [each["view"]["hash"] for each in shop.events(shop.pat.id, "view_update")] == [second["hash"]]
    error = shop.bot.error
    assert await error("views.publish", user_id=shop.pat.id, view=home(), hash=first["hash"]) == "hash_conflict"
    assert await error("views.publish", user_id=shop.kim.id, view=home(), hash="x") == "hash_conflict"
    assert await error("views.publish", user_id="U0000000000", view=home()) == "user_not_found"
    assert await error("views.publish", user_id=shop.pat.id, view=modal()) == "invalid_arguments"
    assert await shop.pat.error("views.home", app_id="A0000000000") == "app_not_found"
    assert await shop.pat.error("views.submit", view_id=first["id"]) == "view_not_found"
