"""Consent: what an app asks a person for, by which the app gets tokens, as bolt's own flow takes them."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_bolt.request import BoltRequest
from slack_sdk import WebClient
from slack_sdk.oauth.installation_store import FileInstallationStore
from slack_sdk.oauth.state_store import FileOAuthStateStore

from svc.webapp.domain.apps.making import Made
from svc.webapp.domain.apps.settings import AppChange
from svc.webapp.store.rows import User
from tests.svc.webapp.api.office import Office, Someone
from tests.svc.webapp.web.browsers import Browser, browser

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

BACK = "https://ci.example/slack/oauth_redirect"
BOTH = {"scope": "chat:write", "user_scope": "users:read,channels:read"}


async def app_of(acme: Office) -> Made:
    """Make an app that browsers come back to."""
    team_id = acme["ada"].user.team_id
    return await acme.services.apps.making.create(team_id, "Consenting", AppChange(redirect_urls=[BACK]))


async def admin_of(acme: Office) -> Someone:
    """Return somebody who may install apps."""
    team_id = acme["ada"].user.team_id
    root = await acme.services.accounts.person(User("", team_id, "root", is_admin=True))
    token = await acme.services.accounts.token_for(root)
    return Someone(root, token, acme.base, acme.http)


async def looked(here: Browser, **asked: str) -> dict[str, Any]:
    """Look at what is asked for."""
    async with here.http.get(here.base / "web/consent" % asked) as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


async def test_an_app_is_given_both_kinds_of_tokens(acme: Office) -> None:
    """An admin agrees; the person's token may what was agreed to and no more, and dies with the app."""
    made, root = await app_of(acme), await admin_of(acme)
    asked = {"client_id": made.app.client_id, **BOTH, "state": "s p"}
    async with browser(acme) as here:
        assert (await looked(here, **asked))["error"] == "not_authed"
        await here.ok("/web/signin/demo", user=root.id)
        page = await looked(here, **asked)
        assert (page["app"]["name"], page["user"]["name"], page["goes_to"]) == ("Consenting", "root", BACK)
        assert (page["scopes"], page["user_scopes"]) == (["chat:write"], ["channels:read", "users:read"])
        assert parse_qs(urlsplit(page["declined"]).query) == {"error": ["access_denied"], "state": ["s p"]}
        elsewhere = {"Origin": "https://evil.example"}
        assert (await here.post("/web/consent/agree", headers=elsewhere, **asked))[0] == 403
        goes_to = urlsplit((await here.ok("/web/consent/agree", **asked))["goes_to"])
    back = parse_qs(goes_to.query)
    assert (f"{goes_to.scheme}://{goes_to.netloc}{goes_to.path}", back["state"]) == (BACK, ["s p"])
    client = WebClient(base_url=acme.base)
    secret = {"client_id": made.app.client_id, "client_secret": made.client_secret}
    granted = await asyncio.to_thread(client.oauth_v2_access, **secret, code=back["code"][0])
    assert (granted["scope"], granted["token_type"], granted["bot_user_id"]) == (
        "chat:write",
        "bot",
        made.app.user_id,
    )
    person = granted["authed_user"]
    assert person["access_token"].startswith("xoxp-")
    assert (person["id"], person["scope"], person["token_type"]) == (root.id, "channels:read,users:read", "user")
    app = Someone(root.user, person["access_token"], acme.base, acme.http)
    who = await app.ok("auth.test")
    assert (who["user_id"], who["bot_id"]) == (root.id, "")
    assert await app.ok("users.info", user=root.id)
    assert (await app.call("search.messages", query="x"))["provided"] == "channels:read,users:read"
    for method in ("chat.postMessage", "apps.install", "chat.command", "client.boot", "blocks.actions", "views.home"):
        refused = await app.call(method, channel=acme.general, text="x", app_id=made.app.id, command="/who")
        assert refused["error"] in ("missing_scope", "invalid_arguments"), (method, refused)
        assert refused["error"] == "missing_scope" or method == "blocks.actions"
    bot = Someone(root.user, granted["access_token"], acme.base, acme.http)
    await bot.ok("apps.uninstall", **secret)
    for gone in (app, bot):
        assert await gone.error("auth.test") == "token_revoked"
    await root.ok("auth.test")


