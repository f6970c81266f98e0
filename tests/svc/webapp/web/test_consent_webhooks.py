"""Consent to a webhook: the person chooses where it may post, and the code is changed for one that does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from svc.webapp.domain.apps.making import Made
from svc.webapp.domain.apps.settings import AppChange
from svc.webapp.domain.apps.webhooks import WEBHOOKS_MAX
from tests.svc.webapp.api.office import Json, Office, Someone
from tests.svc.webapp.web.browsers import Browser, browser

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

BACK = "https://hooks.example/back"


@dataclass(frozen=True, slots=True)
class Hooked:
    """An app that asks for a webhook, and may have one of anybody: its bot has the scope already."""

    acme: Office
    made: Made

    @property
    def asked(self) -> dict[str, str]:
        """What its address asks for."""
        return {"client_id": self.made.app.client_id, "scope": "incoming-webhook"}

    @property
    def secret(self) -> dict[str, str]:
        """What it knows itself by."""
        return {"client_id": self.made.app.client_id, "client_secret": self.made.client_secret}

    async def code(self, here: Browser, channel: str, **more: str) -> str:
        """Agree, and return the code."""
        answer = await here.ok("/web/consent/agree", **self.asked, channel=channel, **more)
        return parse_qs(urlsplit(answer["goes_to"]).query)["code"][0]

    async def granted(self, here: Browser, channel: str, method: str = "oauth.v2.access", **more: str) -> Json:
        """Agree, change the code, and return the answer."""
        code = await self.code(here, channel, **more)
        return await self.acme["ada"].ok(method, **self.secret, code=code)

    async def post(self, webhook: Json, text: str) -> tuple[int, str]:
        """Post by a webhook."""
        async with self.acme.http.post(webhook["url"], json={"text": text}) as answer:
            return answer.status, await answer.text()


async def hooked(acme: Office) -> Hooked:
    """Make an app whose bot may have webhooks."""
    change = AppChange(scopes=["incoming-webhook"], redirect_urls=[BACK])
    made = await acme.services.apps.making.create(acme["ada"].user.team_id, "Hooked", change)
    code = await acme.services.apps.installing.install(made.app, acme["ada"].id, "incoming-webhook")
    given = {"client_id": made.app.client_id, "client_secret": made.client_secret, "code": code}
    first = await acme["ada"].ok("oauth.v2.access", **given)
    assert "incoming_webhook" not in first, "nobody chose a conversation for it"
    return Hooked(acme, made)


async def latest(who: Someone, channel: str) -> dict[str, Any]:
    """Return the newest message."""
    answer = await who.ok("conversations.history", channel=channel, limit=1)
    message: dict[str, Any] = answer["messages"][0]
    return message


async def test_a_code_becomes_a_webhook_where_the_person_chose(acme: Office) -> None:
    """In a public channel, a private one and a direct message; in both versions; and it goes with the app."""
    app = await hooked(acme)
    grace = acme["grace"]
    private = (await grace.ok("conversations.create", name="hooked-private", is_private=True))["channel"]["id"]
    direct = (await grace.ok("conversations.open", users=acme["linus"].id))["channel"]["id"]
    hooks = []
    async with browser(acme, "grace") as here:
        async with here.http.get(here.base / "web/consent" % app.asked) as answer:
            assert (await answer.json())["wants_channel"] is True
        for channel, label in ((acme.general, "#general"), (private, "#hooked-private"), (direct, "@linus")):
            granted = await app.granted(here, channel)
            assert (granted["token_type"], granted["scope"]) == ("bot", "incoming-webhook")
            hook = granted["incoming_webhook"]
            assert (hook["channel"], hook["channel_id"]) == (label, channel)
            assert hook["configuration_url"].endswith(f"/client/{channel}")
            assert f"/services/{grace.user.team_id}/B" in hook["url"]
            assert await app.post(hook, f"to {label}") == (200, "ok")
            message = await latest(grace, channel)
            assert (message["text"], message["username"]) == (f"to {label}", "Hooked")
            hooks.append(hook)
        # By its name, and in the first version, where it is asked for beside the bot.
        more = {"version": "1", "scope": "bot,incoming-webhook"}
        refused = await here.error("/web/consent/agree", **{**app.asked, **more}, channel="#general")
        assert refused == "not_an_admin", "the bot would be a classic one"
        old = {**app.asked, "version": "1", "channel": "#general"}
        goes_to = (await here.ok("/web/consent/agree", **old))["goes_to"]
        code = parse_qs(urlsplit(goes_to).query)["code"][0]
    first = await grace.ok("oauth.access", **app.secret, code=code)
    assert first["incoming_webhook"]["channel_id"] == acme.general
    hooks.append(first["incoming_webhook"])
    assert len({hook["url"] for hook in hooks}) == 4
    await acme.services.apps.making.uninstall(app.made.app)
    for hook in hooks:
        assert await app.post(hook, "x") == (404, "no_service")


async def test_one_chooses_where_one_may_post_oneself(acme: Office) -> None:
    """Anything else is named, and gives no code; without the scope a choice means nothing."""
    app = await hooked(acme)
    ada, grace = acme["ada"], acme["grace"]
    foreign = (await ada.ok("conversations.create", name="hooked-foreign", is_private=True))["channel"]["id"]
    public = (await ada.ok("conversations.create", name="hooked-public"))["channel"]["id"]
    archived = (await grace.ok("conversations.create", name="hooked-archived"))["channel"]["id"]
    await grace.ok("conversations.archive", channel=archived)
    async with browser(acme, "grace") as here:
        for channel, code in (
            ("", "no_channel"),
            (" ", "no_channel"),
            ("C0000000000", "channel_not_found"),
            ("nowhere at all", "channel_not_found"),
            (foreign, "channel_not_found"),
            (public, "not_in_channel"),
            (archived, "is_archived"),
            ("x" * 300, "channel_not_found"),
        ):
            assert await here.error("/web/consent/agree", **app.asked, channel=channel) == code, channel
        assert await here.error("/web/consent/agree", **app.asked) == "no_channel"
        plain = {"client_id": app.made.app.client_id, "user_scope": "users:read", "channel": acme.general}
        goes_to = (await here.ok("/web/consent/agree", **plain))["goes_to"]
    code = parse_qs(urlsplit(goes_to).query)["code"][0]
    assert "incoming_webhook" not in await ada.ok("oauth.v2.access", **app.secret, code=code)


async def test_a_choice_holds_until_the_code_is_changed(acme: Office) -> None:
    """Who may not post there any more lets nobody post there; and there is a bound to webhooks."""
    app = await hooked(acme)
    grace = acme["grace"]
    left = (await grace.ok("conversations.create", name="hooked-left"))["channel"]["id"]
    async with browser(acme, "grace") as here:
        code = await app.code(here, left)
        await grace.ok("conversations.leave", channel=left)
        assert await grace.error("oauth.v2.access", **app.secret, code=code) == "invalid_code"
        code = await app.code(here, acme.general)
        general = await acme.services.channels.conversation(acme.general)
        assert general is not None
        assert await acme.services.apps.webhooks.of_app(app.made.app) == []
        for _ in range(WEBHOOKS_MAX):
            await acme.services.apps.webhooks.create(app.made.app, general)
        assert await here.error("/web/consent/agree", **app.asked, channel=acme.general) == "too_many_webhooks"
    assert await grace.error("oauth.v2.access", **app.secret, code=code) == "too_many_webhooks"


async def test_no_token_is_rotated(acme: Office) -> None:
    """As at Slack for an app that did not opt in: its tokens do not end, and there is nothing to refresh."""
    app, ada = await hooked(acme), acme["ada"]
    wanted = {"grant_type": "refresh_token", "refresh_token": "xoxe-1-x"}
    for method in ("oauth.v2.access", "oauth.access"):
        assert await ada.error(method, **app.secret, **wanted) == "token_rotation_not_enabled"
        wrong = {**app.secret, "client_secret": "x"}
        assert await ada.error(method, **wrong, **wanted) == "bad_client_secret"
        assert await ada.error(method, **app.secret) == "invalid_code"
        assert await ada.error(method, **app.secret, grant_type="password") == "invalid_grant_type"
