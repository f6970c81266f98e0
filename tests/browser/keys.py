"""What somebody has who has no pointer: Tab, and everything that says where the focus is."""

from __future__ import annotations

import asyncio
import time

from playwright.async_api import Page

from tests.browser.visits import PATIENCE_MS

STEPS_MAX = 60
_FOCUSED = """() => {
  const at = document.activeElement;
  const byTag = { A: "link", BUTTON: "button", TEXTAREA: "textbox", ARTICLE: "article" };
  const byType = { text: "textbox", email: "textbox", password: "textbox", tel: "textbox" };
  const role = byTag[at.tagName] ?? byType[at.type] ?? at.type ?? at.tagName;
  const name = at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent;
  return [at.getAttribute("role") ?? role, name.replace(/\\s+/g, " ").trim()];
}"""


async def focused(page: Page) -> tuple[str, str]:
    """Return role and name of what has the focus."""
    role, name = await page.evaluate(_FOCUSED)
    return role, name


async def tab_to(page: Page, role: str, name: str, key: str = "Tab") -> None:
    """Press Tab until something of this role and name has the focus; more than once round, as pages still draw."""
    deadline, passed = time.monotonic() + PATIENCE_MS / 1_000, list[tuple[str, str]]()
    while time.monotonic() < deadline:
        for _ in range(STEPS_MAX):
            await page.keyboard.press(key)
            has_role, has_name = await focused(page)
            if has_role == role and name in has_name:
                return
            passed.append((has_role, has_name[:40]))
        await asyncio.sleep(0.1)
    raise AssertionError(f"{key} reaches no {role} {name}, only {list(dict.fromkeys(passed))}")


async def menu_item(page: Page, name: str) -> None:
    """Choose from the menu that is open, by arrows."""
    await page.get_by_role("menu").wait_for()
    for _ in range(STEPS_MAX):
        if (await focused(page))[1].startswith(name):
            return await page.keyboard.press("Enter")
        await page.keyboard.press("ArrowDown")
    raise AssertionError(f"arrows reach no {name}")