async def test_people_give_an_app_their_own_tokens(acme: Office) -> None:
    """Several of them, each one of its own, without an admin; a bot that may already needs none either."""
    made, root = await app_of(acme), await admin_of(acme)
    secret = {"client_id": made.app.client_id, "client_secret": made.client_secret}
    tokens: dict[str, Someone] = {}
    for name in ("ada", "grace"):
        asked = {"client_id": made.app.client_id, "user_scope": "users:read", "redirect_uri": f"{BACK}/{name}"}
        async with browser(acme, name) as here:
            assert (await looked(here, **asked, scope="chat:write"))["error"] == "not_an_admin"
            assert await here.error("/web/consent/agree", **asked, scope="chat:write") == "not_an_admin"
            code = parse_qs(urlsplit((await here.ok("/web/consent/agree", **asked))["goes_to"]).query)["code"][0]
        given = {**secret, "code": code, "redirect_uri": asked["redirect_uri"]}
        granted = await acme[name].ok("oauth.v2.access", **given)
        assert "access_token" not in granted
        assert "bot_user_id" not in granted
        tokens[name] = Someone(acme[name].user, granted["authed_user"]["access_token"], acme.base, acme.http)
        assert (await tokens[name].ok("auth.test"))["user_id"] == acme[name].id
    assert await tokens["ada"].ok("auth.revoke")
    assert await tokens["ada"].error("auth.test") == "token_revoked"
    await acme["ada"].ok("auth.test")
    await tokens["grace"].ok("auth.test")
    code = await acme.services.apps.installing.install(made.app, root.id, "chat:write", user_scopes="users:read")
    old = await root.ok("oauth.access", **secret, code=code)
    assert (old["scope"], old["user_id"], old["access_token"][:5]) == ("users:read", root.id, "xoxp-")
    assert old["bot"]["bot_access_token"].startswith("xoxb-")
    async with browser(acme, "linus") as here:
        more = {"client_id": made.app.client_id, "scope": "chat:write"}
        assert (await looked(here, **more))["scopes"] == ["chat:write"]
        assert (await looked(here, **{**more, "scope": "chat:write,users:read"}))["error"] == "not_an_admin"
    await acme.services.apps.making.delete(made.app.team_id, made.app.id)
    assert await tokens["grace"].error("auth.test") == "token_revoked"


async def test_a_page_of_consent_says_what_is_wrong(acme: Office) -> None:
    """And sends nobody anywhere."""
    made = await app_of(acme)
    good = {"client_id": made.app.client_id, "user_scope": "users:read"}
    async with browser(acme, "grace") as here:
        for more, code in (
            ({"client_id": "1.2"}, "invalid_client_id"),
            ({"redirect_uri": "https://evil.example/"}, "bad_redirect_uri"),
            ({"user_scope": ""}, "no_scopes"),
            ({"user_scope": "client"}, "invalid_scope"),
            ({"version": "1"}, "no_scopes"),
            ({"state": "x" * 5_000}, "invalid_arguments"),
        ):
            assert (await looked(here, **{**good, **more}))["error"] == code, more
            assert await here.error("/web/consent/agree", **{**good, **more}) == code, more
        old = {"client_id": made.app.client_id, "scope": "identify,search:read", "version": "1"}
        assert (await looked(here, **old))["user_scopes"] == ["identify", "search:read"]


async def test_who_left_meanwhile_gives_nothing(acme: Office) -> None:
    """A code is good for a token of somebody who is there when it is changed."""
    made = await app_of(acme)
    team_id = acme["ada"].user.team_id
    gone = (await acme.hire(team_id, ["leaving"]))["leaving"]
    code = await acme.services.apps.installing.install(made.app, gone.id, user_scopes="users:read")
    await acme.services.people.remove(team_id, gone.id)
    given = {"client_id": made.app.client_id, "client_secret": made.client_secret, "code": code}
    assert await acme["ada"].error("oauth.v2.access", **given) == "invalid_code"


async def test_bolts_own_flow_works(acme: Office, tmp_path: Path) -> None:
    """Its address is what the page is asked by, its callback takes the code, and it keeps both tokens."""
    made, root = await app_of(acme), await admin_of(acme)
    settings = OAuthSettings(
        client_id=made.app.client_id,
        client_secret=made.client_secret,
        scopes=["chat:write"],
        user_scopes=["users:read"],
        redirect_uri=BACK,
        installation_store=FileInstallationStore(base_dir=str(tmp_path)),
        state_store=FileOAuthStateStore(expiration_seconds=600, base_dir=str(tmp_path)),
        authorization_url=acme.base.replace("/api/", "/oauth/v2/authorize"),
    )
    flow = OAuthFlow(client=WebClient(base_url=acme.base), settings=settings)
    begun = await asyncio.to_thread(flow.handle_installation, BoltRequest(body="", headers={}))
    cookies: dict[str, str | Sequence[str]] = {
        "cookie": [each.split(";")[0] for each in begun.headers.get("set-cookie", [])]
    }
    page = begun.body
    start = page.index("/oauth/v2/authorize?")
    asked = {k: v[0] for k, v in parse_qs(urlsplit(html.unescape(page[start : page.index('"', start)])).query).items()}
    async with browser(acme) as here:
        await here.ok("/web/signin/demo", user=root.id)
        goes_to = urlsplit((await here.ok("/web/consent/agree", **asked))["goes_to"])
    query = {k: v[0] for k, v in parse_qs(goes_to.query).items()}
    ended = await asyncio.to_thread(flow.handle_callback, BoltRequest(body="", query=query, headers=cookies))
    assert ended.status == 200, ended.body
    kept = settings.installation_store.find_installation(enterprise_id=None, team_id=root.user.team_id, user_id=root.id)
    assert kept is not None
    assert (kept.bot_scopes, kept.user_scopes, kept.user_id) == (["chat:write"], ["users:read"], root.id)
    me = await asyncio.to_thread(WebClient(kept.user_token, base_url=acme.base).auth_test)
    assert me["user_id"] == root.id
