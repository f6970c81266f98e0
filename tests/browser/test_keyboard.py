"""Everything by the keyboard alone: no pointer is moved, nothing is clicked, nothing is focused by the test."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.keys import STEPS_MAX, menu_item, tab_to
from tests.browser.screen import Screen
from tests.browser.visits import Browsing

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def test_a_day_without_a_pointer(browsing: Browsing) -> None:
    """Switch, write, go to the message, react, reply in its thread, close it, find out about the keys."""
    visit = await browsing.signed_in("linus")
    page, screen = visit.page, Screen(visit.page)
    await screen.start(f"/client/{browsing.town.general}")
    await page.keyboard.press("ControlOrMeta+k")
    await expect(page.get_by_role("combobox", name="Name of a conversation or a person")).to_be_focused()
    await page.keyboard.type("rand")
    await expect(page.get_by_role("option", name="random").first).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="random")).to_be_visible()

    await expect(screen.main.field).to_be_focused()
    await page.keyboard.type("by keys alone")
    await page.keyboard.press("Enter")
    await screen.main.has("by keys alone")
    await tab_to(page, "article", "", "Shift+Tab")
    await page.keyboard.press("End")
    await expect(screen.main.message("by keys alone")).to_be_focused()
    await page.keyboard.press("r")
    await expect(page.get_by_label("Find an emoji")).to_be_focused()
    await page.keyboard.type("eyes")
    await expect(page.get_by_role("option", name="eyes").first).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(screen.main.message("by keys alone").get_by_role("button", name="eyes, 1")).to_be_visible()

    await expect(screen.main.message("by keys alone")).to_be_focused()
    await page.keyboard.press("t")
    await expect(screen.thread.field).to_be_focused()
    await page.keyboard.type("a reply by keys")
    await page.keyboard.press("Enter")
    await screen.thread.has("a reply by keys")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("region", name="Thread", exact=True)).to_have_count(0)
    await expect(screen.main.message("by keys alone")).to_be_focused()

    await page.keyboard.press("ControlOrMeta+/")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(screen.main.message("by keys alone")).to_be_focused()


async def test_one_writes_mentions_and_emoji_by_completion(browsing: Browsing) -> None:
    """@ and : offer what there is; arrows and Enter choose, and what is sent is what was meant."""
    visit = await browsing.signed_in("linus")
    page, screen = visit.page, Screen(visit.page)
    await screen.start(f"/client/{browsing.town.general}")
    await screen.main.field.focus()
    await page.keyboard.type("ask @gra")
    await expect(page.get_by_role("option", name="grace").first).to_be_visible()
    await page.keyboard.press("Enter")
    await page.keyboard.type("about it :rocke")
    await expect(page.get_by_role("option", name="rocket").first).to_be_visible()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    sent = screen.main.message("about it")
    await expect(sent).to_contain_text("@grace")
    await expect(sent.get_by_role("img", name="rocket")).to_be_visible()
    found = await browsing.town["ada"].ok("conversations.history", channel=browsing.town.general, limit=5)
    assert any(f"<@{browsing.town['grace'].user_id}> about it" in each["text"] for each in found["messages"])


async def test_one_comes_in_goes_about_and_leaves(browsing: Browsing) -> None:
    """The door by Tab and Enter, the list of conversations by arrows, parts of the window by F6, and out by a menu."""
    visit = await browsing.visit()
    page, screen = visit.page, Screen(visit.page)
    await page.goto("/")
    await expect(page.get_by_role("button", name="Ada Lovelace")).to_be_visible()
    await tab_to(page, "button", "with a password instead")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="Name or e-mail")).to_be_visible()
    await tab_to(page, "textbox", "Name or e-mail")
    await page.keyboard.type("ada")
    await page.keyboard.press("Tab")
    await page.keyboard.type("not the password")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_be_visible()
    await tab_to(page, "button", "Choose a demo user")
    await page.keyboard.press("Enter")
    await tab_to(page, "button", "Ada Lovelace")
    await page.keyboard.press("Enter")
    await expect(screen.main.feed.get_by_role("article")).not_to_have_count(0)

    await tab_to(page, "link", "general", "Shift+Tab")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Home")
    await expect(screen.conversations.get_by_role("link", name="Activity")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="Activity")).to_be_visible()
    for _ in range(STEPS_MAX):  # other tests have made channels, too
        await page.keyboard.press("ArrowDown")
        if await screen.place("random").evaluate("(at) => at === document.activeElement"):
            break
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="random")).to_be_visible()
    await expect(screen.main.field).to_be_focused()
    await page.keyboard.press("F6")
    await page.keyboard.press("F6")
    await expect(screen.main.field).to_be_focused()
    await page.keyboard.press("Alt+ArrowUp")
    await expect(page.get_by_role("heading", level=1, name="random")).to_have_count(0)

    await tab_to(page, "button", "Demo", "Shift+Tab")
    await page.keyboard.press("Enter")
    await menu_item(page, "Sign out")
    await expect(page.get_by_role("heading", name="Sign in to Demo")).to_be_visible()
