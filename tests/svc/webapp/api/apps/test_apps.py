"""How apps are made, installed, changed and removed, and what their tokens may."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from svc.kit.tokens import token_ids
from svc.webapp.domain.apps import installing as installing_module
from svc.webapp.domain.apps.model import Command
from svc.webapp.domain.apps.settings import AppChange
from svc.webapp.domain.refusal import Refused
from tests.svc.webapp.api.apps.workshop import Workshop, someone

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def refusal(work: Any) -> str:
    """Return the code with which something is refused."""
    with pytest.raises(Refused) as refused:
        await work
    return refused.value.code


async def test_an_app_has_a_bot_with_a_name_of_its_own(shop: Workshop) -> None:
    """The team hears that it joined, and that there is an app; auth.test and bots.info know it."""
    joined = [each["user"] for each in shop.events(shop.team_id, "team_join") if each["user"]["is_bot"]]
    assert [(each["id"], each["name"], each["real_name"]) for each in joined] == [
        (shop.app.user_id, "ci-runner", "Ci Runner")
    ]
    [news] = shop.events(shop.team_id, "apps_changed")
    assert news["app"] == {
        "id": shop.app.id,
        "name": "Ci Runner",
        "bot_id": shop.app.bot_id,
        "user_id": shop.app.user_id,
        "deleted": False,
    }
    me = await shop.bot.ok("auth.test")
    assert (me["user_id"], me["bot_id"], me["user"]) == (shop.app.user_id, shop.app.bot_id, "ci-runner")
    another = await shop.office.services.apps.making.create(shop.team_id, "Ci Runner", AppChange())
    assert another.bot_name == "ci-runner-2"
    made = shop.office.services.apps.making.create(shop.team_id, "x", AppChange(), bot_name="ci-runner")
    assert await refusal(made) == "name_taken"


async def test_what_changes_is_read_at_once_everywhere(shop: Workshop) -> None:
    """By the directory, by who looks for changes, and by whoever types the command."""
    apps = shop.office.services.apps
    before = shop.app.revision_us
    changed = await apps.making.change(
        shop.team_id, shop.app.id, AppChange(commands=[Command("ship")], event_types=["app_mention"], name="Ship")
    )
    assert (changed.name, changed.event_types, changed.is_socket_mode) == ("Ship", ("app_mention",), True)
    now = await apps.directory.app(shop.team_id, shop.app.id)
    assert now is not None
    assert (now.name, [each.name for each in now.commands]) == ("Ship", ["/ship"])
    assert now.revision_us > before
    assert now.version > 0
    assert [app.id for app in await apps.directory.apps_of(shop.team_id)] == [shop.app.id]
    assert shop.app.id in {app.id for app in await apps.directory.changed_since(now.revision_us - 1)}
    assert await apps.directory.changed_since(2**62) == []
    found, after = [], ("", "")
    while page := await apps.directory.all_apps(after, limit=2):
        found += page
        after = (page[-1].team_id, page[-1].id)
    assert shop.app.id in {app.id for app in found}
    assert len({app.id for app in found}) == len(found)
    assert await shop.pat.error("chat.command", channel=shop.room, command="/deploy") == "command_not_found"
    await shop.pat.ok("chat.command", channel=shop.room, command="/ship")
    taken = apps.making.create(shop.team_id, "Twin", AppChange(commands=[Command("/SHIP")]))
    assert await refusal(taken) == "command_taken"
    assert await refusal(apps.making.change(shop.team_id, "A0000000000", AppChange())) == "app_not_found"


async def test_a_code_is_changed_for_a_token_once(shop: Workshop) -> None:
    """By slack_sdk, whose credentials are in a header; the token may what was granted, and no more."""
    granted = await shop.root.ok("apps.install", app_id=shop.app.id, scope="chat:write,channels:read")
    assert granted["client_id"] == shop.app.client_id
    client = WebClient(base_url=shop.office.base)
    given = {"client_id": shop.app.client_id, "client_secret": shop.made.client_secret, "code": granted["code"]}
    answer = await asyncio.to_thread(client.oauth_v2_access, **given)
    token = str(answer["access_token"])
    assert token.startswith("xoxb-")
    assert (answer["bot_user_id"], answer["app_id"]) == (shop.app.user_id, shop.app.id)
    assert (answer["scope"], answer["token_type"]) == ("channels:read,chat:write", "bot")
    assert (answer["team"]["id"], answer["authed_user"]["id"]) == (shop.team_id, shop.root.id)
    bot = someone(shop.office, shop.bot.user, token)
    assert (await bot.ok("auth.test"))["bot_id"] == shop.app.bot_id
    missing = await bot.call("users.list")
    if not missing["ok"]:
        assert missing["error"] == "missing_scope"
        assert missing["provided"] == "channels:read,chat:write"
    with pytest.raises(SlackApiError) as used:
        await asyncio.to_thread(client.oauth_v2_access, **given)
    assert used.value.response["error"] == "invalid_code"
    assert await shop.pat.error("apps.install", app_id=shop.app.id) == "not_an_admin"
    assert await shop.root.error("apps.install", app_id="A0000000000") == "app_not_found"
    assert await shop.root.error("apps.install", app_id=shop.app.id, scope="Chat Write") == "invalid_scope"


async def test_who_does_not_know_the_secret_gets_no_token(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor who is late, or names another address; oauth.access is the same by its old name."""
    anybody = someone(shop.office, shop.pat.user, "")

    async def access(method: str = "oauth.v2.access", **more: Any) -> dict[str, Any]:
        code = (await shop.root.ok("apps.install", app_id=shop.app.id, redirect_uri="https://x.example/"))["code"]
        good = {
            "client_id": shop.app.client_id,
            "client_secret": shop.made.client_secret,
            "code": code,
            "redirect_uri": "https://x.example/",
        }
        return await anybody.call(method, **{**good, **more})

    for more, code in (
        ({"client_id": "1.2"}, "invalid_client_id"),
        ({"client_id": "me"}, "invalid_client_id"),
        ({"client_id": None}, "invalid_client_id"),
        ({"client_secret": "guess"}, "bad_client_secret"),
        ({"client_secret": None}, "bad_client_secret"),
        ({"code": "guess"}, "invalid_code"),
        ({"code": None}, "invalid_code"),
        ({"redirect_uri": "https://y.example/"}, "bad_redirect_uri"),
        ({"grant_type": "password"}, "invalid_grant_type"),
    ):
        assert (await access(**more))["error"] == code, more
    old = await access("oauth.access")
    assert old["bot"]["bot_access_token"] == old["access_token"]
    assert (await access())["scope"] == "identify,bot:basic"
    monkeypatch.setattr(installing_module, "CODE_S", 0)
    assert (await access())["error"] == "invalid_code"


