"""Messages by the keyboard alone: read up and down, acted on, written, with files and formats and names."""

from __future__ import annotations

import asyncio
import time

import pytest
from playwright.async_api import Locator, expect

from tests.browser.keys import menu_item, tab_to
from tests.browser.screen import Screen
from tests.browser.visits import PATIENCE_MS, Browsing, Visit

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]


async def reading(browsing: Browsing, *texts: str) -> tuple[Visit, Screen, list[str]]:
    """Return ada's screen with the focus on the last of her messages, and their ts."""
    room = await browsing.room("ada", "grace")
    sent = [str((await browsing.town["ada"].post(room, text))["ts"]) for text in texts]
    visit = await browsing.signed_in("ada")
    await visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    screen = Screen(visit.page)
    await screen.start(f"/client/{room}")
    await screen.main.has(texts[-1])
    await expect(screen.main.field).to_be_focused()
    await tab_to(visit.page, "article", "", "Shift+Tab")
    await visit.page.keyboard.press("End")
    await expect(screen.main.message(texts[-1])).to_be_focused()
    return visit, screen, sent


async def test_messages_are_read_up_and_down(browsing: Browsing) -> None:
    """Arrows, pages and ends move from message to message, and what has the focus is in sight."""
    texts = [f"line {number:02}." for number in range(40)]
    visit, screen, _ = await reading(browsing, *texts)
    keys = visit.page.keyboard

    async def at(text: str) -> None:
        await expect(screen.main.message(text)).to_be_focused()
        await expect(screen.main.message(text)).to_be_in_viewport()

    await keys.press("ArrowUp")
    await at(texts[38])
    await keys.press("PageUp")
    await at(texts[30])
    await keys.press("ArrowDown")
    await at(texts[31])
    await keys.press("Home")
    await expect(screen.main.feed.get_by_role("article").first).to_be_focused()
    await keys.press("End")
    await at(texts[39])


