"""What one chooses for oneself, is told of what happens elsewhere, and brings along from elsewhere."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser.screen import Screen
from tests.browser.visits import PATIENCE_MS, Browsing

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture of one pixel."""
NOTIFIED = """
window.__notified = [];
window.Notification = class {
  static permission = "granted";
  static requestPermission = async () => "granted";
  constructor(title, options) { window.__notified.push([title, options.body, this]); }
  close() {}
};
"""
"""What a browser without a window has none of: it is noted what would be shown."""


async def test_preferences_are_kept(browsing: Browsing) -> None:
    """Chosen in one browser, they hold there at once, and in another that one signs in with."""
    visit = await browsing.signed_in("linus")
    screen = Screen(visit.page)
    await screen.start(f"/client/{browsing.town.general}")
    await visit.page.keyboard.press("ControlOrMeta+,")
    dialog = visit.page.get_by_role("dialog", name="Preferences")
    await dialog.get_by_role("radio", name="Dark").check(force=True)
    await expect(visit.page.locator("html")).to_have_attribute("data-theme", "dark")
    async with asyncio.timeout(PATIENCE_MS / 1_000):
        while "dark" not in str(await visit.call("users.prefs.get")):
            await asyncio.sleep(0.05)
    other = await browsing.signed_in("linus")
    await Screen(other.page).start(f"/client/{browsing.town.general}")
    await expect(other.page.locator("html")).to_have_attribute("data-theme", "dark")
    await dialog.get_by_role("radio", name="System").check(force=True)
    await expect(visit.page.locator("html")).not_to_have_attribute("data-theme", "dark")


async def test_one_is_told_of_what_happens_elsewhere(browsing: Browsing) -> None:
    """A mention in another conversation is shown, and leads there; what one looks at is not."""
    town, room = browsing.town, await browsing.room("ada", "grace")
    visit = await browsing.signed_in("grace")
    await visit.context.add_init_script(NOTIFIED)
    screen = Screen(visit.page)
    await screen.start(f"/client/{room}")
    await town["ada"].post(room, f"seen already, <@{town['grace'].user_id}>")
    await screen.main.has("seen already")
    await screen.open("general")
    await town["ada"].post(room, f"look here, <@{town['grace'].user_id}>")
    async with asyncio.timeout(PATIENCE_MS / 1_000):
        while not (told := await visit.page.evaluate("__notified.map(([title, body]) => [title, body])")):
            await asyncio.sleep(0.05)
    assert [body for _, body in told] == ["look here, @grace"]
    assert told[0][0].startswith("ada in #room-")
    await visit.page.evaluate("__notified[0][2].onclick()")
    await expect(screen.main.message("look here")).to_be_in_viewport()


async def test_a_picture_is_pasted(browsing: Browsing) -> None:
    """Out of the clipboard into the field; the other sees it."""
    room = await browsing.room("ada", "grace")
    visit, other = await browsing.signed_in("ada"), await browsing.signed_in("grace")
    ada, grace = Screen(visit.page), Screen(other.page)
    for screen in (ada, grace):
        await screen.start(f"/client/{room}")
    await ada.main.field.evaluate(
        """(field, dot) => {
          const bytes = Uint8Array.from(atob(dot), (letter) => letter.charCodeAt(0));
          const carried = new DataTransfer();
          carried.items.add(new File([bytes], "dot.png", {type: "image/png"}));
          field.dispatchEvent(new ClipboardEvent("paste", {clipboardData: carried, bubbles: true, cancelable: true}));
        }""",
        DOT,
    )
    await ada.main.say("out of the clipboard")
    await expect(grace.main.message("out of the clipboard").get_by_role("img", name="dot.png")).to_be_visible()
