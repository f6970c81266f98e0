"""Everything around the messages by the keyboard alone: what a channel is, people, preferences, and searching."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import Page, expect

from tests.browser.keys import menu_item, tab_to
from tests.browser.screen import Screen
from tests.browser.visits import Browsing

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def seated(browsing: Browsing, name: str, room: str) -> tuple[Page, Screen]:
    """Return somebody's page and screen, in a conversation, with the focus where one writes."""
    visit = await browsing.signed_in(name)
    screen = Screen(visit.page)
    await screen.start(f"/client/{room}")
    await expect(screen.main.field).to_be_focused()
    return visit.page, screen


async def test_a_channel_is_made_described_filled_and_left(browsing: Browsing) -> None:
    """From the list by a dialog; topic and people in the pane beside; in the end it is left."""
    page, screen = await seated(browsing, "ada", browsing.town.general)
    name, keys = f"keys-{time.time_ns()}", page.keyboard
    await tab_to(page, "button", "Create a channel", "Shift+Tab")
    await keys.press("Enter")
    await expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    await keys.type(name)
    await keys.press("Enter")
    await expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()

    await expect(screen.main.field).to_be_focused()
    await tab_to(page, "button", "Details", "Shift+Tab")
    await keys.press("Enter")
    details = page.get_by_role("region", name="Details", exact=True)
    await expect(details).to_be_visible()
    await tab_to(page, "button", "Edit the topic")
    await keys.press("Enter")
    await expect(details.get_by_role("textbox", name="Topic")).to_be_focused()
    await keys.type("what keys can do")
    await keys.press("Enter")
    await expect(page.get_by_role("main")).to_contain_text("what keys can do")
    await tab_to(page, "tab", "About", "Shift+Tab")
    await keys.press("ArrowRight")
    await expect(details.get_by_role("tab", name="Members")).to_be_focused()
    await expect(details.get_by_role("button", name="ada")).to_be_visible()
    await tab_to(page, "button", "Add people")
    await keys.press("Enter")
    await expect(page.get_by_role("combobox", name="Whom?")).to_be_focused()
    await keys.type("grac")
    await expect(page.get_by_role("option", name="grace").first).to_be_visible()
    await keys.press("Enter")
    await tab_to(page, "button", "Add")
    await keys.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(details.get_by_role("button", name="grace", exact=False).first).to_be_visible()
    await expect(details.get_by_role("button", name="Add people")).to_be_focused()

    await keys.press("Escape")
    await expect(details).to_have_count(0)
    await expect(page.get_by_role("button", name="Details")).to_be_focused()
    await tab_to(page, "button", name, "Shift+Tab")
    await keys.press("Enter")
    await menu_item(page, "Leave channel")
    await expect(page.get_by_role("button", name="Leave", exact=True)).to_be_focused()
    await keys.press("Enter")
    await expect(screen.place(name)).to_have_count(0)
    listed = await browsing.town["ada"].ok("users.conversations", limit=200)
    assert name not in [each.get("name") for each in listed["channels"]]


async def test_one_changes_ones_profile_status_and_preferences(browsing: Browsing) -> None:
    """From the foot of the list; each dialog gives the focus back to where it was found."""
    page, screen = await seated(browsing, "linus", browsing.town.general)
    keys = page.keyboard
    you = page.get_by_role("navigation").get_by_role("button", name="linus")
    await tab_to(page, "button", "linusA", "Shift+Tab")  # with "Active": who wrote a message is a button as well
    await keys.press("Enter")
    await menu_item(page, "Profile")
    await expect(page.get_by_role("button", name="Edit profile")).to_be_focused()
    await keys.press("Enter")
    await expect(page.get_by_role("textbox", name="Full name")).to_be_focused()
    await tab_to(page, "textbox", "Title")
    await keys.press("ControlOrMeta+a")
    await keys.type("Keyboardist")
    await keys.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    profile = (await browsing.town["linus"].ok("users.profile.get"))["profile"]
    assert profile["title"] == "Keyboardist"
    await expect(you).to_be_focused()

    await keys.press("Enter")
    await menu_item(page, "Set a status")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await tab_to(page, "textbox", "")
    await keys.type("at the keys")
    await keys.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(you).to_contain_text("at the keys")
    await keys.press("Enter")
    await menu_item(page, "Clear your status")
    await expect(you).not_to_contain_text("at the keys")

    await tab_to(page, "textbox", "Message")
    await keys.press("ControlOrMeta+,")
    dialog = page.get_by_role("dialog", name="Preferences")
    await expect(dialog).to_be_visible()
    await tab_to(page, "radio", "")
    await keys.press("ArrowRight")
    await keys.press("ArrowRight")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await keys.press("ArrowLeft")
    await keys.press("ArrowLeft")
    await expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")
    await tab_to(page, "tab", "Look", "Shift+Tab")
    await keys.press("ArrowRight")
    await expect(dialog.get_by_role("tab", name="Notifications")).to_be_focused()
    await expect(dialog.get_by_role("switch", name="Sound")).to_be_visible()
    await keys.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(screen.main.field).to_be_focused()


async def test_one_looks_at_somebody_and_writes_to_them(browsing: Browsing) -> None:
    """By the name over a message; and the focus is where one writes."""
    room = await browsing.room("ada", "grace")
    await browsing.town["grace"].post(room, "who am I?")
    page, screen = await seated(browsing, "ada", room)
    await tab_to(page, "article", "", "Shift+Tab")
    await page.keyboard.press("End")
    await expect(screen.main.message("who am I?")).to_be_focused()
    await tab_to(page, "button", "grace")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Profile")).to_contain_text("Grace Hopper")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(screen.main.message("who am I?").get_by_role("button", name="grace")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Message", exact=True)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="grace")).to_be_visible()
    await expect(screen.main.field).to_be_focused()


async def test_what_is_searched_is_found_and_opened(browsing: Browsing) -> None:
    """Ctrl+F, a word, Enter; the found one by Tab, and the message that it leads to has the focus."""
    room, word = await browsing.room("ada", "grace"), f"dugong{time.time_ns()}"
    await browsing.town["grace"].post(room, f"a {word} in the river")
    for number in range(30):
        await browsing.town["grace"].post(room, f"and then {number}")
    ada = browsing.town["ada"]
    deadline = time.monotonic() + 60
    while not (await ada.ok("search.messages", query=word))["messages"]["total"]:
        assert time.monotonic() < deadline
    page, screen = await seated(browsing, "ada", browsing.town.general)
    await page.keyboard.press("ControlOrMeta+f")
    await expect(page.get_by_role("combobox", name="Search messages")).to_be_focused()
    await page.keyboard.type(word)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main").get_by_role("article")).to_contain_text(word)
    await tab_to(page, "tab", "Best")
    await page.keyboard.press("Tab")
    while not await page.evaluate("document.activeElement.closest('article') !== null"):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(screen.main.message(word)).to_be_in_viewport()
    await expect(screen.main.message(word)).to_be_focused()