async def test_a_message_is_acted_on(browsing: Browsing) -> None:
    """Save, pin, edit, mark as unread, copy link and text, delete: by letters or its menu; the focus stays with it."""
    visit, screen, sent = await reading(browsing, "the first", "to be acted on")
    page, keys = visit.page, visit.page.keyboard
    message = screen.main.message("to be acted on")
    await keys.press("p")
    await expect(message).to_contain_text("Pinned")
    await keys.press("s")
    await expect(message).to_contain_text("Saved")
    await expect(message).to_be_focused()
    await keys.press("e")
    await expect(screen.main.feed.get_by_role("textbox")).to_be_focused()
    await keys.press("End")
    await keys.type(", edited")
    await keys.press("Enter")
    await expect(message).to_contain_text("to be acted on, edited")
    await expect(message).to_be_focused()

    await keys.press("Enter")
    await menu_item(page, "Copy link")
    await expect(page.get_by_text("Link copied")).to_be_visible()
    assert sent[1].replace(".", "") in await page.evaluate("navigator.clipboard.readText()")
    await in_focus(message)
    await keys.press("ControlOrMeta+c")
    await expect(page.get_by_text("Text copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == "to be acted on, edited"
    await keys.press("u")
    await expect(page.get_by_role("status").filter(has_text="Marked as unread")).to_have_count(1)
    await expect(screen.conversations.locator("[aria-current=page]")).to_contain_text("unread")
    await keys.press("Enter")
    await page.get_by_role("menu").wait_for()
    await keys.press("Escape")
    await expect(page.get_by_role("menu")).to_have_count(0)
    await in_focus(message)
    await keys.press("Delete")
    await expect(page.get_by_role("dialog", name="Delete this message?")).to_be_visible()
    await keys.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(message).to_be_focused()
    await keys.press("Delete")
    await expect(page.get_by_role("button", name="Delete", exact=True)).to_be_focused()
    await keys.press("Enter")
    await screen.main.has("to be acted on", 0)
    await screen.main.has("the first")


async def in_focus(message: Locator) -> None:
    """Wait until the message, or something of it, has the focus; from within, Escape leads to the message."""
    await expect(message.locator(":focus").or_(message.and_(message.page.locator(":focus")))).to_have_count(1)
    if not await message.evaluate("(at) => at === document.activeElement"):
        await message.page.keyboard.press("Escape")
    await expect(message).to_be_focused()


async def test_one_writes_with_formats_names_emoji_and_files(browsing: Browsing) -> None:
    """Lines, bold, # and @, an emoji out of the picker, and a file by its button."""
    town, room = browsing.town, await browsing.room("ada", "grace")
    visit = await browsing.signed_in("ada")
    page, screen, keys = visit.page, Screen(visit.page), visit.page.keyboard
    await screen.start(f"/client/{room}")
    await expect(screen.main.field).to_be_focused()
    mark = f"w{time.time_ns()}"
    await keys.type(f"{mark} ")
    await keys.press("ControlOrMeta+b")
    await keys.type("strong")
    await keys.press("ControlOrMeta+b")
    await keys.press("Shift+Enter")
    await keys.type("see #gener")
    await expect(page.get_by_role("option", name="general").first).to_be_visible()
    await keys.press("Tab")
    await expect(page.get_by_role("option")).to_have_count(0)
    await keys.type("with @gra")
    await expect(page.get_by_role("option", name="grace").first).to_be_visible()
    await keys.press("Escape")
    await expect(page.get_by_role("option")).to_have_count(0)
    await keys.press("Backspace")
    await keys.type("a")
    await expect(page.get_by_role("option", name="grace").first).to_be_visible()
    await keys.press("Enter")

    await tab_to(page, "button", "Emoji")
    await keys.press("Enter")
    await expect(page.get_by_label("Find an emoji")).to_be_focused()
    await keys.type("sparkles")
    await expect(page.get_by_role("option", name="sparkles").first).to_be_visible()
    await keys.press("Enter")
    await expect(screen.main.field).to_be_focused()

    # The browser is told of the wait first: it has to be, before the key is pressed.
    async with page.expect_file_chooser() as chooser:
        await tab_to(page, "button", "Attach files")
        await keys.press("Enter")
    await (await chooser.value).set_files({"name": "keys.txt", "mimeType": "text/plain", "buffer": b"by keys"})
    await expect(screen.main.place.get_by_text("keys.txt")).to_be_visible()
    await tab_to(page, "textbox", "Message", "Shift+Tab")
    await keys.press("Enter")
    message = screen.main.message(mark)
    await expect(message.locator("strong")).to_have_text("strong")
    await expect(message.get_by_role("button", name="#general")).to_be_visible()
    await expect(message).not_to_contain_text("*")
    await expect(message).to_contain_text("@grace")
    await expect(message.get_by_role("img", name="sparkles")).to_be_visible()
    await expect(message).to_contain_text("keys.txt")
    (said, *_) = (await town["grace"].ok("conversations.history", channel=room, limit=1))["messages"]
    assert f"<#{town.general}" in said["text"]
    assert f"<@{town['grace'].user_id}>" in said["text"]


async def test_the_last_message_is_edited_by_an_arrow(browsing: Browsing) -> None:
    """Up in an empty field, once the server has the message; with Alt it leads to another conversation instead."""
    room = await browsing.room("ada", "grace")
    visit = await browsing.signed_in("ada")
    page, screen, keys = visit.page, Screen(visit.page), visit.page.keyboard
    await screen.start(f"/client/{room}")
    await expect(screen.main.field).to_be_focused()
    await keys.type("as it was")
    await keys.press("Enter")
    await screen.main.has("as it was")
    async with asyncio.timeout(PATIENCE_MS / 1_000):
        while not await screen.main.feed.get_by_role("textbox").count():
            await keys.press("ArrowUp")
            await asyncio.sleep(0.1)
    await expect(screen.main.feed.get_by_role("textbox")).to_be_focused()
    await keys.press("ControlOrMeta+a")
    await keys.type("changed by an arrow")
    await keys.press("Enter")
    await screen.main.has("changed by an arrow")
    await screen.main.has("as it was", 0)
    await tab_to(page, "textbox", "Message")
    here = page.url
    await keys.press("Alt+ArrowUp")
    await expect(page).not_to_have_url(here)
    await expect(screen.main.field).to_be_visible()
