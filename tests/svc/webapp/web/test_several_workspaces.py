"""Two workspaces of one installation, one of which anybody may enter: signing in has to say which."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from svc.webapp.domain.apps.settings import AppChange
from svc.webapp.web.config import WebConfig
from tests.svc.webapp.api.office import Office, Someone, office
from tests.svc.webapp.web.browsers import browser

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> AsyncIterator[tuple[Office, Someone]]:
    """Acme, which is open, and otto of another, which is not."""
    web = WebConfig(static_dir=str(folder), demo="acme, nowhere")
    async with office(tmp_path_factory.mktemp("several"), web=web) as acme:
        team, _ = await acme.services.accounts.team("Closed", "closed")
        yield acme, (await acme.hire(team.id, ["otto"]))["otto"]


async def test_a_demo_is_open_to_its_own_people_alone(both: tuple[Office, Someone]) -> None:
    """Not as a bot, as one who left, as somebody of a workspace that is none, nor as nobody."""
    acme, otto = both
    gone = (await acme.hire(acme["ada"].user.team_id, ["gone"]))["gone"]
    await acme.services.people.remove(gone.user.team_id, gone.id)
    async with browser(acme) as here:
        for user in (acme["helper"].id, gone.id, otto.id, "U00000000ZZ", "nonsense", ""):
            assert await here.error("/web/signin/demo", user=user) == "user_not_found"
        _, offered = await here.get("/web/session")
        assert (offered["team"], offered["demo"]) == (None, True)
        assert {each["domain"] for each in offered["teams"]} == {"acme", "closed"}
        assert {each["name"] for each in offered["demo_users"]} == {"ada", "grace", "linus"}
        _, closed = await here.get("/web/session?team=closed")
        assert (closed["team"]["name"], closed["demo"], closed["demo_users"]) == ("Closed", False, [])
        await here.ok("/web/signin/demo", user=acme["grace"].id)
        _, inside = await here.get("/web/session?team=closed")
        assert (inside["team"]["domain"], inside["user"]["name"]) == ("acme", "grace")


async def test_signing_in_says_which_workspace(both: tuple[Office, Someone]) -> None:
    """By its domain; without one, or with the other's, nobody of this name is there."""
    acme, otto = both
    await acme.services.passwords.set(otto.user, "correct horse battery")
    async with browser(acme) as here:
        for team in ({}, {"team": ""}, {"team": "acme"}, {"team": "nowhere"}):
            told = {"login": "otto", "password": "correct horse battery", **team}
            assert await here.error("/web/signin", **told) == "invalid_login"
        await here.ok("/web/signin", team="CLOSED", login="otto", password="correct horse battery")
        assert (await here.call("auth.test"))["team_id"] == otto.user.team_id


async def test_an_app_is_let_in_where_it_was_made(both: tuple[Office, Someone]) -> None:
    """Nobody of another workspace can agree to what it asks for."""
    acme, otto = both
    back = "https://ci.example/slack/oauth_redirect"
    other = await acme.services.apps.making.create(otto.user.team_id, "Other", AppChange(redirect_urls=[back]))
    asked = {"client_id": other.app.client_id, "user_scope": "users:read"}
    async with browser(acme, "grace") as here:
        async with here.http.get(here.base / "web/consent" % asked) as answer:
            assert (await answer.json())["error"] == "invalid_team_for_non_distributed_app"
        assert await here.error("/web/consent/agree", **asked) == "invalid_team_for_non_distributed_app"
