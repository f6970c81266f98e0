"""An app is let in by a person: consent, where it may post, and what the app has of it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.async_api import expect

from ops.keyspaces import workspace_rules
from svc.webapp.domain.apps.making import Made
from svc.webapp.domain.apps.settings import AppChange
from tests.browser.visits import NARROW, PATIENCE_MS, Browsing, Theme

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def installable(browsing: Browsing, name: str) -> Made:
    """Make an app that browsers come back from to a page of ours, so that nothing is asked of anybody else."""
    town = browsing.town
    async with workspace_rules(town.mesh.dsns, town.mesh.memcached_addrs) as bench:
        team_id = (await town["ada"].ok("auth.test"))["team_id"]
        change = AppChange(redirect_urls=[f"{town.mesh.web_url}/signin"])
        return await bench.services.apps.making.create(team_id, name, change)


def page_of(made: Made) -> str:
    """Return the address at which the app asks."""
    asked = {"client_id": made.app.client_id, "scope": "incoming-webhook,chat:write", "state": "st&te"}
    return f"/oauth/v2/authorize?{urlencode(asked)}"


async def test_an_admin_chooses_where_an_app_posts(browsing: Browsing) -> None:
    """By the keyboard alone; the code that the browser brings back is good for a token and for a webhook there."""
    town = browsing.town
    room = await browsing.room("ada")
    room_name = (await town["ada"].ok("conversations.info", channel=room))["channel"]["name"]
    made = await installable(browsing, "Train")
    visit = await browsing.signed_in("ada")
    page = visit.page
    await page.goto(page_of(made))
    await expect(page.get_by_role("heading", name="Train asks for access to Demo")).to_be_visible()
    allow = page.get_by_role("button", name="Allow")
    field = page.get_by_role("combobox", name="Where may Train post?")
    await expect(field).to_be_visible()
    await browsing.keep(page, "consent-asked")
    await allow.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Choose where")
    await field.fill(room_name)
    await expect(page.get_by_role("option")).to_have_count(1)
    await browsing.keep(page, "consent-found")
    await field.press("Enter")
    await expect(page.get_by_role("button", name="Change")).to_be_focused()
    await browsing.keep(page, "consent-chosen")
    async with page.expect_request(lambda request: "code=" in request.url, timeout=PATIENCE_MS) as gone:
        await allow.press("Enter")
    back = urlsplit((await gone.value).url)
    query = parse_qs(back.query)
    assert (back.path, query["state"]) == ("/signin", ["st&te"])
    secret = {"client_id": made.app.client_id, "client_secret": made.client_secret}
    granted = await town["ada"].ok("oauth.v2.access", **secret, code=query["code"][0])
    assert (granted["scope"], granted["token_type"]) == ("chat:write,incoming-webhook", "bot")
    hook = granted["incoming_webhook"]
    assert (hook["channel"], hook["channel_id"]) == (f"#{room_name}", room)
    async with town.http.post(hook["url"], json={"text": "The train has left."}) as answer:
        assert (answer.status, await answer.text()) == (200, "ok")
    shown = await visit.tab()
    await shown.goto(hook["configuration_url"])
    await expect(shown.get_by_role("article").filter(has_text="The train has left.")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_page_of_consent_fits_a_phone(browsing: Browsing, theme: Theme) -> None:
    """Nothing of it is beside the screen, with the list open and with a choice made."""
    made = await installable(browsing, "Release Train")
    visit = await browsing.signed_in("ada", theme, NARROW)
    page = visit.page
    await page.goto(page_of(made))
    option = page.get_by_role("option").first
    await expect(option).to_be_visible()
    await browsing.keep(page, f"consent-narrow-{theme}")
    await option.click()
    await expect(page.get_by_role("button", name="Change")).to_be_visible()
    await browsing.keep(page, f"consent-narrow-chosen-{theme}")
    assert await page.evaluate("document.scrollingElement.scrollWidth") <= NARROW[0]
    cancel = page.get_by_role("button", name="Cancel")
    await cancel.scroll_into_view_if_needed()
    await expect(cancel).to_be_in_viewport()