async def test_an_app_uninstalls_itself(shop: Workshop) -> None:
    """Its tokens are revoked and its webhooks gone; it may be installed again."""
    room = await shop.office.services.channels.conversation(shop.room)
    assert room is not None
    hook = await shop.office.services.apps.webhooks.create(shop.app, room)
    secret = {"client_id": shop.app.client_id, "client_secret": shop.made.client_secret}
    assert await shop.pat.error("apps.uninstall", **secret) == "client_id_token_mismatch"
    assert await shop.bot.error("apps.uninstall", **{**secret, "client_secret": "x"}) == "bad_client_secret"
    await shop.bot.ok("apps.uninstall", **secret)
    assert await shop.bot.error("auth.test") == "token_revoked"
    assert await shop.post(shop.root_url + hook.path, {"text": "x"}) == (404, "no_service")
    token = await shop.office.services.apps.making.bot_token(shop.app)
    await someone(shop.office, shop.bot.user, token).ok("auth.test")


async def test_an_app_that_is_removed_is_gone(shop: Workshop) -> None:
    """With its command, its tokens and its bot; what it said stays."""
    apps = shop.office.services.apps
    await shop.bot.ok("conversations.join", channel=shop.room)
    await shop.bot.ok("chat.postMessage", channel=shop.room, text="I was here")
    await apps.making.delete(shop.team_id, shop.app.id)
    assert await apps.directory.app(shop.team_id, shop.app.id) is None
    assert await shop.pat.error("chat.command", channel=shop.room, command="/deploy") == "command_not_found"
    assert await shop.bot.error("auth.test") in ("token_revoked", "account_inactive")
    assert (await shop.pat.ok("users.info", user=shop.app.user_id))["user"]["deleted"] is True
    assert (await shop.history())[0]["text"] == "I was here"
    assert shop.events(shop.team_id, "apps_changed")[-1]["app"]["deleted"] is True
    assert await refusal(apps.making.delete(shop.team_id, shop.app.id)) == "app_not_found"
    gone = [app for app in await apps.directory.changed_since(0, 10_000) if app.id == shop.app.id]
    assert [app.deleted for app in gone] == [True]


async def test_a_token_of_the_app_as_such_opens_sockets_and_nothing_else(shop: Workshop) -> None:
    """Its ids are the bot's user's, its kind another."""
    token = await shop.office.services.apps.making.app_token(shop.app)
    assert token.startswith("xapp-")
    assert token_ids(token) == (shop.team_id, shop.app.user_id)
    app = someone(shop.office, shop.bot.user, token)
    for method in ("auth.test", "chat.postMessage", "users.list", "views.open", "apps.install"):
        assert await app.error(method, channel=shop.room, text="x") == "not_allowed_token_type"


async def test_secrets_are_replaced(shop: Workshop) -> None:
    """The old ones open nothing any more."""
    making = shop.office.services.apps.making
    app, secret = await making.new_secrets(shop.team_id, shop.app.id)
    assert app.signing_secret != shop.app.signing_secret
    installing = shop.office.services.apps.installing
    assert (await installing.authenticated(app.client_id, secret)).id == shop.app.id
    assert await refusal(installing.authenticated(app.client_id, shop.made.client_secret)) == "bad_client_secret"
