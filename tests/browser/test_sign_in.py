"""Coming in and going out."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import expect

from tests.browser.screen import Screen
from tests.browser.visits import Browsing, Visit

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def in_the_workspace(visit: Visit) -> Screen:
    """Wait until messages are there."""
    screen = Screen(visit.page)
    await expect(screen.main.feed.get_by_role("article")).not_to_have_count(0)
    return screen


async def test_in_a_demo_one_chooses_who_to_be_and_leaves_again(browsing: Browsing) -> None:
    """Signed out means out: in every tab, and for the socket."""
    visit = await browsing.visit()
    page = visit.page
    await page.goto("/")
    await page.get_by_role("button", name="Ada Lovelace").click()
    await in_the_workspace(visit)
    other = Screen(await visit.tab())
    await other.start("/")
    await page.get_by_role("navigation").get_by_role("button", name="Demo").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in to Demo")).to_be_visible()
    await expect(other.page.get_by_role("heading", name="Sign in to Demo")).to_be_visible()
    assert not (await visit.call("auth.test"))["ok"]
    await page.goto(f"/client/{browsing.town.general}")
    await expect(page.get_by_role("heading", name="Sign in to Demo")).to_be_visible()


async def test_one_joins_by_an_invitation_and_signs_in_by_password(browsing: Browsing) -> None:
    """A wrong password is told, and nothing more; the link is good once."""
    town, name = browsing.town, f"mary{time.time_ns() % 1_000_000}"
    asked = await town["ada"].ok("admin.users.invite", email=f"{name}@example.org", channel_ids=town.general)
    link, password = asked["url"], "correct horse battery staple"
    visit = await browsing.visit()
    page = visit.page
    await page.goto(link)
    await expect(page.get_by_role("heading", name="Join Demo")).to_be_visible()
    await page.get_by_role("textbox", name="Your name").fill("Mary Somerville")
    await page.get_by_role("textbox", name="User name").fill(name)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Create account").click()
    await in_the_workspace(visit)

    again = await browsing.visit()
    page = again.page
    await page.goto(link)
    await expect(page.get_by_role("heading", name="This invitation does not open anything")).to_be_visible()
    await page.get_by_role("button", name="Sign in instead").click()
    await page.get_by_role("button", name="Sign in with a password instead").click()
    await page.get_by_role("textbox", name="Name or e-mail").fill(name)
    await page.get_by_label("Password").fill("incorrect horse")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("alert")).to_be_visible()
    assert await again.context.cookies() == []
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await in_the_workspace(again)
